import type { FlowHost } from "../delivery/flow-runner.ts";
import type { Pool } from "../pool/pool.ts";
import type { FunctionManifest, Release } from "../protocol/manifest.ts";
import type { Store } from "../store/store.ts";

export interface HeldReleasesDeps {
  readonly store: Store;
  readonly pool: Pool;
  /** An earlier release from its folder; null where it is gone. */
  readonly open: (id: string) => Promise<Release | null>;
}

/** Earlier releases that live runs are on: opened when they are needed, and then known to the pool. */
export class HeldReleases {
  private readonly deps: HeldReleasesDeps;
  private readonly opened = new Map<string, Promise<Release | null>>();
  private live: Release | null = null;

  constructor(deps: HeldReleasesDeps) {
    this.deps = deps;
  }

  /** Another release is live: whose runs stay behind is told to the dispatcher, so that their flows go on. */
  async use(release: Release, host: FlowHost): Promise<void> {
    this.live = release;
    // With the app's variables as they are now.
    this.opened.clear();
    const flows = new Map<string, FunctionManifest>();
    for (const { release: id, fn } of await this.deps.store.runReleases(release.id)) {
      const flow = await this.functionOf(id, fn);
      if (flow !== null) flows.set(fn, flow);
    }
    host.keepFlows(flows);
  }

  async functionOf(release: string, fn: string): Promise<FunctionManifest | null> {
    const found = await this.find(release);
    return found?.manifest.functions.find(({ name, flow }) => name === fn && flow !== undefined) ?? null;
  }

  find(id: string): Promise<Release | null> {
    if (id === this.live?.id) return Promise.resolve(this.live);
    let opened = this.opened.get(id);
    if (opened === undefined) this.opened.set(id, (opened = this.open(id)));
    return opened;
  }

  /** One that is to be tried. */
  keep(release: Release): void {
    if (release.id === this.live?.id) return;
    this.deps.pool.keep(release);
    this.opened.set(release.id, Promise.resolve(release));
  }

  private async open(id: string): Promise<Release | null> {
    const release = await this.deps.open(id);
    if (release === null) this.opened.delete(id);
    else this.deps.pool.keep(release);
    return release;
  }
}
