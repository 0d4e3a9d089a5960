import { createHash } from "node:crypto";
import { MillraceError } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import { canonicalJson, type CloudEvent, isReservedType } from "../events/index.ts";
import type { FunctionManifest } from "../protocol/manifest.ts";
import type { Effects, Emit, KvEffect } from "../protocol/messages.ts";
import type { DueTimer, KvWrite, NewEvent, NewTimer } from "../store/store.ts";
import { partitionOf } from "./key.ts";
import type { Router } from "./router.ts";
import { runEvent } from "./run-event.ts";

/** The call whose effects these are. */
export interface Cause {
  readonly fn: string;
  readonly invocation: string;
  /** Which of several transactions of it. */
  readonly part?: string;
  /** Of the event that woke it; -1 for an HTTP call, so that what it emits has 0. */
  readonly hops: number;
  readonly nowMs: number;
}

/** What of the live release effects are turned into writes by. */
export interface LiveFunctions {
  readonly router: Router;
  readonly functions: ReadonlyMap<string, FunctionManifest>;
}

export interface EffectWrites {
  readonly events: readonly NewEvent[];
  readonly kv: readonly KvWrite[];
  readonly timers: readonly NewTimer[];
}

export const EMIT_TIMER = "emit";

/** What a delayed event's timer keeps until it is due (D26). */
export interface DelayedEvent {
  readonly json: string;
  readonly origin: NewEvent["origin"];
  readonly hops: number;
  readonly cause: string | null;
}

/** Turns what a sandbox handed over into what the store writes. Throws when the chain of events grew too long (D11). */
export function toWrites(effects: Effects, cause: Cause, { router, functions }: LiveFunctions, hopLimit: number): EffectWrites {
  const events: NewEvent[] = [];
  const timers: NewTimer[] = [];
  const hops = cause.hops + 1;
  const starts = effects.starts ?? [];
  if (effects.emits.length + starts.length > 0 && hops > hopLimit) {
    throw new MillraceError(
      "function_failed",
      `"${cause.fn}" would lengthen a chain of events beyond ${hopLimit} hops: do its events wake each other in a circle?`,
    );
  }
  effects.emits.forEach((emit, i) => {
    const atMs = momentOf(emit, cause.nowMs);
    const event = toEvent(emit, cause, atMs);
    if (isReservedType(event.type))
      throw new MillraceError("reserved_type", `"${cause.fn}" emitted "${event.type}", but millrace.* is the platform's own`);
    const json = canonicalJson(event);
    if (json === undefined)
      throw new MillraceError("bad_event", `"${cause.fn}" emitted "${event.type}" with data that is nested too deeply`);
    const facts = { origin: "function", hops, cause: cause.invocation } as const;
    if (atMs > cause.nowMs)
      timers.push(delayed(`${EMIT_TIMER}/${cause.invocation}/${cause.part ?? ""}${i}`, event, { json, ...facts }, atMs));
    else events.push(newEvent(event, { json, ...facts }, router, false));
  });
  for (const { target, input, id, named } of starts) {
    const flow = functions.get(target);
    if (flow?.flow === undefined) throw new MillraceError("not_found", `"${cause.fn}" started "${target}", which is no flow of the app`);
    const facts = {
      text: input,
      source: `/functions/${cause.fn}`,
      nowMs: cause.nowMs,
      origin: "function",
      hops,
      cause: cause.invocation,
    } as const;
    events.push(runEvent(flow, facts, router, { id, named }));
  }
  return { events, timers, kv: effects.kv.map((write) => toKvWrite(write, cause.nowMs)) };
}

export function newEvent(event: CloudEvent, facts: DelayedEvent, router: Router, dedupe: boolean): NewEvent {
  const waitKeys = router.waitKeysOf(event);
  return {
    id: event.id,
    source: event.source,
    type: event.type,
    json: facts.json,
    origin: facts.origin,
    hops: facts.hops,
    cause: facts.cause,
    dedupe,
    deliveries: router.deliveriesFor(event, facts.json),
    ...(waitKeys === undefined ? {} : { waitKeys }),
  };
}

/**
 * A function's delayed events are each their own, as its other events are. One from outside is known by its content: sent again, it is
 * the same timer; another event that shares its id is another timer, for both were accepted.
 */
export function outsideTimerName(json: string): string {
  return `${EMIT_TIMER}/sha256:${createHash("sha256").update(json).digest("base64url")}`;
}

export function delayed(name: string, event: CloudEvent, facts: DelayedEvent, atMs: number): NewTimer {
  return { name, kind: EMIT_TIMER, partition: partitionOf(EMIT_TIMER, null, event.id), dueMs: atMs, payload: JSON.stringify(facts) };
}

/** D26: it is due. What came by another way meanwhile under the same source and id is not repeated. */
export function emitDelayed(timer: DueTimer, router: Router): { events: NewEvent[] } {
  const facts = JSON.parse(timer.payload) as DelayedEvent;
  return { events: [newEvent(JSON.parse(facts.json) as CloudEvent, facts, router, facts.origin === "outside")] };
}

/** When it happens: `after` begins with the commit. */
function momentOf({ atMs, afterMs }: Emit, nowMs: number): number {
  const wantedMs = afterMs === undefined ? (atMs ?? nowMs) : nowMs + afterMs;
  return Math.max(nowMs, Math.round(wantedMs));
}

function toEvent(emit: Emit, cause: Cause, happensMs: number): CloudEvent {
  return {
    specversion: "1.0",
    id: emit.id ?? newId(cause.nowMs),
    source: emit.source ?? `/functions/${cause.fn}`,
    type: emit.type,
    ...(emit.subject === undefined ? {} : { subject: emit.subject }),
    time: new Date(happensMs).toISOString(),
    ...(emit.data === undefined ? {} : { datacontenttype: "application/json" }),
    ...emit.extensions,
    ...(emit.key === undefined ? {} : { partitionkey: emit.key }),
    ...(emit.data === undefined ? {} : { data: emit.data }),
  };
}

function toKvWrite(effect: KvEffect, nowMs: number): KvWrite {
  if (effect.op === "delete") return effect;
  const expiresMs = effect.ttlMs === undefined ? null : nowMs + effect.ttlMs;
  const value =
    "json" in effect
      ? ({ kind: "json", json: effect.json } as const)
      : ({ kind: "bytes", bytes: Buffer.from(effect.base64, "base64") } as const);
  return { op: "set", key: effect.key, value, expiresMs };
}
