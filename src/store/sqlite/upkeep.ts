import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { DeadSelection } from "../store.ts";
import { bucketPlaces } from "./id-chunk.ts";
import { DEDUPE_MS } from "./id-index.ts";
import type { Ledger } from "./ledger.ts";
import { STATE } from "./schema.ts";

interface DeadRow {
  readonly seq: number;
  readonly fn: number;
  readonly held: boolean;
  readonly key: string | null;
  readonly width: number;
}

/** Makes dead deliveries ready again: a held one where it stands, another at the end of its lane. */
export function redrive(
  database: DatabaseSync,
  ledger: Ledger,
  selection: DeadSelection,
  limit: number,
): { redriven: number; fns: string[] } {
  const rows = selectDead(database, ledger, selection, limit);
  for (const row of rows) redriveOne(ledger, row);
  return { redriven: rows.length, fns: namesOf(ledger, rows) };
}

function redriveOne(ledger: Ledger, { seq, fn, held, key, width }: DeadRow): void {
  const { statements, tally } = ledger;
  const ready = held || key === null || ledger.lanes.hasRoom(fn, key, width);
  if (ready) statements.setReady.run(0, ledger.highMs, ledger.next(), seq);
  else statements.setBlocked.run(ledger.next(), seq);
  statements.deleteDead.run(seq);
  tally.add(fn, held ? STATE.held : STATE.dead, -1);
  tally.add(fn, ready ? STATE.ready : STATE.blocked, 1);
}

/** Deletes dead deliveries and their errors; a held one lets its lane go on. */
export function purge(database: DatabaseSync, ledger: Ledger, selection: DeadSelection, limit: number): { purged: number; fns: string[] } {
  const rows = selectDead(database, ledger, selection, limit);
  for (const { seq, fn, held, key } of rows) {
    ledger.statements.deleteDead.run(seq);
    ledger.statements.deleteDelivery.run(seq);
    ledger.statements.deleteAttempts.run(seq);
    ledger.tally.add(fn, held ? STATE.held : STATE.dead, -1);
    if (held && key !== null) ledger.promote(fn, key, null);
  }
  return { purged: rows.length, fns: namesOf(ledger, rows) };
}

function namesOf(ledger: Ledger, rows: readonly DeadRow[]): string[] {
  return [...new Set(rows.map((row) => row.fn))].map((fn) => ledger.names.name(fn)).sort();
}

function selectDead(database: DatabaseSync, ledger: Ledger, selection: DeadSelection, limit: number): DeadRow[] {
  const seqs = "seqs" in selection ? [...selection.seqs].sort((a, b) => a - b) : matchingDead(database, ledger, selection, limit);
  const rows: DeadRow[] = [];
  for (const seq of new Set(seqs)) {
    if (rows.length >= limit) break;
    const row = ledger.statements.deadDelivery.get(seq);
    if (row === undefined) continue;
    const key = row["key"] as string | null;
    rows.push({ seq, fn: Number(row["fn"]), held: row["held"] === 1, key, width: Number(row["width"]) });
  }
  return rows;
}

function matchingDead(
  database: DatabaseSync,
  ledger: Ledger,
  selection: Exclude<DeadSelection, { readonly seqs: readonly number[] }>,
  limit: number,
): number[] {
  const conditions = ["seq <= ?"];
  const values: SQLInputValue[] = [selection.upTo];
  for (const [column, name] of [["fn", selection.fn] as const, ["type", selection.type] as const]) {
    if (name === undefined) continue;
    conditions.push(`${column} = ?`);
    values.push(ledger.names.find(name) ?? -1);
  }
  const sql = `SELECT seq FROM dead WHERE ${conditions.join(" AND ")} ORDER BY seq LIMIT ?`;
  return database
    .prepare(sql)
    .all(...values, limit)
    .map((row) => Number(row["seq"]));
}

/** One piece deletes about so many entries of journals for each event that it may look at. */
const ENTRIES_PER_EVENT = 10;

export interface Retained {
  readonly events: number;
  readonly deliveries: number;
  readonly more: boolean;
}

/**
 * One bounded piece of a sweep over the old end of the file. A sweep goes through the events once, oldest first, and remembers its
 * place; what it has to leave (undelivered or dead) the next sweep looks at again. About 10 µs an event.
 */
export function retain(database: DatabaseSync, ledger: Ledger, beforeMs: number, nowMs: number, limit: number): Retained {
  const swept = sweepEvents(database, ledger, beforeMs, nowMs, limit);
  const more = [
    deleteOldLogs(database, beforeMs, limit),
    deleteExpired(database, "kv", nowMs, limit),
    deleteExpired(database, "answers", nowMs, limit),
    dropOldIds(database, Math.min(beforeMs, nowMs - DEDUPE_MS)),
  ];
  return { ...swept, more: swept.more || more.includes(true) };
}

