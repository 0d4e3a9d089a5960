import type { ColdStartStats } from "./cold-starts.ts";
import type { StartFailure } from "./fleet.ts";
import type { Effects, FunctionError, HttpHead, KvReader, ResponseHead, RunHead } from "../protocol/messages.ts";
import type { LogLevel } from "../protocol/messages.ts";
import type { FunctionManifest, Release } from "../protocol/manifest.ts";
import type { LeaveSignal } from "../core/index.ts";

/**
 * The door between those who want a function called and the instances that run it. `delivery` and `gateway` know this
 * file alone; instance-pool.ts does it with processes, tests may do it in memory.
 */
export interface Pool {
  /** Calls of this release's functions go to its own instances; an earlier release's finish theirs and end. */
  use(release: Release): void;
  /** Runs may be called on this earlier release too. */
  keep(release: Release): void;

  /** How many calls of a function are worth handing over at once; more would only wait inside. */
  capacity(fn: string): number;

  /** Runs one call to its end. Never rejects: every way to end is an outcome. */
  call(call: Call): Promise<Outcome>;
  /** The same for one activation of a run. */
  run(call: RunCall): Promise<RunOutcome>;

  stats(): PoolStats;
  /** Called when an instance appears, goes or changes its capacity. */
  onChange(listener: () => void): void;
}

export interface CallBase {
  /** The invocation's id: what is logged, metered and traced. */
  readonly id: string;
  readonly fn: string;
  readonly attempt: number;
  readonly timeoutMs: number;
  /** After a crash whose cause is in doubt a call runs in an instance of its own. */
  readonly alone: boolean;
  readonly kv: KvReader;
  readonly log: (level: LogLevel, text: string, atMs: number) => void;
  /** Called when the handler begins. */
  readonly started?: () => void;
}

export interface EventCall extends CallBase {
  readonly kind: "event";
  readonly eventJson: string;
  /** What the handler returns is wanted (a run called it). */
  readonly wantsResult?: boolean;
  /** True for events that no door could check against their schema. */
  readonly checkSchema: boolean;
}

export interface HttpCall extends CallBase {
  readonly kind: "http";
  readonly head: HttpHead;
  /** All of it, or a stream that is read as the function reads. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | null;
  /** Aborts when the client leaves. */
  readonly signal: LeaveSignal | null;
}

/** One activation of a run: from the hand-over of its journal until it parks or ends. While it runs, both sides send what happens. */
export interface RunCall extends CallBase {
  readonly kind: "run";
  /** The release that the run is on. */
  readonly release: string;
  readonly eventJson: string;
  readonly run: RunHead;
  /** Each step reads for itself. */
  readonly kvOf: (step: number) => KvReader;
  /** Plays the part of a step that `run.mocked` names. */
  readonly mock?: (step: MockedStep) => Promise<MockedOutcome>;
  /** It was handed to an instance: what is sent from here on arrives in order. */
  readonly begun: (link: RunLink) => void;
  /** `open`, `step` and `begin` frames, as they come; frames that came together are given in one turn. */
  readonly onMessage: (message: RunMessage) => void;
}

/** The way to a run in its instance. After the call's end nothing leaves by it. */
export interface RunLink {
  /** A piece of the journal, in order, as JSON text of an array of entries; `live`: it was the last one, from here on things are new. */
  entries(json: string, live: boolean): void;
  /** Its beginning is committed. */
  begin(): void;
  /** What this instance did is committed: its completion may reach the handler. */
  kept(step: number, pos: number, atMs: number): void;
  /** Run this step again: it waited long enough, or (`conflict`) its transaction met one, and its last attempt does not count. */
  again(step: number, conflict: boolean): void;
  /** It is not wanted any more: what it did is not true. Its outcome follows. */
  drop(): void;
  /** Kills its instance, as somebody from outside might: tests. */
  kill(): void;
}

export interface MockedStep {
  readonly name: string;
  readonly number: number;
  readonly attempt: number;
}

/** Text that value-text.ts reads: the result, or the error. */
export interface MockedOutcome {
  readonly ok: boolean;
  readonly value: string;
}

export type RunMessage =
  /** It can go no further before its beginning is committed. */
  | { readonly kind: "begin" }
  | { readonly kind: "open"; readonly step: number; readonly head: Readonly<Record<string, unknown>>; readonly body: string }
  | {
      readonly kind: "step";
      readonly step: number;
      readonly head: Readonly<Record<string, unknown>>;
      readonly effects: Effects;
      readonly body: string;
    };

export type Call = EventCall | HttpCall;

export type Outcome =
  /** The handler returned; nothing of it is true until the caller has committed `effects` and called `end`. */
  | {
      readonly kind: "returned";
      readonly effects: Effects;
      readonly response: HttpAnswer | null;
      /** What the handler returned, where it was asked for: text that value-text.ts reads. */
      readonly value?: string;
      readonly ranMs: number;
    }
  | { readonly kind: "threw"; readonly error: FunctionError; readonly ranMs: number }
  | { readonly kind: "timeout"; readonly error: FunctionError; readonly ranMs: number }
  /** The instance ended. `guilty`: this call ended it; `suspect`: it may have; `bystander`: it did not. */
  | { readonly kind: "crashed"; readonly blame: "guilty" | "suspect" | "bystander"; readonly error: FunctionError; readonly ranMs: number }
  /** The code could not be loaded, or there was no room within a bounded wait: the handler was never called. */
  | { readonly kind: "not-run"; readonly reason: "load-failed" | "overloaded" | "stopping" | "aborted"; readonly error: FunctionError };

/** How a call of any kind ends that did not come to its own end. */
export type Unfinished = Exclude<Outcome, { readonly kind: "returned" }>;

export type RunOutcome =
  | Unfinished
  /** It let go of its instance: it waits, or may not go on. `head` says why. */
  | { readonly kind: "parked"; readonly head: Readonly<Record<string, unknown>>; readonly ranMs: number }
  /** Its handler came to its end, and its rollbacks with it. */
  | { readonly kind: "finished"; readonly head: Readonly<Record<string, unknown>>; readonly value: string; readonly ranMs: number };

/** The name of the error of an instance whose process was gone without a word: killed from outside, or by a fault in native code. */
export const GONE = "Crashed";

export interface HttpAnswer {
  readonly head: ResponseHead;
  /** The whole body when it was at hand, else a stream that starts to flow when it is read. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
  /** Tells the instance that the answer is not wanted (conflict, client gone). Needed only for a stream. */
  readonly discard: () => void;
}

export interface PoolStats {
  readonly instances: number;
  readonly spares: number;
  readonly running: number;
  readonly waiting: number;
  readonly coldStarts: number;
  readonly functions: readonly FunctionPoolStats[];
}

export interface FunctionPoolStats {
  readonly fn: string;
  readonly instances: number;
  readonly running: number;
  readonly waiting: number;
  readonly coldStarts: ColdStartStats;
  /** Null while nothing keeps its instances from starting. */
  readonly startFailure: StartFailure | null;
}

export type { FunctionManifest };
