/** What the store keeps of runs: a part of the one contract in store.ts. */

import type { AttemptError, AttemptView, Seq } from "./store.ts";

/** A run is a delivery that keeps a journal: `flow` of one to a flow, `fn` of one to a function that a run called for its result. */
export interface NewRun {
  readonly id: string;
  /** True for an id that a user gave: one that exists already names the same run, and the event is a duplicate. */
  readonly named: boolean;
  readonly kind: RunKind;
  readonly release: string;
  /** What its random numbers are drawn from, in base64url. */
  readonly seed: string;
  /** The run that waits for its result, and as which of its commands. */
  readonly parent: { readonly run: Seq; readonly command: string } | null;
  readonly deadlineMs: number | null;
  /** What cancels it while it lives (`cancelOn`). */
  readonly waits: readonly NewWait[];
  /** It begins with a copy of another run's journal before this position. */
  readonly copies?: { readonly from: Seq; readonly beforePos: number };
}

export type RunKind = "flow" | "fn";

/** All that there is of a run that was run before it was in the store. */
export interface RunAtItsEnd {
  readonly atMs: number;
  readonly entries: readonly (NewEntry & { readonly atMs: number })[];
  readonly state: EndState;
  readonly value: string | null;
}

/** What a run asked for. `answer` is what a callback waits for; `run` is the run itself (its cancelling, its deadline, its failure). */
export type Verb = "step" | "sleep" | "wait" | "callback" | "answer" | "call" | "start" | "map" | "rollback" | "run";

/** `done` and `failed` complete a command and reach the handler in the order of their positions; the others only note something of it. */
export type Phase = "opened" | "attempt" | "resumed" | "done" | "failed";

export interface NewEntry {
  /** Rises within the run; gaps mean nothing. */
  readonly pos: number;
  readonly verb: Verb;
  readonly name: string;
  /** The how-manieth of this verb and name in the run, from 1. */
  readonly number: number;
  readonly phase: Phase;
  /** Of a step or a rollback, from 1; else 0. */
  readonly attempt: number;
  readonly ranMs: number;
  /** What it came to, as text that protocol/value-text.ts reads; of `opened` and `attempt`, JSON of its facts. */
  readonly value: string | null;
}

export interface JournalEntry extends NewEntry {
  readonly atMs: number;
  /** The highest number that had been given when it was written: what has a higher one came later. */
  readonly atSeq: Seq;
}

/** A row that an event resolves: known by what it looks for, `topic` (the type, and the paths compared) and `value` (what they must hold). */
export interface NewWait {
  /** `verb name number` of the run's command. */
  readonly command: string;
  readonly topic: string;
  readonly value: string;
  /** False: the first event ends the wait. True: its owner judges each one, and the wait stays. */
  readonly guarded: boolean;
  /** Events with a higher number than this count that came before the wait; null: only what comes from now on. */
  readonly sinceSeq: Seq | null;
}

/** What an event offers to waits: it resolves those with the same topic and value. */
export type WaitKey = Pick<NewWait, "topic" | "value">;

/** An address that completes a command from outside; of its token only the SHA-256 is kept. */
export interface NewCallback {
  readonly tokenHash: string;
  readonly command: string;
}

/** `event`: one that a wait was for. `answer`: a callback was completed. `child`: a called run ended. The others are orders of people and of the platform. */
export type ArrivalKind = "event" | "answer" | "child" | "cancel" | "resume" | "signal" | "move";

/** Something that came for a run from elsewhere; its owner puts it into the journal. */
export interface NewArrival {
  readonly run: Seq;
  readonly kind: ArrivalKind;
  readonly command: string;
  /** JSON: of an event `{ seq, json }`, of an answer or a child `{ ok, value }`, else what was ordered. */
  readonly value: string;
}

export interface Arrival extends NewArrival {
  readonly id: number;
  readonly atMs: number;
}

/** Completes a callback once: the first answer counts. */
export interface CallbackAnswer {
  readonly tokenHash: string;
  readonly value: string;
}

