/**
 * The decision how many processes stand ready for each class: a pure function of what is (SPEC P4–P7). Asked when one was taken, when the
 * app changed, and at the time the last decision named.
 */

export interface SpareView {
  readonly nowMs: number;
  readonly cores: number;
  /** How much of the memory budget no instance has been promised. */
  readonly freeBytes: number;
  /** The commonest first. */
  readonly classes: readonly SpareClassView[];
}

export interface SpareClassView {
  readonly key: string;
  /** Kept ahead though nobody has asked for one lately. */
  readonly least: number;
  /** When one was asked for, oldest first. */
  readonly takenMs: readonly number[];
}

export interface SpareDecision {
  readonly wanted: ReadonlyMap<string, number>;
  /** When to decide again though nothing happens; null: no need. */
  readonly againMs: number | null;
}

/** From a start on a busy machine until a process stands ready: what is asked for meanwhile must be there already. */
export const REFILL_MS = 500;
/** How long a burst is expected to come again. */
export const REMEMBERED_MS = 60_000;
/** What a spare with compiled code holds. */
export const SPARE_BYTES = 32 * 2 ** 20;
const PER_CORE = 4;

export function decideSpares({ nowMs, cores, freeBytes, classes }: SpareView): SpareDecision {
  let room = Math.min(cores * PER_CORE, Math.floor(freeBytes / SPARE_BYTES));
  const wanted = new Map<string, number>();
  let againMs: number | null = null;
  const grant = (key: string, count: number): void => {
    const granted = Math.max(0, Math.min(count, room));
    room -= granted;
    wanted.set(key, (wanted.get(key) ?? 0) + granted);
  };
  // One for each before a second for any.
  for (const { key, least } of classes) grant(key, least);
  for (const { key, least, takenMs } of classes) {
    const recent = takenMs.filter((atMs) => nowMs - atMs < REMEMBERED_MS);
    grant(key, busiest(recent) - least);
    const [oldest] = recent;
    if (oldest !== undefined) againMs = Math.min(againMs ?? Infinity, oldest + REMEMBERED_MS);
  }
  return { wanted, againMs };
}

/** The most that were asked for within the time that it takes to start one. */
function busiest(takenMs: readonly number[]): number {
  let most = 0;
  let from = 0;
  for (const [at, untilMs] of takenMs.entries()) {
    while (untilMs - (takenMs[from] ?? untilMs) >= REFILL_MS) from++;
    most = Math.max(most, at - from + 1);
  }
  return most;
}
