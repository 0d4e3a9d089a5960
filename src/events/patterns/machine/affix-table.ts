import { HASH_SEED, hashBackwards, hashForwards, hashStep } from "./byte-hash.ts";
import { ByteTable } from "./byte-table.ts";
import { chained, type Hit, lengthOf, without } from "./hit.ts";
import type { SharedCondition } from "./shared-condition.ts";

/** Called with each chain of hits that is found. */
export type OnHit = (hit: Hit) => void;

/**
 * Texts that values begin with, or end with, and whole texts: hashed byte by byte in one direction, a value passes every
 * beginning of it, and where the table holds something of that length it is asked. The cost is that of reading the value once and of
 * one look-up for each length that occurs, however many texts there are.
 */
export class AffixTable {
  private readonly affixes = new ByteTable<Hit>();
  private readonly whole = new ByteTable<Hit>();
  private readonly backwards: boolean;
  /** How many affixes have each length. */
  private readonly counts: number[] = [];
  /** The lengths of whole texts, modulo 32, as bits, and the greatest: most values are told by theirs. */
  private wholeLengths = 0;
  private longestWhole = 0;

  constructor(direction: "forwards" | "backwards") {
    this.backwards = direction === "backwards";
  }

  get isEmpty(): boolean {
    return this.affixes.size === 0 && this.whole.size === 0;
  }

  get sizeBytes(): number {
    return this.affixes.sizeBytes + this.whole.sizeBytes;
  }

  addWhole(text: Uint8Array, hit: Hit): void {
    const hash = this.hash(text);
    const chain = this.whole.find(text, 0, text.length, hash);
    this.whole.set(text, hash, chained(hit, chain));
    if (chain !== undefined) this.whole.note(text, hash, 0);
    this.wholeLengths |= 1 << (text.length & 31);
    this.longestWhole = Math.max(this.longestWhole, text.length);
  }

  deleteWhole(text: Uint8Array, condition: SharedCondition): void {
    remove(this.whole, text, this.hash(text), condition);
  }

  /** The number of the one rule that wants this text and nothing else, or 0 when that is no longer so (`straight.ts`). */
  answerWhole(text: Uint8Array, straight: number): void {
    const hash = this.hash(text);
    const chain = this.whole.find(text, 0, text.length, hash);
    if (chain !== undefined) this.whole.note(text, hash, chain.next === null ? straight : 0);
  }

  addAffix(text: Uint8Array, hit: Hit): void {
    const hash = this.hash(text);
    const chain = this.affixes.find(text, 0, text.length, hash);
    if (chain === undefined) {
      while (this.counts.length <= text.length) this.counts.push(0);
      this.counts[text.length] = (this.counts[text.length] as number) + 1;
    }
    this.affixes.set(text, hash, chained(hit, chain));
  }

  deleteAffix(text: Uint8Array, condition: SharedCondition): void {
    if (!remove(this.affixes, text, this.hash(text), condition)) return;
    this.counts[text.length] = (this.counts[text.length] as number) - 1;
    while (this.counts.at(-1) === 0) this.counts.pop();
  }

  /** How many hits are filed under this affix, counted up to a few. */
  crowd(text: Uint8Array, most: number): number {
    return lengthOf(this.affixes.find(text, 0, text.length, this.hash(text)), most);
  }

  look(bytes: Uint8Array, start: number, end: number, onHit: OnHit, onStraight: (straight: number) => void): void {
    const length = end - start;
    const { counts } = this;
    const longest = Math.min(counts.length - 1, length);
    let hash = HASH_SEED;
    let done = 0;
    if (longest >= 0) {
      for (; ; done++) {
        if ((counts[done] as number) > 0) {
          const hit = this.affixes.find(bytes, this.backwards ? end - done : start, done, hash);
          if (hit !== undefined) onHit(hit);
        }
        if (done >= longest) break;
        hash = hashStep(hash, bytes[this.backwards ? end - 1 - done : start + done] as number);
      }
    }
    if (length > this.longestWhole || (this.wholeLengths & (1 << (length & 31))) === 0 || this.whole.size === 0) return;
    // Whole texts are only ever filed in the table that reads forwards.
    for (let at = start + done; at < end; at++) hash = hashStep(hash, bytes[at] as number);
    const found = this.whole.locate(bytes, start, length, hash);
    if (found === -1) return;
    const straight = this.whole.noteAt(found);
    if (straight !== 0) onStraight(straight);
    else onHit(this.whole.valueAt(found));
  }

  private hash(text: Uint8Array): number {
    return this.backwards ? hashBackwards(text) : hashForwards(text);
  }
}

/** Whether nothing is left under the text. */
function remove(table: ByteTable<Hit>, text: Uint8Array, hash: number, condition: SharedCondition): boolean {
  const chain = table.find(text, 0, text.length, hash);
  if (chain === undefined) return false;
  const rest = without(chain, condition);
  if (rest !== null) table.set(text, hash, rest);
  else table.delete(text, hash);
  return rest === null;
}
