import type { DatabaseSync, SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { DeadQuery, DeadView, DeliveryState, DeliveryView, EventQuery, EventView, LogQuery, StoredLogLine } from "../store.ts";
import { attemptView } from "./attempt-view.ts";
import { prefixOf, prefixPlaces, visitChunk } from "./id-chunk.ts";
import { hashText } from "./id-hash.ts";
import { Names } from "./names.ts";
import { levelCode, levelOf, originOf } from "./wire.ts";

const MAX_ROWS = 1000;
/** In the order of STATE in schema.ts, which begins with -1. */
const STATES: readonly DeliveryState[] = ["parked", "ready", "held", "blocked", "dead", "done"];

type Row = Record<string, SQLOutputValue>;

/** What people look at. Every query is bounded by an index and a limit, whatever the file has grown to. */
export class Views {
  private readonly database: DatabaseSync;
  private readonly names: Names;

  constructor(database: DatabaseSync) {
    this.database = database;
    this.names = new Names(database, false);
  }

  events(query: EventQuery): EventView[] {
    const where = new Where();
    if (query.type !== undefined) where.add("type = ?", this.names.find(query.type) ?? -1);
    if (query.before !== undefined) where.add("seq < ?", query.before);
    if (query.after !== undefined) where.add("seq > ?", query.after);
    if (query.id !== undefined) where.add("id = ?", query.id).addAny("seq", this.seqsOfId(query.id));
    const order = query.after === undefined ? "DESC" : "ASC";
    const sql = `SELECT * FROM events ${where.sql} ORDER BY seq ${order} LIMIT ?`;
    return this.all(sql, ...where.values, bound(query.limit)).map((row) => this.eventView(row));
  }

  dead(query: DeadQuery): DeadView[] {
    const where = new Where();
    if (query.fn !== undefined) where.add("d.fn = ?", this.names.find(query.fn) ?? -1);
    if (query.type !== undefined) where.add("d.type = ?", this.names.find(query.type) ?? -1);
    if (query.after !== undefined) where.add("d.seq > ?", query.after);
    const sql = `SELECT d.seq FROM dead d ${where.sql} ORDER BY d.seq LIMIT ?`;
    return this.all(sql, ...where.values, bound(query.limit)).flatMap((row) => this.delivery(Number(row["seq"])) ?? []);
  }

  delivery(seq: number): DeadView | null {
    const [row] = this.all(
      `SELECT v.*, e.json AS event_json, e.type AS event_type FROM deliveries v JOIN events e ON e.seq = v.event WHERE v.seq = ?`,
      seq,
    );
    if (row === undefined) return null;
    return { ...this.deliveryView(row), eventJson: String(row["event_json"]), eventType: this.names.name(Number(row["event_type"])) };
  }

  logs(query: LogQuery): StoredLogLine[] {
    const where = new Where();
    // A plus keeps SQLite from choosing the index over functions where the one over invocations is far narrower.
    const fn = query.invocation === undefined ? "fn = ?" : "+fn = ?";
    if (query.fn !== undefined) where.add(fn, this.names.find(query.fn) ?? -1);
    if (query.invocation !== undefined) where.add("invocation = ?", query.invocation);
    if (query.level !== undefined) where.add("level >= ?", levelCode(query.level));
    // Word for word the condition of the partial index over loud lines.
    if (query.level === "warn" || query.level === "error") where.add("level >= 2");
    if (query.after !== undefined) where.add("seq > ?", query.after);
    const order = query.after === undefined ? "DESC" : "ASC";
    const rows = this.all(`SELECT * FROM logs ${where.sql} ORDER BY seq ${order} LIMIT ?`, ...where.values, bound(query.limit));
    if (order === "DESC") rows.reverse();
    return rows.map((row) => ({
      seq: Number(row["seq"]),
      atMs: Number(row["at_ms"]),
      fn: this.names.name(Number(row["fn"])),
      invocation: String(row["invocation"]),
      level: levelOf(Number(row["level"])),
      text: String(row["text"]),
    }));
  }

  /** By the index of ids for what has been flushed into it, by a look at the newest rows for the rest. */
  private seqsOfId(id: string): number[] {
    const [state] = this.all("SELECT seed, ids_flushed FROM state");
    const wanted = hashText(id, Number(state?.["seed"]));
    const seqs: number[] = [];
    for (const { bucket } of this.all("SELECT bucket FROM id_buckets")) {
      const { from, to } = prefixPlaces(Number(bucket), prefixOf(wanted));
      for (const row of this.all("SELECT entries FROM id_chunks WHERE place BETWEEN ? AND ?", from, to)) {
        visitChunk(row["entries"] as Uint8Array, (high, _low, seq) => {
          if (high === wanted) seqs.push(seq);
        });
      }
    }
    const recent = this.all("SELECT seq FROM events WHERE seq > ? AND id = ?", Number(state?.["ids_flushed"]), id);
    return [...seqs, ...recent.map((row) => Number(row["seq"]))].sort((a, b) => b - a).slice(0, MAX_ROWS);
  }

  private eventView(row: Row): EventView {
    const seq = Number(row["seq"]);
    const deliveries = this.all("SELECT * FROM deliveries WHERE seq > ? AND seq <= ? ORDER BY seq", seq, seq + Number(row["fanout"]));
    return {
      seq,
      id: String(row["id"]),
      source: String(row["source"]),
      type: this.names.name(Number(row["type"])),
      json: String(row["json"]),
      origin: originOf(Number(row["origin"])),
      hops: Number(row["hops"]),
      receivedMs: Number(row["received_ms"]),
      cause: row["cause"] as string | null,
      deliveries: deliveries.map((delivery) => this.deliveryView(delivery)),
    };
  }

  private deliveryView(row: Row): DeliveryView {
    const seq = Number(row["seq"]);
    const settledMs = row["settled_ms"];
    return {
      seq,
      event: Number(row["event"]),
      fn: this.names.name(Number(row["fn"])),
      key: row["key"] as string | null,
      state: STATES[Number(row["state"]) + 1] ?? "ready",
      attempt: Number(row["attempt"]),
      dueMs: Number(row["due"]),
      settledMs: typeof settledMs === "number" ? settledMs : null,
      errors: this.all("SELECT * FROM attempts WHERE delivery = ? ORDER BY id LIMIT ?", seq, MAX_ROWS).map(attemptView),
    };
  }

  private all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.database.prepare(sql).all(...values);
  }
}

/** A caller's limit, within reason. */
function bound(limit: number): number {
  return Math.max(0, Math.min(limit, MAX_ROWS));
}

class Where {
  readonly values: SQLInputValue[] = [];
  private readonly conditions: string[] = [];

  get sql(): string {
    return this.conditions.length === 0 ? "" : `WHERE ${this.conditions.join(" AND ")}`;
  }

  add(condition: string, ...values: SQLInputValue[]): this {
    this.conditions.push(condition);
    this.values.push(...values);
    return this;
  }

  addAny(column: string, values: readonly SQLInputValue[]): this {
    return this.add(`${column} IN (${values.map(() => "?").join(", ")})`, ...values);
  }
}
