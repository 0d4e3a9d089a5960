/**
 * Strings as bytes and back. Halves of surrogate pairs, which `"\ud800"` in JSON can spell, are written as the three bytes that
 * UTF-8 would give them if it might (WTF-8): so every JavaScript string has one text in bytes, and equal strings have equal bytes.
 */

/** Writes a string; there must be room for three bytes a UTF-16 unit. Gives the place behind it. */
export function writeUtf8(text: string, bytes: Uint8Array, start: number): number {
  let at = start;
  for (let i = 0; i < text.length; i++) {
    let point = text.charCodeAt(i);
    if (point < 0x80) {
      bytes[at++] = point;
      continue;
    }
    if (point >= 0xd800 && point < 0xdc00 && i + 1 < text.length) {
      const low = text.charCodeAt(i + 1);
      if (low >= 0xdc00 && low < 0xe000) {
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
        i++;
      }
    }
    at = writePoint(point, bytes, at);
  }
  return at;
}

export function writePoint(point: number, bytes: Uint8Array, start: number): number {
  let at = start;
  if (point < 0x80) bytes[at++] = point;
  else if (point < 0x800) {
    bytes[at++] = 0xc0 | (point >> 6);
    bytes[at++] = 0x80 | (point & 0x3f);
  } else if (point < 0x10000) {
    bytes[at++] = 0xe0 | (point >> 12);
    bytes[at++] = 0x80 | ((point >> 6) & 0x3f);
    bytes[at++] = 0x80 | (point & 0x3f);
  } else {
    bytes[at++] = 0xf0 | (point >> 18);
    bytes[at++] = 0x80 | ((point >> 12) & 0x3f);
    bytes[at++] = 0x80 | ((point >> 6) & 0x3f);
    bytes[at++] = 0x80 | (point & 0x3f);
  }
  return at;
}

/** The bytes of a text, to be kept. */
export function toUtf8(text: string): Uint8Array {
  return borrowUtf8(text).slice();
}

/** The bytes of a text, good until somebody borrows the next: to file a million texts makes no garbage of their size. */
export function borrowUtf8(text: string): Uint8Array {
  if (text.length * 3 > scratch.length) scratch = new Uint8Array(text.length * 3);
  return scratch.subarray(0, writeUtf8(text, scratch, 0));
}

let scratch = new Uint8Array(1024);

/** The string that sound bytes spell, halves of surrogate pairs included. */
export function readUtf8(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let at = start; at < end;) {
    const lead = bytes[at] as number;
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    let point = length === 1 ? lead : lead & (0x7f >> length);
    for (let i = 1; i < length; i++) point = (point << 6) | ((bytes[at + i] as number) & 0x3f);
    text += String.fromCodePoint(point);
    at += length;
  }
  return text;
}

/** The place of the first byte that makes this no UTF-8, or -1. */
export function faultInUtf8(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end;) {
    const lead = bytes[at] as number;
    if (lead < 0x80) {
      at++;
      continue;
    }
    // The second byte's bounds keep out what is overlong, a surrogate, or beyond Unicode.
    const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (lead < 0xc2 || lead > 0xf4 || at + length > end) return at;
    const second = bytes[at + 1] as number;
    const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (second < least || second > most) return at;
    for (let i = 2; i < length; i++) if (((bytes[at + i] as number) & 0xc0) !== 0x80) return at;
    at += length;
  }
  return -1;
}
