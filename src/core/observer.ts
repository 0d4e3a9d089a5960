import type { LogLevel } from "./log-level.ts";

/**
 * What the rooms tell whoever watches (metrics today; traces and metering later). Called on hot paths: an implementation
 * adds numbers and returns.
 */
export interface Observer {
  /** Events that became durable; `duplicates` of them were known already. */
  ingested(count: number, duplicates: number): void;
  /** Events or requests turned away at a door, by error code. */
  refused(door: "events" | "http" | "control", code: string): void;
  /** One invocation ended. */
  invoked(fn: string, kind: "event" | "http", outcome: InvocationOutcome, ranMs: number): void;
  /** From the moment a delivery was due to the start of its handler. */
  waited(fn: string, waitedMs: number): void;
  conflicted(fn: string): void;
  died(fn: string): void;
  /** What the first call of an instance waited for. */
  coldStarted(fn: string, phases: { readonly waitMs: number; readonly loadMs: number; readonly firstCallMs: number }): void;
  logged(level: LogLevel): void;
}

export type InvocationOutcome = "done" | "failed" | "timeout" | "crashed" | "not-run";

export const silentObserver: Observer = {
  ingested: () => {},
  refused: () => {},
  invoked: () => {},
  waited: () => {},
  conflicted: () => {},
  died: () => {},
  coldStarted: () => {},
  logged: () => {},
};
