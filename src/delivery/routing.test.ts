import { describe, expect, it } from "vitest";
import { EngineUnderTest, event } from "./testing-support/engine-under-test.ts";
import { functionOf, listener } from "./testing-support/manifests.ts";
import { eventOf, returned, threw } from "./testing-support/outcomes.ts";

const done = () => returned();

describe("routing", () => {
  it("D7: a function is woken once by an event, however many of its triggers match", async () => {
    const triggers = [
      { kind: "event", type: "order.placed", where: null, sql: null },
      { kind: "event", type: "order.*", where: null, sql: null },
      { kind: "event", type: "*", where: { data: { total: [{ numeric: [">", 1] }] } }, sql: null },
    ] as const;
    const world = await EngineUnderTest.start({
      functions: [functionOf("f", { triggers }), listener("g", "order.*")],
      scripts: { f: done, g: done },
    });
    await world.emitAndSettle(event("order.placed", { total: 5 }));
    expect(world.pool.calls.map(({ fn }) => fn).sort()).toEqual(["f", "g"]);
  });

  it("D8: the platform's types wake only those that name them exactly", async () => {
    const world = await EngineUnderTest.start({
      functions: [
        listener("fails", "order", { retry: { attempts: 1, backoff: "fixed", baseMs: 1, factor: 1, maxMs: 1, jitter: "none" } }),
        listener("everything", "*"),
        listener("mourner", "millrace.delivery.dead"),
      ],
      scripts: { fails: () => threw(), everything: done, mourner: done },
    });
    await world.emitAndSettle(event("order"));
    expect(world.pool.calls.map(({ fn }) => fn).sort()).toEqual(["everything", "fails", "mourner"]);
  });

  it("D8: a function cannot emit a type of the platform: it is dead at once, and says why", async () => {
    const world = await EngineUnderTest.start({
      functions: [listener("liar", "order")],
      scripts: { liar: () => returned({ emits: [{ type: "millrace.delivery.dead", data: {} }] }) },
    });
    await world.emitAndSettle(event("order"));
    const [dead] = await world.store.dead({ limit: 10 });
    expect(dead?.errors.map(({ message }) => message)).toEqual([expect.stringContaining("millrace.* is the platform's own")]);
    expect(world.pool.calls).toHaveLength(1);
  });

  it("D9: an event is routed by one release, the one that is live when it becomes true", async () => {
    const gate = Promise.withResolvers<void>();
    const world = await EngineUnderTest.start({
      functions: [listener("slow", "order"), listener("old", "paid")],
      scripts: {
        slow: async () => {
          await gate.promise;
          return returned({ emits: [{ type: "paid", data: 1 }] });
        },
        old: done,
        new: done,
      },
    });
    await world.emit(event("order"));
    await world.pool.arrived(1);
    await world.use(listener("slow", "order"), listener("new", "paid"));
    gate.resolve();
    await world.engine.settled();
    expect(world.pool.calls.map(({ fn }) => fn)).toEqual(["slow", "new"]);
  });

  it("D9: a release whose pattern is wrong changes nothing", async () => {
    const world = await EngineUnderTest.start({ functions: [listener("f", "order")], scripts: { f: done, g: done } });
    const wrong = functionOf("g", { triggers: [{ kind: "event", type: "order", where: { data: { a: [{ starts: "x" }] } }, sql: null }] });
    await expect(world.use(listener("g", "order"), wrong)).rejects.toThrow(/starts/);
    await world.emitAndSettle(event("order"));
    expect(world.pool.calls.map(({ fn }) => fn)).toEqual(["f"]);
  });

  it("D30: type, pattern and expression must all hold, and an expression that fails does not", async () => {
    const triggers = [
      { kind: "event", type: "order.*", where: { data: { paid: [true] } }, sql: "size > 10 AND source = '/test'" },
    ] as const;
    const world = await EngineUnderTest.start({ functions: [functionOf("f", { triggers })], scripts: { f: done } });
    const large = { size: 11, source: "/test" };
    await world.emitAndSettle(event("order.placed", { paid: true }, large));
    await world.emitAndSettle(event("order.placed", { paid: false }, large));
    await world.emitAndSettle(event("order.placed", { paid: true }, { ...large, size: 10 }));
    await world.emitAndSettle(event("order.placed", { paid: true }));
    await world.emitAndSettle(event("bill.placed", { paid: true }, large));
    expect(world.pool.calls.map(({ fn }) => fn)).toEqual(["f"]);
  });

  it("D9: a release whose expression is wrong changes nothing", async () => {
    const world = await EngineUnderTest.start({ functions: [listener("f", "order")], scripts: { f: done, g: done } });
    const wrong = functionOf("g", { triggers: [{ kind: "event", type: "order", where: null, sql: "size >" }] });
    await expect(world.use(listener("g", "order"), wrong)).rejects.toThrow(/at character 6/);
    await world.emitAndSettle(event("order"));
    expect(world.pool.calls.map(({ fn }) => fn)).toEqual(["f"]);
  });

  it("D11: a chain of events ends at the hop limit, with a message that says so", async () => {
    const world = await EngineUnderTest.start({
      functions: [listener("echo", "ping")],
      scripts: { echo: (call) => returned({ emits: [{ type: "ping", data: { n: eventOf<{ n: number }>(call).data?.n ?? 0 } }] }) },
      hopLimit: 3,
    });
    await world.emitAndSettle(event("ping", { n: 0 }));
    const dead = await world.store.dead({ limit: 10 });
    expect(dead.map(({ errors }) => errors.map(({ message }) => message))).toEqual([
      [expect.stringContaining('"echo" would lengthen a chain of events beyond 3 hops')],
    ]);
    expect(world.pool.calls).toHaveLength(4);
    await world.expectCountsToHold();
  });

  it("D11: functions that mourn each other's dead come to an end", async () => {
    const world = await EngineUnderTest.start({
      functions: [listener("mourner", "millrace.delivery.dead"), listener("fails", "cry")],
      scripts: { mourner: () => returned({ emits: [{ type: "cry", data: {} }] }), fails: () => threw("no", { fatal: true }) },
      hopLimit: 6,
    });
    await world.emitAndSettle(event("cry"));
    expect(world.pool.calls.length).toBeLessThan(12);
    expect((await world.store.dead({ fn: "mourner", limit: 10 })).length).toBe(1);
  });
});
