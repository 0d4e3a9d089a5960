import { FATAL } from "./fatal.ts";
import { RETRY_AFTER } from "./retry-after.ts";
import { RUN_CANCELLED } from "./run-cancelled.ts";

export { Fatal } from "./fatal.ts";
export { RetryAfter } from "./retry-after.ts";

/** What the sandbox asks of a thrown value, whichever copy of the SDK made it. */
export function isFatal(thrown: unknown): boolean {
  return thrown instanceof Object && FATAL in thrown;
}

/** How long a thrown RetryAfter wants to wait; undefined for everything else. */
export function retryAfterMsOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof Object) || !(RETRY_AFTER in thrown)) return undefined;
  const afterMs = thrown[RETRY_AFTER];
  return typeof afterMs === "number" ? afterMs : undefined;
}

/** Whether the run's own cancelling was thrown on, and not a failure of the handler's. */
export function isRunCancelled(thrown: unknown): boolean {
  return thrown instanceof Object && RUN_CANCELLED in thrown;
}
