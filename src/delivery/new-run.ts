import { randomBytes } from "node:crypto";
import { newId } from "../core/ids.ts";
import type { CloudEvent } from "../events/index.ts";
import type { CancelRule, FunctionManifest } from "../protocol/manifest.ts";
import type { NewRun, NewWait, RunKind } from "../store/store.ts";
import { topicOf, valueAt, waitValue } from "../core/wait-key.ts";

/** What is known of a run when its event is routed, besides what its flow says. */
export interface RunBeginning {
  readonly release: string;
  readonly nowMs: number;
  readonly id?: string;
  readonly named?: boolean;
  readonly kind?: RunKind;
  readonly parent?: NewRun["parent"];
  /** Of the run that calls it: it may not last longer. */
  readonly deadlineMs?: number | null;
  readonly seed?: string;
  readonly copies?: NewRun["copies"];
}

const SEED_BYTES = 16;
const POOL_BYTES = 4096;
let pool = Buffer.alloc(0);
let used = POOL_BYTES;

/** A draw for each run cost 1 µs of it. */
function newSeed(): string {
  if (used + SEED_BYTES > POOL_BYTES) {
    pool = randomBytes(POOL_BYTES);
    used = 0;
  }
  used += SEED_BYTES;
  return pool.toString("base64url", used - SEED_BYTES, used);
}

/** The command under which a run keeps what cancels it. */
export const CANCEL_ON = "cancelOn";

/** The run that an event begins. */
export function newRun(fn: FunctionManifest, event: CloudEvent, begins: RunBeginning): NewRun {
  const { nowMs, deadlineMs = null } = begins;
  const own = fn.flow?.deadlineMs ?? null;
  return {
    id: begins.id ?? newId(nowMs),
    named: begins.named ?? false,
    kind: begins.kind ?? "flow",
    release: begins.release,
    seed: begins.seed ?? newSeed(),
    parent: begins.parent ?? null,
    deadlineMs: own === null ? deadlineMs : Math.min(nowMs + own, deadlineMs ?? Infinity),
    waits: (fn.flow?.cancelOn ?? []).map((rule, index) => cancelWait(rule, index, event)),
    ...(begins.copies === undefined ? {} : { copies: begins.copies }),
  };
}

/** What the event that cancels must hold is what this event holds; where this one holds nothing, that one must hold nothing. */
function cancelWait({ type, match, rollback }: CancelRule, index: number, event: CloudEvent): NewWait {
  const paths = match.map(([path]) => path);
  const values = match.map(([, path]) => valueAt(event, path));
  return {
    command: `${CANCEL_ON} ${index} ${rollback ? "rollback" : "keep"}`,
    topic: topicOf(type, paths),
    value: waitValue(values),
    guarded: false,
    sinceSeq: null,
  };
}
