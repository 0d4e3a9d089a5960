// The file and not core's door: the door reaches Node's modules, and this goes into the bundle of every app that uses it.
import { type Duration, parseDurationMs } from "../core/duration.ts";

export const RETRY_AFTER: unique symbol = Symbol.for("millrace.retry-after");

/** Thrown by a handler: try again, but not before this much time has passed. It counts as an attempt. */
export class RetryAfter extends Error {
  override readonly name: string = "RetryAfter";
  readonly [RETRY_AFTER]: number;

  constructor(after: Duration, message?: string, options?: ErrorOptions) {
    super(message ?? `to be tried again after ${typeof after === "number" ? `${after} ms` : after}`, options);
    this[RETRY_AFTER] = parseDurationMs(after);
  }
}
