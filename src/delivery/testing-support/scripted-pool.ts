import type { Call, Outcome, Pool, PoolStats } from "../../pool/pool.ts";
import type { Release } from "../../protocol/manifest.ts";

/** A pool whose functions are written in the test: they run in this process, at the pace that `pause` gives. */
export class ScriptedPool implements Pool {
  readonly calls: Call[] = [];
  private killed = false;
  private readonly listeners: (() => void)[] = [];
  private readonly handler: (call: Call) => Promise<Outcome>;
  private readonly room: number;

  constructor(handler: (call: Call) => Promise<Outcome>, room = 8) {
    this.handler = handler;
    this.room = room;
  }

  use(_release: Release): void {}

  capacity(): number {
    return this.room;
  }

  async call(call: Call): Promise<Outcome> {
    this.calls.push(call);
    const outcome = await this.handler(call);
    // As after the death of the node: nobody ever hears of this call again.
    return this.killed ? new Promise<Outcome>(() => {}) : outcome;
  }

  kill(): void {
    this.killed = true;
  }

  stats(): PoolStats {
    return { instances: 0, spares: 0, running: 0, waiting: 0, coldStarts: 0, functions: [] };
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }
}
