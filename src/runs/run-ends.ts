import type { LeaveSignal } from "../core/departure.ts";
import { TransientMap } from "../core/transient-map.ts";
import type { EndState, Seq } from "../store/store.ts";

export interface RunEnded {
  readonly state: EndState;
  readonly value: string | null;
}

/** Who waits for the end of which run on this node. */
export class RunEnds {
  private readonly waiting = new TransientMap<Seq, Set<(end: RunEnded | null) => void>>();
  private stopped = false;

  ended(run: Seq, end: RunEnded): void {
    const waiting = this.waiting.get(run);
    this.waiting.delete(run);
    for (const resolve of waiting ?? []) resolve(end);
  }

  /** Null when the time is over first, or the one who waits has left. */
  wait(run: Seq, waitMs: number, signal: LeaveSignal | null): Promise<RunEnded | null> {
    if (this.stopped) return Promise.resolve(null);
    return new Promise((resolve) => {
      const done = (end: RunEnded | null): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", left);
        const waiting = this.waiting.get(run);
        waiting?.delete(done);
        if (waiting?.size === 0) this.waiting.delete(run);
        resolve(end);
      };
      const left = (): void => done(null);
      const timer = setTimeout(left, waitMs);
      signal?.addEventListener("abort", left, { once: true });
      let waiting = this.waiting.get(run);
      if (waiting === undefined) this.waiting.set(run, (waiting = new Set()));
      waiting.add(done);
    });
  }

  stop(): void {
    this.stopped = true;
    const all = [...this.waiting.values()].flatMap((waiting) => [...waiting]);
    for (const resolve of all) resolve(null);
  }
}
