import type { DatabaseSync } from "node:sqlite";
import { MillraceError } from "../../core/index.ts";

/**
 * What a delivery's state is in the file. The order is used: those that may fall due are `ready` or below; within a lane `blocked` sorts
 * last, so one look at a lane's end tells whether anyone waits; everything up to `blocked` occupies or awaits a place in its lane.
 */
export const STATE = { parked: -1, ready: 0, held: 1, blocked: 2, dead: 3, done: 4 } as const;

/** When a run is due that nothing but an arrival wakes: the last moment that a Date knows. */
export const FAR_MS = 8_640_000_000_000_000;

/**
 * Each step takes a file from version i to i + 1, in one transaction. A step that has been released is never changed.
 *
 * An event takes the number N and its deliveries N+1 … N+fanout, so that an event's deliveries are a range of rowids and need no index.
 * Columns that are scanned stand before `json`, which may spill into overflow pages. An index that is counted holds the column of its own
 * condition too: without it SQLite looks every row up (a million parked runs, due in no order: 2.5 s instead of 0.2).
 */
export const STEPS: readonly string[] = [
  `
  CREATE TABLE state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL,
    now_ms INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    owner TEXT,
    ids_flushed INTEGER NOT NULL,
    swept INTEGER NOT NULL,
    seed INTEGER NOT NULL
  ) STRICT;
  INSERT INTO state VALUES (1, 0, 0, 0, NULL, 0, 0, random() & 0xffffffff);

  CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

  CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    fanout INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    type INTEGER NOT NULL,
    origin INTEGER NOT NULL,
    dedupe INTEGER NOT NULL,
    hops INTEGER NOT NULL,
    id TEXT NOT NULL,
    source TEXT NOT NULL,
    cause TEXT,
    json TEXT NOT NULL
  ) STRICT;
  CREATE INDEX events_type ON events (type, seq);

  CREATE TABLE deliveries (
    seq INTEGER PRIMARY KEY,
    event INTEGER NOT NULL,
    fn INTEGER NOT NULL,
    state INTEGER NOT NULL,
    due INTEGER NOT NULL,
    pos INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    width INTEGER NOT NULL,
    settled_ms INTEGER,
    key TEXT
  ) STRICT;
  CREATE INDEX deliveries_ready ON deliveries (fn, due, pos) WHERE state = 0;
  CREATE INDEX deliveries_lane ON deliveries (fn, key, state, pos) WHERE key IS NOT NULL AND state <= 2;

  CREATE TABLE dead (seq INTEGER PRIMARY KEY, fn INTEGER NOT NULL, type INTEGER NOT NULL, held INTEGER NOT NULL) STRICT;
  CREATE INDEX dead_fn ON dead (fn, seq);
  CREATE INDEX dead_type ON dead (type, seq);
  CREATE INDEX dead_fn_type ON dead (fn, type, seq);

  CREATE TABLE attempts (
    id INTEGER PRIMARY KEY,
    delivery INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    started_ms INTEGER NOT NULL,
    ended_ms INTEGER NOT NULL,
    invocation TEXT NOT NULL,
    name TEXT NOT NULL,
    message TEXT NOT NULL,
    stack TEXT
  ) STRICT;
  CREATE INDEX attempts_delivery ON attempts (delivery, id);

  CREATE TABLE kv (
    key TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    expires INTEGER,
    value ANY NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX kv_expires ON kv (expires) WHERE expires IS NOT NULL;

  CREATE TABLE timers (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    partition INTEGER NOT NULL,
    due INTEGER NOT NULL,
    payload TEXT NOT NULL
  ) STRICT;
  CREATE INDEX timers_due ON timers (due);
  CREATE INDEX timers_kind ON timers (kind, due);

  CREATE TABLE answers (
    key TEXT PRIMARY KEY,
    expires INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    bytes BLOB NOT NULL
  ) STRICT;
  CREATE INDEX answers_expires ON answers (expires);

  CREATE TABLE id_buckets (
    bucket INTEGER PRIMARY KEY,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    runs INTEGER NOT NULL,
    filter BLOB
  ) STRICT;
  CREATE TABLE id_chunks (place INTEGER PRIMARY KEY, entries BLOB NOT NULL) STRICT;

  CREATE TABLE logs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    fn INTEGER NOT NULL,
    level INTEGER NOT NULL,
    invocation TEXT NOT NULL,
    text TEXT NOT NULL
  ) STRICT;
  CREATE INDEX logs_fn ON logs (fn, seq);
  CREATE INDEX logs_invocation ON logs (invocation, seq);
  CREATE INDEX logs_loud ON logs (seq) WHERE level >= 2;
  `,
  `
  ALTER TABLE deliveries ADD COLUMN run INTEGER NOT NULL DEFAULT 0;
  DROP INDEX deliveries_ready;
  CREATE INDEX deliveries_ready ON deliveries (fn, due, pos, state) WHERE state <= 0;

  CREATE TABLE runs (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    fn INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    release INTEGER NOT NULL,
    state INTEGER NOT NULL,
    started_ms INTEGER NOT NULL,
    ended_ms INTEGER,
    deadline_ms INTEGER,
    parent INTEGER,
    parent_command TEXT,
    seed TEXT NOT NULL,
    note TEXT,
    value TEXT
  ) STRICT;
  CREATE INDEX runs_fn ON runs (fn, state, seq);
  CREATE INDEX runs_state ON runs (state, seq);
  CREATE INDEX runs_parent ON runs (parent) WHERE parent IS NOT NULL;
  CREATE INDEX runs_release ON runs (release, fn, ended_ms) WHERE ended_ms IS NULL;

  CREATE TABLE journal (
    run INTEGER NOT NULL,
    pos INTEGER NOT NULL,
    verb INTEGER NOT NULL,
    phase INTEGER NOT NULL,
    number INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    ran_ms REAL NOT NULL,
    at_ms INTEGER NOT NULL,
    at_seq INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT,
    PRIMARY KEY (run, pos)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE waits (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    command TEXT NOT NULL,
    topic INTEGER NOT NULL,
    value TEXT NOT NULL,
    guarded INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX waits_key ON waits (topic, value);
  CREATE INDEX waits_run ON waits (run, command);

  CREATE TABLE callbacks (
    token_hash TEXT PRIMARY KEY,
    run INTEGER NOT NULL,
    command TEXT NOT NULL,
    state INTEGER NOT NULL,
    answer TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX callbacks_run ON callbacks (run, command);

  CREATE TABLE arrivals (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    command TEXT NOT NULL,
    value TEXT NOT NULL
  ) STRICT;
  CREATE INDEX arrivals_run ON arrivals (run, id);
  `,
  `
  DROP INDEX runs_fn;
  DROP INDEX runs_state;
  DROP INDEX IF EXISTS runs_release;
  CREATE INDEX runs_fn ON runs (fn, seq);
  CREATE INDEX runs_state ON runs (state, seq, fn, release);
  `,
];

export const SCHEMA_VERSION = STEPS.length;

/** Brings a file forward to this version's schema; a file from a newer Millrace is refused untouched. */
export function migrate(database: DatabaseSync, file: string, steps = STEPS): void {
  const row = database.prepare("PRAGMA user_version").get();
  const version = Number(row?.["user_version"]);
  if (version > steps.length) {
    throw new MillraceError("data_newer", `${file} has schema version ${version}; this Millrace knows versions up to ${steps.length}`);
  }
  for (const [from, step] of steps.entries()) {
    if (from < version) continue;
    try {
      database.exec(`BEGIN IMMEDIATE; ${step}; PRAGMA user_version = ${from + 1}; COMMIT`);
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    }
  }
}
