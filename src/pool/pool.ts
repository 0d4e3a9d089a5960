import type { ColdStartStats } from "./cold-starts.ts";
import type { StartFailure } from "./fleet.ts";
import type { Effects, FunctionError, HttpHead, KvReader, ResponseHead } from "../protocol/messages.ts";
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

  /** How many calls of a function are worth handing over at once; more would only wait inside. */
  capacity(fn: string): number;

  /** Runs one call to its end. Never rejects: every way to end is an outcome. */
  call(call: Call): Promise<Outcome>;

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

export type Call = EventCall | HttpCall;

export type Outcome =
  /** The handler returned; nothing of it is true until the caller has committed `effects` and called `end`. */
  | { readonly kind: "returned"; readonly effects: Effects; readonly response: HttpAnswer | null; readonly ranMs: number }
  | { readonly kind: "threw"; readonly error: FunctionError; readonly ranMs: number }
  | { readonly kind: "timeout"; readonly error: FunctionError; readonly ranMs: number }
  /** The instance ended. `guilty`: this call ended it; `suspect`: it may have; `bystander`: it did not. */
  | { readonly kind: "crashed"; readonly blame: "guilty" | "suspect" | "bystander"; readonly error: FunctionError; readonly ranMs: number }
  /** The code could not be loaded, or there was no room within a bounded wait: the handler was never called. */
  | { readonly kind: "not-run"; readonly reason: "load-failed" | "overloaded" | "stopping" | "aborted"; readonly error: FunctionError };

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
