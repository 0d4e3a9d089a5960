import type { Observer } from "../core/observer.ts";
import type { Delivery } from "../delivery/delivery.ts";
import type { Pool } from "../pool/pool.ts";
import type { Release } from "../protocol/manifest.ts";
import type { Runs } from "../runs/runs.ts";
import type { Store } from "../store/store.ts";
import type { Logs, Metrics } from "../telemetry/index.ts";

/** What the control door asks of the node around it. */
export interface NodeFacts {
  readonly version: string;
  readonly startedMs: number;
  readonly dataDirectory: string;
  /** The gateway's address, once it listens. */
  gateway(): string | null;
  /** The live release, or null before the first one. */
  release(): Release | null;
  /** True once calls are served. */
  ready(): boolean;
  /** Bundles the app anew and swaps it in; rejects with what is wrong with it, and then the last good release stays. */
  reload(): Promise<Release>;
}

/** The rooms that the control door opens to people. */
export interface ControlRooms {
  readonly node: NodeFacts;
  readonly delivery: Delivery;
  readonly runs: Runs;
  readonly store: Store;
  readonly pool: Pick<Pool, "stats">;
  readonly logs: Logs;
  readonly metrics: Pick<Metrics, "text">;
  readonly observer: Observer;
}
