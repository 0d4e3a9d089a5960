import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite";
import type { Arrival, JournalEntry, JournalPage, OwnedRun, RunQuery, RunView, StoredEvent } from "../store.ts";
import { attemptView } from "./attempt-view.ts";
import { Names } from "./names.ts";
import { arrivalOf, FIRST_ENDED, phaseOf, runKindOf, runStateCode, runStateOf, verbOf } from "./run-codes.ts";
import { FAR_MS } from "./schema.ts";
import { originOf } from "./wire.ts";

const MAX_ROWS = 1000;
/** A page is cut by bytes; this bounds the rows of one whose values are small. */
const PAGE_ENTRIES = 5000;

type Row = Record<string, SQLOutputValue>;

/** What owners read of their runs, and what people look at. */
export class RunReads {
  private readonly database: DatabaseSync;
  private readonly names: Names;
  private readonly ownedRow: StatementSync;
  private readonly arrivalRows: StatementSync;
  private readonly journalRows: StatementSync;
  private readonly eventRows: StatementSync;

  constructor(database: DatabaseSync) {
    this.database = database;
    this.names = new Names(database, false);
    this.ownedRow = database.prepare(`SELECT * FROM runs WHERE seq = ? AND state < ${FIRST_ENDED}`);
    this.arrivalRows = database.prepare("SELECT * FROM arrivals WHERE run = ? ORDER BY id");
    this.journalRows = database.prepare(`SELECT * FROM journal WHERE run = ? AND pos > ? ORDER BY pos LIMIT ${PAGE_ENTRIES + 1}`);
    this.eventRows = database.prepare("SELECT * FROM events WHERE type = ? AND seq > ? ORDER BY seq LIMIT ?");
  }

  ownedRun(seq: number): OwnedRun | null {
    const row = this.ownedRow.get(seq);
    if (row === undefined) return null;
    const arrivals = this.arrivalRows.all(seq).map((arrival): Arrival => ({
      id: Number(arrival["id"]),
      run: seq,
      kind: arrivalOf(arrival["kind"]),
      command: String(arrival["command"]),
      value: String(arrival["value"]),
      atMs: Number(arrival["at_ms"]),
    }));
    return {
      seq,
      fn: this.names.name(Number(row["fn"])),
      id: String(row["id"]),
      kind: runKindOf(row["kind"]) ?? "flow",
      release: this.names.name(Number(row["release"])),
      seed: String(row["seed"]),
      state: runStateOf(row["state"]),
      startedMs: Number(row["started_ms"]),
      deadlineMs: numberOrNull(row["deadline_ms"]),
      parent: parentOf(row),
      arrivals,
    };
  }

  journal({ run, afterPos, bytes }: { run: number; afterPos: number; bytes: number }): JournalPage {
    const entries: JournalEntry[] = [];
    let used = 0;
    for (const row of this.journalRows.iterate(run, afterPos)) {
      const entry = entryOf(row);
      used += (entry.value?.length ?? 0) + ENTRY_CHARS;
      if (entries.length > 0 && (used > bytes || entries.length === PAGE_ENTRIES)) return { entries, more: true };
      entries.push(entry);
    }
    return { entries, more: false };
  }

  eventsOfType({ type, afterSeq, limit }: { type: string; afterSeq: number; limit: number }): StoredEvent[] {
    const id = this.names.find(type);
    if (id === null) return [];
    return this.eventRows.all(id, afterSeq, Math.min(limit, MAX_ROWS)).map((row) => ({
      seq: Number(row["seq"]),
      json: String(row["json"]),
      type,
      origin: originOf(Number(row["origin"])),
      hops: Number(row["hops"]),
      receivedMs: Number(row["received_ms"]),
    }));
  }

  run(idOrSeq: string | number): RunView | null {
    const [row] = this.select(typeof idOrSeq === "number" ? "r.seq = ?" : "r.id = ?", [idOrSeq], "", 1);
    return row === undefined ? null : this.view(row);
  }

