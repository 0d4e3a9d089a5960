import { describe, expect, it } from "vitest";
import type { Pattern } from "../patterns/index.ts";
import { compileFilters, type Filter, FilterError, Filters } from "./index.ts";

const EVENT = { specversion: "1.0", id: "i", source: "/shops/7", type: "order.placed", size: 50, negative: -5, yes: true };

const matches = (filters: Filter | readonly Filter[], event: object = EVENT): boolean => compileFilters(filters).matches(event);

function errorOf(filters: unknown): FilterError {
  try {
    compileFilters(filters as Filter);
  } catch (error) {
    if (error instanceof FilterError) return error;
    throw error;
  }
  throw new Error("the filter was accepted");
}

const nested = (levels: number): Filter => (levels === 0 ? { exact: { type: "a" } } : { not: nested(levels - 1) });

describe("dialects", () => {
  it("F2: all of a list must hold, and an empty list always does", () => {
    expect(compileFilters([])).toBeInstanceOf(Filters);
    expect(matches([])).toBe(true);
    expect(matches([{ exact: { type: "order.placed" } }, { prefix: { source: "/shops/" } }])).toBe(true);
    expect(matches([{ exact: { type: "order.placed" } }, { prefix: { source: "/tills/" } }])).toBe(false);
    expect(matches({ all: [{ suffix: { type: ".placed" } }, { exact: { id: "i" } }] })).toBe(true);
    expect(matches({ any: [{ suffix: { type: ".paid" } }, { exact: { id: "i" } }] })).toBe(true);
    expect(matches({ any: [{ suffix: { type: ".paid" } }, { exact: { id: "j" } }] })).toBe(false);
    expect(matches({ not: { exact: { id: "i" } } })).toBe(false);
  });

  it("F4: every attribute that is named must match", () => {
    expect(matches({ prefix: { type: "order.", source: "/shops/" } })).toBe(true);
    expect(matches({ prefix: { type: "order.", source: "/tills/" } })).toBe(false);
    expect(matches({ not: { prefix: { type: "order.", source: "/tills/" } } })).toBe(true);
  });

  it("F6: attributes are compared as text, and case counts", () => {
    for (const filter of [
      { exact: { size: "50" } },
      { prefix: { size: "5" } },
      { suffix: { size: "0" } },
      { exact: { yes: "true" } },
      { prefix: { yes: "t" } },
      { prefix: { negative: "-" } },
    ])
      expect([filter, matches(filter)]).toEqual([filter, true]);
    for (const filter of [
      { exact: { size: "050" } },
      { exact: { size: "50.0" } },
      { suffix: { size: "5" } },
      { exact: { yes: "TRUE" } },
      { prefix: { type: "Order" } },
    ])
      expect([filter, matches(filter)]).toEqual([filter, false]);
    expect(matches({ exact: { size: "50" } }, { ...EVENT, size: "50" })).toBe(true);
  });

  it("F7: an absent attribute does not match, and not turns that", () => {
    for (const filter of [{ exact: { subject: "s" } }, { prefix: { subject: "s" } }, { suffix: { constructor: "s" } }]) {
      expect(matches(filter)).toBe(false);
      expect(matches({ not: filter })).toBe(true);
    }
    expect(matches({ not: { exact: { subject: "s" } } }, { ...EVENT, subject: null })).toBe(true);
  });

  it("F8: an expression that fails does not hold", () => {
    expect(matches({ sql: "size >= 50 AND yes" })).toBe(true);
    for (const sql of ["size > 50", "subject = 's'", "size", "1 / 0 = 0"]) {
      expect(matches({ sql })).toBe(false);
      expect(matches({ not: { sql } })).toBe(true);
    }
  });
});

