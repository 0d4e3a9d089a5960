import { describe, expect, it } from "vitest";
import { EngineUnderTest, event } from "./testing-support/engine-under-test.ts";
import { listener } from "./testing-support/manifests.ts";
import { eventOf, returned, threw } from "./testing-support/outcomes.ts";

const MINUTE_MS = 60_000;

function idsOf(world: EngineUnderTest): readonly string[] {
  return world.pool.calls.map((call) => eventOf(call).id);
}

describe("time", () => {
  it("D24: one alarm wakes exactly when the earliest is due, for delayed events and for retries", async () => {
    const fixed = { attempts: 2, backoff: "fixed", baseMs: 30_000, factor: 1, maxMs: 30_000, jitter: "none" } as const;
    const at: number[] = [];
    const world = await EngineUnderTest.start({ functions: [listener("f", "order", { retry: fixed })] });
    const beginMs = world.clock.now();
    world.scripts["f"] = (call) => {
      at.push(world.clock.now() - beginMs);
      return call.attempt === 1 ? threw() : returned();
    };
    await world.emit(
      event("order", 2, { id: "late", atMs: beginMs + 2 * MINUTE_MS }),
      event("order", 1, { id: "soon", atMs: beginMs + MINUTE_MS }),
    );
    await world.engine.settled();
    expect(world.clock.nextAlarmMs()).toBe(beginMs + MINUTE_MS);
    await world.advance(10 * MINUTE_MS);
    expect(idsOf(world)).toEqual(["soon", "soon", "late", "late"]);
    expect(at).toEqual([60_000, 90_000, 120_000, 150_000]);
  });

  it("D25: what fell due during downtime goes on at once, in order of its due time, once there is a release", async () => {
    const world = await EngineUnderTest.start({ functions: [listener("f", "order")], scripts: { f: () => returned() } });
    const beginMs = world.clock.now();
    await world.emit(...[3, 1, 2].map((minute) => event("order", minute, { id: `m${minute}`, atMs: beginMs + minute * MINUTE_MS })));
    await world.restart({ meanwhileMs: 10 * MINUTE_MS, loaded: false });
    // The app takes a while to load: nobody to route to until then.
    await world.engine.settled();
    await world.advance(MINUTE_MS);
    expect(idsOf(world)).toEqual([]);
    await world.use(listener("f", "order"));
    await world.engine.settled();
    expect(idsOf(world)).toEqual(["m1", "m2", "m3"]);
  });

  it("D26: a delayed event is routed when it is due, by the release of that moment", async () => {
    const world = await EngineUnderTest.start({
      functions: [listener("sets", "order"), listener("old", "due")],
      scripts: {
        sets: () =>
          returned({
            emits: [
              { type: "due", data: 1, afterMs: MINUTE_MS },
              { type: "due", data: 2, atMs: 0 },
            ],
          }),
        old: () => returned(),
        new: () => returned(),
      },
    });
    await world.emitAndSettle(event("order"));
    expect(world.pool.calls.map(({ fn }) => fn)).toEqual(["sets", "old"]);
    expect(await world.store.events({ type: "due", limit: 10 })).toHaveLength(1);
    await world.use(listener("sets", "order"), listener("new", "due"));
    await world.advance(MINUTE_MS);
    expect(world.pool.calls.map(({ fn }) => fn)).toEqual(["sets", "old", "new"]);
  });

  it("D26: delayed events that share names stay apart: none of them replaces another", async () => {
    const world = await EngineUnderTest.start({
      functions: [listener("sets", "order"), listener("f", "due")],
      scripts: {
        sets: () =>
          returned({
            emits: [
              { type: "due", id: "same", data: 1, afterMs: 1000 },
              { type: "due", id: "same", data: 1, afterMs: 1000 },
            ],
          }),
        f: () => returned(),
      },
    });
    const atMs = world.clock.now() + 1000;
    await world.emit(
      event("due", 1, { source: "/a", id: "b/c", atMs }),
      event("due", 1, { source: "/a/b", id: "c", atMs }),
      event("order"),
    );
    await world.emit(event("due", "one", { id: "reused", atMs }), event("due", "other", { id: "reused", atMs }));
    await world.advance(MINUTE_MS);
    expect(idsOf(world).slice(1).sort()).toEqual(["b/c", "c", "reused", "reused", "same", "same"]);
  });

  it("D26: a delayed event that is sent again happens once, before it was due and after", async () => {
    const world = await EngineUnderTest.start({ functions: [listener("f", "due")], scripts: { f: () => returned() } });
    const send = () => world.emit(event("due", 1, { id: "once", atMs: world.clock.now() + 1000 }));
    await send();
    await send();
    await world.advance(MINUTE_MS);
    await send();
    await world.advance(MINUTE_MS);
    await world.emitAndSettle(event("due", 1, { id: "once" }));
    expect(idsOf(world)).toEqual(["once"]);
    await world.expectCountsToHold();
  });

  it("D24: kinds of timers that nobody here knows stay, and keep no other from firing", async () => {
    const world = await EngineUnderTest.start({ functions: [listener("f", "due")], scripts: { f: () => returned() } });
    const nowMs = world.clock.now();
    const timers = Array.from({ length: 450 }, (_, i) => ({
      name: `new/${i}`,
      kind: "newer",
      partition: 0,
      dueMs: nowMs + i,
      payload: "",
    }));
    await world.store.commit({ id: "newer", nowMs, timers });
    await world.emit(event("due", 1, { id: "behind", atMs: nowMs + 1000 }));
    await world.advance(MINUTE_MS);
    expect(idsOf(world)).toEqual(["behind"]);
    expect(await world.store.timers("newer")).toHaveLength(450);
  });

  it("D22, D24: a timer that the store could not fire fires later", async () => {
    const world = await EngineUnderTest.start({ functions: [listener("f", "due")], scripts: { f: () => returned() } });
    await world.emit(event("due", 1, { id: "kept", atMs: world.clock.now() + 1000 }));
    world.store.failing = "commits";
    await world.advance(2000);
    expect(world.store.failedCommits).toBeGreaterThan(0);
    world.store.failing = "nothing";
    await world.advance(1000);
    expect(idsOf(world)).toEqual(["kept"]);
    expect(world.logs[0]?.text).toContain("no space left");
  });
});
