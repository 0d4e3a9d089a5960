import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IntervalTree } from "./interval-tree.ts";

const bound = fc.constantFrom(-Infinity, -1, 0, 0.5, 1, 2, 3, Infinity);
const range = fc.tuple(bound, bound);

describe("interval tree", () => {
  it("P26: finds the ranges that hold a number, as looking at each does, while they come and go", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), range), { maxLength: 60 }),
        fc.oneof(bound, fc.double({ noNaN: true, min: -4, max: 4 })),
        (steps, at) => {
          const tree = new IntervalTree<string>();
          const model = new Map<string, readonly [number, number]>();
          for (const [isAdded, [low, high]] of steps) {
            const name = `${low} to ${high}`;
            if (isAdded) {
              tree.set(low, high, name);
              model.set(name, [low, high]);
            } else {
              tree.delete(low, high);
              model.delete(name);
            }
            expect(tree.get(low, high)).toBe(isAdded ? name : undefined);
          }
          const found: string[] = [];
          tree.stab(at, (name) => found.push(name));
          const expected = [...model].filter(([, [low, high]]) => low <= at && at <= high).map(([name]) => name);
          expect(found.sort()).toEqual(expected.sort());
          expect(tree.size).toBe(model.size);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("P43: is no deeper than a balanced tree, in whatever order ranges come", () => {
    const tree = new IntervalTree<number>();
    for (let i = 0; i < 100_000; i++) tree.set(i, i, i);
    let calls = 0;
    tree.stab(50_000, () => calls++);
    expect(calls).toBe(1);
    for (let i = 0; i < 100_000; i += 2) tree.delete(i, i);
    expect(tree.size).toBe(50_000);
  });
});
