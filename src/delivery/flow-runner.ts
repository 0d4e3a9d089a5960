import type { FunctionManifest } from "../protocol/manifest.ts";
import type { Arrival, ReadyDelivery } from "../store/store.ts";
import type { RunContext, RunEnd } from "./delivery-run.ts";

/** Who runs the deliveries that are runs of flows: the room of runs stands above this one, and is put in by the server. */
export interface FlowRunner {
  /** Drives a run until it parks or ends. */
  drive(entry: ReadyDelivery, fn: FunctionManifest, context: RunContext): Promise<RunEnd>;
  /** Something came for runs, by any commit of this node. */
  arrived(arrivals: readonly Arrival[]): void;
}
