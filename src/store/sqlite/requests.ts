/** What the node's thread asks of the writer and the reader, apart from commits. */
import type {
  Cursor,
  DeadQuery,
  DeadSelection,
  DeadView,
  DueTimer,
  EventQuery,
  EventView,
  FunctionCounts,
  KvEntry,
  KvPage,
  JournalPage,
  LogQuery,
  OwnedRun,
  RunQuery,
  RunView,
  StoredAnswer,
  StoredEvent,
  StoredLogLine,
} from "../store.ts";
import type { ConnectionOptions } from "./connection.ts";
import type { PackedError } from "./errors.ts";
import type { Retained } from "./upkeep.ts";
import type { Flat } from "./wire.ts";

/** verb → what goes in and what comes out. */
export interface WriterVerbs {
  acquire: { ask: { owner: string }; answer: number };
  redrive: { ask: { selection: DeadSelection; nowMs: number; limit: number }; answer: { redriven: number; fns: readonly string[] } };
  purge: { ask: { selection: DeadSelection; nowMs: number; limit: number }; answer: { purged: number; fns: readonly string[] } };
  retain: { ask: { beforeMs: number; nowMs: number; limit: number }; answer: Retained };
  counts: { ask: null; answer: readonly FunctionCounts[] };
  /** Raises the time below which nothing becomes ready any more. */
  see: { ask: number; answer: null };
  close: { ask: null; answer: null };
}

export interface ReaderVerbs {
  ready: { ask: { fn: string; after: Cursor; dueMs: number; count: number; bytes: number }; answer: Flat };
  dueTimers: { ask: { nowMs: number; limit: number }; answer: { timers: readonly DueTimer[]; nextDueMs: number | null } };
  timers: { ask: string; answer: readonly DueTimer[] };
  kvGet: { ask: { keys: readonly string[]; nowMs: number }; answer: readonly (KvEntry | null)[] };
  kvList: { ask: { prefix: string; after: string | null; limit: number; nowMs: number }; answer: KvPage };
  answer: { ask: { key: string; nowMs: number }; answer: StoredAnswer | null };
  events: { ask: EventQuery; answer: readonly EventView[] };
  dead: { ask: DeadQuery; answer: readonly DeadView[] };
  delivery: { ask: number; answer: DeadView | null };
  ownedRun: { ask: { run: number; bytes: number }; answer: OwnedRun | null };
  journal: { ask: { run: number; afterPos: number; bytes: number }; answer: JournalPage };
  eventsOfType: { ask: { type: string; afterSeq: number; limit: number }; answer: readonly StoredEvent[] };
  run: { ask: string | number; answer: RunView | null };
  runs: { ask: RunQuery; answer: readonly RunView[] };
  runReleases: {
    ask: { except: string | null };
    answer: readonly { readonly release: string; readonly fn: string; readonly runs: number }[];
  };
  waitTopics: { ask: null; answer: readonly string[] };
  logs: { ask: LogQuery; answer: readonly StoredLogLine[] };
  close: { ask: null; answer: null };
}

export type Request<Verbs> = {
  [Verb in keyof Verbs]: { readonly call: number; readonly verb: Verb; readonly ask: Verbs[Verb] extends { ask: infer Ask } ? Ask : never };
}[keyof Verbs];

export type Answer<Verbs, Verb extends keyof Verbs> = Verbs[Verb] extends { answer: infer Value } ? Value : never;
export type Ask<Verbs, Verb extends keyof Verbs> = Verbs[Verb] extends { ask: infer Value } ? Value : never;

export type Reply = { readonly call: number; readonly value: unknown } | { readonly call: number; readonly error: PackedError };

/** To the writer: a batch of commits and log lines (see `putBatch`), or a request. */
export type ToWriter = Flat | Request<WriterVerbs>;

/** From the writer: the results of a transaction, the end of one that kept nothing, or a reply. */
export type FromWriter = Flat | { readonly failed: number; readonly error: PackedError } | Reply | Opened;
export type FromReader = Reply;

/** The first word of a writer. */
export type Opened = { readonly opened: true; readonly highMs: number } | { readonly opened: false; readonly error: PackedError };

export type WorkerData = ConnectionOptions;
