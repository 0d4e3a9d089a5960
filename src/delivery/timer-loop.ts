import type { Alarm, Clock } from "../core/clock.ts";
import type { DueTimer, Member, MemberResult, Store } from "../store/store.ts";

/** What becomes true when a timer fires, besides its going. */
export type TimerEffects = Pick<Member, "events" | "timers">;
export type TimerHandler = (timer: DueTimer, nowMs: number) => TimerEffects;

const PAGE = 200;
const RETRY_MS = 500;

/**
 * Fires the timers of the store when they fall due (D24, D25): one alarm for the earliest, in pages when many are due.
 * What a kind of timer means is its handler's; firing is one commit that deletes the row and writes the effects, fenced by
 * its due time, so that nothing fires twice.
 */
export class TimerLoop {
  private readonly handlers = new Map<string, TimerHandler>();
  private alarm: { readonly atMs: number; readonly alarm: Alarm } | null = null;
  private looking = false;
  private again = false;
  private stopped = false;
  private readonly deps: {
    readonly store: Store;
    readonly clock: Clock;
    readonly epoch: () => number;
    readonly committed: (result: Extract<MemberResult, { kind: "committed" }>, member: Member) => void;
    readonly onFailure: (error: unknown) => void;
    /** The loop became busy or quiet. */
    readonly onQuiet: () => void;
  };

  constructor(deps: TimerLoop["deps"]) {
    this.deps = deps;
  }

  get quiet(): boolean {
    return !this.looking;
  }

  handle(kind: string, handler: TimerHandler): void {
    this.handlers.set(kind, handler);
  }

  /** Looks now: at start, or because something may be due. */
  look(): void {
    if (this.stopped) return;
    this.again = true;
    if (this.looking) return;
    this.looking = true;
    void this.run();
  }

  /** A timer was set. */
  expect(dueMs: number): void {
    if (dueMs <= this.deps.clock.now()) {
      this.look();
      return;
    }
    if (this.stopped || (this.alarm !== null && this.alarm.atMs <= dueMs)) return;
    this.alarm?.alarm.cancel();
    const alarm = this.deps.clock.alarm(dueMs, () => {
      this.alarm = null;
      this.look();
    });
    this.alarm = { atMs: dueMs, alarm };
  }

  stop(): void {
    this.stopped = true;
    this.alarm?.alarm.cancel();
    this.alarm = null;
  }

  private async run(): Promise<void> {
    try {
      while (this.again && !this.stopped) {
        this.again = false;
        await this.fireDue();
      }
    } catch (error) {
      this.deps.onFailure(error);
      this.expect(this.deps.clock.now() + RETRY_MS);
    } finally {
      this.looking = false;
      this.deps.onQuiet();
    }
  }

  private async fireDue(): Promise<void> {
    const nowMs = this.deps.clock.now();
    const { timers, nextDueMs } = await this.deps.store.dueTimers(nowMs, PAGE);
    await Promise.all(timers.map((timer) => this.fire(timer, nowMs)));
    if (timers.length === PAGE) this.again = true;
    if (nextDueMs !== null) this.expect(nextDueMs);
  }

  private async fire(timer: DueTimer, nowMs: number): Promise<void> {
    const handler = this.handlers.get(timer.kind);
    // A kind of a newer Millrace: its rows stay until that is back.
    if (handler === undefined) return;
    const member: Member = {
      id: `${timer.name}@${timer.dueMs}`,
      nowMs,
      fired: { name: timer.name, dueMs: timer.dueMs, epoch: this.deps.epoch() },
      ...handler(timer, nowMs),
    };
    const result = await this.deps.store.commit(member);
    if (result.kind === "committed") this.deps.committed(result, member);
  }
}
