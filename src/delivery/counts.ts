import type { FunctionCounts } from "../store/store.ts";
import type { DeliveryStats } from "./delivery.ts";

interface Count {
  waiting: number;
  /** Runs that sleep, wait or are paused. */
  parked: number;
  dead: number;
}

/** How much waits and how much is dead, kept in memory: counting a million rows at every look would cost 30 ms each time. */
export class Counts {
  private readonly byFunction = new Map<string, Count>();

  reset(counted: readonly FunctionCounts[]): void {
    this.byFunction.clear();
    for (const { fn, ready, blocked, parked, dead } of counted) this.byFunction.set(fn, { waiting: ready + blocked, parked, dead });
  }

  added(fn: string): void {
    this.of(fn).waiting++;
  }

  settled(fn: string, how: "done" | "dead"): void {
    const count = this.of(fn);
    count.waiting--;
    if (how === "dead") count.dead++;
  }

  /** A run was parked, put back or ended. */
  moved(fn: string, from: "ready" | "parked", to: "ready" | "parked" | "done"): void {
    const count = this.of(fn);
    count[from === "ready" ? "waiting" : "parked"]--;
    if (to !== "done") count[to === "ready" ? "waiting" : "parked"]++;
  }

  /** Functions that have nothing left and are `gone` need no counting. */
  forget(gone: (fn: string) => boolean): void {
    for (const [fn, { waiting, parked, dead }] of this.byFunction)
      if (waiting === 0 && parked === 0 && dead === 0 && gone(fn)) this.byFunction.delete(fn);
  }

  stats(now: (fn: string) => { exists: boolean; running: number }): DeliveryStats {
    const functions = [...this.byFunction].map(([fn, { waiting, parked, dead }]) => ({ fn, waiting, parked, dead, ...now(fn) }));
    const sum = (of: (one: (typeof functions)[number]) => number): number => functions.reduce((total, one) => total + of(one), 0);
    return {
      waiting: sum(({ waiting }) => waiting),
      parked: sum(({ parked }) => parked),
      running: sum(({ running }) => running),
      dead: sum(({ dead }) => dead),
      functions,
    };
  }

  private of(fn: string): Count {
    let count = this.byFunction.get(fn);
    if (count === undefined) {
      count = { waiting: 0, parked: 0, dead: 0 };
      this.byFunction.set(fn, count);
    }
    return count;
  }
}
