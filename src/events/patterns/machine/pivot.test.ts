import { describe, expect, it } from "vitest";
import { compileCondition } from "../condition.ts";
import type { Alternative } from "../pattern.ts";
import { Field } from "./field.ts";
import { PathNode } from "./path-node.ts";
import { pivotOf } from "./pivot.ts";

const field = new Field(new PathNode(null, "f"));

/** Which of these conditions a branch hangs on, given how many hang on each already. */
function chosen(...conditions: readonly (readonly [alternatives: readonly Alternative[], count: number])[]): number {
  const shared = conditions.map(([alternatives, count]) => Object.assign(field.share(compileCondition("f", alternatives, "f")), { count }));
  const pivot = pivotOf(shared);
  return pivot === null ? -1 : shared.indexOf(pivot);
}

describe("pivot", () => {
  it("P43: is what events are likely to satisfy least often", () => {
    expect(chosen([["a"], 0], [[{ exists: true }], 0])).toBe(0);
    expect(chosen([[{ prefix: "a" }], 0], [["a"], 0])).toBe(1);
    expect(chosen([[{ numeric: [">", 0] }], 0], [[1], 0])).toBe(1);
    expect(chosen([["a", { exists: false }], 0], [[{ "anything-but": "a" }], 0])).toBe(1);
    expect(chosen([["a", { exists: false }], 0])).toBe(-1);
  });

  it("P43: is not what very many branches hang on, unless the others are what nearly every value satisfies", () => {
    expect(chosen([["popular"], 1000], [["rare"], 0])).toBe(1);
    expect(chosen([["popular"], 1000], [[{ prefix: "rare" }], 0])).toBe(1);
    expect(chosen([[{ "anything-but": "a" }], 0], [["popular"], 100_000])).toBe(1);
    expect(chosen([[{ exists: true }], 0], [["popular"], 100_000])).toBe(1);
  });
});
