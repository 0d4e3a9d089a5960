import type { DatabaseSync, StatementSync } from "node:sqlite";
import { bucketPlaces, MAX_RUN_SPAN, packRun, placeOf, prefixOf, prefixPlaces, visitChunk } from "./id-chunk.ts";
import { IdFilter } from "./id-filter.ts";
import { hashId, type IdHash } from "./id-hash.ts";
import { RecentIds } from "./recent-ids.ts";

/** How long a (source, id) from outside is remembered. */
export const DEDUPE_MS = 24 * 3_600_000;

const RUN_ENTRIES = 32_768;
const RUNS_PER_FILTER = 32;
/** A bucket ends after this time too, so that its newest entry is at most this much younger than its oldest. */
const BUCKET_MS = 3_600_000;
/** Filters of about 32 million ids; older buckets are then searched without one, slower but right. */
const FILTER_BYTES = 64 * 1024 * 1024;

interface Bucket {
  readonly bucket: number;
  readonly firstMs: number;
  lastMs: number;
  runs: number;
  filter: IdFilter | null;
}

/**
 * Which event had this (source, id)? Asked for every event from outside, and nearly always answered "none": so the newest ids are kept
 * in memory (they are rebuilt from the event rows at open, which makes them as durable as those), older ones leave it a run at a time
 * into rows that are written in order, and a filter for each bucket of runs keeps look-ups away from the file.
 * One index over (source, id) instead dirtied one page of 4 KiB for every event.
 */
export class IdIndex {
  private readonly seed: number;
  private readonly recent = new RecentIds(RUN_ENTRIES);
  private recentFirstMs = 0;
  private recentLastMs = 0;
  private flushedSeq: number;
  /** Oldest first; the last one is still being filled. */
  private readonly buckets: Bucket[] = [];
  private readonly insertChunk: StatementSync;
  private readonly selectChunks: StatementSync;
  private readonly upsertBucket: StatementSync;
  private readonly saveFilter: StatementSync;
  private readonly database: DatabaseSync;

  constructor(database: DatabaseSync, seed: number, flushedSeq: number, nowMs: number) {
    this.database = database;
    this.seed = seed;
    this.flushedSeq = flushedSeq;
    this.insertChunk = database.prepare("INSERT INTO id_chunks VALUES (?, ?)");
    this.selectChunks = database.prepare("SELECT entries FROM id_chunks WHERE place BETWEEN ? AND ? ORDER BY place DESC");
    this.upsertBucket = database.prepare(
      `INSERT INTO id_buckets (bucket, first_ms, last_ms, runs) VALUES (?, ?, ?, ?)
       ON CONFLICT (bucket) DO UPDATE SET last_ms = excluded.last_ms, runs = excluded.runs`,
    );
    this.saveFilter = database.prepare("UPDATE id_buckets SET filter = ? WHERE bucket = ?");
    this.loadBuckets(nowMs - DEDUPE_MS);
    this.loadRecent();
  }

  /** Everything up to here is in runs. */
  get flushed(): number {
    return this.flushedSeq;
  }

  hash(source: string, id: string): IdHash {
    return hashId(source, id, this.seed);
  }

  /** The newest event from outside with this hash within the day, or null. The caller compares it in full. */
  find(hash: IdHash, nowMs: number): number | null {
    const recent = this.recent.find(hash);
    if (recent !== null) return recent;
    const sinceMs = nowMs - DEDUPE_MS;
    for (let i = this.buckets.length - 1; i >= 0; i--) {
      const bucket = this.buckets[i];
      if (bucket === undefined || bucket.lastMs < sinceMs) break;
      if (bucket.filter !== null && !bucket.filter.mayHave(hash)) continue;
      const seq = this.findInBucket(bucket, hash);
      if (seq !== null) return seq;
    }
    return null;
  }

  add(hash: IdHash, seq: number, dedupe: boolean, nowMs: number): void {
    if (this.recent.size === 0) this.recentFirstMs = nowMs;
    this.recentLastMs = nowMs;
    this.recent.add(hash, seq, dedupe);
    if (this.recent.full || seq - this.recent.firstSeq > MAX_RUN_SPAN) this.flush(seq);
  }

  /** Before a look-up: what has lain in memory for long moves to a bucket, whose age is known. */
  age(nowMs: number, seq: number): void {
    if (this.recent.size > 0 && nowMs - this.recentFirstMs > BUCKET_MS) this.flush(seq);
    while (this.buckets.length > 1 && (this.buckets[0]?.lastMs ?? nowMs) < nowMs - DEDUPE_MS) this.buckets.shift();
  }

