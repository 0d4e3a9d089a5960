import { describe, expect, it } from "vitest";
import { EngineUnderTest, event } from "./testing-support/engine-under-test.ts";
import { listener } from "./testing-support/manifests.ts";
import { eventOf, notRun, readNumber, returned, setNumber, threw } from "./testing-support/outcomes.ts";

const byKey = { kind: "path", path: ["data", "key"] } as const;
const fixed = { attempts: 3, backoff: "fixed", baseMs: 1000, factor: 1, maxMs: 1000, jitter: "none" } as const;

function many(type: string, count: number, data: (i: number) => unknown = (i) => ({ i })): ReturnType<typeof event>[] {
  return Array.from({ length: count }, (_, i) => event(type, data(i)));
}

describe("dispatch", () => {
  it("D18: a function with 5,000 waiting deliveries that does not move delays no other", async () => {
    const gate = Promise.withResolvers<void>();
    const world = await EngineUnderTest.start({
      functions: [listener("stuck", "slow"), listener("quick", "fast")],
      scripts: {
        stuck: async () => {
          await gate.promise;
          return returned();
        },
        quick: () => returned({ kv: [setNumber("quick", 1)] }),
      },
    });
    const emitted: string[] = [];
    for (let batch = 0; batch < 10; batch++) {
      const events = many("slow", 500);
      emitted.push(...events.map(({ event }) => event.id));
      await world.emit(...events);
    }
    await world.pool.arrived(8);
    await world.emit(event("fast"));
    await world.pool.arrived(9);
    expect(world.pool.callsOf("quick")).toHaveLength(1);
    expect(world.engine.stats()).toMatchObject({ waiting: expect.any(Number), running: expect.any(Number) });
    expect(world.pool.callsOf("stuck")).toHaveLength(8);
    gate.resolve();
    await world.engine.settled();
    // Each once, in the order in which they came, although most of them were never in memory together.
    expect(world.pool.callsOf("stuck").map((call) => eventOf(call).id)).toEqual(emitted);
    await world.expectCountsToHold();
  });

  it("D31: a hot key takes turns with the others, however many of its events wait", async () => {
    const world = await EngineUnderTest.start({
      functions: [listener("f", "order", { key: byKey })],
      scripts: { f: () => returned() },
    });
    const hot = Array.from({ length: 300 }, (_, i) => event("order", { key: "hot" }, { id: `hot-${i}` }));
    const cold = Array.from({ length: 20 }, (_, i) => event("order", { key: `cold-${i}` }, { id: `cold-${i}` }));
    await world.emit(...hot, ...cold);
    await world.engine.settled();
    const ids = world.pool.calls.map((call) => eventOf(call).id);
    // Until the last of the others had begun, the hot key has had no more turns than they had.
    const lastCold = ids.findLastIndex((id) => id.startsWith("cold"));
    expect(ids.slice(0, lastCold).filter((id) => id.startsWith("hot")).length).toBeLessThanOrEqual(cold.length);
    expect(ids.filter((id) => id.startsWith("hot"))).toEqual(hot.map(({ event }) => event.id));
  });

  it("D19: deliveries of one key run one at a time, in order, and different keys side by side; a retry holds back its key only", async () => {
    const failed = new Set<string>();
    const world = await EngineUnderTest.start({
      functions: [listener("f", "order", { key: byKey, retry: fixed })],
      scripts: {
        f: (call) => {
          const { id } = eventOf(call);
          if (id !== "red-1" || failed.has(id)) return returned();
          failed.add(id);
          return threw();
        },
      },
    });
    const named = (key: string, n: number) => event("order", { key }, { id: `${key}-${n}` });
    await world.emitAndSettle(named("red", 1), named("red", 2), named("blue", 1), named("red", 3), named("blue", 2));
    const ids = () => world.pool.calls.map((call) => eventOf(call).id);
    expect(ids().filter((id) => id.startsWith("red"))).toEqual(["red-1"]);
    expect(ids().filter((id) => id.startsWith("blue"))).toEqual(["blue-1", "blue-2"]);
    await world.advance(1000);
    expect(ids().filter((id) => id.startsWith("red"))).toEqual(["red-1", "red-1", "red-2", "red-3"]);
  });

  it("D19: concurrency.key lets so many of one key run at once, in their order", async () => {
    const gates = Array.from({ length: 6 }, () => Promise.withResolvers<void>());
    const world = await EngineUnderTest.start({
      functions: [listener("f", "order", { key: byKey, concurrency: { instance: 16, function: null, key: 3 } })],
      scripts: {
        f: async (call) => {
          await gates[eventOf<{ i: number }>(call).data?.i ?? 0]?.promise;
          return returned();
        },
      },
    });
    await world.emit(...many("order", 6, (i) => ({ key: "red", i })));
    await world.pool.arrived(3);
    gates[1]?.resolve();
    await world.pool.arrived(4);
    expect(world.pool.calls.map((call) => eventOf<{ i: number }>(call).data?.i)).toEqual([0, 1, 2, 3]);
    for (const { resolve } of gates) resolve();
    await world.engine.settled();
    expect(world.pool.calls.map((call) => eventOf<{ i: number }>(call).data?.i)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(world.pool.mostRunning.get("f")).toBe(3);
  });

  it("D19: with concurrency.function 1 a counter needs no key and meets no conflict", async () => {
    let conflicts = 0;
    const world = await EngineUnderTest.start({
      functions: [listener("count", "order", { concurrency: { instance: 16, function: 1, key: 1 } })],
      scripts: { count: async (call) => returned({ kv: [setNumber("n", (await readNumber(call, "n")) + 1)] }) },
      observer: { conflicted: () => conflicts++ },
    });
    await world.emitAndSettle(...many("order", 200));
    expect(await world.number("n")).toBe(200);
    expect(conflicts).toBe(0);
    expect(world.pool.calls).toHaveLength(200);
  });

  it("D18: no more calls than the pool has room for; when there is more room, more begin", async () => {
    const gate = Promise.withResolvers<void>();
    const world = await EngineUnderTest.start({
      functions: [listener("f", "order")],
      scripts: {
        f: async () => {
          await gate.promise;
          return returned();
        },
      },
      room: 0,
    });
    await world.emit(...many("order", 20));
    expect(world.pool.calls).toHaveLength(0);
    world.pool.changed(2);
    await world.pool.arrived(2);
    world.pool.changed(5);
    await world.pool.arrived(5);
    expect(world.pool.running.get("f")).toBe(5);
    gate.resolve();
    await world.engine.settled();
    expect(world.pool.mostRunning.get("f")).toBe(5);
  });

  it("D2: a pool without room for a moment costs no attempt", async () => {
    const outcomes = [notRun("overloaded")];
    const world = await EngineUnderTest.start({ functions: [listener("f", "order")], scripts: { f: () => outcomes.pop() ?? returned() } });
    await world.emitAndSettle(event("order"));
    expect(world.pool.calls.map(({ attempt }) => attempt)).toEqual([1, 1]);
  });
});

describe("a function that cannot be loaded", () => {
  it("D21: pauses, from 0.5 s doubling to 30 s however many calls fail together, says why once, and keeps all", async () => {
    const world = await EngineUnderTest.start({
      functions: [listener("broken", "order"), listener("fine", "order")],
      scripts: { broken: () => notRun("load-failed"), fine: () => returned() },
    });
    const beginMs = world.clock.now();
    await world.emitAndSettle(...many("order", 20));
    expect(world.pool.callsOf("fine")).toHaveLength(20);
    const pauses: number[] = [];
    for (let round = 0; round < 8; round++) {
      const nextMs = world.clock.nextAlarmMs() ?? 0;
      pauses.push(nextMs - world.clock.now());
      await world.advance(nextMs - world.clock.now());
    }
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    expect(world.logs.filter(({ fn }) => fn === "broken").map(({ text }) => text)).toEqual(["Error: not run: load-failed"]);
    expect(world.engine.stats().functions).toContainEqual(expect.objectContaining({ fn: "broken", waiting: 20, dead: 0 }));
    expect(world.clock.now()).toBeGreaterThan(beginMs);
  });

  it("D21: a new release goes on at once, without an attempt lost", async () => {
    const world = await EngineUnderTest.start({ functions: [listener("f", "order")], scripts: { f: () => notRun("load-failed") } });
    await world.emitAndSettle(...many("order", 20));
    world.scripts["f"] = () => returned();
    await world.use(listener("f", "order"));
    await world.engine.settled();
    expect(new Set(world.pool.calls.map(({ attempt }) => attempt))).toEqual(new Set([1]));
    expect(world.engine.stats()).toMatchObject({ waiting: 0, dead: 0 });
  });
});

describe("a store that fails for a while", () => {
  it("D22: nothing acknowledged is lost, no attempt is, and each event has its effect once", async () => {
    const world = await EngineUnderTest.start({
      functions: [listener("count", "order", { retry: { ...fixed, attempts: 1 } })],
      scripts: {
        count: async (call) =>
          returned({ kv: [setNumber(`seen/${eventOf(call).id}`, (await readNumber(call, `seen/${eventOf(call).id}`)) + 1)] }),
      },
    });
    const taken: string[] = [];
    for (let batch = 0; batch < 12; batch++) {
      if (batch === 4) world.store.failing = "commits";
      if (batch === 8) world.store.failing = "nothing";
      const events = many("order", 5);
      const result = await world.engine.ingest(events);
      if (result.kind === "accepted") taken.push(...events.map(({ event }) => event.id));
    }
    await world.engine.settled();
    expect(taken).toHaveLength(8 * 5);
    expect(await Promise.all(taken.map((id) => world.number(`seen/${id}`)))).toEqual(taken.map(() => 1));
    expect(world.engine.stats()).toMatchObject({ waiting: 0, dead: 0 });
  });

  it("D22: a handler that could not read the store has not failed", async () => {
    const world = await EngineUnderTest.start({ functions: [listener("f", "order", { retry: { ...fixed, attempts: 1 } })] });
    world.scripts["f"] = async (call) => {
      if (world.pool.calls.length === 1) world.store.failing = "reads";
      try {
        return returned({ kv: [setNumber("n", (await readNumber(call, "n")) + 1)] });
      } catch (error) {
        // The store is well again before the delivery settles: only its session knows.
        return threw(String(error));
      } finally {
        world.store.failing = "nothing";
      }
    };
    await world.emitAndSettle(event("order"));
    expect(world.pool.calls.map(({ attempt }) => attempt)).toEqual([1, 1]);
    expect(await world.number("n")).toBe(1);
    expect(world.engine.stats().dead).toBe(0);
  });

  it("D18, D22: a queue that cannot be read is read again when the store is well", async () => {
    const world = await EngineUnderTest.start({ functions: [listener("f", "order")], scripts: { f: () => returned() } });
    await world.use();
    await world.emitAndSettle();
    await world.use(listener("f", "order"));
    await world.engine.settled();
    world.store.failing = "reads";
    world.pool.changed(0);
    await world.emit(...many("order", 3000));
    world.pool.changed(8);
    await world.pool.arrived(1000);
    world.store.failing = "nothing";
    await world.engine.settled();
    expect(world.pool.calls).toHaveLength(3000);
  });
});

describe("functions that come and go", () => {
  it("D23: deliveries of one that no longer exists wait, visible as such, and go on when it is back", async () => {
    const world = await EngineUnderTest.start({
      functions: [listener("f", "order"), listener("g", "other")],
      scripts: { f: () => returned(), g: () => returned() },
      room: 0,
    });
    await world.emit(...many("order", 10));
    await world.use(listener("g", "other"));
    await world.engine.settled();
    world.pool.changed(8);
    await world.engine.settled();
    expect(world.pool.calls).toHaveLength(0);
    expect(world.engine.stats().functions).toContainEqual({ fn: "f", exists: false, waiting: 10, parked: 0, running: 0, dead: 0 });
    await world.restart({ loaded: false });
    world.pool.changed(8);
    await world.use(listener("g", "other"));
    await world.engine.settled();
    expect(world.pool.calls).toHaveLength(0);
    await world.use(listener("f", "order"), listener("g", "other"));
    await world.engine.settled();
    expect(new Set(world.pool.calls.map((call) => eventOf(call).id)).size).toBe(10);
    expect(world.engine.stats()).toMatchObject({ waiting: 0 });
  });

  it("D23: one that goes and comes back while calls of it run runs each delivery once", async () => {
    const gate = Promise.withResolvers<void>();
    const world = await EngineUnderTest.start({
      functions: [listener("f", "order", { key: byKey })],
      scripts: {
        f: async () => {
          await gate.promise;
          return returned();
        },
      },
    });
    await world.emit(...many("order", 12, (i) => ({ key: String(i % 3) })));
    await world.pool.arrived(3);
    await world.use();
    expect(world.engine.stats().functions).toEqual([{ fn: "f", exists: false, waiting: 12, parked: 0, running: 3, dead: 0 }]);
    await world.use(listener("f", "order", { key: byKey }));
    await world.use();
    gate.resolve();
    await world.engine.settled();
    expect(world.engine.stats()).toMatchObject({ waiting: 9, running: 0 });
    await world.use(listener("f", "order", { key: byKey }));
    await world.engine.settled();
    expect(world.pool.calls.map((call) => eventOf(call).id)).toHaveLength(12);
    expect(new Set(world.pool.calls.map((call) => eventOf(call).id)).size).toBe(12);
  });

  it("D18: what is queued in memory is bounded for all functions together, and all of it runs", async () => {
    const names = Array.from({ length: 12 }, (_, i) => `f${i}`);
    const world = await EngineUnderTest.start({
      functions: names.map((name) => listener(name, "order")),
      scripts: Object.fromEntries(names.map((name) => [name, () => returned()])),
      room: 0,
    });
    const large = "x".repeat(200_000);
    for (let batch = 0; batch < 4; batch++) await world.emit(...many("order", 20, () => large));
    world.pool.changed(4);
    await world.engine.settled();
    expect(world.pool.calls).toHaveLength(80 * 12);
  });
});

describe("stop", () => {
  it("D28: waits for what runs and hands out nothing more; a second stop waits for the first", async () => {
    const gate = Promise.withResolvers<void>();
    const world = await EngineUnderTest.start({
      functions: [listener("f", "order")],
      scripts: {
        f: async () => {
          await gate.promise;
          return returned();
        },
      },
      room: 1,
    });
    await world.emit(event("order"), event("order"));
    await world.pool.arrived(1);
    let stopped = false;
    const first = world.engine.stop().then(() => (stopped = true));
    const second = world.engine.stop();
    await world.store.counts();
    expect(stopped).toBe(false);
    gate.resolve();
    await Promise.all([first, second]);
    expect(world.pool.calls).toHaveLength(1);
    expect((await world.store.counts()).map(({ ready }) => ready)).toEqual([1]);
  });
});
