import type { DatabaseSync, StatementSync } from "node:sqlite";
import { STATE } from "./schema.ts";

const SQL = {
  saveState: "UPDATE state SET seq = ?, now_ms = ?, ids_flushed = ?",
  setLease: "UPDATE state SET epoch = ?, owner = ?",

  insertEvent: "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  event: "SELECT json, type, origin, hops, received_ms FROM events WHERE seq = ?",
  eventIdentity: "SELECT id, source, received_ms, json FROM events WHERE seq = ?",

  insertDelivery: `INSERT INTO deliveries (seq, event, fn, state, due, pos, attempt, partition, width, key, run)
    VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?)`,
  insertDone: `INSERT INTO deliveries (seq, event, fn, state, due, pos, attempt, partition, width, key, run, settled_ms)
    VALUES (?, ?, ?, ${STATE.done}, ?, ?, 0, ?, ?, ?, ?, ?)`,
  wokenDelivery: "SELECT event, fn, key, partition, attempt, due, pos, run FROM deliveries WHERE seq = ?",
  deliveryToSettle: `SELECT fn, key, event FROM deliveries WHERE seq = ? AND state = ${STATE.ready} AND attempt = ?`,
  setDone: `UPDATE deliveries SET state = ${STATE.done}, settled_ms = ? WHERE seq = ?`,
  setWaiting: "UPDATE deliveries SET attempt = ?, due = ?, pos = ? WHERE seq = ?",
  setDead: "UPDATE deliveries SET state = ?, attempt = ?, settled_ms = ? WHERE seq = ?",
  setReady: `UPDATE deliveries SET state = ${STATE.ready}, attempt = ?, due = ?, pos = ?, settled_ms = NULL WHERE seq = ?`,
  setBlocked: `UPDATE deliveries SET state = ${STATE.blocked}, attempt = 0, pos = ?, settled_ms = NULL WHERE seq = ?`,
  insertDead: "INSERT INTO dead SELECT ?, ?, type, ? FROM events WHERE seq = ?",
  insertAttempt: `INSERT INTO attempts (delivery, attempt, started_ms, ended_ms, invocation, name, message, stack)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,

  deadDelivery: "SELECT d.seq, d.fn, d.held, v.key, v.width FROM dead d JOIN deliveries v ON v.seq = d.seq WHERE d.seq = ?",
  deleteDead: "DELETE FROM dead WHERE seq = ?",
  deleteDelivery: "DELETE FROM deliveries WHERE seq = ?",
  deleteAttempts: "DELETE FROM attempts WHERE delivery = ?",

  kvVersion: "SELECT version FROM kv WHERE key = ? AND (expires IS NULL OR expires > ?)",
  upsertKv: "INSERT OR REPLACE INTO kv (key, version, expires, value) VALUES (?, ?, ?, ?)",
  deleteKv: "DELETE FROM kv WHERE key = ?",

  timerDue: "SELECT due FROM timers WHERE name = ?",
  upsertTimer: "INSERT OR REPLACE INTO timers (name, kind, partition, due, payload) VALUES (?, ?, ?, ?, ?)",
  deleteTimer: "DELETE FROM timers WHERE name = ?",

  answer: "SELECT fingerprint, bytes FROM answers WHERE key = ? AND expires > ?",
  upsertAnswer: "INSERT OR REPLACE INTO answers (key, expires, fingerprint, bytes) VALUES (?, ?, ?, ?)",

  insertLog: "INSERT INTO logs (at_ms, fn, level, invocation, text) VALUES (?, ?, ?, ?, ?)",
} as const;

export type Statements = { readonly [Name in keyof typeof SQL]: StatementSync };

export function prepareStatements(database: DatabaseSync): Statements {
  return Object.fromEntries(Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)])) as Statements;
}
