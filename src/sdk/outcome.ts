import { FATAL } from "./fatal.ts";
import { RETRY_AFTER } from "./retry-after.ts";

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
