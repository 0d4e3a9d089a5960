const FIRST_MS = 100;
const LONGEST_MS = 30_000;

/** How long to wait before what failed is tried again: doubling from 100 ms to 30 s, forgotten at the first success. */
export interface BackOff {
  readonly failures: number;
  /** 0: nothing to wait for. */
  readonly untilMs: number;
}

export const NO_BACK_OFF: BackOff = { failures: 0, untilMs: 0 };

export function afterFailure(backOff: BackOff, nowMs: number): BackOff {
  // Several instances that were started together fail together: that is one failure, not many.
  if (nowMs < backOff.untilMs) return backOff;
  const waitMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** backOff.failures);
  return { failures: backOff.failures + 1, untilMs: nowMs + waitMs };
}
