import type { Clock } from "../core/clock.ts";
import type { FunctionError } from "../protocol/messages.ts";
import type { Call, Outcome, Pool } from "../pool/pool.ts";
import type { LogLine, MemberResult, Store } from "../store/store.ts";

/** What all of this room works with. */
export interface Deps {
  readonly store: Store;
  readonly pool: Pool;
  readonly clock: Clock;
  /** From 0 up to 1; tests give their own. */
  readonly random: () => number;
  readonly log: (line: LogLine) => void;
  readonly hopLimit: number;
}

export type Committed = Extract<MemberResult, { kind: "committed" }>;

/** How often a call is run again at once after a conflict (D13). */
export const MOST_RERUNS = 5;
/** How often a bystander of crashes is run again at once before it waits like after a conflict. */
export const MOST_INNOCENT_RERUNS = 10;

export function logFailure(deps: Deps, call: Pick<Call, "id" | "fn">, error: FunctionError): void {
  const text = error.stack ?? `${error.name}: ${error.message}`;
  deps.log({ atMs: deps.clock.now(), fn: call.fn, invocation: call.id, level: "error", text });
}

export function invocationOutcome(outcome: Outcome): "done" | "failed" | "timeout" | "crashed" | "not-run" {
  switch (outcome.kind) {
    case "returned":
      return "done";
    case "threw":
      return "failed";
    case "timeout":
    case "crashed":
    case "not-run":
      return outcome.kind;
    default:
      return outcome satisfies never;
  }
}
