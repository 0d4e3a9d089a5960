import { type Alarm, type Clock, type Service, toError } from "../core/index.ts";
import type { Store } from "../store/store.ts";

const EVERY_MS = 3_600_000;
const PIECE = 5000;

/** Deletes what is older than the retention, an hour apart and in small pieces, so that no commit waits long behind one. */
export class Retention implements Service {
  private alarm: Alarm | null = null;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;
  private readonly deps: { store: Pick<Store, "retain">; clock: Clock; retentionMs: number; onFailure: (error: Error) => void };

  constructor(deps: Retention["deps"]) {
    this.deps = deps;
  }

  async start(): Promise<void> {
    this.round();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.alarm?.cancel();
    await this.running;
  }

  private round(): void {
    this.running = this.deleteOld().catch((error: unknown) => this.deps.onFailure(toError(error)));
    this.alarm = this.deps.clock.alarm(this.deps.clock.now() + EVERY_MS, () => this.round());
  }

  private async deleteOld(): Promise<void> {
    const { store, clock, retentionMs } = this.deps;
    for (let more = true; more && !this.stopped;) {
      const nowMs = clock.now();
      ({ more } = await store.retain(nowMs - retentionMs, nowMs, PIECE));
    }
  }
}