function sweepEvents(database: DatabaseSync, ledger: Ledger, beforeMs: number, nowMs: number, limit: number): Retained {
  const swept = Number(database.prepare("SELECT swept FROM state").get()?.["swept"]);
  const rows = database.prepare("SELECT seq, fanout, received_ms FROM events WHERE seq > ? ORDER BY seq LIMIT ?").all(swept, limit);
  const young = rows.findIndex((row) => Number(row["received_ms"]) >= beforeMs);
  const old = young === -1 ? rows : rows.slice(0, young);
  const last = old.at(-1);
  const end = last === undefined ? swept : Number(last["seq"]) + Number(last["fanout"]);
  const to = deleteRuns(database, swept, end, beforeMs, limit * ENTRIES_PER_EVENT);
  const more = to < end || (last !== undefined && old.length === limit);
  database.prepare("UPDATE state SET swept = ?").run(more ? to : 0);
  if (last === undefined) return { events: 0, deliveries: 0, more };
  // What is remembered for de-duplication must outlive the rows it would be rebuilt from.
  if (beforeMs > nowMs - DEDUPE_MS && to > ledger.ids.flushed) ledger.ids.flush(ledger.lastSeq);
  return { ...deleteSettled(database, swept, to, beforeMs), more };
}

function deleteSettled(database: DatabaseSync, after: number, to: number, beforeMs: number): { events: number; deliveries: number } {
  const deliveries = database
    .prepare(`DELETE FROM deliveries WHERE seq > ? AND seq <= ? AND state = ${STATE.done} AND settled_ms < ?`)
    .run(after, to, beforeMs);
  database
    .prepare(
      `DELETE FROM attempts WHERE delivery > ? AND delivery <= ?
       AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.seq = attempts.delivery)`,
    )
    .run(after, to);
  const events = database
    .prepare(
      `DELETE FROM events WHERE seq > ? AND seq <= ?
       AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.seq > events.seq AND d.seq <= events.seq + events.fanout)`,
    )
    .run(after, to);
  return { events: Number(events.changes), deliveries: Number(deliveries.changes) };
}

/**
 * The runs that are deliveries of these; one that lives has a delivery that is not done. Returns how far the sweep may go in this piece:
 * a few long journals are as much work as many events.
 */
function deleteRuns(database: DatabaseSync, after: number, to: number, beforeMs: number, mostEntries: number): number {
  const rows = database
    .prepare(
      `SELECT seq, event FROM deliveries WHERE seq > ? AND seq <= ? AND state = ${STATE.done} AND settled_ms < ? AND run > 0 ORDER BY seq`,
    )
    .all(after, to, beforeMs);
  if (rows.length === 0) return to;
  const journal = database.prepare("DELETE FROM journal WHERE run = ?");
  const others = ["runs WHERE seq", "callbacks WHERE run"].map((rest) => database.prepare(`DELETE FROM ${rest} = ?`));
  let entries = 0;
  let before = 0;
  for (const row of rows) {
    const event = Number(row["event"]);
    if (entries >= mostEntries && event !== before) return event - 1;
    const seq = Number(row["seq"]);
    entries += Number(journal.run(seq).changes);
    for (const statement of others) statement.run(seq);
    before = event;
  }
  return to;
}

function deleteOldLogs(database: DatabaseSync, beforeMs: number, limit: number): boolean {
  const rows = database.prepare("SELECT seq, at_ms FROM logs ORDER BY seq LIMIT ?").all(limit);
  const young = rows.findIndex((row) => Number(row["at_ms"]) >= beforeMs);
  const last = (young === -1 ? rows : rows.slice(0, young)).at(-1);
  if (last === undefined) return false;
  database.prepare("DELETE FROM logs WHERE seq <= ?").run(Number(last["seq"]));
  return young === -1 && rows.length === limit;
}

function deleteExpired(database: DatabaseSync, table: "kv" | "answers", nowMs: number, limit: number): boolean {
  const { changes } = database
    .prepare(`DELETE FROM ${table} WHERE key IN (SELECT key FROM ${table} WHERE expires <= ? ORDER BY expires LIMIT ?)`)
    .run(nowMs, limit);
  return Number(changes) === limit;
}

/** One bucket of ids at a time: at most 8,192 rows. */
function dropOldIds(database: DatabaseSync, beforeMs: number): boolean {
  const buckets = database.prepare("SELECT bucket FROM id_buckets WHERE last_ms < ? ORDER BY bucket LIMIT 2").all(beforeMs);
  const first = buckets[0]?.["bucket"];
  if (first === undefined) return false;
  const { from, to } = bucketPlaces(Number(first));
  database.prepare("DELETE FROM id_chunks WHERE place BETWEEN ? AND ?").run(from, to);
  database.prepare("DELETE FROM id_buckets WHERE bucket = ?").run(first);
  return buckets.length > 1;
}
