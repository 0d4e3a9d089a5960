/**
 * The one contract between Millrace and a database. Verbs of the domain, never CRUD; SPEC.md has the rules,
 * testing-support/contract-suite.ts proves them for every implementation.
 *
 * Who owns what: the store owns durability, positions, key order and the fencing of writes. It decides nothing about
 * functions: which functions an event wakes, when a retry is due, what is dead, is told to it by `delivery`.
 */

import type { LogLevel } from "../core/log-level.ts";
import type {
  Arrival,
  CallbackAnswer,
  CallbackEnd,
  JournalPage,
  NewArrival,
  NewRun,
  RunAtItsEnd,
  OwnedRun,
  RunChange,
  RunKind,
  RunQuery,
  RunView,
  WaitKey,
} from "./runs.ts";

export type { LogLevel };
export type * from "./runs.ts";

/** A place in the one order in which things became true. Events and deliveries draw from the same counter. */
export type Seq = number;

export const PARTITION_COUNT = 256;

// ── leases ──────────────────────────────────────────────────────────────────

/** The right to settle the deliveries of some partitions. A write with an older epoch is refused as `fenced`. */
export interface Lease {
  readonly owner: string;
  readonly epoch: number;
  readonly partitions: { readonly from: number; readonly to: number };
}

// ── what a commit writes ────────────────────────────────────────────────────

/** Who sent an event: a caller at a door, a function of the app, or the platform itself. */
export type Origin = "outside" | "function" | "platform";

export interface NewEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  /** The whole CloudEvent as canonical JSON; what is stored and handed to functions. */
  readonly json: string;
  readonly origin: Origin;
  /** Chains end at a hop limit: 0 from outside, one more than its cause otherwise. */
  readonly hops: number;
  /** The invocation that emitted it, or null. */
  readonly cause: string | null;
  /** Outside ids are remembered for a day per source; the platform's own are unique by their making. */
  readonly dedupe: boolean;
  readonly deliveries: readonly NewDelivery[];
  /** What runs wait for of it. */
  readonly waitKeys?: readonly WaitKey[];
}

export interface NewDelivery {
  readonly fn: string;
  readonly key: string | null;
  readonly partition: number;
  /** How many deliveries of this function and key may be ready at once: 1 keeps order. Ignored without a key. */
  readonly width: number;
  /** The run that begins with it: its number is the delivery's. */
  readonly run?: NewRun;
  /** The run was run to its end already: that is part of its beginning, and nothing of it is handed out. */
  readonly ended?: RunAtItsEnd;
}

export interface AttemptError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | null;
}

/** The end of one attempt at a delivery. It holds only for the attempt it names. */
export interface Settle {
  readonly delivery: Seq;
  /** How many attempts had been counted when this one began. */
  readonly attempt: number;
  readonly epoch: number;
  readonly invocation: string;
  readonly startedMs: number;
  readonly outcome: SettleOutcome;
}

export type SettleOutcome =
  | { readonly kind: "done" }
  /** Failed, to be tried again: counts an attempt. */
  | { readonly kind: "retry"; readonly dueMs: number; readonly error: AttemptError }
  /** Put back without counting an attempt: conflicts that did not end, an innocent bystander of a crash. */
  | { readonly kind: "postpone"; readonly dueMs: number }
  /** Given up. With `hold` the key stays blocked until the dead delivery is redriven or purged. */
  | { readonly kind: "dead"; readonly error: AttemptError; readonly hold: boolean };

export type KvValue = { readonly kind: "json"; readonly json: string } | { readonly kind: "bytes"; readonly bytes: Uint8Array };

export type KvWrite =
  | { readonly op: "set"; readonly key: string; readonly value: KvValue; readonly expiresMs: number | null }
  | { readonly op: "delete"; readonly key: string };

/** What a decision rested on. A version of 0 means that the key was absent. */
export interface ReadSet {
  readonly keys: ReadonlyMap<string, number>;
  readonly ranges: readonly RangeRead[];
}

export interface RangeRead {
  readonly prefix: string;
  readonly after: string | null;
  /** The last key returned when the limit cut the list off, else null: the range goes to the prefix's end. */
  readonly to: string | null;
  /** The store's own summary of the keys and versions in the range. */
  readonly digest: string;
}

/** One row that falls due: a delayed event, a schedule, later every kind of waiting that is no delivery. */
export interface NewTimer {
  /** Unique; setting it again replaces it. */
  readonly name: string;
  readonly kind: string;
  readonly partition: number;
  readonly dueMs: number;
  readonly payload: string;
}

export interface TimerFired {
  readonly name: string;
  /** The due time it fired for: a timer that was replaced meanwhile is refused as `fenced`. */
  readonly dueMs: number;
  readonly epoch: number;
}

/** A stored HTTP answer, so that a repeated Idempotency-Key returns the first one's. */
export interface NewAnswer {
  readonly key: string;
  readonly fingerprint: string;
  readonly bytes: Uint8Array;
  readonly expiresMs: number;
}

