/**
 * Skipping what no rule asks for: the innermost loops of a match on bytes. Both functions give the place behind the value that
 * begins at `start`, or -1 - the place of what cannot stand there. They rely on the zero behind the event.
 */

export function skipString(bytes: Uint8Array, start: number): number {
  for (let at = start + 1; ; at++) {
    while (IN_STRING[bytes[at] as number] === PLAIN) at++;
    const byte = bytes[at] as number;
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) at++;
    if ((bytes[at] as number) < 0x20) return -1 - at;
  }
}

/**
 * An object or an array. Strings end, brackets balance, and braces do: more is not asked of what is skipped. Where the event lies in
 * WebAssembly's memory skip.wat does the same.
 */
export function skipComposite(bytes: Uint8Array, start: number, eventEnd: number): number {
  let depth = 0;
  let braces = 0;
  for (let at = start; ; at++) {
    while (IN_COMPOSITE[bytes[at] as number] === PLAIN) at++;
    switch (bytes[at]) {
      case QUOTE: {
        const end = skipString(bytes, at);
        if (end < 0) return end;
        at = end - 1;
        break;
      }
      case OPEN_BRACE:
        braces++;
        depth++;
        break;
      case OPEN_BRACKET:
        depth++;
        break;
      case CLOSE_BRACE:
        braces--;
        if (--depth === 0) return braces === 0 ? at + 1 : -1 - at;
        break;
      case CLOSE_BRACKET:
        if (--depth === 0) return braces === 0 ? at + 1 : -1 - at;
        break;
      default:
        if (at >= eventEnd) return -1 - eventEnd;
    }
  }
}

const QUOTE = 0x22;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const PLAIN = 0;
const OTHER = 1;

const IN_STRING = new Uint8Array(256).fill(OTHER, 0, 0x20);
IN_STRING[QUOTE] = OTHER;
IN_STRING[BACKSLASH] = OTHER;

const IN_COMPOSITE = new Uint8Array(256);
for (const byte of [0, QUOTE, OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE]) IN_COMPOSITE[byte] = OTHER;
