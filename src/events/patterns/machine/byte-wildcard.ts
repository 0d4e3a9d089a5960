import type { Starred } from "../wildcard.ts";
import { toUtf8 } from "./utf8.ts";

/** A wildcard over bytes: the same procedure as over strings (`wildcard.ts`), linear in the text whatever the wildcard. */
export class ByteWildcard {
  readonly first: Uint8Array;
  readonly last: Uint8Array;
  readonly between: readonly Needle[];
  private readonly minLength: number;

  constructor({ first, between, last }: Starred) {
    this.first = toUtf8(first);
    this.last = toUtf8(last);
    this.between = between.map(({ text }) => toNeedle(toUtf8(text)));
    this.minLength = this.between.reduce((sum, { bytes }) => sum + bytes.length, this.first.length + this.last.length);
  }

  matches(text: Uint8Array, start: number, end: number): boolean {
    if (end - start < this.minLength) return false;
    const tail = end - this.last.length;
    if (!stands(this.first, text, start) || !stands(this.last, text, tail)) return false;
    let at = start + this.first.length;
    for (const needle of this.between) {
      at = endOf(needle, text, at, tail);
      if (at === -1) return false;
    }
    return true;
  }
}

export interface Needle {
  readonly bytes: Uint8Array;
  /** Of each beginning, the length of the longest shorter beginning that it ends with (Knuth, Morris, Pratt). */
  readonly borders: Uint16Array;
}

function toNeedle(bytes: Uint8Array): Needle {
  const borders = new Uint16Array(bytes.length);
  for (let i = 1, border = 0; i < bytes.length; i++) {
    while (border > 0 && bytes[i] !== bytes[border]) border = borders[border - 1] as number;
    if (bytes[i] === bytes[border]) border++;
    borders[i] = border;
  }
  return { bytes, borders };
}

function stands(part: Uint8Array, text: Uint8Array, at: number): boolean {
  for (let i = 0; i < part.length; i++) if (text[at + i] !== part[i]) return false;
  return true;
}

/** The place behind the leftmost occurrence, or -1. */
function endOf({ bytes, borders }: Needle, text: Uint8Array, from: number, to: number): number {
  let known = 0;
  for (let at = from; at < to; at++) {
    while (known > 0 && text[at] !== bytes[known]) known = borders[known - 1] as number;
    if (text[at] === bytes[known]) known++;
    if (known === bytes.length) return at + 1;
  }
  return -1;
}
