/** The journal of a run, as node and instance speak of it. */

/** What a run asked for. `answer` is what a callback waits for; `run` is the run itself (its cancelling, its deadline). */
export const VERBS = ["step", "sleep", "wait", "callback", "answer", "call", "start", "map", "rollback", "run"] as const;
export type Verb = (typeof VERBS)[number];

/** `done` and `failed` complete a command and reach the handler in the order of their positions; the others only note something of it. */
export const PHASES = ["opened", "attempt", "resumed", "done", "failed"] as const;
export type Phase = (typeof PHASES)[number];

export interface Entry {
  readonly pos: number;
  readonly verb: Verb;
  readonly name: string;
  readonly number: number;
  readonly phase: Phase;
  readonly attempt: number;
  readonly atMs: number;
  readonly value: string | null;
}

/** Of an `attempt` entry: its error, and when it is tried again (null: not by itself). */
export interface AttemptFacts {
  readonly error: string;
  readonly dueMs: number | null;
}

/** Of the entry `run "cancel"` or `run "deadline"`. */
export interface CancelFacts {
  readonly reason: string;
  readonly rollback: boolean;
  /** The run has failed by it (its deadline), and is not called cancelled. */
  readonly failed?: boolean;
}

/** The content type of data that JSON does not carry: a text that value-text.ts reads. */
export const VALUE_CONTENT_TYPE = "application/vnd.millrace.value";
