import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { collectorFlags } from "./collector.ts";

it("this Node takes the flags, and has them", () => {
  const { status, stderr } = spawnSync(process.execPath, [...collectorFlags(), "-e", ""], { encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
  expect(collectorFlags()).toHaveLength(1);
});

it("one that they were not tried with gets none: it would not start with a flag that it does not know", () => {
  expect(collectorFlags(99)).toEqual([]);
});
