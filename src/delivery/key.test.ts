import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CloudEvent } from "../events/index.ts";
import { PARTITION_COUNT } from "../store/store.ts";
import { effectiveKey, partitionOf } from "./key.ts";

const event = (data: unknown, partitionkey?: string): CloudEvent => ({
  specversion: "1.0",
  id: "1",
  source: "/test",
  type: "t",
  data,
  ...(partitionkey === undefined ? {} : { partitionkey }),
});
const path = (...names: string[]) => ({ kind: "path", path: names }) as const;

describe("the key of a delivery", () => {
  it("D10: is the value at the function's path, as text", () => {
    expect(effectiveKey(path("data", "sku"), event({ sku: "A1" }))).toBe("A1");
    expect(effectiveKey(path("data", "n"), event({ n: 7 }))).toBe("7");
    expect(effectiveKey(path("data", "yes"), event({ yes: true }))).toBe("true");
    expect(effectiveKey(path("data", "at"), event({ at: { x: 1, y: 2 } }))).toBe('{"x":1,"y":2}');
    expect(effectiveKey(path("type"), event({}))).toBe("t");
  });

  it("D10: falls back to the partitionkey where the path leads nowhere", () => {
    expect(effectiveKey(path("data", "sku"), event({}, "p"))).toBe("p");
    expect(effectiveKey(path("data", "sku", "deep"), event({ sku: "A1" }, "p"))).toBe("p");
    expect(effectiveKey(path("data", "sku"), event({ sku: null }))).toBeNull();
    expect(effectiveKey(path("data", "constructor"), event({}))).toBeNull();
  });

  it("D10: without a rule it is the partitionkey, and key: null has none", () => {
    expect(effectiveKey({ kind: "default" }, event({}, "p"))).toBe("p");
    expect(effectiveKey({ kind: "none" }, event({}, "p"))).toBeNull();
  });

  it("D10: keys beyond 1 KiB are replaced by their hash", () => {
    expect(effectiveKey(path("data"), event("é".repeat(512)))).toBe("é".repeat(512));
    expect(effectiveKey(path("data"), event("é".repeat(513)))).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  it("one function and key always have one partition, within the store's count", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (fn, key, one, other) => {
        expect(partitionOf(fn, key, one)).toBe(partitionOf(fn, key, other));
        expect(partitionOf(fn, null, one)).toBeLessThan(PARTITION_COUNT);
      }),
    );
  });

  it("keys spread over the partitions", () => {
    const used = new Set(Array.from({ length: 5000 }, (_, i) => partitionOf("reserve", `sku-${i}`, "")));
    expect(used.size).toBe(PARTITION_COUNT);
  });
});
