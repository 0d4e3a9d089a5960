/** A brand, as of Fatal: what a handler catches was made by the sandbox's copy of the SDK, not by its own. */
export const STEP_ERROR: unique symbol = Symbol.for("millrace.step-error");

/** What a flow's handler gets from a step whose attempts have all failed; `cause` is the last one's error. */
export class StepError extends Error {
  override readonly name: string = "StepError";
  /** The step's name. */
  readonly step: string;
  /** How often it was tried. */
  readonly attempts: number;
  readonly [STEP_ERROR] = true;

  constructor(failed: { readonly step: string; readonly attempts: number; readonly cause: unknown }) {
    super(messageOf(failed), { cause: failed.cause });
    this.step = failed.step;
    this.attempts = failed.attempts;
  }

  /** So that `instanceof` holds whichever copy made it. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && STEP_ERROR in value;
  }
}

function messageOf({ step, attempts, cause }: { readonly step: string; readonly attempts: number; readonly cause: unknown }): string {
  const often = attempts === 1 ? "its only attempt" : `all of its ${attempts} attempts`;
  const why = cause instanceof Error ? cause.message : String(cause);
  return `step "${step}" failed in ${often}: ${why}`;
}
