import type { Alarm, Clock } from "../core/clock.ts";
import type { DueTimer, Member, MemberResult, Store } from "../store/store.ts";
import type { Committed } from "./run.ts";

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
  /** Until the first release there is nobody to route to. */
  private begun = false;
  private stopped = false;
  /** Due timers of kinds that nobody here handles: they stand first in every page. */
  private unhandled = 0;
  private readonly deps: {
    readonly store: Store;
    readonly clock: Clock;
    readonly epoch: () => number;
    readonly committed: (result: Committed, member: Member) => void;
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

  /** There is a release: fires what is due now, and from here on what falls due. */
  begin(): void {
    this.begun = true;
    this.look();
  }

  /** Looks now, because something may be due. */
  private look(): void {
    if (!this.begun || this.stopped) return;
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
    const limit = PAGE + this.unhandled;
    const { timers, nextDueMs } = await this.deps.store.dueTimers(nowMs, limit);
    if (nextDueMs !== null) this.expect(nextDueMs);
    const unhandledBefore = this.unhandled;
    this.unhandled = timers.filter(({ kind }) => !this.handlers.has(kind)).length;
    const fired = await Promise.all(timers.map((timer) => this.fire(timer, nowMs)));
    if (timers.length < limit) return;
    // A page without any success would be read again and again.
    if (fired.includes(true) || this.unhandled > unhandledBefore) this.again = true;
    else this.expect(nowMs + RETRY_MS);
  }

  /** True when the timer is gone by it. */
  private async fire(timer: DueTimer, nowMs: number): Promise<boolean> {
    const handler = this.handlers.get(timer.kind);
    // A kind of a newer Millrace: its rows stay until that is back.
    if (handler === undefined) return false;
    const member: Member = {
      id: `${timer.name}@${timer.dueMs}`,
      nowMs,
      fired: { name: timer.name, dueMs: timer.dueMs, epoch: this.deps.epoch() },
      ...handler(timer, nowMs),
    };
    const result = await this.deps.store.commit(member);
    if (result.kind !== "clash") return this.settled(result, member);
    // Its id was used for something else while it waited. It was accepted before it was due: it happens all the same.
    const unconditional = { ...member, events: member.events?.map((event) => ({ ...event, dedupe: false })) ?? [] };
    return this.settled(await this.deps.store.commit(unconditional), unconditional);
  }

  private settled(result: MemberResult, member: Member): boolean {
    if (result.kind !== "committed") return false;
    this.deps.committed(result, member);
    return true;
  }
}
