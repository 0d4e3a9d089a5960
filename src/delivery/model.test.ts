import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../core/clock.ts";
import { silentObserver } from "../core/observer.ts";
import { canonicalJson, type CloudEvent } from "../events/index.ts";
import type { Call, Outcome } from "../pool/pool.ts";
import type { KvEffect } from "../protocol/messages.ts";
import { openSqliteStore, type Store } from "../store/index.ts";
import { DeliveryEngine } from "./engine.ts";
import { functionOf, releaseOf } from "./testing-support/manifests.ts";
import { ScriptedPool } from "./testing-support/scripted-pool.ts";

/**
 * Seeded random lives of an app against a pure model: emits (some delayed, some repeated), handlers that fail, crash and conflict,
 * retries, keys, restarts of the node, a virtual clock, the real store. One seed again: MILLRACE_MODEL_SEED=7; more: MILLRACE_MODEL_SEEDS=1000.
 */
const ONE_SEED = process.env.MILLRACE_MODEL_SEED;
const SEEDS = Number(process.env.MILLRACE_MODEL_SEEDS ?? 10);
const ATTEMPTS = 3;
const KEYS = ["red", "green", "blue"];

const retry = { attempts: ATTEMPTS, backoff: "exponential", baseMs: 1000, factor: 2, maxMs: 60_000, jitter: "full" } as const;
const release = releaseOf([
  functionOf("keyed", {
    triggers: [{ kind: "event", type: "order.*", where: null, sql: null }],
    key: { kind: "path", path: ["data", "key"] },
    retry,
  }),
  functionOf("holding", {
    triggers: [{ kind: "event", type: "order.b", where: null, sql: null }],
    key: { kind: "path", path: ["data", "key"] },
    onDead: "hold",
    retry,
  }),
  functionOf("loose", { triggers: [{ kind: "event", type: "order.a", where: null, sql: null }], key: { kind: "none" }, retry }),
  functionOf("chained", { triggers: [{ kind: "event", type: "chain", where: null, sql: null }], retry }),
  functionOf("mourner", {
    triggers: [{ kind: "event", type: "millrace.delivery.dead", where: null, sql: null }],
    key: { kind: "none" },
    retry,
  }),
]);

function seeded(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

/** A number from 0 up to 1 that depends on its words alone: so the model knows what a handler will do. */
function fate(...words: (string | number)[]): number {
  let hash = 0x811c9dc5;
  for (const char of words.join("|")) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
  return seeded(hash >>> 0)();
}

type Plan = "return" | "throw" | "fatal" | "crash";

/** The model: what attempt n (from 1) at this event does in this function. */
function planOf(seed: number, fn: string, eventId: string, attempt: number): Plan {
  const dice = fate(seed, fn, eventId, attempt);
  if (fn === "mourner") return "return";
  if (dice < 0.65) return "return";
  if (dice < 0.9) return "throw";
  return dice < 0.95 ? "fatal" : "crash";
}

function endsWell(seed: number, fn: string, eventId: string): boolean {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const plan = planOf(seed, fn, eventId, attempt);
    if (plan === "return") return true;
    if (plan === "fatal") return false;
  }
  return false;
}

