import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseInstance } from "./choose.ts";
import { decideScale, type FunctionView, type InstanceView, type ScaleView } from "./scale.ts";

const NOW = 100_000;
let id = 0;

function instance(over: Partial<InstanceView> = {}): InstanceView {
  return { id: ++id, state: "serving", running: 1, idleSinceMs: NOW, ...over };
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
    notBeforeMs: 0,
    instances: [],
    ...over,
  };
}

function decide(functions: readonly FunctionView[], over: Partial<ScaleView> = {}): string[] {
  const { actions } = decideScale({ nowMs: NOW, budgetBytes: 10_000, drainingBytes: 0, functions, ...over });
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
    const decision = decideScale({
      nowMs: NOW,
      budgetBytes: 1e9,
      drainingBytes: 0,
      functions: [fn("f", { instances: [idle(400), idle(900)] })],
    });
    expect(decision).toEqual({ actions: [], wakeAtMs: NOW + 100 });
  });

  it("S6: down to min, the longest idle first", () => {
    const [old, young] = [idle(5000), idle(2000)];
    expect(decide([fn("f", { min: 1, instances: [young, old] })])).toEqual([`retire ${old.id} f`]);
    expect(
      decideScale({ nowMs: NOW, budgetBytes: 1e9, drainingBytes: 0, functions: [fn("f", { min: 1, instances: [idle(5000)] })] }).wakeAtMs,
    ).toBeNull();
  });
});

describe("memory", () => {
  it("S7: idle instances of other functions go first, the longest idle before", () => {
    const [old, young] = [idle(500), idle(100)];
    expect(decide([fn("f", { waiting: 1 }), fn("g", { instances: [young] }), fn("h", { instances: [old] })], { budgetBytes: 200 })).toEqual(
      [`retire ${old.id} h`, "start 1 f"],
    );
  });

  it("S7: what others need or keep as min stays", () => {
    const functions = [fn("f", { waiting: 1, instances: [instance()] }), fn("g", { min: 1, instances: [idle(500)] })];
    expect(decide(functions, { budgetBytes: 200 })).toEqual([]);
  });

  it("S7: what drains is still there", () => {
    expect(decide([fn("f", { waiting: 1, instances: [instance()] })], { budgetBytes: 300, drainingBytes: 200 })).toEqual([]);
  });

  it("S7: one instance may run however small the budget", () => {
    expect(decide([fn("f", { waiting: 9 })], { budgetBytes: 10 })).toEqual(["start 1 f"]);
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

  it("S9: in rounds: nobody takes all", () => {
    expect(decide([fn("f", { waiting: 8 }), fn("g", { waiting: 8 })], { budgetBytes: 400 })).toEqual(["start 2 f", "start 2 g"]);
  });
});

describe("whatever the state", () => {
  const anyInstance: fc.Arbitrary<InstanceView> = fc.record({
    id: fc.integer({ min: 1, max: 1e9 }),
    state: fc.constantFrom("starting", "serving", "retiring"),
    running: fc.integer({ min: 0, max: 3 }),
    idleSinceMs: fc.integer({ min: 0, max: NOW }),
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
    notBeforeMs: fc.constantFrom(0, NOW + 5),
    instances: fc.array(anyInstance, { maxLength: 6 }),
  });

  it("S3, S6, S7: max, min and budget hold, and only what is idle or spareable goes", () => {
    fc.assert(
      fc.property(fc.array(anyFunction, { maxLength: 5 }), fc.integer({ min: 0, max: 3000 }), (functions, budgetBytes) => {
        const { actions, wakeAtMs } = decideScale({ nowMs: NOW, budgetBytes, drainingBytes: 0, functions });
        let usedBytes = 0;
        let startedAny = 0;
        for (const view of functions) {
          const retired = actions.filter((action) => action.kind === "retire" && action.fn === view.fn).length;
          const started = actions.reduce((sum, action) => sum + (action.kind === "start" && action.fn === view.fn ? action.count : 0), 0);
          const live = view.instances.filter(({ state }) => state !== "retiring").length;
          expect(started === 0 || live + started <= view.max).toBe(true);
          expect(retired === 0 || live - retired >= view.min).toBe(true);
          usedBytes += (view.instances.length + started - retired) * view.memoryBytes;
          startedAny += started;
        }
        expect(startedAny <= 1 || usedBytes <= budgetBytes).toBe(true);
        expect(wakeAtMs ?? Infinity).toBeGreaterThan(NOW);
      }),
    );
  });
});

describe("the choice of an instance", () => {
  const at = (running: number, utilisation = 0, accepts = true): { accepts: boolean; running: number; utilisation: number } => ({
    running,
    utilisation,
    accepts,
  });

  it.each([
    ["C1: one at work before an idle one", [at(0), at(3)], 1],
    ["C1: the least loaded of those at work", [at(5), at(3), at(0)], 1],
    ["C1: ties go to the oldest", [at(3), at(3)], 0],
    ["C2: an idle one when those at work are more than half full", [at(9), at(0)], 1],
    ["C2: an idle one when the loop of the other is busy", [at(1, 0.9), at(0)], 1],
    ["C3: the least loaded when none is idle", [at(15), at(12)], 1],
    ["C3: never a full one", [at(16), at(16)], null],
    ["C3: never one that takes no calls", [at(0, 0, false)], null],
  ])("%s", (_, candidates, expected) => {
    expect(chooseInstance(candidates, 16)).toBe(expected === null ? null : candidates[expected]);
  });
});
