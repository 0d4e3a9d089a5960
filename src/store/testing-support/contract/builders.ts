/** Short ways to say what a test commits. */
import { expect } from "vitest";
import type {
  AppendedEvent,
  DueTimer,
  Lease,
  Member,
  MemberResult,
  NewDelivery,
  NewEvent,
  ReadyDelivery,
  SettleOutcome,
  Store,
} from "../../store.ts";
import { CURSOR_START } from "../../store.ts";

export const T0 = Date.UTC(2026, 0, 1);
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

export const BOOM = { name: "Error", message: "boom", stack: "Error: boom\n    at f.ts:1" };

let made = 0;

export function to(fn: string, key: string | null = null, width = 1): NewDelivery {
  return { fn, key, partition: 7, width };
}

export function anEvent(parts: Partial<NewEvent> = {}): NewEvent {
  const id = parts.id ?? `event-${++made}`;
  const source = parts.source ?? "/test";
  const type = parts.type ?? "order.placed";
  return {
    id,
    source,
    type,
    json: JSON.stringify({ specversion: "1.0", id, source, type }),
    origin: "platform",
    hops: 0,
    cause: null,
    dedupe: false,
    deliveries: [],
    ...parts,
  };
}

export function aMember(parts: Partial<Member> = {}): Member {
  return { id: `member-${++made}`, nowMs: T0, ...parts };
}

/** Reads and writes of a member that has only kv effects. */
export const set = (key: string, value: unknown, expiresMs: number | null = null): NonNullable<Member["kv"]>[number] => ({
  op: "set",
  key,
  value: { kind: "json", json: JSON.stringify(value) },
  expiresMs,
});

export type Committed = Extract<MemberResult, { kind: "committed" }>;

export async function committed(result: MemberResult | Promise<MemberResult>): Promise<Committed> {
  const settled = await result;
  expect(settled.kind).toBe("committed");
  return settled as Committed;
}

export async function append(store: Store, events: readonly NewEvent[], nowMs = T0): Promise<readonly AppendedEvent[]> {
  return (await committed(store.commit(aMember({ events, nowMs })))).events;
}

/** One event with one delivery; returns the delivery's number. */
export async function deliver(store: Store, delivery: NewDelivery, nowMs = T0): Promise<number> {
  const [event] = await append(store, [anEvent({ deliveries: [delivery] })], nowMs);
  return event?.deliveries[0]?.seq ?? -1;
}

export function settlement(lease: Lease, delivery: number, outcome: SettleOutcome, attempt = 0, nowMs = T0): Member {
  return aMember({
    nowMs,
    settle: { delivery, attempt, epoch: lease.epoch, invocation: `inv-${delivery}-${attempt}`, startedMs: nowMs - 5, outcome },
  });
}

export function settle(
  store: Store,
  lease: Lease,
  delivery: number,
  outcome: SettleOutcome = { kind: "done" },
  attempt = 0,
  nowMs = T0,
): Promise<Committed> {
  return committed(store.commit(settlement(lease, delivery, outcome, attempt, nowMs)));
}

export const dead = (hold = false): SettleOutcome => ({ kind: "dead", error: BOOM, hold });

export async function readyOf(store: Store, fn: string, nowMs = T0): Promise<readonly ReadyDelivery[]> {
  return (await store.ready(fn, CURSOR_START, nowMs, { count: 1000, bytes: 1 << 20 })).deliveries;
}

export async function readySeqs(store: Store, fn: string, nowMs = T0): Promise<readonly number[]> {
  return (await readyOf(store, fn, nowMs)).map((delivery) => delivery.seq);
}

export async function stateOf(store: Store, seq: number): Promise<string | undefined> {
  return (await store.delivery(seq))?.state;
}

export const namesOf = (timers: readonly DueTimer[]): string[] => timers.map((timer) => timer.name);

export async function retainAll(
  store: Store,
  beforeMs: number,
  nowMs: number,
  limit = 1000,
): Promise<{ events: number; deliveries: number }> {
  let events = 0;
  let deliveries = 0;
  for (let more = true; more;) {
    const piece = await store.retain(beforeMs, nowMs, limit);
    events += piece.events;
    deliveries += piece.deliveries;
    more = piece.more;
  }
  return { events, deliveries };
}