/** Each function counts the event and appends it to its key's list: both must come out exactly once and in order. */
async function behave(seed: number, call: Call, random: () => number): Promise<Outcome> {
  if (call.kind !== "event") throw new Error("the model makes no HTTP calls");
  const event = JSON.parse(call.eventJson) as CloudEvent<{ key?: string; event?: { id: string } }>;
  const error = { name: "Error", message: `attempt ${call.attempt} of ${event.id}`, stack: null };
  const countKey = `count/${call.fn}/${call.fn === "mourner" ? event.data?.event?.id : event.id}`;
  const listKey = `list/${call.fn}/${event.data?.key ?? "-"}`;
  const [count, list] = await call.kv.get([countKey, listKey]);
  for (let turns = Math.floor(random() * 4); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
  // Sometimes an innocent crash first: it must cost no attempt. Random, not fate: the model does not know of it.
  if (random() < 0.05) return { kind: "crashed", blame: random() < 0.5 ? "suspect" : "bystander", error, ranMs: 1 };
  const plan = planOf(seed, call.fn, event.id, call.attempt);
  if (plan === "throw") return { kind: "threw", error, ranMs: 1 };
  if (plan === "fatal") return { kind: "threw", error: { ...error, fatal: true }, ranMs: 1 };
  if (plan === "crash") return { kind: "crashed", blame: "guilty", error, ranMs: 1 };
  const counted = count !== null && count !== undefined && "json" in count ? Number(count.json) : 0;
  const listed = list !== null && list !== undefined && "json" in list ? (JSON.parse(list.json) as string[]) : [];
  const kv: KvEffect[] = [{ op: "set", key: countKey, json: String(counted + 1) }];
  if (call.fn === "keyed" || call.fn === "holding") kv.push({ op: "set", key: listKey, json: JSON.stringify([...listed, event.id]) });
  const emits = call.fn === "loose" ? [{ type: "chain", id: `chain-${event.id}`, data: {} }] : [];
  return { kind: "returned", effects: { emits, kv }, response: null, ranMs: 1 };
}

interface Emitted {
  readonly id: string;
  readonly type: string;
  readonly key: string;
  readonly delayed: boolean;
}

async function live(
  seed: number,
): Promise<{ store: Store; emitted: Emitted[]; clock: VirtualClock; directory: string; close: () => Promise<void> }> {
  const random = seeded(seed);
  const clock = new VirtualClock();
  const directory = await mkdtemp(join(tmpdir(), "millrace-model-"));
  const emitted: Emitted[] = [];
  let pool = new ScriptedPool((call) => behave(seed, call, random));
  let store = await openSqliteStore({ directory, durability: "off" });
  let engine = await begin();

  async function begin(): Promise<DeliveryEngine> {
    const made = new DeliveryEngine({ store, pool, clock, observer: silentObserver, log: () => {}, owner: "model", random });
    await made.start();
    await made.use(release);
    return made;
  }

  async function restart(): Promise<void> {
    pool.kill();
    void engine.stop();
    pool = new ScriptedPool((call) => behave(seed, call, random));
    // Opening a store takes longer than all the rest of a life: often only the engine is another, and the old one is fenced.
    if (random() < 0.3) {
      await store.close();
      store = await openSqliteStore({ directory, durability: "off" });
    }
    engine = await begin();
  }

  async function emit(): Promise<void> {
    const count = 1 + Math.floor(random() * 4);
    const batch = Array.from({ length: count }, (_, i) => {
      const id = `e${emitted.length + i}`;
      const key = KEYS[Math.floor(random() * KEYS.length)] ?? "red";
      const type = random() < 0.5 ? "order.a" : "order.b";
      const event: CloudEvent = { specversion: "1.0", id, source: "/model", type, datacontenttype: "application/json", data: { key } };
      const atMs = random() < 0.15 ? clock.now() + 1 + Math.floor(random() * 60_000) : undefined;
      return { event, json: canonicalJson(event) ?? "", ...(atMs === undefined ? {} : { atMs }) };
    });
    const result = await engine.ingest(batch);
    expect(result.kind).toBe("accepted");
    for (const { event, atMs } of batch) {
      emitted.push({ id: event.id, type: event.type, key: (event.data as { key: string }).key, delayed: atMs !== undefined });
    }
    const now = batch.filter(({ atMs }) => atMs === undefined);
    if (random() < 0.2 && now.length > 0) {
      const again = await engine.ingest(now);
      expect(again).toMatchObject({ kind: "accepted", events: now.map(() => ({ duplicate: true })) });
    }
  }

  for (let step = 0; step < 60; step++) {
    const dice = random();
    if (dice < 0.5) await emit();
    else if (dice < 0.6) await restart();
    else if (dice < 0.8) await clock.advanceTo(clock.now() + Math.floor(random() * 3000), () => engine.settled());
    else await new Promise((resolve) => setImmediate(resolve));
  }
  await clock.advanceTo(clock.now() + 3_600_000, () => engine.settled());
  const close = async (): Promise<void> => {
    await engine.stop();
    await store.close();
    await rm(directory, { recursive: true });
  };
  return { store, emitted, clock, directory, close };
}

async function check(seed: number): Promise<void> {
  const { store, emitted, clock, close } = await live(seed);
  const read = async (key: string): Promise<unknown> => {
    const [entry] = await store.kvGet([key], clock.now());
    return entry?.value.kind === "json" ? JSON.parse(entry.value.json) : null;
  };
  const matches = (fn: string, { type }: Emitted): boolean =>
    fn === "keyed" || (fn === "holding" ? type === "order.b" : type === "order.a");
  const dead = new Map(
    (await store.dead({ limit: 10_000 })).map(({ fn, eventJson, errors }) => [`${fn}/${(JSON.parse(eventJson) as CloudEvent).id}`, errors]),
  );
  const expectedDead = new Set<string>();
  for (const fn of ["keyed", "holding", "loose"]) {
    const blockedKeys = new Set<string>();
    const inOrder = new Map<string, string[]>();
    for (const event of await byCommit(store, emitted)) {
      if (!matches(fn, event)) continue;
      const well = endsWell(seed, fn, event.id);
      const blocked = fn === "holding" && blockedKeys.has(event.key);
      expect({ seed, fn, id: event.id, count: await read(`count/${fn}/${event.id}`) }).toEqual({
        seed,
        fn,
        id: event.id,
        count: well && !blocked ? 1 : null,
      });
      if (blocked) continue;
      if (!well) {
        expectedDead.add(`${fn}/${event.id}`);
        if (fn === "holding") blockedKeys.add(event.key);
      } else inOrder.set(event.key, [...(inOrder.get(event.key) ?? []), event.id]);
      if (fn === "loose" && well) {
        const chained = endsWell(seed, "chained", `chain-${event.id}`);
        expect(await read(`count/chained/chain-${event.id}`)).toBe(chained ? 1 : null);
        if (!chained) expectedDead.add(`chained/chain-${event.id}`);
      }
    }
    if (fn === "loose") continue;
    for (const [key, ids] of inOrder)
      expect({ seed, fn, key, list: await read(`list/${fn}/${key}`) }).toEqual({ seed, fn, key, list: ids });
  }
  expect([...dead.keys()].sort()).toEqual([...expectedDead].sort());
  for (const [name, errors] of dead) {
    expect(errors.length, `${name} keeps every counted attempt`).toBeGreaterThan(0);
    expect(await read(`count/mourner/${name.slice(name.indexOf("/") + 1)}`), `${name} was mourned`).toBeGreaterThanOrEqual(1);
  }
  await close();
}

/** The order of commits is the order that counts: a delayed event has its place from when it became one. */
async function byCommit(store: Store, emitted: readonly Emitted[]): Promise<readonly Emitted[]> {
  const order = new Map<string, number>();
  for (let after = 0; ;) {
    const page = await store.events({ after, limit: 500 });
    for (const { id, seq } of page) order.set(id, seq);
    const last = page.at(-1);
    if (last === undefined) break;
    after = last.seq;
  }
  expect(emitted.filter(({ id }) => !order.has(id))).toEqual([]);
  return [...emitted].sort((a, b) => (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0));
}

describe("delivery against its model", () => {
  const seeds = ONE_SEED === undefined ? Array.from({ length: SEEDS }, (_, i) => i + 1) : [Number(ONE_SEED)];
  it.each(seeds)("D2, D3, D5, D6, D12, D13, D19, D20, D25, D26: seed %i", check, 120_000);
});
