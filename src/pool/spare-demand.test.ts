import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideSpares, REFILL_MS, REMEMBERED_MS, SPARE_BYTES, type SpareClassView } from "./spare-demand.ts";

const ROOMY = { nowMs: 100_000, cores: 2, freeBytes: 2 ** 40 };

function wanted(classes: readonly SpareClassView[], over: Partial<typeof ROOMY> = {}): number[] {
  return [...decideSpares({ ...ROOMY, ...over, classes }).wanted.values()];
}

describe("how many spares", () => {
  it("P4: a common class has one though nobody asks, a rare one has one while somebody does", () => {
    expect(wanted([{ key: "common", least: 1, takenMs: [] }])).toEqual([1]);
    expect(wanted([{ key: "rare", least: 0, takenMs: [] }])).toEqual([0]);
    expect(wanted([{ key: "rare", least: 0, takenMs: [99_000] }])).toEqual([1]);
  });

  it("P5: as many as were asked for at once lately; one now and then needs one", () => {
    expect(wanted([{ key: "a", least: 1, takenMs: [95_000, 95_000, 95_100, 95_499] }])).toEqual([4]);
    expect(wanted([{ key: "a", least: 1, takenMs: [91_000, 92_000, 93_000, 94_000] }])).toEqual([1]);
    expect(wanted([{ key: "a", least: 1, takenMs: [95_000, 95_000 + REFILL_MS] }])).toEqual([1]);
  });

  it("P5: a burst is forgotten after its time, and the decision names that time", () => {
    const classes = [{ key: "a", least: 1, takenMs: [95_000, 95_001] }];
    expect(decideSpares({ ...ROOMY, classes }).againMs).toBe(95_000 + REMEMBERED_MS);
    expect(wanted(classes, { nowMs: 95_001 + REMEMBERED_MS })).toEqual([1]);
    expect(decideSpares({ ...ROOMY, nowMs: 95_001 + REMEMBERED_MS, classes }).againMs).toBeNull();
  });

  it("P6: never more than the cores and the free memory bear, and one for each class before a second for any", () => {
    const burst = Array.from({ length: 50 }, () => 99_000);
    const classes = [
      { key: "a", least: 1, takenMs: burst },
      { key: "b", least: 1, takenMs: burst },
    ];
    expect(wanted(classes)).toEqual([7, 1]);
    expect(wanted(classes, { freeBytes: 3 * SPARE_BYTES })).toEqual([2, 1]);
    expect(wanted(classes, { freeBytes: SPARE_BYTES })).toEqual([1, 0]);
    expect(wanted(classes, { freeBytes: -1 })).toEqual([0, 0]);
  });

  it("P6: whatever was asked for, the sum stays within both bounds and nothing is negative", () => {
    const classView = fc.record({
      key: fc.uuid(),
      least: fc.nat(2),
      takenMs: fc.array(fc.nat(100_000), { maxLength: 40 }).map((all) => all.sort((a, b) => a - b)),
    });
    fc.assert(
      fc.property(fc.array(classView, { maxLength: 6 }), fc.nat(16), fc.nat(64), (classes, cores, spares) => {
        const counts = wanted(classes, { cores, freeBytes: spares * SPARE_BYTES });
        expect(Math.min(0, ...counts)).toBe(0);
        expect(counts.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(Math.min(cores * 4, spares));
      }),
    );
  });
});