  /** Writes the ids in memory as a run. `seq` is the newest event among them. */
  flush(seq: number): void {
    if (this.recent.size === 0) return;
    const entries = this.recent.entries();
    const bucket = this.bucketFor(this.recentFirstMs);
    const run = bucket.runs++;
    bucket.lastMs = this.recentLastMs;
    for (const [prefix, bytes] of packRun(entries)) this.insertChunk.run(placeOf(bucket.bucket, prefix, run), bytes);
    this.upsertBucket.run(bucket.bucket, bucket.firstMs, bucket.lastMs, bucket.runs);
    this.recent.clear();
    this.flushedSeq = seq;
    if ((bucket.runs & (bucket.runs - 1)) === 0) bucket.filter = this.buildFilter(bucket, Math.min(bucket.runs * 2, RUNS_PER_FILTER));
    else for (const { high, low, dedupe } of entries) if (dedupe) bucket.filter?.add(high, low);
    this.boundFilters();
  }

  /** The bucket that takes the next run; the one before is closed, its filter kept in the file so that opening stays quick. */
  private bucketFor(firstMs: number): Bucket {
    const last = this.buckets.at(-1);
    if (last !== undefined && last.runs < RUNS_PER_FILTER && firstMs - last.firstMs < BUCKET_MS) return last;
    if (last?.filter != null) this.saveFilter.run(last.filter.bytes, last.bucket);
    const row = this.database.prepare("SELECT coalesce(max(bucket), 0) AS bucket FROM id_buckets").get();
    const bucket: Bucket = { bucket: Number(row?.["bucket"]) + 1, firstMs, lastMs: firstMs, runs: 0, filter: null };
    this.buckets.push(bucket);
    return bucket;
  }

  private findInBucket(bucket: Bucket, hash: IdHash): number | null {
    const { from, to } = prefixPlaces(bucket.bucket, prefixOf(hash.high));
    let found: number | null = null;
    for (const row of this.selectChunks.iterate(from, to)) {
      visitChunk(row["entries"] as Uint8Array, (high, low, seq, dedupe) => {
        if (dedupe && high === hash.high && low === hash.low && (found === null || seq > found)) found = seq;
      });
    }
    return found;
  }

  /** A filter grows with its bucket: it is built anew at 1, 2, 4, 8 and 16 runs, twice as large as needed then. */
  private buildFilter(bucket: Bucket, runs: number): IdFilter {
    const filter = IdFilter.for(runs * RUN_ENTRIES);
    const { from, to } = bucketPlaces(bucket.bucket);
    for (const row of this.selectChunks.iterate(from, to)) {
      visitChunk(row["entries"] as Uint8Array, (high, low, _seq, dedupe) => {
        if (dedupe) filter.add(high, low);
      });
    }
    return filter;
  }

  private boundFilters(): void {
    let bytes = 0;
    for (const bucket of this.buckets.toReversed()) {
      bytes += bucket.filter?.bytes.length ?? 0;
      if (bytes > FILTER_BYTES) bucket.filter = null;
    }
  }

  private loadBuckets(sinceMs: number): void {
    const rows = this.database.prepare("SELECT * FROM id_buckets WHERE last_ms >= ? ORDER BY bucket").all(sinceMs);
    for (const row of rows) {
      const saved = row["filter"];
      this.buckets.push({
        bucket: Number(row["bucket"]),
        firstMs: Number(row["first_ms"]),
        lastMs: Number(row["last_ms"]),
        runs: Number(row["runs"]),
        filter: saved instanceof Uint8Array ? IdFilter.of(saved) : null,
      });
    }
    const open = this.buckets.at(-1);
    if (open !== undefined && open.filter === null) {
      const power = 2 ** Math.floor(Math.log2(open.runs));
      open.filter = this.buildFilter(open, Math.min(power * 2, RUNS_PER_FILTER));
    }
    this.boundFilters();
  }

  private loadRecent(): void {
    const rows = this.database
      .prepare("SELECT seq, id, source, dedupe, received_ms FROM events WHERE seq > ? ORDER BY seq")
      .iterate(this.flushedSeq);
    for (const row of rows) {
      const receivedMs = Number(row["received_ms"]);
      if (this.recent.size === 0) this.recentFirstMs = receivedMs;
      this.recentLastMs = receivedMs;
      this.recent.add(this.hash(String(row["source"]), String(row["id"])), Number(row["seq"]), row["dedupe"] === 1);
    }
  }
}
