import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Alternative, compilePattern, type Leaf } from "../patterns/index.ts";
import { compileCondition } from "../patterns/condition.ts";
import { ALL_BOOLEANS, ALL_INTEGERS, ALL_STRINGS, ANY_VALUE, exactly, integersExcept, valueClaim } from "./index.ts";
import { meet } from "./meet.ts";

const EXACT = { areStringsExact: true, areIntegersExact: true } as const;

const leaf = fc.constantFrom<Leaf>("", "a", "ab", "b", "bab", "::1", "0::1", 0, 1, 7, -7, true, false);
const alternative = fc.oneof(
  fc.constantFrom<Alternative>("a", "ab", "", 0, 7, true, false),
  fc.constantFrom<Alternative>({ exists: true }, { exists: false }, { prefix: "a" }, { prefix: "" }, { suffix: "b" }, { wildcard: "b*b" }),
  fc.constantFrom<Alternative>({ numeric: [">", 0] }, { numeric: [">=", -7, "<", 7] }, { "equals-ignore-case": "AB" }),
  fc.constantFrom<Alternative>(
    { "anything-but": "a" },
    { "anything-but": ["b", "ab"] },
    { "anything-but": { prefix: "a" } },
    { "anything-but": [7] },
  ),
);
const list = fc.array(alternative, { minLength: 1, maxLength: 3 });

describe("C3: alternatives that meet", () => {
  it("let through all that satisfy both lists, and nothing else where that can be said", () => {
    let exact = 0;
    const takes = (alternatives: readonly Alternative[], value: Leaf | undefined): boolean => {
      if (alternatives.length === 0) return false;
      const { holds, mayBeAbsent } = compileCondition("a", alternatives, "");
      return value === undefined ? mayBeAbsent : holds(value);
    };
    fc.assert(
      fc.property(list, list, fc.array(leaf, { minLength: 6 }), (one, other, leaves) => {
        const met = meet(one, other);
        if (met.isExact) exact++;
        for (const value of [undefined, ...leaves]) {
          const both = takes(one, value) && takes(other, value);
          if (met.isExact || both) expect(takes(met.alternatives, value)).toBe(both);
        }
      }),
      { numRuns: 5000 },
    );
    expect(exact).toBeGreaterThan(1000);
  });
});

describe("C2: sets of values", () => {
  it("are as few alternatives as say them", () => {
    const alternatives = (name: string, set: Parameters<typeof valueClaim>[1]): unknown => [...(valueClaim(name, set).branches[0] ?? [])];
    const others = { integers: ALL_INTEGERS, booleans: ALL_BOOLEANS, ...EXACT };
    expect(alternatives("kind", ANY_VALUE)).toEqual([["kind", [{ exists: true }]]]);
    expect(alternatives("kind", { ...others, strings: { except: "a" } })).toEqual([["kind", [{ "anything-but": "a" }]]]);
    expect(alternatives("type", { strings: ALL_STRINGS, integers: [], booleans: [], ...EXACT })).toEqual([["type", [{ exists: true }]]]);
    expect(alternatives("kind", { strings: ["a"], integers: [1], booleans: [true], mayBeAbsent: true, ...EXACT })).toEqual([
      ["kind", [{ exists: false }, "a", 1, true]],
    ]);
    expect(valueClaim("kind", { strings: [], integers: [], booleans: [], ...EXACT }).branches).toEqual([]);
  });

  it("are not exact where anything-but lets through what is not meant", () => {
    const set = { strings: { except: "a" }, integers: [], booleans: ALL_BOOLEANS, ...EXACT };
    expect(valueClaim("kind", set).isExact).toBe(false);
    expect(valueClaim("subject", set).isExact).toBe(true);
  });

  it("a string is that string, also where it spells an address", () => {
    const only = compilePattern({ subject: [exactly("::1")] });
    expect([only.matches({ subject: "::1" }), only.matches({ subject: "0:0:0:0:0:0:0:1" })]).toEqual([true, false]);
    expect(exactly("a:b*")).toBe("a:b*");
  });

  it("integers without some of them are ranges", () => {
    const matching = (excluded: number[]): number[] => {
      const { holds } = compileCondition("a", integersExcept(excluded), "");
      return [-2147483648, -1, 0, 1, 2, 2147483647].filter((value) => holds(value));
    };
    expect(matching([])).toEqual([-2147483648, -1, 0, 1, 2, 2147483647]);
    expect(matching([1, 0, 0])).toEqual([-2147483648, -1, 2, 2147483647]);
    expect(matching([-2147483648, 2147483647])).toEqual([-1, 0, 1, 2]);
  });
});
