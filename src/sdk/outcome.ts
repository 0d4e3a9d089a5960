// The file and not core's door: the door reaches node:crypto, and this goes into every app's bundle.
import { type Duration, parseDurationMs } from "../core/duration.ts";

/** Brands, for the same reason as DEFINITION: what is thrown comes from the bundle's own copy of the SDK. */
const FATAL = Symbol.for("millrace.fatal");
const RETRY_AFTER = Symbol.for("millrace.retry-after");

/** Thrown by a handler: trying again would not help. The delivery goes straight to dead. */
export class Fatal extends Error {
  override readonly name: string = "Fatal";
  readonly [FATAL] = true;
}

/** Thrown by a handler: try again, but not before this much time has passed. It counts as an attempt. */
export class RetryAfter extends Error {
  override readonly name: string = "RetryAfter";
  readonly [RETRY_AFTER]: number;

  constructor(after: Duration, message?: string, options?: ErrorOptions) {
    super(message ?? `to be tried again after ${typeof after === "number" ? `${after} ms` : after}`, options);
    this[RETRY_AFTER] = parseDurationMs(after);
  }
}

export function isFatal(thrown: unknown): boolean {
  return thrown instanceof Object && FATAL in thrown;
}

/** How long a thrown RetryAfter wants to wait; undefined for everything else. */
export function retryAfterMsOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof Object) || !(RETRY_AFTER in thrown)) return undefined;
  const afterMs = thrown[RETRY_AFTER];
  return typeof afterMs === "number" ? afterMs : undefined;
}
