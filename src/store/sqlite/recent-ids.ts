import type { ChunkEntry } from "./id-chunk.ts";
import type { IdHash } from "./id-hash.ts";

/** The ids of the newest events: an open-addressing table over plain arrays, about 1 MiB whatever it holds. */
export class RecentIds {
  private readonly capacity: number;
  private readonly slots: Int32Array;
  private readonly highs: Uint32Array;
  private readonly lows: Uint32Array;
  private readonly seqs: Float64Array;
  private readonly dedupes: Uint8Array;
  private count = 0;

  /** A power of two; the table has twice as many slots. */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.slots = new Int32Array(capacity * 2);
    this.highs = new Uint32Array(capacity);
    this.lows = new Uint32Array(capacity);
    this.seqs = new Float64Array(capacity);
    this.dedupes = new Uint8Array(capacity);
  }

  get size(): number {
    return this.count;
  }

  get full(): boolean {
    return this.count === this.capacity;
  }

  get firstSeq(): number {
    return this.seqs[0] ?? 0;
  }

  /** Later entries of the same hash stand in for the earlier ones. */
  add(hash: IdHash, seq: number, dedupe: boolean): void {
    const at = this.count++;
    this.highs[at] = hash.high;
    this.lows[at] = hash.low;
    this.seqs[at] = seq;
    this.dedupes[at] = dedupe ? 1 : 0;
    if (dedupe) this.slots[this.slotOf(hash)] = at + 1;
  }

  find(hash: IdHash): number | null {
    const entry = this.slots[this.slotOf(hash)] ?? 0;
    return entry === 0 ? null : (this.seqs[entry - 1] ?? null);
  }

  entries(): ChunkEntry[] {
    return Array.from({ length: this.count }, (_, at) => ({
      high: this.highs[at] ?? 0,
      low: this.lows[at] ?? 0,
      seq: this.seqs[at] ?? 0,
      dedupe: this.dedupes[at] === 1,
    }));
  }

  clear(): void {
    this.count = 0;
    this.slots.fill(0);
  }

  private slotOf({ high, low }: IdHash): number {
    const mask = this.slots.length - 1;
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const entry = this.slots[slot] ?? 0;
      if (entry === 0) return slot;
      if (this.highs[entry - 1] === high && this.lows[entry - 1] === low) return slot;
    }
  }
}
