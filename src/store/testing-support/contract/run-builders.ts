/** Short ways to say what a test does to runs. */
import type {
  Lease,
  Member,
  NewDelivery,
  NewEntry,
  NewEvent,
  NewRun,
  NewWait,
  ReadyDelivery,
  RunChange,
  RunMove,
  Store,
} from "../../store.ts";
import { topicOf, waitValue } from "../../../core/wait-key.ts";
import { aMember, anEvent, append, BOOM, type Committed, committed, T0, to } from "./builders.ts";

let made = 0;

export function aRun(parts: Partial<NewRun> = {}): NewRun {
  return {
    id: `run-${++made}`,
    named: false,
    kind: "flow",
    release: "r1",
    seed: "seed",
    parent: null,
    deadlineMs: null,
    waits: [],
    ...parts,
  };
}

/** The event that a run begins with. */
export function beginning(parts: Partial<NewRun> = {}, delivery: NewDelivery = to("flow")): NewEvent {
  return anEvent({ deliveries: [{ ...delivery, run: aRun(parts) }] });
}

/** Begins a run; returns its number. */
export async function begin(store: Store, parts: Partial<NewRun> = {}, delivery: NewDelivery = to("flow"), nowMs = T0): Promise<number> {
  const [event] = await append(store, [beginning(parts, delivery)], nowMs);
  return event?.deliveries[0]?.seq ?? -1;
}

/** A step that is done. */
export function entry(pos: number, parts: Partial<NewEntry> = {}): NewEntry {
  return { pos, verb: "step", name: `step-${pos}`, number: 1, phase: "done", attempt: 1, ranMs: 1.5, value: `"${pos}"`, ...parts };
}

export function change(lease: Lease, run: number, parts: Partial<RunChange> = {}, nowMs = T0): Member {
  return aMember({ nowMs, run: { run, epoch: lease.epoch, entries: [], ...parts } });
}

export function make(store: Store, lease: Lease, run: number, parts: Partial<RunChange>, nowMs = T0): Promise<Committed> {
  return committed(store.commit(change(lease, run, parts, nowMs)));
}

export function parking(parts: Partial<Extract<RunMove, { kind: "park" }>> = {}): RunMove {
  return { kind: "park", state: "waiting", dueMs: null, note: null, ...parts };
}

export function retrying(attempt: number, dueMs: number): RunMove {
  return { kind: "retry", dueMs, error: BOOM, attempt, invocation: `inv-${attempt}`, startedMs: T0 - 5 };
}

export function ending(parts: Partial<Extract<RunMove, { kind: "end" }>> = {}): RunMove {
  return { kind: "end", state: "done", value: `"fine"`, ...parts };
}

/** For an event of this type whose `data.parcel` is this. */
export function waitFor(type: string, parcel: unknown, parts: Partial<NewWait> = {}): NewWait {
  return { command: "wait later 1", ...parcelKey(type, parcel), guarded: false, sinceSeq: null, ...parts };
}

export function parcelKey(type: string, parcel: unknown): { topic: string; value: string } {
  return { topic: topicOf(type, ["data.parcel"]), value: waitValue([parcel]) };
}

/** An event that offers itself to those who wait for its parcel. */
export function parcelEvent(type: string, parcel: unknown, parts: Partial<NewEvent> = {}): NewEvent {
  const id = parts.id ?? `parcel-${++made}`;
  const json = JSON.stringify({ specversion: "1.0", id, source: "/test", type, data: { parcel } });
  return anEvent({ id, type, json, waitKeys: [parcelKey(type, parcel)], ...parts });
}

export const seqsOf = (deliveries: readonly ReadyDelivery[] | undefined): number[] => (deliveries ?? []).map(({ seq }) => seq);
