import type { FunctionManifest } from "../protocol/manifest.ts";
import type { Arrival, Member, MemberResult, ReadyDelivery } from "../store/store.ts";
import type { RunContext, RunEnd } from "./delivery-run.ts";
import type { LiveRelease } from "./live-release.ts";
import type { Deps } from "./run.ts";

/** Who runs the deliveries that are runs of flows: the room of runs stands above this one, and is put in by the server. */
export interface FlowRunner {
  /** Drives a run until it parks or ends. */
  drive(entry: ReadyDelivery, fn: FunctionManifest, context: RunContext): Promise<RunEnd>;
  /** This run is in an instance already: its beginning is committed now. */
  isEarly(id: string): boolean;
  /** Something came for runs, by any commit of this node. */
  arrived(arrivals: readonly Arrival[]): void;
}

/** A place in an instance. */
export interface Place {
  /** Given back, once. */
  leave(): void;
  /** All of the run was there. */
  ran(ranMs: number): void;
}

/** What this room gives to that one. */
export interface FlowHost {
  readonly deps: Deps;
  readonly live: LiveRelease;
  readonly epoch: () => number;
  /** One transaction, after which what it appended is dispatched. */
  readonly commit: (member: Member) => Promise<MemberResult>;
  /** For a run that is not in the store yet; null where it would overtake others. */
  readonly place: (fn: string) => Place | null;
  /** A commit may have been made although it failed: the queues read again what there is. */
  readonly suspect: () => void;
  /** Work of a door: until it has ended the node is not quiet. */
  readonly during: <T>(work: () => Promise<T>) => Promise<T>;
  /** Flows that runs on earlier releases need, with their manifests there. */
  readonly keepFlows: (flows: ReadonlyMap<string, FunctionManifest>) => void;
}