  runs(query: RunQuery): RunView[] {
    const conditions: string[] = [];
    const values: SQLInputValue[] = [];
    const add = (condition: string, ...given: SQLInputValue[]): void => {
      conditions.push(condition);
      values.push(...given);
    };
    if (query.fn !== undefined) add("r.fn = ?", this.names.find(query.fn) ?? -1);
    if (query.release !== undefined) add("r.release = ?", this.names.find(query.release) ?? -1);
    if (query.parent !== undefined) add("r.parent = ?", query.parent);
    if (query.states !== undefined) add(`r.state IN (${query.states.map(() => "?").join(", ")})`, ...query.states.map(runStateCode));
    if (query.before !== undefined) add("r.seq < ?", query.before);
    if (query.after !== undefined) add("r.seq > ?", query.after);
    const order = `ORDER BY r.seq ${query.after === undefined ? "DESC" : "ASC"}`;
    return this.select(conditions.join(" AND "), values, order, Math.max(0, Math.min(query.limit, MAX_ROWS))).map((row) => this.view(row));
  }

  runReleases(): { release: string; fn: string; runs: number }[] {
    const rows = this.database
      .prepare(`SELECT release, fn, count(*) AS runs FROM runs INDEXED BY runs_release WHERE state < ${FIRST_ENDED} GROUP BY release, fn`)
      .all();
    return rows.map((row) => ({
      release: this.names.name(Number(row["release"])),
      fn: this.names.name(Number(row["fn"])),
      runs: Number(row["runs"]),
    }));
  }

  /** From topic to topic by the index: their number counts, not that of the waits. */
  waitTopics(): string[] {
    const next = this.database.prepare("SELECT min(topic) AS topic FROM waits WHERE topic > ?");
    const topics: string[] = [];
    for (let topic = next.get(-1)?.["topic"]; typeof topic === "number"; topic = next.get(topic)?.["topic"])
      topics.push(this.names.name(topic));
    return topics;
  }

  private select(where: string, values: readonly SQLInputValue[], order: string, limit: number): Row[] {
    return this.database
      .prepare(
        `SELECT r.*, d.event, d.due, d.state AS delivery_state, d.attempt AS attempts, p.id AS parent_id,
           (SELECT count(*) FROM journal j WHERE j.run = r.seq) AS entries
         FROM runs r LEFT JOIN deliveries d ON d.seq = r.seq LEFT JOIN runs p ON p.seq = r.parent
         ${where === "" ? "" : `WHERE ${where}`} ${order} LIMIT ?`,
      )
      .all(...values, limit);
  }

  private view(row: Row): RunView {
    const seq = Number(row["seq"]);
    const state = runStateOf(row["state"]);
    const dueMs = Number(row["due"]);
    const parent = row["parent"];
    const errors = this.database.prepare("SELECT * FROM attempts WHERE delivery = ? ORDER BY id LIMIT ?").all(seq, MAX_ROWS);
    return {
      seq,
      id: String(row["id"]),
      fn: this.names.name(Number(row["fn"])),
      kind: runKindOf(row["kind"]) ?? "flow",
      release: this.names.name(Number(row["release"])),
      state,
      event: Number(row["event"]),
      startedMs: Number(row["started_ms"]),
      endedMs: numberOrNull(row["ended_ms"]),
      dueMs: row["ended_ms"] !== null || dueMs >= FAR_MS ? null : dueMs,
      deadlineMs: numberOrNull(row["deadline_ms"]),
      parent: typeof parent === "number" ? parent : null,
      parentId: row["parent_id"] as string | null,
      entries: Number(row["entries"]),
      note: row["note"] as string | null,
      value: row["value"] as string | null,
      attempt: Number(row["attempts"]),
      errors: errors.map(attemptView),
    };
  }
}

/** Of an entry without its value, roughly. */
const ENTRY_CHARS = 100;

function entryOf(row: Row): JournalEntry {
  return {
    pos: Number(row["pos"]),
    verb: verbOf(row["verb"]),
    name: String(row["name"]),
    number: Number(row["number"]),
    phase: phaseOf(row["phase"]),
    attempt: Number(row["attempt"]),
    ranMs: Number(row["ran_ms"]),
    atMs: Number(row["at_ms"]),
    atSeq: Number(row["at_seq"]),
    value: row["value"] as string | null,
  };
}

function parentOf(row: Row): OwnedRun["parent"] {
  const parent = row["parent"];
  return typeof parent === "number" ? { run: parent, command: String(row["parent_command"]) } : null;
}

function numberOrNull(value: SQLOutputValue | undefined): number | null {
  return typeof value === "number" ? value : null;
}