/** One transaction. Everything in it becomes true together or not at all. */
export interface Member {
  /** Idempotent id: a store whose COMMIT can break off resolves `unknown` by it. */
  readonly id: string;
  readonly nowMs: number;
  readonly settle?: Settle;
  readonly fired?: TimerFired;
  readonly reads?: ReadSet;
  readonly events?: readonly NewEvent[];
  readonly kv?: readonly KvWrite[];
  readonly timers?: readonly NewTimer[];
  readonly cancelTimers?: readonly string[];
  readonly answer?: NewAnswer;
  readonly run?: RunChange;
  /** For runs that need not be the caller's; of those that ended nothing is kept. */
  readonly arrivals?: readonly NewArrival[];
  readonly callback?: CallbackAnswer;
}

export type MemberResult =
  | {
      readonly kind: "committed";
      readonly events: readonly AppendedEvent[];
      readonly promoted: readonly ReadyDelivery[];
      /** What came for runs by this member; absent when nothing did. */
      readonly arrivals?: readonly Arrival[];
      /** Runs that were parked and are due now because of it; absent when there is none. */
      readonly woken?: readonly ReadyDelivery[];
      /** Of a member with a run: the highest number that had been given when its entries were written. */
      readonly atSeq?: Seq;
      /** What became of its `callback`: taken, the same as or later than an earlier answer, not waited for any more, never known. */
      readonly callback?: CallbackEnd;
    }
  /** A read is stale; nothing was written. `keys` names what changed (a range by its prefix and `*`). */
  | { readonly kind: "conflict"; readonly keys: readonly string[] }
  /** The lease, the attempt or the timer is no longer the caller's; nothing was written. */
  | { readonly kind: "fenced" }
  /** Events whose (source, id) was used within the day for other content, by index; nothing was written. */
  | { readonly kind: "clash"; readonly indexes: readonly number[] }
  /** The Idempotency-Key has an answer already; nothing was written. */
  | { readonly kind: "answered"; readonly answer: StoredAnswer };

/** `deliveries` runs parallel to NewEvent.deliveries; empty for a duplicate, which wakes nobody. */
export interface AppendedEvent {
  readonly seq: Seq;
  readonly duplicate: boolean;
  /** The run that has had this id before: then the event is a duplicate, and `seq` 0. */
  readonly existing?: Seq;
  readonly deliveries: readonly { readonly seq: Seq; readonly ready: Cursor | null }[];
}

export interface StoredAnswer {
  readonly key: string;
  readonly fingerprint: string;
  readonly bytes: Uint8Array;
}

// ── what the owner reads ────────────────────────────────────────────────────

/** A place in a function's ready index. Whatever becomes ready later stands behind everything that was due before. */
export interface Cursor {
  readonly dueMs: number;
  readonly pos: number;
}

export const CURSOR_START: Cursor = { dueMs: -1, pos: -1 };

export interface ReadyDelivery {
  readonly seq: Seq;
  readonly fn: string;
  readonly key: string | null;
  readonly partition: number;
  readonly attempt: number;
  readonly ready: Cursor;
  readonly event: StoredEvent;
  /** Present where a run is behind it. */
  readonly run?: RunKind;
  /** Of a run that has just begun: what there is to know of it, and that its journal is empty. */
  readonly begun?: NewRun;
}

export interface StoredEvent {
  readonly seq: Seq;
  readonly json: string;
  readonly type: string;
  readonly origin: Origin;
  readonly hops: number;
  readonly receivedMs: number;
}

export interface ReadyPage {
  readonly deliveries: readonly ReadyDelivery[];
  /** True when more is due now behind the last one returned. */
  readonly more: boolean;
  /** When the first row that is not yet due falls due, or null. */
  readonly nextDueMs: number | null;
}

export interface DueTimer {
  readonly name: string;
  readonly kind: string;
  readonly partition: number;
  readonly dueMs: number;
  readonly payload: string;
}

export interface KvEntry {
  readonly key: string;
  readonly value: KvValue;
  readonly version: number;
}

export interface KvPage {
  readonly entries: readonly KvEntry[];
  readonly read: RangeRead;
}

// ── what people look at ─────────────────────────────────────────────────────

/** `blocked` waits behind its key; `parked` is a run that sleeps or waits; a function that no longer exists leaves its deliveries waiting. */
export type DeliveryState = "ready" | "parked" | "blocked" | "done" | "dead" | "held";

export interface DeliveryView {
  readonly seq: Seq;
  readonly event: Seq;
  readonly fn: string;
  readonly key: string | null;
  readonly state: DeliveryState;
  readonly attempt: number;
  readonly dueMs: number;
  readonly settledMs: number | null;
  readonly errors: readonly AttemptView[];
}

export interface AttemptView extends AttemptError {
  readonly attempt: number;
  readonly invocation: string;
  readonly startedMs: number;
  readonly endedMs: number;
}

