/** A brand, as of Fatal: what a handler catches was made by the sandbox's copy of the SDK, not by its own. */
export const RUN_CANCELLED: unique symbol = Symbol.for("millrace.run-cancelled");

/**
 * Thrown at a flow's present await when its run is cancelled or its deadline has passed. `finally` and rollbacks run; a handler that
 * catches it can tidy up, but cannot go on: what it begins after that throws it again.
 */
export class RunCancelled extends Error {
  override readonly name: string = "RunCancelled";
  /** Who or what cancelled it, in words. */
  readonly reason: string;
  readonly [RUN_CANCELLED] = true;

  constructor(reason: string) {
    super(`the run was cancelled: ${reason}`);
    this.reason = reason;
  }

  /** So that `instanceof` holds whichever copy made it. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && RUN_CANCELLED in value;
  }
}
