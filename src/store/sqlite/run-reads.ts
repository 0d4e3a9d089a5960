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
/** A condition and what stands for its question mark. */
type Condition = readonly [string, ...SQLInputValue[]];

/** No name has this number. */
const NO_NAME = -1;

/** What owners read of their runs, and what people look at. */
export class RunReads {
  private readonly database: DatabaseSync;
  private readonly names: Names;
  private readonly ownedRow: StatementSync;
  private readonly arrivalRows: StatementSync;
  private readonly journalRows: StatementSync;
  private readonly eventRows: StatementSync;
  private readonly runOfSeq: StatementSync;
  private readonly runOfId: StatementSync;
  private readonly errorRows: StatementSync;

  constructor(database: DatabaseSync) {
    this.database = database;
    this.names = new Names(database, false);
    this.ownedRow = database.prepare(`SELECT * FROM runs WHERE seq = ? AND state < ${FIRST_ENDED}`);
    this.arrivalRows = database.prepare("SELECT * FROM arrivals WHERE run = ? ORDER BY id");
    this.journalRows = database.prepare(`SELECT * FROM journal WHERE run = ? AND pos > ? ORDER BY pos LIMIT ${PAGE_ENTRIES + 1}`);
    this.eventRows = database.prepare("SELECT * FROM events WHERE type = ? AND seq > ? ORDER BY seq LIMIT ?");
    const run = `SELECT r.*, d.event, d.due, d.attempt AS attempts, p.id AS parent_id,
        (SELECT count(*) FROM journal j WHERE j.run = r.seq) AS entries
      FROM runs r LEFT JOIN deliveries d ON d.seq = r.seq LEFT JOIN runs p ON p.seq = r.parent`;
    this.runOfSeq = database.prepare(`${run} WHERE r.seq = ?`);
    this.runOfId = database.prepare(`${run} WHERE r.id = ?`);
    this.errorRows = database.prepare("SELECT * FROM attempts WHERE delivery = ? ORDER BY id LIMIT ?");
  }

  ownedRun({ run: seq, bytes }: { run: number; bytes: number }): OwnedRun | null {
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
      journal: this.journal({ run: seq, afterPos: 0, bytes }),
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
    return this.eventRows.all(id, afterSeq, Math.max(0, Math.min(limit, MAX_ROWS))).map((row) => ({
      seq: Number(row["seq"]),
      json: String(row["json"]),
      type,
      origin: originOf(Number(row["origin"])),
      hops: Number(row["hops"]),
      receivedMs: Number(row["received_ms"]),
    }));
  }

  run(idOrSeq: string | number): RunView | null {
    const row = (typeof idOrSeq === "number" ? this.runOfSeq : this.runOfId).get(idOrSeq);
    return row === undefined ? null : this.view(row);
  }

  runs(query: RunQuery): RunView[] {
    return this.seqsOf(query).flatMap((seq) => this.run(seq) ?? []);
  }

  /** Over a million runs that are all of the release left out it takes a walk through the index, a fifth of the time that counting them takes. */
  runReleases({ except }: { except: string | null }): { release: string; fn: string; runs: number }[] {
    const exceptId = except === null ? null : this.names.find(except);
    const rows = this.database
      .prepare("SELECT release, fn, count(*) AS runs FROM runs INDEXED BY runs_state WHERE state < ? AND release <> ? GROUP BY release, fn")
      .all(FIRST_ENDED, exceptId ?? NO_NAME);
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

  /**
   * The runs that a query means. Each state is looked up by itself and what they give is put in order here: as one statement SQLite sorted
   * all that fitted, half a second for 200,000. Of a function nearly all runs are done; in the other states its runs are found among
   * everybody's. What is not of the function or release asked for is passed over one by one, in the index where it can be.
   */
  private seqsOf(query: RunQuery): number[] {
    const { fn, release, parent, before, after } = query;
    const limit = Math.max(0, Math.min(query.limit, MAX_ROWS));
    const isOldestFirst = after !== undefined;
    const states = query.states?.map(runStateCode);
    const where: Condition[] = [];
    if (fn !== undefined) where.push(["fn = ?", this.names.find(fn) ?? -1]);
    if (release !== undefined) where.push(["release = ?", this.names.find(release) ?? -1]);
    if (before !== undefined) where.push(["seq < ?", before]);
    if (after !== undefined) where.push(["seq > ?", after]);
    if (parent !== undefined) {
      where.push(["parent = ?", parent]);
      if (states !== undefined) where.push([`state IN (${states.map(() => "?").join(", ")})`, ...states]);
      return this.seqsWhere("runs INDEXED BY runs_parent", where, isOldestFirst, limit);
    }
    if (states === undefined) return this.seqsWhere(fn === undefined ? "runs" : "runs INDEXED BY runs_fn", where, isOldestFirst, limit);
    const seqs = [...new Set(states)].flatMap((state) => {
      const from = fn !== undefined && state === DONE ? "runs INDEXED BY runs_fn" : "runs INDEXED BY runs_state";
      return this.seqsWhere(from, [...where, ["state = ?", state]], isOldestFirst, limit);
    });
    return seqs.sort((a, b) => (isOldestFirst ? a - b : b - a)).slice(0, limit);
  }

  private seqsWhere(from: string, conditions: readonly Condition[], isOldestFirst: boolean, limit: number): number[] {
    const where = conditions.length === 0 ? "" : `WHERE ${conditions.map(([sql]) => sql).join(" AND ")}`;
    return this.database
      .prepare(`SELECT seq FROM ${from} ${where} ORDER BY seq ${isOldestFirst ? "ASC" : "DESC"} LIMIT ?`)
      .all(...conditions.flatMap(([, ...values]) => values), limit)
      .map((row) => Number(row["seq"]));
  }

  private view(row: Row): RunView {
    const seq = Number(row["seq"]);
    const state = runStateOf(row["state"]);
    const dueMs = Number(row["due"]);
    const parent = row["parent"];
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
      errors: this.errorRows.all(seq, MAX_ROWS).map(attemptView),
    };
  }
}

const DONE = runStateCode("done");
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
