import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Candidate, chooseInstance } from "./choose.ts";
import { decideScale, type FunctionView, type InstanceView, PATIENCE_MS, type ScaleView, STAY_MS, TURN_MS } from "./scale.ts";

const NOW = 100_000;
let id = 0;

function instance(over: Partial<InstanceView> = {}): InstanceView {
  return {
    id: ++id,
    state: "serving",
    running: 1,
    utilisation: 0.1,
    peakUtilisation: over.utilisation ?? 0.1,
    idleSinceMs: NOW,
    givenMs: 0,
    ...over,
  };
}

function fn(name: string, over: Partial<FunctionView> = {}): FunctionView {
  return {
    fn: name,
    memoryBytes: 100,
    min: 0,
    max: 4,
    idleMs: 1000,
    perInstance: 2,
    waiting: 0,
    waitingAlone: 0,
    waitingSinceMs: (over.waiting ?? 0) + (over.waitingAlone ?? 0) > 0 ? NOW - 50 : null,
    lastHadMs: 0,
    notBeforeMs: 0,
    instances: [],
    ...over,
  };
}

function view(functions: readonly FunctionView[], over: Partial<ScaleView> = {}): ScaleView {
  return { nowMs: NOW, budgetBytes: 10_000, cores: 8, drainingBytes: 0, functions, ...over };
}

function decide(functions: readonly FunctionView[], over: Partial<ScaleView> = {}): string[] {
  const { actions } = decideScale(view(functions, over));
  return actions.map((action) =>
    action.kind === "start" ? `start ${action.count} ${action.fn}` : `retire ${action.instance} ${action.fn}`,
  );
}

const starting = { state: "starting", running: 0 } as const;
const idle = (forMs: number): InstanceView => instance({ running: 0, idleSinceMs: NOW - forMs });

describe("scaling out", () => {
  it.each<[string, Partial<FunctionView>, string[]]>([
    ["S1: nothing waits, nothing starts", {}, []],
    ["S1: one call at zero", { waiting: 1 }, ["start 1 f"]],
    ["S1: as many as the waiting calls fill", { waiting: 5 }, ["start 3 f"]],
    ["S2: those that are starting count", { waiting: 5, instances: [instance(starting), instance(starting)] }, ["start 1 f"]],
    ["S2: enough are starting", { waiting: 4, instances: [instance(starting), instance(starting)] }, []],
    ["S3: never beyond max", { waiting: 100, instances: [instance(), instance(), instance()] }, ["start 1 f"]],
    ["S3: at max", { waiting: 100, max: 1, instances: [instance()] }, []],
    ["S3: one that retires is no longer counted", { waiting: 1, max: 1, instances: [instance({ state: "retiring" })] }, ["start 1 f"]],
    ["S4: min without a call", { min: 2 }, ["start 2 f"]],
    ["S4: not before the back-off ends", { min: 2, waiting: 3, notBeforeMs: NOW + 1 }, []],
    ["S1: each call that wants to be alone needs one", { waitingAlone: 2, waiting: 1 }, ["start 3 f"]],
  ])("%s", (_, over, expected) => {
    expect(decide([fn("f", over)])).toEqual(expected);
  });
});

describe("scaling in", () => {
  it("S5: idle for its time, to zero", () => {
    const gone = idle(1000);
    expect(decide([fn("f", { instances: [gone, instance()] })])).toEqual([`retire ${gone.id} f`]);
  });

  it("S5: not yet: then it says when", () => {
    const decision = decideScale(view([fn("f", { instances: [idle(400), idle(900)] })]));
    expect(decision).toEqual({ actions: [], wakeAtMs: NOW + 100 });
  });

  it("S6: down to min, the longest idle first", () => {
    const [old, young] = [idle(5000), idle(2000)];
    expect(decide([fn("f", { min: 1, instances: [young, old] })])).toEqual([`retire ${old.id} f`]);
    expect(decideScale(view([fn("f", { min: 1, instances: [idle(5000)] })])).wakeAtMs).toBeNull();
  });
});

