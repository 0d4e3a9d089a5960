import { describe, expect, it } from "vitest";
import { lanesOf } from "./lanes.ts";

function lanes(...spans: readonly (readonly [name: string, startMs: number, endMs: number])[]): string {
  const groups = lanesOf(spans.map(([name, startMs, endMs]) => ({ name, startMs, endMs })));
  return groups.map((group) => group.map((lane) => lane.map(({ name }) => name).join("")).join("|")).join(" ");
}

describe("lanes", () => {
  it("what follows each other stands below each other", () => {
    expect(lanes(["a", 0, 10], ["b", 10, 20], ["c", 25, 25])).toBe("a b c");
  });

  it("what overlaps stands side by side", () => {
    expect(lanes(["a", 0, 10], ["b", 5, 20], ["c", 20, 30])).toBe("a|b c");
  });

  it("beside what takes long, others follow each other", () => {
    expect(lanes(["a", 0, 100], ["b", 0, 10], ["c", 10, 20], ["d", 15, 50], ["e", 100, 110])).toBe("a|bc|d e");
  });

  it("what does not end has all the rest beside it", () => {
    expect(lanes(["a", 0, Infinity], ["b", 10, 20], ["c", 30, 40])).toBe("a|bc");
  });

  it("two steps of one millisecond are no overlap, and keep their order", () => {
    expect(lanes(["a", 99.8, 100], ["b", 99.1, 100], ["c", 99.9, 101])).toBe("a b c");
  });

  it("what was written later may have begun earlier", () => {
    expect(lanes(["a", 50, 60], ["b", 0, 100])).toBe("b|a");
  });

  it("there may be nothing", () => {
    expect(lanesOf([])).toEqual([]);
  });
});
