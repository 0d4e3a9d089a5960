import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashForwards } from "./byte-hash.ts";
import { ByteTable } from "./byte-table.ts";

const key = fc.string({ unit: fc.constantFrom("a", "b", "é", "\0"), maxLength: 5 }).map((text) => Buffer.from(text));
const step = fc.oneof(
  fc.record({ kind: fc.constant("set" as const), key, value: fc.nat() }),
  fc.record({ kind: fc.constant("delete" as const), key, value: fc.constant(0) }),
);

describe("byte table", () => {
  // Few hashes make long chains of entries that fall together.
  it.each([
    ["its own hash", hashForwards],
    ["one of three hashes", (bytes: Uint8Array) => hashForwards(bytes) % 3],
    ["one hash for all", () => 7],
  ])("is a map, with %s", (_name, hash) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.nat(3), (steps, offset) => {
        const table = new ByteTable<number>();
        const model = new Map<string, number>();
        for (const { kind, key, value } of steps) {
          if (kind === "set") {
            table.set(key, hash(key), value);
            model.set(key.toString("hex"), value);
          } else {
            table.delete(key, hash(key));
            model.delete(key.toString("hex"));
          }
          expect(table.size).toBe(model.size);
        }
        for (const { key } of steps) {
          const within = Buffer.concat([Buffer.alloc(offset, 1), key, Buffer.from("abc")]);
          expect(table.find(within, offset, key.length, hash(key))).toBe(model.get(key.toString("hex")));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("P47: what comes and goes leaves no bytes behind", () => {
    const table = new ByteTable<number>();
    for (let i = 0; i < 100_000; i++) {
      const added = Buffer.from(`key ${i}`);
      table.set(added, hashForwards(added), i);
      if (i < 100) continue;
      const old = Buffer.from(`key ${i - 100}`);
      table.delete(old, hashForwards(old));
    }
    expect(table.size).toBe(100);
    expect(table.sizeBytes).toBeLessThan(20_000);
  });

  it("P47: when many have gone, those that are left take no more than few do, and are all found", () => {
    const table = new ByteTable<number>();
    const keys = Array.from({ length: 10_000 }, (_, i) => Buffer.from(`key ${i}`));
    for (const [i, key] of keys.entries()) table.set(key, hashForwards(key), i);
    for (const key of keys.slice(100)) table.delete(key, hashForwards(key));
    expect(table.sizeBytes).toBeLessThan(40_000);
    for (let round = 0; round < 2; round++) {
      const found = keys.map((key) => table.find(key, 0, key.length, hashForwards(key)));
      expect(found).toEqual(keys.map((_, i) => (i < 100 || round === 1 ? i : undefined)));
      for (const [i, key] of keys.entries()) table.set(key, hashForwards(key), i);
    }
  });
});