describe("patience", () => {
  const short = { waiting: 1, waitingSinceMs: NOW - PATIENCE_MS + 5 };

  it("S10: a call that has just come waits a little for those at work", () => {
    const decision = decideScale(view([fn("f", { ...short, instances: [instance()] })]));
    expect(decision).toEqual({ actions: [], wakeAtMs: NOW + 5 });
    expect(decide([fn("f", { waiting: 1, waitingSinceMs: NOW - PATIENCE_MS, instances: [instance()] })])).toEqual(["start 1 f"]);
  });

  it("S10: not where nothing is at work", () => {
    expect(decide([fn("f", short)])).toEqual(["start 1 f"]);
    expect(decide([fn("f", { ...short, waiting: 3, instances: [instance(starting)] })])).toEqual(["start 1 f"]);
  });
});

describe("cores", () => {
  const full = (): InstanceView => instance({ running: 2, utilisation: 1 });
  const busy = (): InstanceView => instance({ running: 2, utilisation: 0.75 });
  const swinging = (): InstanceView => instance({ running: 2, utilisation: 0.6, peakUtilisation: 0.9 });
  const unknown = (): InstanceView => instance({ running: 2, utilisation: null });
  const waiting = { waiting: 50, max: 9 };

  it.each<[string, Partial<FunctionView>, string[]]>([
    ["S11: of a function that nothing is known of, as many as there are cores", waiting, ["start 2 f"]],
    ["S11: full loops fill the cores", { ...waiting, instances: [full(), full()] }, []],
    ["S11: those that may be full count too", { ...waiting, instances: [unknown(), full()] }, []],
    ["S11: so would two that are three quarters busy, with a third like them", { ...waiting, instances: [busy(), busy()] }, []],
    ["S11: one more is taken to be as busy as they have been of late", { ...waiting, instances: [swinging(), swinging()] }, []],
    [
      "S11: loops with time leave room for one more, and starts take a core each",
      { ...waiting, instances: [instance(), instance(), instance()] },
      ["start 2 f"],
    ],
    ["S11: idle ones take none", { ...waiting, instances: [idle(5)] }, ["start 2 f"]],
    [
      "S11: one that starts does, and one that retires at work",
      { ...waiting, instances: [instance(starting), { ...full(), state: "retiring" }] },
      [],
    ],
    ["S11: `min` is kept whatever the cores do", { min: 4, instances: [full(), full()] }, ["start 2 f"]],
  ])("%s", (_, over, expected) => {
    expect(decide([fn("f", over)], { cores: 2 })).toEqual(expected);
  });

  it("S11: however busy the others are, who has nothing gets one", () => {
    const hot = fn("hot", { ...waiting, instances: [full(), full()] });
    expect(decide([hot, fn("f", waiting)], { cores: 2 })).toEqual(["start 1 f"]);
  });

  it("S16: while calls wait in vain it is decided again", () => {
    expect(decideScale(view([fn("f", { ...waiting, instances: [full(), full()] })], { cores: 2 })).wakeAtMs).toBe(NOW + 100);
  });
});