export interface EventView extends StoredEvent {
  readonly id: string;
  readonly source: string;
  readonly cause: string | null;
  readonly deliveries: readonly DeliveryView[];
}

/** Newest first; `before` pages on. */
export interface EventQuery {
  readonly type?: string;
  readonly id?: string;
  readonly before?: Seq;
  /** Oldest first from here on instead, to follow a log. */
  readonly after?: Seq;
  readonly limit: number;
}

export interface DeadQuery {
  readonly fn?: string;
  readonly type?: string;
  readonly after?: Seq;
  readonly limit: number;
}

export interface DeadView extends DeliveryView {
  readonly eventJson: string;
  readonly eventType: string;
}

export type DeadSelection = { readonly seqs: readonly Seq[] } | { readonly fn?: string; readonly type?: string; readonly upTo: Seq };

export interface FunctionCounts {
  readonly fn: string;
  readonly ready: number;
  readonly blocked: number;
  /** Runs that sleep, wait or are paused. */
  readonly parked: number;
  readonly dead: number;
  /** Of the dead, those that hold their key. */
  readonly held: number;
}

export interface LogLine {
  readonly atMs: number;
  readonly fn: string;
  readonly invocation: string;
  readonly level: LogLevel;
  readonly text: string;
}

export interface StoredLogLine extends LogLine {
  readonly seq: number;
}

export interface LogQuery {
  readonly fn?: string;
  readonly invocation?: string;
  readonly level?: LogLevel;
  readonly after?: number;
  /** Newest `limit` lines when `after` is absent, in the order of their writing either way. */
  readonly limit: number;
}

export type StoreHealth = { readonly state: "ok" } | { readonly state: "failing"; readonly error: Error; readonly sinceMs: number };

export interface Store {
  /** Takes the leases of this node, above every epoch before. */
  acquire(owner: string): Promise<Lease>;

  /**
   * One transaction; resolves when it is on disk. Calls of the same moment share one database transaction and one sync, and
   * see the earlier ones. Rejects with a MillraceError (disk_full, data_unwritable, data_corrupt) when nothing was kept.
   */
  commit(member: Member): Promise<MemberResult>;

  /** The ready deliveries of one function behind `after`, due at `nowMs`, in order. */
  ready(fn: string, after: Cursor, nowMs: number, limits: { count: number; bytes: number }): Promise<ReadyPage>;
  dueTimers(nowMs: number, limit: number): Promise<{ timers: readonly DueTimer[]; nextDueMs: number | null }>;
  timers(kind: string): Promise<readonly DueTimer[]>;

  kvGet(keys: readonly string[], nowMs: number): Promise<readonly (KvEntry | null)[]>;
  kvList(query: { prefix: string; after: string | null; limit: number }, nowMs: number): Promise<KvPage>;
  answer(key: string, nowMs: number): Promise<StoredAnswer | null>;

  counts(): Promise<readonly FunctionCounts[]>;
  events(query: EventQuery): Promise<readonly EventView[]>;
  dead(query: DeadQuery): Promise<readonly DeadView[]>;
  delivery(seq: Seq): Promise<DeadView | null>;

  /** Makes up to `limit` dead deliveries ready again, attempts from zero; returns those done, in order. */
  redrive(selection: DeadSelection, nowMs: number, limit: number): Promise<{ redriven: number; fns: readonly string[] }>;
  purge(selection: DeadSelection, nowMs: number, limit: number): Promise<{ purged: number; fns: readonly string[] }>;

  /** A run of this node, with what has arrived for it and the first page of its journal; null when it is unknown or has ended. */
  ownedRun(seq: Seq, bytes?: number): Promise<OwnedRun | null>;
  /** The journal behind a position, in order: at most `bytes` of values, but one entry at least. */
  journal(run: Seq, afterPos: number, bytes: number): Promise<JournalPage>;
  /** Events of one type behind a place, oldest first, for a wait that looks back. */
  eventsOfType(type: string, afterSeq: Seq, limit: number): Promise<readonly StoredEvent[]>;
  run(idOrSeq: string | Seq): Promise<RunView | null>;
  runs(query: RunQuery): Promise<readonly RunView[]>;
  /** Which releases live runs are on, apart from `except`. */
  runReleases(except?: string): Promise<readonly { readonly release: string; readonly fn: string; readonly runs: number }[]>;
  /** The topics of all live waits: what an event must be asked for. */
  waitTopics(): Promise<readonly string[]>;

  /** Written with the next commit; a log line is never a reason to sync. */
  log(lines: readonly LogLine[]): void;
  logs(query: LogQuery): Promise<readonly StoredLogLine[]>;

  /** Deletes a bounded piece of what is older: settled deliveries, their events, logs, expired kv, answers. */
  retain(beforeMs: number, nowMs: number, limit: number): Promise<{ events: number; deliveries: number; more: boolean }>;

  health(): StoreHealth;
  /** Waits for what was handed over, then lets go of the data directory. */
  close(): Promise<void>;
}
