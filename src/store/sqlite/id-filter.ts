import type { IdHash } from "./id-hash.ts";

/** 16 bits an entry and 6 probes: one absent id in a thousand is looked up in vain. */
const BITS_PER_ENTRY = 16;
const PROBES = 6;

/** A Bloom filter over id hashes; its size is a power of two. */
export class IdFilter {
  readonly bytes: Uint8Array;
  private readonly mask: number;

  private constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.mask = bytes.length * 8 - 1;
  }

  static for(entries: number): IdFilter {
    return new IdFilter(new Uint8Array((entries * BITS_PER_ENTRY) / 8));
  }

  static of(bytes: Uint8Array): IdFilter {
    return new IdFilter(bytes);
  }

  add(high: number, low: number): void {
    let bit = high;
    for (let probe = 0; probe < PROBES; probe++) {
      const place = bit & this.mask;
      this.bytes[place >>> 3] = (this.bytes[place >>> 3] ?? 0) | (1 << (place & 7));
      bit = (bit + (low | 1)) | 0;
    }
  }

  mayHave({ high, low }: IdHash): boolean {
    let bit = high;
    for (let probe = 0; probe < PROBES; probe++) {
      const place = bit & this.mask;
      if (((this.bytes[place >>> 3] ?? 0) & (1 << (place & 7))) === 0) return false;
      bit = (bit + (low | 1)) | 0;
    }
    return true;
  }
}
