import { describe, expect, it } from "vitest";
import { EngineUnderTest, event } from "./testing-support/engine-under-test.ts";
import { functionOf, listener } from "./testing-support/manifests.ts";
import { eventOf, returned } from "./testing-support/outcomes.ts";

const schema = { type: "object", properties: { qty: { type: "number" } }, required: ["qty"] };
const typed = [{ type: "order", entry: "x.js", jsonSchema: schema, vendor: "zod" }];

describe("events from outside", () => {
  it("S16: one that comes again is a duplicate and wakes nobody twice, in one batch and in the next", async () => {
    const world = await EngineUnderTest.start({ functions: [listener("f", "order")], scripts: { f: () => returned() } });
    const [one, two] = [event("order", 1), event("order", 2)];
    expect((await world.emit(one, two, one)).map(({ duplicate }) => duplicate)).toEqual([false, false, true]);
    const [first] = await world.emit(two);
    expect(first).toMatchObject({ duplicate: true });
    await world.engine.settled();
    expect(world.pool.calls).toHaveLength(2);
    await world.expectCountsToHold();
  });

  it("S17: an id used for other content refuses the batch whole, and names each by its place among all of them", async () => {
    const world = await EngineUnderTest.start({ functions: [listener("f", "order")], scripts: { f: () => returned() } });
    await world.emitAndSettle(event("order", 1, { id: "a" }), event("order", 1, { id: "b" }));
    const result = await world.engine.ingest([
      event("order", 9, { id: "later", atMs: world.clock.now() + 1000 }),
      event("order", 9, { id: "fresh" }),
      event("order", 9, { id: "a" }),
      event("order", 9, { id: "b" }),
    ]);
    expect(result).toMatchObject({
      kind: "refused",
      error: {
        code: "duplicate_id",
        status: 409,
        details: [
          { index: 2, id: "a" },
          { index: 3, id: "b" },
        ],
      },
    });
    await world.advance(2000);
    expect(world.pool.calls.map((call) => eventOf(call).id)).toEqual(["a", "b"]);
  });

  it("data that does not fit its schema refuses the batch whole, with the schema's words and the places", async () => {
    const refused: string[] = [];
    const world = await EngineUnderTest.start({
      functions: [listener("f", "order")],
      events: typed,
      scripts: { f: () => returned() },
      observer: { refused: (door, code) => refused.push(`${door} ${code}`) },
    });
    const result = await world.engine.ingest([event("order", { qty: 1 }), event("order", { qty: "two" }), event("order", {})]);
    expect(result).toMatchObject({
      kind: "refused",
      error: { code: "schema_mismatch", status: 400, details: [{ index: 1 }, { index: 2 }] },
    });
    if (result.kind === "refused") expect(result.error.message).toMatch(/^event 1: data does not fit the schema of "order": .*qty.*number/);
    expect(refused).toEqual(["events schema_mismatch"]);
    expect(await world.store.events({ limit: 10 })).toEqual([]);
    await world.emitAndSettle(event("order", { qty: 1 }));
    expect(world.pool.calls.map((call) => call.kind === "event" && call.checkSchema)).toEqual([true]);
  });

  it("D22: while the store fails nothing is taken, and the door says what is wrong", async () => {
    const world = await EngineUnderTest.start({ functions: [listener("f", "order")], scripts: { f: () => returned() } });
    world.store.failing = "commits";
    expect(await world.engine.ingest([event("order")])).toMatchObject({ kind: "refused", error: { code: "disk_full", status: 503 } });
    world.store.failing = "nothing";
    await world.emitAndSettle(event("order"));
    expect(world.pool.calls).toHaveLength(1);
  });

  it("D28: settled() waits for what is on its way in", async () => {
    const world = await EngineUnderTest.start({ functions: [listener("f", "order"), functionOf("g")], scripts: { f: () => returned() } });
    void world.engine.ingest([event("order")]);
    await world.engine.settled();
    expect(world.pool.calls).toHaveLength(1);
    expect(world.engine.stats()).toMatchObject({ waiting: 0, running: 0 });
  });
});
