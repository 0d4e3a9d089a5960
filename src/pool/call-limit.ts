/**
 * How many calls an instance takes at once: a pure function of what its event loop makes of those it has (SPEC C4–C7). The
 * function's own `concurrency` is the most; what is useful below that only the loop knows, and it shows within a few reports.
 */

/** Of calls that nothing is known of yet, an instance takes so many. */
export const FIRST_LIMIT = 16;
/** Of runs of a flow: they are begun, and then they mostly wait for commits. */
export const FIRST_LIMIT_OF_RUNS = 64;
/** From this share of its time on an event loop is full: what it does not spend it needs to take and to answer calls. */
export const FULL_LOOP = 0.9;
/** Below this one an event loop has as much time again. */
const EASY_LOOP = 0.5;
/** A full loop holds the calls of so many milliseconds. More would wait in it for their turn, where nobody else can help. */
const HELD_MS = 50;
/** At most so many times as many at the next report, and at least this share of them. */
const GROWTH = 4;
const SHRINKAGE = 0.75;

export interface LoopReport {
  /** Of its last tenth of a second, the share in which the loop was busy. */
  readonly utilisation: number;
  /** Calls that ended, by the second. */
  readonly endedPerSecond: number;
  /** Whether all the places were taken. */
  readonly usedUp: boolean;
  /** Of the memory limit, the share that is in use. */
  readonly memoryShare: number;
}

export function nextLimit(limit: number, most: number, report: LoopReport): number {
  if (report.utilisation >= FULL_LOOP) {
    const held = Math.ceil((report.endedPerSecond * HELD_MS) / 1000);
    return clamp(held, Math.floor(limit * SHRINKAGE), Math.min(most, limit * GROWTH));
  }
  // More calls would bring what they hold along.
  if (!report.usedUp || report.memoryShare >= 0.5) return limit;
  return Math.min(most, report.utilisation < EASY_LOOP ? limit * GROWTH : limit + Math.ceil(limit / 4));
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(1, Math.min(most, Math.max(least, value)));
}
