import type { FunctionError, LogLevel } from "../protocol/index.ts";
import type { Deadlines } from "./deadlines.ts";
import type { InstanceDirectories } from "./instance-directory.ts";
import type { Instance } from "./instance.ts";
import type { SpawnInstance } from "./spawn.ts";

/** A line that belongs to no call under way; `invocation` names the call it came after, if any. */
export type StrayLog = (line: { fn: string | null; invocation: string | null; level: LogLevel; text: string; atMs: number }) => void;

/** What every instance needs of the pool. */
export interface InstanceContext {
  readonly spawn: SpawnInstance;
  readonly directories: InstanceDirectories;
  readonly deadlines: Deadlines;
  readonly nowMs: () => number;
  /** How long an abort may go unheard, and then unobeyed. */
  readonly graceMs: number;
  /** From the start, or from `load`, until the code is loaded. */
  readonly loadLimitMs: number;
  readonly onSpawned: (instance: Instance) => void;
  readonly onStrayLog: StrayLog;
}

/** Whoever has the instance now: the spares, or a function. */
export interface InstanceOwner {
  /** It speaks the protocol: calls may be sent (after `load`). */
  instanceReady(instance: Instance): void;
  instanceLoaded(instance: Instance): void;
  /** A call left it: there is room. */
  instanceFreed(instance: Instance): void;
  /** It takes no calls any more and has none. `failure`: it never came to serve. `lostCalls`: how many it ran at its end. */
  instanceEnded(instance: Instance, failure: FunctionError | null, lostCalls: number): void;
}

/** A function as the owner of its instances. */
export interface InstanceUser extends InstanceOwner {
  /** It told how busy its loop is (F13). */
  instanceReported(instance: Instance, report: InstanceReport): void;
}

/** What an instance tells while calls run. */
export interface InstanceReport {
  readonly utilisation: number;
  readonly heapBytes: number;
  /** The most calls it had at once since its last report. */
  readonly mostRunning: number;
  /** Calls, and steps of runs, that ended since then, by the second. */
  readonly endedPerSecond: number;
}

/** The code that an instance is given. */
export interface Assignment {
  readonly fn: string;
  /** Its source, for people; undefined where there is more than one. */
  readonly file?: string;
  /** The release's bundle. */
  readonly directory: string;
  /** The head of the `load` frame, without the directory. */
  readonly loadHead: Readonly<Record<string, unknown>>;
}

/** What a spare compiles before it is known which function it will run. */
export interface Preparation {
  /** The release's bundle. */
  readonly directory: string;
  readonly entries: readonly string[];
  readonly mostBytes: number;
}
