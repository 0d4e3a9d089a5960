import { describe, expect, it } from "vitest";
import { EngineUnderTest, event } from "./testing-support/engine-under-test.ts";
import { functionOf, listener } from "./testing-support/manifests.ts";
import { eventOf, notRun, returned, setNumber, threw } from "./testing-support/outcomes.ts";

const once = { attempts: 1, backoff: "fixed", baseMs: 1000, factor: 1, maxMs: 1000, jitter: "none" } as const;
const byKey = { kind: "path", path: ["data", "key"] } as const;

describe("invoke", () => {
  it("D27: wakes one function alone, with an event like those that usually do, and tells what came of it", async () => {
    const outcomes = [returned(), threw("once"), returned(), threw("never", { fatal: true })];
    const world = await EngineUnderTest.start({
      functions: [listener("f", "order"), listener("g", "order"), functionOf("bare")],
      scripts: { f: () => outcomes.shift() ?? returned(), bare: () => returned() },
    });
    expect(await world.engine.invoke("f", { n: 1 })).toMatchObject({ kind: "done", delivery: expect.any(Number) });
    expect(await world.engine.invoke("f", { n: 2 })).toMatchObject({
      kind: "retrying",
      error: { message: "once" },
      dueMs: expect.any(Number),
    });
    await world.advance(10_000);
    expect(await world.engine.invoke("f", { n: 3 })).toMatchObject({ kind: "dead", error: { message: "never" } });
    await world.engine.invoke("bare", undefined);
    expect(world.pool.calls.map((call) => `${call.fn} ${eventOf(call).type}`)).toEqual([
      ...Array.from({ length: 4 }, () => "f order"),
      "bare millrace.invoke",
    ]);
    await expect(world.engine.invoke("nobody", 1)).rejects.toMatchObject({ code: "not_found", cure: "There are: f, g, bare." });
  });

  it("D27: refuses what does not fit the schema or cannot be kept, and says when the store fails", async () => {
    const world = await EngineUnderTest.start({
      functions: [listener("f", "order"), functionOf("bare")],
      events: [{ type: "order", entry: "x.js", jsonSchema: { type: "number" }, vendor: "zod" }],
      scripts: { f: () => returned(), bare: () => returned() },
    });
    await expect(world.engine.invoke("f", "no number")).rejects.toMatchObject({ code: "schema_mismatch" });
    let deep: unknown = 1;
    for (let depth = 0; depth < 5000; depth++) deep = [deep];
    await expect(world.engine.invoke("bare", deep)).rejects.toMatchObject({ code: "bad_event" });
    world.store.failing = "commits";
    await expect(world.engine.invoke("f", 1)).rejects.toMatchObject({ code: "disk_full" });
    world.store.failing = "nothing";
    expect(await world.engine.invoke("f", 1)).toMatchObject({ kind: "done" });
    expect(world.pool.calls).toHaveLength(1);
  });

  it("D21, D27: does not wait for a function that cannot be loaded, and the event is delivered when it can", async () => {
    const world = await EngineUnderTest.start({ functions: [listener("f", "order")], scripts: { f: () => notRun("load-failed") } });
    await expect(world.engine.invoke("f", 1)).rejects.toMatchObject({ code: "load_failed" });
    world.scripts["f"] = () => returned({ kv: [setNumber("n", 1)] });
    await world.use(listener("f", "order"));
    await world.engine.settled();
    expect(await world.number("n")).toBe(1);
  });

  it("D27: ends with the node: whoever waits for a delivery behind a held key is told", async () => {
    const world = await EngineUnderTest.start({
      functions: [listener("f", "order", { key: byKey, onDead: "hold", retry: once })],
      scripts: { f: () => threw() },
    });
    await world.emitAndSettle(event("order", { key: "k" }));
    const told = world.engine.invoke("f", { key: "k" }).catch((error: unknown) => error);
    await world.engine.settled();
    await world.engine.stop();
    expect(await told).toMatchObject({ code: "stopping" });
    await expect(world.engine.invoke("f", 1)).rejects.toMatchObject({ code: "stopping" });
  });
});

