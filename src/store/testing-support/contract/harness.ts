import { afterEach, beforeEach } from "vitest";
import { newId } from "../../../core/index.ts";
import type { Lease, Store } from "../../store.ts";

/** Opening the same place again finds what was committed there. */
export interface ContractOptions {
  readonly place: string;
}

export type OpenStore = (options: ContractOptions) => Promise<Store>;

/** The store of the test that runs: opened fresh before it, closed after it. */
export class Harness {
  private readonly open: OpenStore;
  private place = "";
  private opened: Store | null = null;
  private taken: Lease | null = null;

  constructor(open: OpenStore) {
    this.open = open;
    beforeEach(async () => {
      this.place = newId();
      await this.start();
    });
    afterEach(() => this.store.close());
  }

  get store(): Store {
    if (this.opened === null) throw new Error("no store is open");
    return this.opened;
  }

  get lease(): Lease {
    if (this.taken === null) throw new Error("no lease was taken");
    return this.taken;
  }

  /** Closes the store and opens the same place again. */
  async reopen(): Promise<Store> {
    await this.store.close();
    await this.start();
    return this.store;
  }

  private async start(): Promise<void> {
    this.opened = await this.open({ place: this.place });
    this.taken = await this.opened.acquire("node-1");
  }
}
