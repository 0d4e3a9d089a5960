import { describe, expect, it } from "vitest";
import { lineInStack } from "./definition-line.ts";

describe("the line in a stack", () => {
  it.each([
    ["of a frame without a name", "Error\n    at fn (millrace:sdk/fn.ts:9:3)\n    at functions/my app.ts:12:22", 12],
    [
      "of a frame with one",
      "Error\n    at make (lib/make.ts:2:1)\n    at Object.<anonymous> (functions/my app.ts:7:1)\n    at functions/my app.ts:9:1",
      7,
    ],
    ["is not that of a file whose path ends alike", "Error\n    at other/functions/my app.ts:12:22", undefined],
    ["is not in words that only look like one", "functions/my app.ts:12:22\nError: functions/my app.ts: no", undefined],
  ])("D12: %s", (_, stack, line) => {
    expect(lineInStack(stack, "functions/my app.ts")).toBe(line);
  });

  it("D12: is unknown without a stack", () => {
    expect(lineInStack(undefined, "functions/a.ts")).toBeUndefined();
  });
});
