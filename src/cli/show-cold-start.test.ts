import { describe, expect, it } from "vitest";
import { showColdStarts, showStartFailure } from "./show-cold-start.ts";

describe("cold starts for people", () => {
  it("a count alone before the first call, then what the median took", () => {
    expect(showColdStarts({ count: 0, phases: null })).toBe("0");
    expect(showColdStarts({ count: 12, phases: { waitMs: 0.1, loadMs: 1.2, firstCallMs: 0.8 } })).toBe("12 (2.1 ms)");
  });

  it.each([
    [1, 5_000, "orders did not start, once; it is tried again in 5s: TypeError: no good"],
    [4, 800, "orders did not start, 4 times in a row; it is tried again in 800ms: TypeError: no good"],
    [4, -1, "orders did not start, 4 times in a row; it is tried again at the next call: TypeError: no good"],
  ])("a failed start tells how often, when it is tried again, and why (%i)", (failures, waitMs, text) => {
    const failure = { name: "TypeError", message: "no good", failures, retryAtMs: 1_000_000 + waitMs };
    expect(showStartFailure("orders", failure, 1_000_000)).toBe(text);
  });
});