describe("what patterns say alone", () => {
  it.each<[Filter | readonly Filter[], Pattern]>([
    [{ exact: { type: "a", subject: "s" } }, { type: ["a"], subject: ["s"] }],
    [{ exact: { size: "5" } }, { size: ["5", 5] }],
    [{ exact: { size: "05" } }, { size: ["05"] }],
    [{ prefix: { source: "/5" } }, { source: [{ prefix: "/5" }] }],
    [{ suffix: { source: "5" } }, { source: [{ suffix: "5" }] }],
    [{ prefix: { kind: "t" } }, { kind: [{ prefix: "t" }, true] }],
    [{ not: { exact: { kind: "a" } } }, { kind: [{ exists: false }, { "anything-but": "a" }] }],
    [{ not: { prefix: { subject: "a" } } }, { subject: [{ exists: false }, { "anything-but": { prefix: "a" } }] }],
    [{ any: [{ exact: { type: "a" } }, { exact: { type: "b" } }] }, { type: ["a", "b"] }],
    [{ any: [{ exact: { type: "a" } }, { sql: "subject = 'b'" }] }, { $or: [{ type: ["a"] }, { subject: ["b"] }] }],
    [[{ exact: { type: "a" } }, { not: { exact: { type: "b" } } }], { type: ["a"] }],
  ])("F10: %j", (filters, pattern) => {
    expect(compileFilters(filters).rule).toEqual({ implied: pattern, guard: undefined });
  });

  it.each<[Filter, Pattern | undefined]>([
    [{ prefix: { size: "5" } }, { size: [{ prefix: "5" }, { numeric: [">=", -2147483648, "<=", 2147483647] }] }],
    [{ not: { exact: { kind: "5" } } }, { kind: [{ exists: false }, { "anything-but": "5" }] }],
    [{ all: [{ exact: { type: "a" } }, { not: { sql: "size > 5" } }] }, { type: ["a"] }],
    [{ not: { sql: "size > 5" } }, undefined],
  ])("F10: with a guard, %j", (filters, implied) => {
    const { rule } = compileFilters(filters);
    expect(rule.implied).toEqual(implied);
    expect(rule.guard).toBeDefined();
  });

  it("C5: no filters are a rule that always holds", () => {
    const { implied, guard } = compileFilters([]).rule;
    expect([implied, guard?.attributes, guard?.test(() => undefined)]).toEqual([undefined, [], true]);
  });
});

describe("faults", () => {
  const FAULTS: [rule: string, filters: unknown, path: string, fault: string | RegExp][] = [
    ["F1", "x", "", /^a filter is an object such as .*, not a string$/],
    ["F1", null, "", /not null$/],
    ["F1", {}, "", /^a filter without a dialect; there are "exact", "prefix"/],
    [
      "F1",
      [{ exact: { type: "a" }, prefix: { type: "b" } }],
      "[0]",
      /^one dialect a filter, here are "exact", "prefix": write a list of filters/,
    ],
    ["F1", { exakt: { type: "a" } }, "exakt", 'unknown dialect "exakt" (did you mean "exact"?)'],
    ["F1", { glob: { type: "a" } }, "glob", /^unknown dialect "glob"; there are/],
    ["F1", { constructor: {} }, "constructor", /^unknown dialect/],
    ["F2", { all: [] }, "all", "must list at least one filter"],
    ["F2", { any: { exact: { type: "a" } } }, "any", "must be a list of filters, not an object"],
    ["F2", { not: [{ exact: { type: "a" } }] }, "not", /not a list$/],
    ["F2", [{ any: [{ exact: { type: "a" } }, { all: [5] }] }], "[0].any[1].all[0]", /not a number$/],
    ["F3", nested(64), "not.".repeat(64).slice(0, -1), "filters stand at most 64 levels deep in one another"],
    ["F4", { exact: {} }, "exact", "must name at least one attribute"],
    ["F4", { exact: ["type"] }, "exact", "must be an object of attributes and strings, not a list"],
    ["F4", { exact: { "": "a" } }, "exact", "the name of an attribute must not be empty"],
    ["F4", { exact: { Type: "a" } }, "exact.Type", '"Type" is no attribute (did you mean "type"?)'],
    ["F4", { exact: { "my-ext": "a" } }, "exact.my-ext", '"my-ext" is no attribute: names have only a–z and 0–9'],
    ["F4", { prefix: { data: "a" } }, "prefix.data", '"data" is no attribute: filters look at attributes only'],
    ["F5", { exact: { size: 5 } }, "exact.size", "must be a string, not a number; numbers and booleans are written as text"],
    ["F5", { suffix: { type: "" } }, "suffix.type", "must not be empty"],
    ["F9", { not: { sql: "LOWR(type) = 'a'" } }, "not.sql", 'at character 0: there is no function LOWR (did you mean "LOWER"?)'],
    ["F9", { sql: 5 }, "sql", "must be an expression of CloudEvents SQL, not a number"],
  ];

  it.each(FAULTS)("%s: %j", (_, filters, path, fault) => {
    const error = errorOf(filters);
    expect(error).toMatchObject({ code: "bad_filter", path });
    if (typeof fault === "string") expect(error.fault).toBe(fault);
    else expect(error.fault).toMatch(fault);
    expect(error.message).toBe(path === "" ? error.fault : `${path}: ${error.fault}`);
  });

  it("F3: 64 levels are fine", () => {
    expect(matches(nested(63))).toBe(true);
  });
});