describe("dead deliveries", () => {
  async function withDead(): Promise<{ world: EngineUnderTest; seqs: readonly number[] }> {
    const world = await EngineUnderTest.start({
      functions: [listener("f", "a*", { retry: once }), listener("g", "*", { retry: once })],
      scripts: { f: () => threw("f"), g: () => threw("g") },
    });
    await world.emitAndSettle(event("a1"), event("a2"), event("b"));
    expect(world.engine.stats()).toMatchObject({ waiting: 0, dead: 5 });
    world.scripts["f"] = world.scripts["g"] = () => returned();
    return { world, seqs: (await world.store.dead({ limit: 10 })).map(({ seq }) => seq) };
  }

  it("D5: redriven one by one, by filter and all, they run again from their first attempt, and the counts are right at once", async () => {
    const { world, seqs } = await withDead();
    const upTo = Number.MAX_SAFE_INTEGER;
    expect(await world.engine.redrive({ seqs: seqs.slice(0, 1) }, 10)).toBe(1);
    expect(world.engine.stats()).toMatchObject({ dead: 4 });
    await world.engine.settled();
    await world.expectCountsToHold();
    expect(await world.engine.redrive({ type: "b", upTo }, 10)).toBe(1);
    expect(await world.engine.redrive({ fn: "f", upTo }, 10)).toBe(1);
    expect(await world.engine.redrive({ upTo }, 10)).toBe(2);
    expect(await world.engine.redrive({ upTo }, 10)).toBe(0);
    await world.engine.settled();
    expect(world.engine.stats()).toMatchObject({ waiting: 0, dead: 0 });
    expect(world.pool.calls.slice(5).map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1, 1]);
    await world.expectCountsToHold();
  });

  it("D5: purged they are gone, and the counts are right at once", async () => {
    const { world, seqs } = await withDead();
    const upTo = Number.MAX_SAFE_INTEGER;
    expect(await world.engine.purge({ seqs: seqs.slice(0, 1) }, 10)).toBe(1);
    expect(await world.engine.purge({ fn: "g", upTo }, 2)).toBe(2);
    expect(world.engine.stats()).toMatchObject({ waiting: 0, dead: 2 });
    expect(await world.engine.purge({ upTo }, 10)).toBe(2);
    await world.engine.settled();
    expect(world.engine.stats()).toMatchObject({ waiting: 0, dead: 0 });
    expect(world.pool.calls).toHaveLength(5);
  });

  it("D5: redriving while the function is busy neither loses nor doubles a count", async () => {
    const world = await EngineUnderTest.start({
      functions: [listener("f", "order", { retry: once })],
      scripts: { f: (call) => (eventOf<{ bad: boolean }>(call).data?.bad === true && call.attempt === 1 ? threw() : returned()) },
    });
    let redriven = 0;
    for (let round = 0; round < 15 || redriven === 0; round++) {
      const events = Array.from({ length: 20 }, (_, i) => event("order", { bad: i % 4 === 0 }));
      const [, count] = await Promise.all([world.emit(...events), world.engine.redrive({ upTo: Number.MAX_SAFE_INTEGER }, 3)]);
      redriven += count;
    }
    await world.engine.settled();
    expect(redriven).toBeGreaterThan(0);
    await world.expectCountsToHold();
  });

  it("D6: a held delivery blocks its key until it is redriven or purged", async () => {
    const world = await EngineUnderTest.start({
      functions: [listener("f", "order", { key: byKey, onDead: "hold", retry: once })],
      scripts: { f: (call) => (eventOf(call).id.startsWith("bad") ? threw() : returned()) },
    });
    const ids = () => world.pool.calls.map((call) => eventOf(call).id);
    await world.emitAndSettle(event("order", { key: "k" }, { id: "bad-1" }), event("order", { key: "k" }, { id: "good-1" }));
    await world.emitAndSettle(event("order", { key: "other" }, { id: "good-2" }));
    expect(ids()).toEqual(["bad-1", "good-2"]);
    const [held] = await world.store.dead({ limit: 1 });
    await world.engine.redrive({ seqs: [held?.seq ?? 0] }, 1);
    await world.engine.settled();
    expect(ids()).toEqual(["bad-1", "good-2", "bad-1"]);
    await world.engine.purge({ seqs: [held?.seq ?? 0] }, 1);
    await world.engine.settled();
    expect(ids()).toEqual(["bad-1", "good-2", "bad-1", "good-1"]);
    await world.expectCountsToHold();
  });

  it("D23: dead deliveries of a function that is gone can be redriven: they wait for it", async () => {
    const { world } = await withDead();
    await world.use();
    expect(await world.engine.redrive({ fn: "f", upTo: Number.MAX_SAFE_INTEGER }, 10)).toBe(2);
    await world.engine.settled();
    expect(world.engine.stats().functions).toContainEqual({ fn: "f", exists: false, waiting: 2, parked: 0, running: 0, dead: 0 });
    await world.use(listener("f", "a*"));
    await world.engine.settled();
    expect(world.pool.callsOf("f")).toHaveLength(4);
  });
});