describe("memory", () => {
  it("S7: idle instances of other functions go first, the longest idle before, and nothing starts until they are gone", () => {
    const [old, young] = [idle(500), idle(100)];
    const functions = [fn("f", { waiting: 1 }), fn("g", { instances: [young] }), fn("h", { instances: [old] })];
    expect(decide(functions, { budgetBytes: 200 })).toEqual([`retire ${old.id} h`]);
    const [f, g, h] = functions;
    const leaving = [f, g, { ...h, instances: [{ ...old, state: "retiring" }] }] as FunctionView[];
    expect(decide(leaving, { budgetBytes: 200 })).toEqual([]);
    expect(decide([f, g, { ...h, instances: [] }] as FunctionView[], { budgetBytes: 200 })).toEqual(["start 1 f"]);
  });

  it("S7: what others need or keep as min stays", () => {
    const functions = [fn("f", { waiting: 1, instances: [instance()] }), fn("g", { min: 1, instances: [idle(500)] })];
    expect(decide(functions, { budgetBytes: 200 })).toEqual([]);
  });

  it("S7: what drains is still there", () => {
    expect(decide([fn("f", { waiting: 1, instances: [instance()] })], { budgetBytes: 300, drainingBytes: 200 })).toEqual([]);
  });

  it("S7: one instance may run alone however small the budget", () => {
    expect(decide([fn("f", { waiting: 9 })], { budgetBytes: 10 })).toEqual(["start 1 f"]);
    expect(
      decide([fn("f", { waiting: 9 }), fn("g", { waiting: 9, instances: [instance({ givenMs: NOW })] })], { budgetBytes: 10 }),
    ).toEqual([]);
  });

  it("S8: for a function that has none, the one with most gives one up, once", () => {
    const most = [instance({ running: 2 }), instance({ running: 1 }), instance({ running: 2 })];
    const functions = [fn("f", { waiting: 1 }), fn("g", { instances: [instance()] }), fn("h", { waiting: 9, instances: most })];
    expect(decide(functions, { budgetBytes: 400 })).toEqual([`retire ${most[1]?.id} h`]);
    const [first, second, third] = most;
    const leaving = [first, instance({ ...second, state: "retiring" }), third].filter((each) => each !== undefined);
    expect(
      decide([fn("f", { waiting: 1 }), fn("g", { instances: [instance()] }), fn("h", { instances: leaving })], { budgetBytes: 400 }),
    ).toEqual([]);
  });

  it("S8: who has less is brought level, and no further", () => {
    const three = Array.from({ length: 3 }, () => instance({ running: 2 }));
    const hot = fn("hot", { waiting: 9, instances: three });
    expect(decide([fn("f", { waiting: 9, instances: [instance()] }), hot], { budgetBytes: 400 })).toEqual([`retire ${three[0]?.id} hot`]);
    expect(decide([fn("f", { waiting: 9, instances: [instance(), instance()] }), hot], { budgetBytes: 500 })).toEqual([]);
  });

  it("S9: in rounds: nobody takes all", () => {
    expect(decide([fn("f", { waiting: 8 }), fn("g", { waiting: 8 })], { budgetBytes: 400 })).toEqual(["start 2 f", "start 2 g"]);
  });

  it("S9: who holds least is first, of equals who has been without for longest", () => {
    const functions = [
      fn("f", { waiting: 8, instances: [instance({ givenMs: NOW })] }),
      fn("g", { waiting: 8, waitingSinceMs: 0, lastHadMs: NOW - 1000 }),
      fn("h", { waiting: 8, lastHadMs: NOW - 2000 }),
    ];
    expect(decide(functions, { budgetBytes: 200 })).toEqual(["start 1 h"]);
  });

  it("S12: what was given a moment ago stays", () => {
    const fresh = { ...idle(0), givenMs: NOW - STAY_MS + 1 };
    expect(decideScale(view([fn("f", { waiting: 1 }), fn("g", { instances: [fresh] })], { budgetBytes: 100 }))).toEqual({
      actions: [],
      wakeAtMs: NOW + 100,
    });
  });

  it("S12: who has one already takes another only from who has not used it for a second", () => {
    const [unused, used] = [idle(STAY_MS), idle(STAY_MS - 1)];
    const wanting = fn("f", { waiting: 1, instances: [instance()] });
    expect(decide([wanting, fn("g", { idleMs: 5000, instances: [used] })], { budgetBytes: 200 })).toEqual([]);
    expect(decide([wanting, fn("g", { idleMs: 5000, instances: [unused] })], { budgetBytes: 200 })).toEqual([`retire ${unused.id} g`]);
  });

  it("S13: where there are fewer places than functions, they take turns", () => {
    const [had, having] = [instance({ givenMs: NOW - TURN_MS }), instance({ givenMs: NOW - TURN_MS + 1 })];
    const functions = [fn("f", { waiting: 1 }), fn("g", { waiting: 9, instances: [having] }), fn("h", { waiting: 9, instances: [had] })];
    expect(decide(functions, { budgetBytes: 200 })).toEqual([`retire ${had.id} h`]);
    expect(decide([fn("f", { waiting: 1 }), fn("h", { min: 1, instances: [had] })], { budgetBytes: 100 })).toEqual([]);
  });

  it("S14: what was made free for who has nothing is not given to another meanwhile", () => {
    const big = fn("big", { waiting: 1, memoryBytes: 300 });
    const hot = fn("hot", { waiting: 9, instances: [instance(), instance({ state: "retiring" })] });
    expect(decide([hot, big], { budgetBytes: 400 })).toEqual([]);
  });

  it("S15: nobody gives up a place that is not enough", () => {
    const big = fn("big", { waiting: 1, memoryBytes: 300, instances: [instance()] });
    expect(
      decide([big, fn("g", { instances: [idle(STAY_MS - 1)], idleMs: 5000 }), fn("h", { idleMs: 5000, instances: [idle(2000)] })], {
        budgetBytes: 500,
      }),
    ).toEqual([]);
  });
});

