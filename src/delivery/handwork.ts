import { MillraceError } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import { canonicalJson, type CloudEvent, faultText, isReservedType, MAX_DEPTH, parseCloudEvent } from "../events/index.ts";
import type { FunctionManifest } from "../protocol/manifest.ts";
import type { DeadSelection, Member, NewEvent, Seq, SettleOutcome } from "../store/store.ts";
import type { InvokeResult } from "./delivery.ts";
import type { RunEnd } from "./delivery-run.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { LiveRelease } from "./live-release.ts";
import type { Deps } from "./run.ts";

interface Watcher {
  readonly resolve: (result: InvokeResult) => void;
  readonly reject: (error: MillraceError) => void;
  readonly sinceMs: number;
}

/** What people do by hand: wake one function and watch, try dead deliveries again, throw them away. */
export class Handwork {
  private readonly deps: Deps;
  private readonly live: LiveRelease;
  private readonly dispatcher: Dispatcher;
  /** Who waits for the first end of a delivery. */
  private readonly watchers = new Map<Seq, Watcher>();

  constructor(deps: Deps, live: LiveRelease, dispatcher: Dispatcher) {
    this.deps = deps;
    this.live = live;
    this.dispatcher = dispatcher;
  }

  /** Resolves when the event is durable, with a promise of what its first attempt comes to. */
  async invoke(name: string, data: unknown): Promise<{ ended: Promise<InvokeResult> }> {
    const fn = this.live.functions.get(name);
    if (fn === undefined) throw this.live.unknown(name);
    const nowMs = this.deps.clock.now();
    const appended = this.invocation(fn, data, nowMs);
    const member: Member = { id: appended.id, nowMs, events: [appended] };
    const result = await this.deps.store.commit(member);
    const seq = result.kind === "committed" ? result.events[0]?.deliveries[0]?.seq : undefined;
    if (result.kind !== "committed" || seq === undefined)
      throw new MillraceError("internal", `an invocation's commit ended as ${result.kind}`);
    const ended = new Promise<InvokeResult>((resolve, reject) => this.watchers.set(seq, { resolve, reject, sinceMs: nowMs }));
    this.dispatcher.absorb(result, member);
    return { ended };
  }

  private invocation(fn: FunctionManifest, data: unknown, nowMs: number): NewEvent {
    const event = invocationEvent(fn, data, nowMs);
    const json = canonicalJson(event);
    if (json === undefined) throw new MillraceError("bad_event", `data: is nested deeper than ${MAX_DEPTH} levels`);
    const fault = this.live.schemas.check([{ event, json }]);
    if (fault !== null) throw fault;
    return {
      id: event.id,
      source: event.source,
      type: event.type,
      json,
      origin: "outside",
      hops: 0,
      cause: null,
      dedupe: false,
      deliveries: [this.live.router.deliveryTo(fn, event)],
    };
  }

  async redrive(selection: DeadSelection, limit: number): Promise<number> {
    const { redriven, fns } = await this.deps.store.redrive(selection, this.deps.clock.now(), limit);
    await this.recount(fns);
    return redriven;
  }

  async purge(selection: DeadSelection, limit: number): Promise<number> {
    const { purged, fns } = await this.deps.store.purge(selection, this.deps.clock.now(), limit);
    await this.recount(fns);
    return purged;
  }

  /**
   * The store counts in the order of the commits, and answers in it: what it has counted was absorbed here before the
   * answer, what it has not will be after it.
   */
  private async recount(fns: readonly string[]): Promise<void> {
    if (fns.length === 0) return;
    this.dispatcher.counts.reset(await this.deps.store.counts());
    this.dispatcher.rewind(fns);
  }

  /** A run of this delivery came to an end. */
  ended(seq: Seq, end: RunEnd): void {
    const watcher = this.watchers.get(seq);
    if (watcher === undefined) return;
    const { resolve, reject, sinceMs } = watcher;
    switch (end.kind) {
      case "settled":
        resolve(invokeResult(end.outcome, { invocation: end.invocation, delivery: seq, ranMs: this.deps.clock.now() - sinceMs }));
        break;
      case "moved":
        // A run that waits or ended: what it came to is asked of the run.
        resolve({ kind: "done", invocation: end.invocation, delivery: seq, ranMs: this.deps.clock.now() - sinceMs });
        break;
      case "fenced":
        reject(new MillraceError("fenced", "another node settled this delivery"));
        break;
      case "held-back":
        // What cannot be loaded may stay so for hours. The rest passes by itself.
        if (end.reason !== "load-failed") return;
        reject(
          new MillraceError("load_failed", `the function cannot be loaded: ${end.error.message}`, {
            cure: `Correct the code and reload: the event was kept and is delivered then (delivery ${seq}).`,
          }),
        );
        break;
      default:
        end satisfies never;
    }
    this.watchers.delete(seq);
  }

  /** Nothing runs any more: whoever still waits is told. */
  stop(): void {
    for (const { reject } of this.watchers.values())
      reject(new MillraceError("stopping", "the node stopped before the function ran; the event was kept"));
    this.watchers.clear();
  }
}

/** `millrace invoke`: an event that looks like what usually wakes the function. */
function invocationEvent(fn: FunctionManifest, data: unknown, nowMs: number): CloudEvent {
  const trigger = fn.triggers.find((trigger) => trigger.kind === "event" && !trigger.type.includes("*"));
  const event = {
    specversion: "1.0",
    id: newId(nowMs),
    source: "/millrace/invoke",
    type: trigger?.kind === "event" ? trigger.type : "millrace.invoke",
    time: new Date(nowMs).toISOString(),
    ...(data === undefined ? {} : { datacontenttype: "application/json", data }),
  } as const;
  if (isReservedType(event.type)) return event;
  const parsed = parseCloudEvent(event);
  if (!parsed.ok) throw new MillraceError("bad_event", parsed.faults.map(faultText).join("; "));
  return parsed.event;
}

function invokeResult(outcome: SettleOutcome, facts: { invocation: string; delivery: Seq; ranMs: number }): InvokeResult {
  const { ranMs, ...which } = facts;
  switch (outcome.kind) {
    case "done":
      return { kind: "done", ...which, ranMs };
    case "retry":
      return { kind: "retrying", ...which, error: outcome.error, dueMs: outcome.dueMs };
    case "postpone": {
      const error = { name: "Conflict", message: "what it read kept changing", stack: null };
      return { kind: "retrying", ...which, error, dueMs: outcome.dueMs };
    }
    case "dead":
      return { kind: "dead", ...which, error: outcome.error };
    default:
      return outcome satisfies never;
  }
}
