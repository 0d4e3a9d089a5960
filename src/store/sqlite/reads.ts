import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Cursor, DueTimer, KvEntry, KvPage, KvValue, StoredAnswer } from "../store.ts";
import { KvRanges, MAX_KV_LIST, RangeDigest } from "./kv-range.ts";
import { Names } from "./names.ts";
import { runKindOf } from "./run-codes.ts";
import { FAR_MS } from "./schema.ts";
import { type Flat, originOf, putReady } from "./wire.ts";

/** What the owner reads. Each verb looks at one committed state; the reader's thread wraps it in a transaction. */
export class Reads {
  private readonly names: Names;
  private readonly ranges: KvRanges;
  private readonly readyRows: StatementSync;
  private readonly nextReady: StatementSync;
  private readonly dueTimerRows: StatementSync;
  private readonly nextTimer: StatementSync;
  private readonly timersOfKind: StatementSync;
  private readonly kvRow: StatementSync;
  private readonly answerRow: StatementSync;

  constructor(database: DatabaseSync) {
    this.names = new Names(database, false);
    this.ranges = new KvRanges(database);
    // CROSS JOIN keeps the order: the ready index first, then each delivery's event.
    this.readyRows = database.prepare(
      `SELECT d.seq, d.key, d.partition, d.attempt, d.due, d.pos, d.event, d.run, e.json, e.type, e.origin, e.hops, e.received_ms
       FROM deliveries d INDEXED BY deliveries_ready CROSS JOIN events e ON e.seq = d.event
       WHERE d.fn = ? AND d.state <= 0 AND (d.due, d.pos) > (?, ?) AND d.due <= ? ORDER BY d.due, d.pos LIMIT ?`,
    );
    this.nextReady = database.prepare(
      `SELECT due FROM deliveries INDEXED BY deliveries_ready WHERE fn = ? AND state <= 0 AND due > ? AND due < ${FAR_MS} ORDER BY due LIMIT 1`,
    );
    const timer = "SELECT name, kind, partition, due, payload FROM timers";
    this.dueTimerRows = database.prepare(`${timer} WHERE due <= ? ORDER BY due, id LIMIT ?`);
    this.nextTimer = database.prepare("SELECT min(due) AS due FROM timers WHERE due > ?");
    this.timersOfKind = database.prepare(`${timer} WHERE kind = ? ORDER BY due, id`);
    this.kvRow = database.prepare("SELECT version, value FROM kv WHERE key = ? AND (expires IS NULL OR expires > ?)");
    this.answerRow = database.prepare("SELECT fingerprint, bytes FROM answers WHERE key = ? AND expires > ?");
  }

  /** `[more, nextDueMs, count, …deliveries]` */
  ready(ask: { fn: string; after: Cursor; dueMs: number; count: number; bytes: number }): Flat {
    const fn = this.names.find(ask.fn);
    if (fn === null) return [0, null, 0];
    const deliveries: Flat = [];
    let count = 0;
    let bytes = 0;
    let more = false;
    for (const row of this.readyRows.iterate(fn, ask.after.dueMs, ask.after.pos, ask.dueMs, ask.count + 1)) {
      const json = String(row["json"]);
      if (count === ask.count || (count > 0 && bytes + json.length > ask.bytes)) {
        more = true;
        break;
      }
      count++;
      bytes += json.length;
      const run = runKindOf(row["run"]);
      putReady(deliveries, {
        seq: Number(row["seq"]),
        fn: ask.fn,
        key: row["key"] as string | null,
        partition: Number(row["partition"]),
        attempt: Number(row["attempt"]),
        ready: { dueMs: Number(row["due"]), pos: Number(row["pos"]) },
        ...(run === null ? {} : { run }),
        event: {
          seq: Number(row["event"]),
          json,
          type: this.names.name(Number(row["type"])),
          origin: originOf(Number(row["origin"])),
          hops: Number(row["hops"]),
          receivedMs: Number(row["received_ms"]),
        },
      });
    }
    const next = this.nextReady.get(fn, ask.dueMs)?.["due"];
    return [more ? 1 : 0, next === undefined ? null : Number(next), count, ...deliveries];
  }

  dueTimers({ nowMs, limit }: { nowMs: number; limit: number }): { timers: DueTimer[]; nextDueMs: number | null } {
    const next = this.nextTimer.get(nowMs)?.["due"];
    return { timers: this.dueTimerRows.all(nowMs, limit).map(timerOf), nextDueMs: next == null ? null : Number(next) };
  }

  timers(kind: string): DueTimer[] {
    return this.timersOfKind.all(kind).map(timerOf);
  }

  kvGet({ keys, nowMs }: { keys: readonly string[]; nowMs: number }): (KvEntry | null)[] {
    return keys.map((key) => {
      const row = this.kvRow.get(key, nowMs);
      return row === undefined ? null : { key, value: kvValue(row["value"]), version: Number(row["version"]) };
    });
  }

  kvList({ prefix, after, limit, nowMs }: { prefix: string; after: string | null; limit: number; nowMs: number }): KvPage {
    const most = Math.min(limit, MAX_KV_LIST);
    const digest = new RangeDigest();
    const entries: KvEntry[] = [];
    let cut = false;
    for (const { key, version, value } of this.ranges.list(prefix, after, most + 1, nowMs)) {
      if (entries.length === most) {
        cut = true;
        break;
      }
      digest.add(key, version);
      entries.push({ key, value: kvValue(value), version });
    }
    const to = cut ? (entries.at(-1)?.key ?? after ?? "") : null;
    return { entries, read: { prefix, after, to, digest: digest.toString() } };
  }

  answer({ key, nowMs }: { key: string; nowMs: number }): StoredAnswer | null {
    const row = this.answerRow.get(key, nowMs);
    return row === undefined ? null : { key, fingerprint: String(row["fingerprint"]), bytes: row["bytes"] as Uint8Array };
  }
}

function kvValue(value: unknown): KvValue {
  return typeof value === "string" ? { kind: "json", json: value } : { kind: "bytes", bytes: value as Uint8Array };
}

function timerOf(row: Record<string, unknown>): DueTimer {
  return {
    name: String(row["name"]),
    kind: String(row["kind"]),
    partition: Number(row["partition"]),
    dueMs: Number(row["due"]),
    payload: String(row["payload"]),
  };
}
