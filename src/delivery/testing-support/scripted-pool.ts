import type { Call, Outcome, Pool, PoolStats, RunCall, RunOutcome } from "../../pool/pool.ts";
import type { Release } from "../../protocol/manifest.ts";

/** A pool whose functions are written in the test: they run in this process, at the pace that the test gives. */
export class ScriptedPool implements Pool {
  readonly calls: Call[] = [];
  readonly runs: RunCall[] = [];
  /** The releases that runs may be on beside the live one. */
  readonly kept: Release[] = [];
  /** What a run does; a test that has runs sets it. */
  runner: (call: RunCall) => Promise<RunOutcome> = () => Promise.reject(new Error("the test has no script for runs"));
  /** How many run now, and the most there ever were, by function. */
  readonly running = new Map<string, number>();
  readonly mostRunning = new Map<string, number>();
  /** Calls of one function at once. */
  room: number;
  private killed = false;
  private readonly listeners: (() => void)[] = [];
  private readonly arrivals: { readonly count: number; readonly resolve: () => void }[] = [];
  private readonly handler: (call: Call) => Promise<Outcome>;

  constructor(handler: (call: Call) => Promise<Outcome>, room = 8) {
    this.handler = handler;
    this.room = room;
  }

  use(_release: Release): void {}

  keep(release: Release): void {
    this.kept.push(release);
  }

  capacity(): number {
    return this.room;
  }

  async call(call: Call): Promise<Outcome> {
    this.calls.push(call);
    for (const { count, resolve } of this.arrivals) if (this.calls.length >= count) resolve();
    return this.counted(call.fn, () => this.handler(call));
  }

  async run(call: RunCall): Promise<RunOutcome> {
    this.runs.push(call);
    return this.counted(call.fn, () => this.runner(call));
  }

  private async counted<O>(fn: string, run: () => Promise<O>): Promise<O> {
    const running = (this.running.get(fn) ?? 0) + 1;
    this.running.set(fn, running);
    this.mostRunning.set(fn, Math.max(running, this.mostRunning.get(fn) ?? 0));
    const ended = await run();
    this.running.set(fn, (this.running.get(fn) ?? 0) - 1);
    // As after the death of the node: nobody ever hears of this call again.
    return this.killed ? new Promise<O>(() => {}) : ended;
  }

  /** Resolves when this many calls have begun in all. */
  arrived(count: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.calls.length >= count) resolve();
      else this.arrivals.push({ count, resolve });
    });
  }

  callsOf(fn: string): readonly Call[] {
    return this.calls.filter((call) => call.fn === fn);
  }

  kill(): void {
    this.killed = true;
  }

  changed(room: number): void {
    this.room = room;
    for (const listener of this.listeners) listener();
  }

  stats(): PoolStats {
    return { instances: 0, spares: 0, running: 0, waiting: 0, coldStarts: 0, functions: [] };
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }
}
