import * as fc from "fast-check";
import { expect, it } from "vitest";
import { CallbackDeadline, Deadlines } from "./deadlines.ts";

it("T1: whatever is set and cleared, each fires once, never early and at most one slot late", () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("set" as const), which: fc.nat(9), inMs: fc.integer({ min: 0, max: 60_000 }) }),
    fc.record({ do: fc.constant("clear" as const), which: fc.nat(9) }),
    fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 40_000 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let nowMs = 12_345;
      const deadlines = new Deadlines(() => nowMs);
      const due = new Map<number, number>();
      const early: number[] = [];
      const late: number[] = [];
      const all = Array.from(
        { length: 10 },
        (_, which) =>
          new CallbackDeadline(() => {
            if ((due.get(which) ?? Infinity) > nowMs) early.push(which);
            due.delete(which);
          }),
      );
      for (const each of steps) {
        if (each.do === "pass") {
          // In steps no longer than a slot, as the timer turns it.
          for (let left = each.ms; left > 0; left -= 50) {
            nowMs += Math.min(50, left);
            deadlines.turn();
            for (const [which, dueAtMs] of due) if (nowMs - dueAtMs >= 100) late.push(which);
          }
          continue;
        }
        const deadline = all[each.which];
        if (deadline === undefined) continue;
        if (each.do === "set") {
          due.set(each.which, nowMs + each.inMs);
          deadlines.set(deadline, nowMs + each.inMs);
        } else {
          due.delete(each.which);
          deadlines.clear(deadline);
        }
      }
      expect({ early, late }).toEqual({ early: [], late: [] });
      for (const deadline of all) deadlines.clear(deadline);
      deadlines.turn();
    }),
    { numRuns: 50 },
  );
});

it("T1: after a long stall everything that was due fires", () => {
  let nowMs = 0;
  const deadlines = new Deadlines(() => nowMs);
  const fired: number[] = [];
  for (const atMs of [10, 30_000, 70_000, 200_000]) deadlines.set(new CallbackDeadline(() => fired.push(atMs)), atMs);
  nowMs = 100_000;
  deadlines.turn();
  expect(fired.sort((a, b) => a - b)).toEqual([10, 30_000, 70_000]);
});

it("T1: the timer fires by itself", async () => {
  const deadlines = new Deadlines();
  const startedMs = performance.now();
  // The timer does not keep a process alive; this one does until it has fired.
  const keep = setInterval(() => {}, 1000);
  await new Promise<void>((resolve) => deadlines.set(new CallbackDeadline(resolve), startedMs + 20));
  clearInterval(keep);
  expect(performance.now()).toBeGreaterThanOrEqual(startedMs + 20);
});
