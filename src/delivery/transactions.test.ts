import { describe, expect, it } from "vitest";
import { DEAD_TYPE } from "./dead-letter.ts";
import { EngineUnderTest, event } from "./testing-support/engine-under-test.ts";
import { listener } from "./testing-support/manifests.ts";
import { crashed, readNumber, returned, setNumber, threw } from "./testing-support/outcomes.ts";

const steady = { attempts: 3, backoff: "fixed", baseMs: 1000, factor: 1, maxMs: 1000, jitter: "none" } as const;

/** Another hand changes a key. */
async function disturb(world: EngineUnderTest, key: string, value: number): Promise<void> {
  const nowMs = world.clock.now();
  await world.store.commit({
    id: `disturb-${value}`,
    nowMs,
    kv: [{ op: "set", key, value: { kind: "json", json: String(value) }, expiresMs: null }],
  });
}

describe("a delivery as a transaction", () => {
  it("D12: what it emitted and wrote commits with its settling, in one member", async () => {
    const world = await EngineUnderTest.start({
      functions: [listener("f", "order"), listener("g", "paid")],
      scripts: { f: () => returned({ emits: [{ type: "paid", data: 1 }], kv: [setNumber("n", 1)] }), g: () => returned() },
    });
    await world.emitAndSettle(event("order"));
    const member = world.store.commits.find(({ kv }) => kv !== undefined);
    expect(member?.settle?.outcome).toEqual({ kind: "done" });
    expect(member?.events?.map(({ type }) => type)).toEqual(["paid"]);
    expect(world.pool.calls.map(({ fn }) => fn)).toEqual(["f", "g"]);
  });

  it("D12: of a call that failed nothing is kept", async () => {
    const world = await EngineUnderTest.start({ functions: [listener("f", "order", { retry: steady })], scripts: { f: () => threw() } });
    await world.emitAndSettle(event("order"));
    expect(world.store.commits.flatMap(({ kv }) => kv ?? [])).toEqual([]);
  });

  it("D12: effects that the store cannot take are the function's failure, and do not run for ever", async () => {
    const world = await EngineUnderTest.start({
      functions: [listener("f", "order", { retry: steady })],
      scripts: { f: () => returned({ kv: [setNumber("huge", 1)] }) },
    });
    world.store.refuses = ({ kv }) => kv !== undefined;
    await world.emitAndSettle(event("order"));
    await world.advance(10_000);
    const [dead] = await world.store.dead({ limit: 10 });
    expect(dead?.errors.map(({ message }) => message)).toEqual(Array.from({ length: 3 }, () => "string or blob too big"));
    expect(world.pool.calls.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  });

  it("D13: a stale read runs the function again at once, on fresh data, and costs no attempt", async () => {
    let conflicts = 0;
    const world = await EngineUnderTest.start({
      functions: [listener("count", "order")],
      scripts: { count: async (call) => returned({ kv: [setNumber("n", (await readNumber(call, "n")) + 1)] }) },
      observer: { conflicted: () => conflicts++ },
    });
    world.store.before = async ({ settle }) => {
      if (settle !== undefined && conflicts < 2) await disturb(world, "n", 10 * (conflicts + 1));
    };
    await world.emitAndSettle(event("order"));
    expect(world.pool.calls.map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
    expect(await world.number("n")).toBe(21);
    expect(conflicts).toBe(2);
  });

  it("D13: a throw after a stale read is no failure", async () => {
    const world = await EngineUnderTest.start({
      functions: [listener("f", "order", { retry: { ...steady, attempts: 1 } })],
      scripts: { f: async (call) => ((await readNumber(call, "n")) === 0 ? threw("n is 0") : returned()) },
    });
    world.store.before = async ({ settle }) => {
      if (settle !== undefined && world.pool.calls.length === 1) await disturb(world, "n", 1);
    };
    await world.emitAndSettle(event("order"));
    expect(world.engine.stats()).toMatchObject({ waiting: 0, dead: 0 });
    expect(world.pool.calls).toHaveLength(2);
  });

  it("D13: conflicts without end put the delivery off, each round for longer, and then it goes on", async () => {
    const world = await EngineUnderTest.start({
      functions: [listener("f", "order")],
      scripts: { f: async (call) => returned({ kv: [setNumber("n", (await readNumber(call, "n")) + 1)] }) },
    });
    let disturbed = 0;
    world.store.before = async ({ reads }) => {
      if (reads !== undefined && disturbed < 12) await disturb(world, "n", ++disturbed * 100);
    };
    await world.emitAndSettle(event("order"));
    expect(world.pool.calls).toHaveLength(6);
    const firstMs = world.clock.nextAlarmMs() ?? 0;
    expect(firstMs - world.clock.now()).toBe(275);
    await world.advance(275);
    expect(world.pool.calls).toHaveLength(12);
    expect((world.clock.nextAlarmMs() ?? 0) - world.clock.now()).toBe(550);
    await world.advance(550);
    expect(world.pool.calls).toHaveLength(13);
    expect(new Set(world.pool.calls.map(({ attempt }) => attempt))).toEqual(new Set([1]));
    expect(await world.number("n")).toBe(1201);
    await world.expectCountsToHold();
  });

  it("D17: an answer to what was settled already changes nothing", async () => {
    const gate = Promise.withResolvers<void>();
    const world = await EngineUnderTest.start({
      functions: [listener("f", "order")],
      scripts: {
        f: async () => {
          await gate.promise;
          return returned({ kv: [setNumber("late", 1)] });
        },
      },
    });
    const [made] = await world.emit(event("order"));
    await world.pool.arrived(1);
    // Another node took the partition over.
    const lease = await world.store.acquire("another");
    const [view] = await world.store.events({ limit: 1 });
    const delivery = view?.deliveries[0]?.seq ?? 0;
    const settle = { delivery, attempt: 0, epoch: lease.epoch, invocation: "x", startedMs: 0, outcome: { kind: "done" } } as const;
    expect((await world.store.commit({ id: "theirs", nowMs: world.clock.now(), settle })).kind).toBe("committed");
    gate.resolve();
    await world.engine.settled();
    expect(await world.number("late")).toBeNull();
    expect(made?.duplicate).toBe(false);
  });

  it("D5: the death of a delivery is an event in the same commit, with its event and last error; a mourner's own death is none", async () => {
    const world = await EngineUnderTest.start({
      functions: [
        listener("f", "order", { retry: { ...steady, attempts: 2 } }),
        listener("mourner", DEAD_TYPE, { retry: { ...steady, attempts: 1 } }),
      ],
      scripts: { f: () => threw("no stock"), mourner: () => threw("grief") },
    });
    await world.emitAndSettle(event("order", { id: 7 }, { partitionkey: "k" }));
    await world.advance(1000);
    const [letter, ...others] = (await world.store.events({ limit: 10 })).filter(({ type }) => type === DEAD_TYPE);
    expect(others).toEqual([]);
    expect(JSON.parse(letter?.json ?? "")).toMatchObject({
      source: "/functions/f",
      partitionkey: "k",
      data: {
        function: "f",
        key: "k",
        attempts: 2,
        error: { name: "Error", message: "no stock" },
        event: { type: "order", data: { id: 7 } },
      },
    });
    const member = world.store.commits.find(({ events }) => events?.some(({ type }) => type === DEAD_TYPE));
    expect(member?.settle?.outcome.kind).toBe("dead");
    expect((await world.store.dead({ fn: "f", limit: 1 }))[0]?.errors).toHaveLength(2);
  });

  it("D2: a guilty crash counts an attempt", async () => {
    const world = await EngineUnderTest.start({
      functions: [listener("f", "order", { retry: steady })],
      scripts: { f: () => crashed("guilty") },
    });
    await world.emitAndSettle(event("order"));
    await world.advance(5000);
    expect(world.pool.calls.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(world.engine.stats().dead).toBe(1);
  });

  it("D20: a suspect runs again, alone, a bystander beside others, and neither loses an attempt", async () => {
    const blames = { suspect: ["suspect"], bystander: ["bystander"] } as Record<string, ("suspect" | "bystander")[]>;
    const script = (call: { fn: string }) => {
      const blame = blames[call.fn]?.pop();
      return blame === undefined ? returned() : crashed(blame);
    };
    const world = await EngineUnderTest.start({
      functions: [listener("suspect", "order"), listener("bystander", "order")],
      scripts: { suspect: script, bystander: script },
    });
    await world.emitAndSettle(event("order"));
    expect(world.pool.callsOf("suspect").map(({ alone, attempt }) => ({ alone, attempt }))).toEqual([
      { alone: false, attempt: 1 },
      { alone: true, attempt: 1 },
    ]);
    expect(world.pool.callsOf("bystander").map(({ alone, attempt }) => ({ alone, attempt }))).toEqual([
      { alone: false, attempt: 1 },
      { alone: false, attempt: 1 },
    ]);
  });
});
