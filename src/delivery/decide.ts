import type { FunctionManifest, RetryPolicy } from "../protocol/manifest.ts";
import type { Outcome } from "../pool/pool.ts";
import type { FunctionError } from "../protocol/messages.ts";
import type { AttemptError, SettleOutcome } from "../store/store.ts";

/** What becomes of a delivery after one run: settled in the store, or run again without anybody noticing. */
export type Decision =
  | { readonly kind: "settle"; readonly outcome: SettleOutcome }
  | { readonly kind: "again"; readonly alone: boolean }
  /** The function cannot run at all now: its queue waits. */
  | { readonly kind: "pause"; readonly error: FunctionError; readonly reason: "load-failed" | "busy" };

export interface Facts {
  readonly fn: Pick<FunctionManifest, "retry" | "onDead">;
  /** Attempts counted before this run. */
  readonly attempt: number;
  readonly nowMs: number;
  /** From 0 up to 1. */
  readonly random: number;
}

/** D2, D3, D20, D21: a pure reading of how a call ended. */
export function decide(outcome: Outcome, facts: Facts): Decision {
  switch (outcome.kind) {
    case "returned":
      return { kind: "settle", outcome: { kind: "done" } };
    case "threw":
    case "timeout":
      return { kind: "settle", outcome: afterFailure(outcome.error, facts) };
    case "crashed":
      if (outcome.blame === "guilty") return { kind: "settle", outcome: afterFailure(outcome.error, facts) };
      return { kind: "again", alone: outcome.blame === "suspect" };
    case "not-run":
      return { kind: "pause", error: outcome.error, reason: outcome.reason === "load-failed" ? "load-failed" : "busy" };
    default:
      return outcome satisfies never;
  }
}

/** D3: an attempt that counts. */
export function afterFailure(error: FunctionError, facts: Facts): SettleOutcome {
  const attempts = facts.attempt + 1;
  const recorded: AttemptError = { name: error.name, message: error.message, stack: error.stack };
  if (error.fatal === true || attempts >= facts.fn.retry.attempts) {
    return { kind: "dead", error: recorded, hold: facts.fn.onDead === "hold" };
  }
  const waitMs = error.retryAfterMs ?? backoffMs(facts.fn.retry, attempts, facts.random);
  // One millisecond at least: what becomes ready later must stand behind what was due before.
  return { kind: "retry", dueMs: facts.nowMs + Math.max(1, Math.round(waitMs)), error: recorded };
}

/** D4: how long to wait after `attempts` counted attempts. */
export function backoffMs(policy: RetryPolicy, attempts: number, random: number): number {
  const growth = policy.backoff === "fixed" ? 1 : policy.factor ** (attempts - 1);
  const ceilingMs = Math.min(policy.maxMs, policy.baseMs * growth);
  return policy.jitter === "full" ? ceilingMs * random : ceilingMs;
}

/** D13: the wait of the n-th round of conflicts (from 0) of one delivery. */
export function conflictWaitMs(round: number, random: number): number {
  const ceilingMs = Math.min(30_000, 500 * 2 ** round);
  return Math.round(ceilingMs * (0.1 + 0.9 * random));
}
