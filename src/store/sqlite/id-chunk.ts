/**
 * Where the ids of past events stand in the file. A run (up to 32,768 events in order of arrival) is split by the first 8 bits of its
 * hashes into chunks, and a chunk is one row: a run costs 256 rows instead of 32,768 inserts at random places, and a look-up reads the
 * few rows that share its first bits.
 */
const PREFIXES = 256;
const RUNS_PER_BUCKET = 1024;

/** Entries of the platform's own events are there for people's look-ups only. */
const PLAIN = 0x80000000;
const HEAD_BYTES = 8;
const ENTRY_BYTES = 12;

export interface ChunkEntry {
  readonly high: number;
  readonly low: number;
  readonly seq: number;
  readonly dedupe: boolean;
}

export const prefixOf = (high: number): number => high >>> 24;
export const placeOf = (bucket: number, prefix: number, run: number): number => (bucket * PREFIXES + prefix) * RUNS_PER_BUCKET + run;

/** All chunks of a bucket, or those that share a prefix. */
export const bucketPlaces = (bucket: number): { from: number; to: number } => ({
  from: placeOf(bucket, 0, 0),
  to: placeOf(bucket + 1, 0, 0) - 1,
});
export const prefixPlaces = (bucket: number, prefix: number): { from: number; to: number } => ({
  from: placeOf(bucket, prefix, 0),
  to: placeOf(bucket, prefix, RUNS_PER_BUCKET - 1),
});

/** The rows of a run, by prefix. Empty ones are left out. */
export function packRun(entries: readonly ChunkEntry[]): Map<number, Uint8Array> {
  const base = entries.reduce((least, entry) => Math.min(least, entry.seq), Infinity);
  const byPrefix = new Map<number, ChunkEntry[]>();
  for (const entry of entries) {
    const prefix = prefixOf(entry.high);
    const list = byPrefix.get(prefix);
    if (list === undefined) byPrefix.set(prefix, [entry]);
    else list.push(entry);
  }
  const rows = new Map<number, Uint8Array>();
  for (const [prefix, list] of byPrefix) rows.set(prefix, packChunk(list, base));
  return rows;
}

function packChunk(entries: readonly ChunkEntry[], base: number): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + entries.length * ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, base, true);
  let at = HEAD_BYTES;
  for (const { high, low, seq, dedupe } of entries) {
    view.setUint32(at, high, true);
    view.setUint32(at + 4, low, true);
    view.setUint32(at + 8, (seq - base + (dedupe ? 0 : PLAIN)) >>> 0, true);
    at += ENTRY_BYTES;
  }
  return bytes;
}

export function visitChunk(bytes: Uint8Array, visit: (high: number, low: number, seq: number, dedupe: boolean) => void): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const base = view.getFloat64(0, true);
  for (let at = HEAD_BYTES; at < bytes.byteLength; at += ENTRY_BYTES) {
    const place = view.getUint32(at + 8, true);
    visit(view.getUint32(at, true), view.getUint32(at + 4, true), base + (place & ~PLAIN), (place & PLAIN) === 0);
  }
}

/** A run must end before its places overflow 31 bits. */
export const MAX_RUN_SPAN = 2 ** 30;
