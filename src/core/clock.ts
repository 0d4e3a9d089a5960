/** Time enters Millrace here and nowhere else, so that tests can own it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Calls `wake` once at or after `atMs`. */
  alarm(atMs: number, wake: () => void): Alarm;
}

export interface Alarm {
  cancel(): void;
}

/** setTimeout keeps 32 bits; a longer wait is taken in stages. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  alarm(atMs, wake) {
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const waitMs = atMs - Date.now();
      timer = waitMs > LONGEST_TIMER_MS ? setTimeout(arm, LONGEST_TIMER_MS) : setTimeout(wake, Math.max(0, waitMs));
    };
    arm();
    return { cancel: () => clearTimeout(timer) };
  },
};

/** A clock that moves only when told to; alarms fire in order of their time. */
export class VirtualClock implements Clock {
  private timeMs: number;
  private readonly alarms = new Set<{ atMs: number; wake: () => void }>();

  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.timeMs = startMs;
  }

  now(): number {
    return this.timeMs;
  }

  alarm(atMs: number, wake: () => void): Alarm {
    const entry = { atMs, wake };
    this.alarms.add(entry);
    return { cancel: () => this.alarms.delete(entry) };
  }

  nextAlarmMs(): number | undefined {
    let next: number | undefined;
    for (const { atMs } of this.alarms) if (next === undefined || atMs < next) next = atMs;
    return next;
  }

  /** Moves to `toMs`, firing what falls due on the way; `between` runs after each alarm so that its work can settle. */
  async advanceTo(toMs: number, between: () => Promise<void>): Promise<void> {
    await between();
    for (;;) {
      const due = this.earliest();
      if (due === undefined || due.atMs > toMs) break;
      this.alarms.delete(due);
      this.timeMs = Math.max(this.timeMs, due.atMs);
      due.wake();
      await between();
    }
    this.timeMs = Math.max(this.timeMs, toMs);
  }

  private earliest(): { atMs: number; wake: () => void } | undefined {
    let first: { atMs: number; wake: () => void } | undefined;
    for (const entry of this.alarms) if (first === undefined || entry.atMs < first.atMs) first = entry;
    return first;
  }
}
