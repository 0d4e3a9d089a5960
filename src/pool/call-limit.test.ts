import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type LoopReport, nextLimit } from "./call-limit.ts";

const report = (over: Partial<LoopReport>): LoopReport => ({
  utilisation: 0.1,
  endedPerSecond: 100,
  usedUp: true,
  memoryShare: 0.1,
  ...over,
});

describe("the calls that an instance takes at once", () => {
  it.each<[string, number, Partial<LoopReport>, number]>([
    ["C5: a full loop holds what it does in 50 ms", 12, { utilisation: 1, endedPerSecond: 200 }, 10],
    ["C5: it lets go of a quarter at a time", 100, { utilisation: 1, endedPerSecond: 200 }, 75],
    ["C5: a full loop of long calls has one", 1, { utilisation: 0.95, endedPerSecond: 2 }, 1],
    ["C5: one that ends many short calls holds more", 16, { utilisation: 1, endedPerSecond: 20_000 }, 64],
    ["C6: a loop with time takes four times as many", 16, {}, 64],
    ["C6: one that is half busy a quarter more", 16, { utilisation: 0.6 }, 20],
    ["C6: not where places are free", 16, { usedUp: false }, 16],
    ["C6: never beyond `concurrency`", 900, {}, 1000],
    ["C7: not while half of its memory is used", 16, { memoryShare: 0.5 }, 16],
  ])("%s", (_, before, over, expected) => {
    expect(nextLimit(before, 1000, report(over))).toBe(expected);
  });

  it("C4: is a whole number from 1 to `concurrency`, whatever is told", () => {
    const anyReport = fc.record({
      utilisation: fc.double({ min: -1, max: 2, noNaN: true }),
      endedPerSecond: fc.double({ min: 0, max: 1e6, noNaN: true }),
      usedUp: fc.boolean(),
      memoryShare: fc.double({ min: 0, max: 9, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.array(anyReport, { maxLength: 20 }), (most, reports) => {
        let limit = Math.min(16, most);
        for (const each of reports) {
          limit = nextLimit(limit, most, each);
          expect(Number.isInteger(limit) && limit >= 1 && limit <= most).toBe(true);
        }
      }),
    );
  });

  it("C5, C6: settles: calls of 5 ms in the loop and 100 ms outside of it keep it busy, and do not queue in it", () => {
    let limit = 16;
    for (let i = 0; i < 50; i++) {
      const perSecond = Math.min(190, limit / 0.105);
      limit = nextLimit(limit, 1000, report({ utilisation: Math.min(0.95, perSecond * 0.005), endedPerSecond: perSecond }));
    }
    // 20 keep it full; the time in the loop's queue beyond that is at most that of as many more.
    expect(limit).toBeGreaterThanOrEqual(14);
    expect(limit).toBeLessThanOrEqual(30);
  });
});