describe("whatever the state", () => {
  const anyInstance: fc.Arbitrary<InstanceView> = fc.record({
    id: fc.integer({ min: 1, max: 1e9 }),
    state: fc.constantFrom("starting", "serving", "retiring"),
    running: fc.integer({ min: 0, max: 3 }),
    utilisation: fc.constantFrom(null, 0, 0.5, 1),
    peakUtilisation: fc.constantFrom(0, 0.5, 1),
    idleSinceMs: fc.integer({ min: 0, max: NOW }),
    givenMs: fc.integer({ min: NOW - 3000, max: NOW }),
  });
  const anyFunction: fc.Arbitrary<FunctionView> = fc.record({
    fn: fc.uuid(),
    memoryBytes: fc.integer({ min: 1, max: 500 }),
    min: fc.integer({ min: 0, max: 2 }),
    max: fc.integer({ min: 2, max: 6 }),
    idleMs: fc.integer({ min: 0, max: 5000 }),
    perInstance: fc.integer({ min: 1, max: 16 }),
    waiting: fc.integer({ min: 0, max: 50 }),
    waitingAlone: fc.integer({ min: 0, max: 2 }),
    waitingSinceMs: fc.integer({ min: NOW - 10_000, max: NOW }),
    lastHadMs: fc.integer({ min: 0, max: NOW }),
    notBeforeMs: fc.constantFrom(0, NOW + 5),
    instances: fc.array(anyInstance, { maxLength: 6 }),
  });

  it("S3, S6, S7: max, min and budget hold, and only what is idle or spareable goes", () => {
    fc.assert(
      fc.property(fc.array(anyFunction, { maxLength: 5 }), fc.integer({ min: 0, max: 3000 }), (functions, budgetBytes) => {
        const { actions, wakeAtMs } = decideScale(view(functions, { budgetBytes, cores: 2 }));
        let usedBytes = 0;
        let startedAny = 0;
        for (const view of functions) {
          const retired = actions.filter((action) => action.kind === "retire" && action.fn === view.fn).length;
          const started = actions.reduce((sum, action) => sum + (action.kind === "start" && action.fn === view.fn ? action.count : 0), 0);
          const live = view.instances.filter(({ state }) => state !== "retiring").length;
          expect(started === 0 || live + started <= view.max).toBe(true);
          expect(retired === 0 || live - retired >= view.min).toBe(true);
          usedBytes += (view.instances.length + started) * view.memoryBytes;
          startedAny += started;
        }
        expect(startedAny <= 1 || usedBytes <= budgetBytes).toBe(true);
        expect(wakeAtMs ?? Infinity).toBeGreaterThan(NOW);
      }),
    );
  });
});

describe("the choice of an instance", () => {
  const at = (running: number, utilisation: number | null = 0, accepts = true): Candidate => ({
    running,
    utilisation,
    accepts,
    callLimit: 16,
  });

  it.each([
    ["C1: one at work before an idle one", [at(0), at(3)], 1],
    ["C1: the least loaded of those at work", [at(5), at(3), at(0)], 1],
    ["C1: ties go to the oldest", [at(3), at(3)], 0],
    ["C1: a loop that nothing is known of yet has time", [at(0), at(3, null)], 1],
    ["C2: an idle one when those at work are more than half full", [at(9), at(0)], 1],
    ["C2: an idle one when the loop of the other is busy", [at(1, 0.9), at(0)], 1],
    ["C3: the least loaded when none is idle", [at(15), at(12)], 1],
    ["C3: never a full one", [at(16), at(16)], null],
    ["C3: what is full, each says itself", [{ ...at(3), callLimit: 3 }, at(12)], 1],
    ["C3: never one that takes no calls", [at(0, 0, false)], null],
  ])("%s", (_, candidates, expected) => {
    expect(chooseInstance(candidates)).toBe(expected === null ? null : candidates[expected]);
  });
});
