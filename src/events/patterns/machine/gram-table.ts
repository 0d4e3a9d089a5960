import type { OnHit } from "./affix-table.ts";
import type { ByteWildcard } from "./byte-wildcard.ts";
import { chained, type Hit, lengthOf, without } from "./hit.ts";
import type { SharedCondition } from "./shared-condition.ts";

/** A gram is up to so many bytes: what fits a whole number of 32 bits. */
const LONGEST = 4;
/** So many grams of a wildcard are weighed against each other. */
const WEIGHED = 16;

/**
 * Wildcards that are filed under some bytes that stand between their stars. A value is asked at every place for the one to four
 * bytes there; a wildcard is filed once, under its rarest gram, so that a hundred thousand of them that share a beginning still are
 * apart.
 */
export class GramTable {
  /** By the length of the gram, less one. */
  private readonly byLength: (Map<number, Hit> | null)[] = [null, null, null, null];
  private count = 0;

  get isEmpty(): boolean {
    return this.count === 0;
  }

  get size(): number {
    return this.count;
  }

  /** How good the gram is under which this wildcard would be filed, the lower the better (see rankOf). */
  rank(wildcard: ByteWildcard, most: number): number {
    const gram = this.rarest(wildcard, most);
    return gram === undefined ? rankOf(0, 0) : rankOf(gram.length, lengthOf(this.chain(gram), most));
  }

  /** Files a hit, and says under which gram. */
  add(wildcard: ByteWildcard, hit: Hit, most: number): Gram | undefined {
    const gram = this.rarest(wildcard, most);
    if (gram === undefined) return undefined;
    const grams = (this.byLength[gram.length - 1] ??= new Map());
    grams.set(gram.bits, chained(hit, grams.get(gram.bits)));
    this.count++;
    return gram;
  }

  delete(gram: Gram, condition: SharedCondition): void {
    const grams = this.byLength[gram.length - 1];
    const chain = grams?.get(gram.bits);
    if (grams === null || grams === undefined || chain === undefined) return;
    const before = lengthOf(chain, Number.POSITIVE_INFINITY);
    const rest = without(chain, condition);
    if (rest === null) grams.delete(gram.bits);
    else grams.set(gram.bits, rest);
    this.count -= before - lengthOf(rest, Number.POSITIVE_INFINITY);
    if (grams.size === 0) this.byLength[gram.length - 1] = null;
  }

  look(bytes: Uint8Array, start: number, end: number, onHit: OnHit): void {
    for (let length = 1; length <= LONGEST; length++) {
      const grams = this.byLength[length - 1];
      if (grams === null || grams === undefined) continue;
      const mask = length === LONGEST ? -1 : (1 << (length * 8)) - 1;
      let bits = 0;
      for (let at = start; at < end; at++) {
        bits = ((bits << 8) | (bytes[at] as number)) & mask;
        if (at - start + 1 < length) continue;
        const hit = grams.get(bits);
        if (hit !== undefined) onHit(hit);
      }
    }
  }

  forgetLookUps(): void {
    for (const grams of this.byLength) {
      // Those further down too: they may come first when others leave.
      for (const first of grams?.values() ?? []) for (let hit: Hit | null = first; hit !== null; hit = hit.next) hit.metIn = 0;
    }
  }

  private rarest(wildcard: ByteWildcard, most: number): Gram | undefined {
    let best: Gram | undefined;
    let lowest = Number.POSITIVE_INFINITY;
    let weighed = 0;
    for (const { bytes } of wildcard.between) {
      const length = Math.min(LONGEST, bytes.length);
      for (let at = bytes.length - length; at >= 0 && weighed < WEIGHED; at--, weighed++) {
        const gram = { length, bits: bitsOf(bytes, at, length) };
        const rank = rankOf(length, lengthOf(this.chain(gram), most));
        if (rank >= lowest) continue;
        best = gram;
        lowest = rank;
      }
    }
    return best;
  }

  private chain(gram: Gram): Hit | undefined {
    return this.byLength[gram.length - 1]?.get(gram.bits);
  }
}

/** A literal tells the more the fewer share it; of two that are as rare the longer tells more, and the empty one nothing. */
export function rankOf(length: number, crowd: number): number {
  return length === 0 ? Number.POSITIVE_INFINITY : crowd + 1 / (1 + length);
}

export interface Gram {
  readonly length: number;
  readonly bits: number;
}

function bitsOf(bytes: Uint8Array, start: number, length: number): number {
  let bits = 0;
  for (let i = 0; i < length; i++) bits = (bits << 8) | (bytes[start + i] as number);
  return bits;
}
