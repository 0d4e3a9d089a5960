import { PHASES, VERBS } from "../protocol/journal.ts";
import type { RunState } from "../store/store.ts";
import {
  anything,
  array,
  boolean,
  integer,
  literal,
  named,
  nullable,
  number,
  object,
  oneOf,
  optional,
  type Static,
  string,
  union,
} from "./schema.ts";
import { attemptView, runId, seq, timeMs } from "./shapes.ts";

/** What of runs crosses the control door. Kept values are shown as people read them: not all of them can be told apart again. */

const STATES = {
  ready: true,
  waiting: true,
  sleeping: true,
  paused: true,
  "rolling-back": true,
  stuck: true,
  done: true,
  failed: true,
  cancelled: true,
} as const satisfies Record<RunState, true>;

export const RUN_STATES = Object.keys(STATES) as RunState[];

export const runState = oneOf(...RUN_STATES);

const count = integer({ minimum: 0 });

const runError = named(
  "RunError",
  object({
    name: string(),
    message: string(),
    stack: nullable(string()),
    cause: optional(anything({ description: "Of a step that was given up: its last error." })),
  }),
);
export type RunError = Static<typeof runError>;

const shortError = object({ name: string(), message: string() });

const mismatch = named(
  "Mismatch",
  object({
    pos: integer({ description: "Of the entry of the journal that the code does not ask for." }),
    recorded: string({ description: 'What the journal has there: `step "charge" #1`.' }),
    attempted: array(object({ command: string(), at: nullable(string({ description: "The line in the source." })) }), {
      description: "What the code asks for instead; empty where the handler came to its end.",
    }),
  }),
);
export type MismatchShape = Static<typeof mismatch>;

const runNote = named(
  "RunNote",
  union(
    object({
      why: literal("exhausted"),
      verb: oneOf("step", "rollback"),
      name: string(),
      number: integer(),
      attempts: integer(),
      error: shortError,
    }),
    object({ why: literal("mismatch"), mismatch }),
    object({ why: literal("release-gone"), release: string() }),
    object({ why: literal("failing"), attempts: integer(), error: shortError }),
  ),
);
export type RunNoteShape = Static<typeof runNote>;

export const runView = named(
  "Run",
  object({
    id: string(),
    seq,
    fn: string({ description: "The flow." }),
    kind: oneOf("flow", "fn"),
    release: string(),
    state: runState,
    startedMs: timeMs,
    endedMs: nullable(timeMs),
    dueMs: nullable(integer({ description: "When it goes on by itself; null where only something that arrives wakes it." })),
    deadlineMs: nullable(timeMs),
    parent: nullable(string({ description: "The id of the run that called it." })),
    event: integer({ description: "The seq of the event that it began with." }),
    entries: integer({ description: "Of its journal, so far." }),
    attempt: integer({ description: "Failed attempts to go on since it last went on." }),
    errors: array(attemptView, { description: "Of those attempts." }),
    note: nullable(runNote),
    result: anything({ description: "Of a run that is done; else null." }),
    error: nullable(runError),
  }),
);
export type RunShape = Static<typeof runView>;

export const journalEntry = named(
  "JournalEntry",
  object({
    pos: integer({ description: "Rises within the run; gaps mean nothing." }),
    verb: oneOf(...VERBS),
    name: string(),
    number: integer({ description: "The how-manieth of this verb and name, from 1." }),
    phase: oneOf(...PHASES),
    attempt: integer({ description: "Of a step or a rollback, from 1; else 0." }),
    ranMs: number(),
    atMs: timeMs,
    value: anything({
      description: "What it came to. Of `opened` what was asked for; of `attempt` the error, and when it is tried again (`dueMs`).",
    }),
  }),
);
export type JournalEntryShape = Static<typeof journalEntry>;

const runInput = named(
  "RunInput",
  object({
    seq,
    id: string(),
    type: string(),
    source: string(),
    data: anything({ description: "Of a run that HTTP began: the request." }),
  }),
);

export const runDetails = named(
  "RunDetails",
  object({
    run: runView,
    running: boolean({ description: "Whether it is at work in an instance." }),
    input: nullable(runInput),
    file: nullable(string({ description: "Of the flow, relative to the app." })),
    memoryBytes: nullable(number({ description: "That an attempt occupies." })),
    journal: array(journalEntry, { description: "Whole, in order." }),
    children: array(runView),
  }),
);
export type RunDetailsShape = Static<typeof runDetails>;

export const begun = named(
  "Begun",
  object({ id: string(), seq, flow: string(), existing: boolean({ description: "It was there before, under this id." }) }),
);
export type BegunShape = Static<typeof begun>;

export const beginBody = named(
  "Begin",
  object({
    flow: string({ minLength: 1 }),
    input: optional(anything({ description: "The data of the event that the run begins with." })),
    id: optional(runId),
  }),
);
export type BeginBody = Static<typeof beginBody>;

export const cancelBody = named(
  "Cancel",
  object({
    rollback: optional(boolean({ default: true, description: "Whether its finished steps are rolled back." })),
    reason: optional(string({ minLength: 1 })),
  }),
);
export type CancelBody = Static<typeof cancelBody>;

export const resumeBody = named(
  "Resume",
  object({
    result: optional(anything({ description: "What the step that it stands at is said to have come to." })),
    release: optional(string({ minLength: 1, description: "Goes on by this release's code: its id, or `live`." })),
  }),
);
export type ResumeBody = Static<typeof resumeBody>;

export const forkBody = named(
  "Fork",
  object({
    from: string({ minLength: 1, description: "The first command that is done anew: `pack`, or `pack#2` for the second." }),
    release: optional(oneOf("same", "live")),
  }),
);
export type ForkBody = Static<typeof forkBody>;

export const signalBody = named(
  "Signal",
  object({ wait: string({ minLength: 1, description: "The name of the wait." }), data: optional(anything()) }),
);
export type SignalBody = Static<typeof signalBody>;

export const runProgress = named(
  "RunProgress",
  object({
    run: runView,
    running: boolean(),
    entries: array(journalEntry, { description: "Of the journal, since the line before." }),
    maps: array(object({ name: string(), number: integer(), total: count, done: count, failed: count })),
  }),
);
export type RunProgressShape = Static<typeof runProgress>;

export const heldRelease = named(
  "HeldRelease",
  object({
    release: string(),
    live: boolean(),
    present: boolean({ description: "False: its bundle is gone, and its runs cannot go on." }),
    flows: array(object({ flow: string(), runs: count })),
  }),
);
export type HeldReleaseShape = Static<typeof heldRelease>;

export const checkBody = named(
  "CheckRuns",
  object({
    release: optional(string({ minLength: 1, description: "Its id, `live` (unless said), or `app:` and a folder of the node's machine." })),
    flow: optional(string({ minLength: 1, description: "Runs of this flow only." })),
  }),
);
export type CheckBody = Static<typeof checkBody>;

export const runCheck = named(
  "RunCheck",
  object({
    id: string(),
    flow: string(),
    fits: boolean(),
    mismatch: nullable(mismatch),
    error: nullable(string({ description: "Why it could not be tried." })),
  }),
);
export type RunCheckShape = Static<typeof runCheck>;