export type CallbackEnd = "taken" | "repeated" | "late" | "over" | "unknown";

/**
 * One change to a run by its owner. It holds only while the run lives and its positions are free. In a member that settles a delivery
 * (a run of kind `fn`) an `end` ends the run alone; else it ends the delivery too.
 */
export interface RunChange {
  readonly run: Seq;
  readonly epoch: number;
  readonly entries: readonly NewEntry[];
  /** It holds only if nothing stands there or behind it. Without it, the position of the first entry. */
  readonly from?: number;
  /** It holds only if an entry of that time stands there: what was handed in before it was committed. */
  readonly after?: { readonly pos: number; readonly atMs: number };
  readonly waits?: readonly NewWait[];
  readonly callbacks?: readonly NewCallback[];
  /** Commands whose waits and callbacks are over. */
  readonly closed?: readonly string[];
  /** Arrivals that were taken into the journal, or were of no use. */
  readonly taken?: readonly number[];
  readonly release?: string;
  readonly move?: RunMove;
}

export type RunMove =
  /** Nothing of it runs until `dueMs`, or until something arrives; null: until something arrives. */
  | { readonly kind: "park"; readonly state: ParkedState; readonly dueMs: number | null; readonly note: string | null }
  /** An attempt to go on failed: counted, and tried again when it is due. */
  | {
      readonly kind: "retry";
      readonly dueMs: number;
      readonly error: AttemptError;
      readonly attempt: number;
      readonly invocation: string;
      readonly startedMs: number;
    }
  /** Ended. Its live children are sent a `cancel`; a run that called it is sent a `child`. */
  | { readonly kind: "end"; readonly state: EndState; readonly value: string | null };

export type ParkedState = "waiting" | "sleeping" | "paused" | "rolling-back" | "stuck";
export type EndState = "done" | "failed" | "cancelled";
/** `ready`: it can go on as soon as there is room (it runs, in its owner's memory). */
export type RunState = "ready" | ParkedState | EndState;

// ── what is read of them ──────────────────────────────────────────────────────

/** A run as its owner needs it. */
export interface OwnedRun {
  readonly seq: Seq;
  readonly fn: string;
  readonly id: string;
  readonly kind: RunKind;
  readonly release: string;
  readonly seed: string;
  readonly state: RunState;
  readonly startedMs: number;
  readonly deadlineMs: number | null;
  readonly parent: { readonly run: Seq; readonly command: string } | null;
  readonly arrivals: readonly Arrival[];
  /** From its beginning, as `journal` pages it. */
  readonly journal: JournalPage;
}

export interface JournalPage {
  readonly entries: readonly JournalEntry[];
  readonly more: boolean;
}

export interface RunView {
  readonly seq: Seq;
  readonly id: string;
  readonly fn: string;
  readonly kind: RunKind;
  readonly release: string;
  readonly state: RunState;
  /** Of the event that it began with. */
  readonly event: Seq;
  readonly startedMs: number;
  readonly endedMs: number | null;
  /** When it goes on by itself; null where nothing but an arrival wakes it. */
  readonly dueMs: number | null;
  readonly deadlineMs: number | null;
  readonly parent: Seq | null;
  readonly parentId: string | null;
  /** Completed commands and notes so far. */
  readonly entries: number;
  /** Of a paused or stuck run, JSON: why. */
  readonly note: string | null;
  /** Of an ended run: its result, or its error as JSON. */
  readonly value: string | null;
  /** Failed attempts to go on since it last went on. */
  readonly attempt: number;
  readonly errors: readonly AttemptView[];
}

/** Newest first. */
export interface RunQuery {
  readonly fn?: string;
  readonly states?: readonly RunState[];
  readonly release?: string;
  readonly parent?: Seq;
  readonly before?: Seq;
  /** Oldest first from here on instead. */
  readonly after?: Seq;
  readonly limit: number;
}
