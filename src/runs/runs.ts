import type { LeaveSignal } from "../core/departure.ts";
import type { HttpRequest, HttpResult } from "../delivery/delivery.ts";
import type { JournalEntry, RunQuery, RunView, Seq } from "../store/store.ts";

/** The door of this room: runs as gateway, control door and tests see them. Whoever names a run does so by its id. */
export interface Runs {
  /** Begins a run of a flow. `input` is text that protocol/value-text.ts reads. Resolves when it is durable. */
  begin(wanted: { readonly flow: string; readonly input: string; readonly id: string | null }): Promise<Begun>;
  /** A request to a flow's route: begins a run, and waits for its end as long as the client prefers. */
  http(request: HttpRequest, waitMs: number): Promise<HttpRunResult>;
  /** The run as it is when it has ended, or when the time is over. Null: there is none of this id. */
  ended(id: string, waitMs: number, signal: LeaveSignal | null): Promise<RunView | null>;

  /** Completes a callback by the token of its address: `value` is text that value-text.ts reads. The first answer counts. */
  answer(token: string, answer: CallbackOutcome): Promise<CallbackAnswered>;

  /** Throws at the run's current await; its finished steps are rolled back if wanted. */
  cancel(id: string, order: { readonly rollback: boolean; readonly reason: string }): Promise<RunView>;
  /** A paused or stuck run goes on; with a result for the step that it stands at, that step is done by it. */
  resume(id: string, order: { readonly result?: string; readonly release?: string }): Promise<RunView>;
  /** The same input, a new run, on the live release. */
  rerun(id: string): Promise<Begun>;
  /** A new run with the earlier results copied, up to this command, which is the first that is done anew (`pack`, `pack#2`). */
  fork(id: string, order: { readonly from: string; readonly release: "same" | "live" }): Promise<Begun>;
  /** Ends the wait of this name, the present or the next one, with this data (value text). */
  signal(id: string, order: { readonly wait: string; readonly data: string }): Promise<RunView>;

  list(query: RunQuery): Promise<readonly RunView[]>;
  show(id: string): Promise<RunDetails>;
  /** The run and what is new in its journal, as it comes; ends with the run. */
  watch(id: string, signal: AbortSignal): AsyncIterable<RunProgress>;
  /** Which runs hold which release. */
  releases(): Promise<readonly HeldRelease[]>;
  /** Replays the journals of live runs against a release; nothing is begun by it. */
  check(release: string, query: { readonly flow?: string }, signal: AbortSignal): AsyncIterable<RunCheck>;
}

export interface Begun {
  readonly id: string;
  readonly run: Seq;
  readonly flow: string;
  /** It was there before, under this id. */
  readonly existing: boolean;
}

export type HttpRunResult =
  | HttpResult
  /** It goes on: 202, with the address at which its result will be. */
  | { readonly kind: "accepted"; readonly id: string };

export type CallbackOutcome = { readonly ok: true; readonly value: string } | { readonly ok: false; readonly message: string };
export type CallbackAnswered = "taken" | "repeated" | "late" | "over" | "unknown";

export interface RunDetails {
  readonly run: RunView;
  /** The whole journal, in order. */
  readonly journal: readonly JournalEntry[];
  readonly children: readonly RunView[];
  /** What a person needs to know of the function: its file, and the memory that an attempt occupies. */
  readonly flow: { readonly file: string | null; readonly memoryBytes: number | null };
  /** True while it is at work in an instance. */
  readonly running: boolean;
}

export interface RunProgress {
  readonly run: RunView;
  readonly running: boolean;
  /** Since the line before. */
  readonly entries: readonly JournalEntry[];
  /** Of each map under way: how many of its items are done and failed. */
  readonly maps: readonly {
    readonly name: string;
    readonly number: number;
    readonly total: number;
    readonly done: number;
    readonly failed: number;
  }[];
}

export interface HeldRelease {
  readonly release: string;
  readonly live: boolean;
  /** False: its bundle is gone, and its runs cannot go on. */
  readonly present: boolean;
  readonly flows: readonly { readonly flow: string; readonly runs: number }[];
}

export interface RunCheck {
  readonly id: string;
  readonly flow: string;
  readonly fits: boolean;
  /** Why not: the difference between the journal and the code. */
  readonly mismatch: Mismatch | null;
  /** It could not be tried (the code does not load, a crash): why. */
  readonly error: string | null;
}

/** Where the journal and the code go apart; also the note (JSON) of a run that is paused for it. */
export interface Mismatch {
  readonly pos: number;
  /** What the journal has there: `step "charge" #1`. */
  readonly recorded: string;
  /** What the code asks for instead, each with its source line; empty where the handler came to its end. */
  readonly attempted: readonly { readonly command: string; readonly at: string | null }[];
}

/** Why a run stands still (JSON in RunView.note of a paused or stuck run). */
export type RunNote =
  | {
      readonly why: "exhausted";
      readonly verb: "step" | "rollback";
      readonly name: string;
      readonly number: number;
      readonly attempts: number;
      readonly error: { readonly name: string; readonly message: string };
    }
  | { readonly why: "mismatch"; readonly mismatch: Mismatch }
  | { readonly why: "release-gone"; readonly release: string }
  | { readonly why: "failing"; readonly attempts: number; readonly error: { readonly name: string; readonly message: string } };
