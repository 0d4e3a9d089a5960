import { systemClock } from "../core/clock.ts";
import { MillraceError } from "../core/errors.ts";
import type { FlowHost } from "../delivery/flow-runner.ts";
import type { RunCall } from "../pool/pool.ts";
import type { FunctionManifest } from "../protocol/manifest.ts";
import type { RunHead } from "../protocol/messages.ts";
import type { ReadyDelivery } from "../store/store.ts";
import { HTTP_TYPE, type KnownRun, type RunHooks } from "./run-driven.ts";

/** A step ends its own attempt when its time is up; only when it cannot, the node ends the activation. */
const STEP_GRACE_MS = 2000;

/** What an instance is handed of a run. */
export interface CalledRun {
  readonly run: Pick<KnownRun, "id" | "release" | "seed" | "startedMs">;
  readonly event: Pick<ReadyDelivery["event"], "json" | "type" | "origin">;
  readonly attempt: number;
  /** Its beginning is committed. */
  readonly begun: boolean;
  readonly alone: boolean;
}

/** Where the instance's end of it is heard. */
export type RunPeer = Pick<RunCall, "kvOf" | "begun" | "onMessage">;

export function runCall(
  { run, event, attempt, begun, alone }: CalledRun,
  { host, fn, hooks }: { readonly host: FlowHost; readonly fn: FunctionManifest; readonly hooks: RunHooks },
  peer: RunPeer,
): RunCall {
  const { deps, live } = host;
  const mocked = hooks.mocked?.(fn.name) ?? [];
  return {
    kind: "run",
    id: run.id,
    fn: fn.name,
    release: run.release,
    attempt: attempt + 1,
    timeoutMs: fn.timeoutMs + STEP_GRACE_MS,
    alone,
    kv: NO_READS,
    kvOf: peer.kvOf,
    log: (level, text, atMs) => deps.log({ atMs, fn: fn.name, invocation: run.id, level, text }),
    eventJson: event.json,
    run: {
      id: run.id,
      seed: run.seed,
      startedMs: run.startedMs,
      nowMs: deps.clock.now(),
      http: event.type === HTTP_TYPE,
      policy: { ...fn.retry, onExhausted: fn.flow?.onExhausted ?? "throw" },
      timeoutMs: fn.timeoutMs,
      checkSchema: event.origin === "outside" && live.schemas.appliedByReceiver(event.type),
      check: false,
      begun,
      ahead: goesAhead(host, fn, hooks),
      ...(mocked.length === 0 ? {} : { mocked }),
    },
    ...(hooks.mock === undefined
      ? {}
      : { mock: (step) => hooks.mock?.(fn.name, step) ?? Promise.reject(new Error("nobody plays this step")) }),
    begun: peer.begun,
    onMessage: peer.onMessage,
  };
}

/**
 * Going on with a step before its commit, the instance has to tell the time as the node does; and a test that ends it after a step finds
 * it gone. What was granted ways out of its process cannot take back what a further step did.
 */
export function goesAhead({ deps }: FlowHost, fn: FunctionManifest, hooks: RunHooks): RunHead["ahead"] {
  if (deps.clock !== systemClock || hooks.killsAfter !== undefined) return "no";
  return fn.allow.length === 0 ? "steps" : "end";
}

/** Steps read, each for itself; a run does not. */
const noReads = (): Promise<never> => Promise.reject(new MillraceError("internal", "a run reads by its steps"));
const NO_READS = { get: noReads, list: noReads };
