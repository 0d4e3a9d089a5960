import { describe, expect, it } from "vitest";
import { compilePattern, Matcher, PatternError, type Pattern } from "./index.ts";

function errorOf(pattern: unknown): PatternError {
  try {
    compilePattern(pattern as Pattern | string);
  } catch (error) {
    if (error instanceof PatternError) return error;
    throw error;
  }
  throw new Error("the pattern was accepted");
}

const nested = (levels: number): unknown => (levels === 0 ? ["x"] : { a: nested(levels - 1) });
const orOf = (...patterns: unknown[]): unknown => ({ $or: patterns });
const two = [{ a: [1] }, { b: [1] }];

const FAULTS: [rule: string, pattern: unknown, path: string, fault: string | RegExp][] = [
  ["P1", [], "", "a pattern is an object, not a list"],
  ["P1", null, "", "a pattern is an object, not null"],
  ["P1", undefined, "", "a pattern is an object, not undefined"],
  ["P1", "5", "", "a pattern is an object, not a number"],
  ["P1", "{", "", /^the pattern is not JSON: /],
  ["P1", {}, "", "a pattern without fields matches nothing; write at least one"],
  ["P1", { data: {} }, "data", "an object without fields matches nothing; write at least one"],
  ["P1", { data: { total: [] } }, "data.total", "an empty list of alternatives matches nothing; write at least one"],
  [
    "P1",
    { data: { total: 5 } },
    "data.total",
    "a field holds a list of alternatives or an object with fields, not a number; write a literal as [literal]",
  ],
  ["P1", { type: "a" }, "type", /not a string; write a literal as \[literal\]$/],
  ["P1", { type: undefined }, "type", /not undefined/],
  [
    "P1",
    { type: ["a", ["b"]] },
    "type[1]",
    'an alternative is a string, number, true, false, null or an operator such as { "prefix": "a" }, not a list',
  ],
  ["P1", { type: [undefined] }, "type[0]", /not undefined$/],
  ["P5", { $or: { a: [1] } }, "$or", "must be a list of patterns, not an object"],
  ["P5", { d: { $or: [{ a: [1] }] } }, "d.$or", "must list at least two patterns, this is 1"],
  ["P5", orOf(), "$or", "must list at least two patterns, this is 0"],
  ["P5", orOf({ a: [1] }, ["b"]), "$or[1]", "must be a pattern, not a list"],
  ["P5", orOf({ a: [1] }, {}), "$or[1]", "an object without fields matches nothing; write at least one"],
  ["P5", orOf({ a: [1] }, { b: 2 }), "$or[1].b", /^a field holds/],
  [
    "P5",
    { d: { $or: [{ numeric: [">", 0] }, { a: [1] }] } },
    "d.$or[0].numeric",
    /^"numeric" is an operator and cannot be a field inside "\$or"/,
  ],
  ["P5", orOf({ a: { exists: [true] } }, { b: [1] }), "$or[0].a.exists", /^"exists" is an operator/],
  ["P6", nested(65), "a.".repeat(64).slice(0, -1), "a pattern has at most 64 levels"],
  ["P6", { ["a.".repeat(64)]: ["x"] }, "a.".repeat(64), "a pattern has at most 64 levels"],
  [
    "P6",
    Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`f${i}`, orOf(...two)])),
    "f9.$or",
    'more than 1000 combinations of "$or": write them as several patterns',
  ],
  ["P6", { f: [{ wildcard: "a*".repeat(33) }] }, "f[0].wildcard", 'a wildcard has at most 32 "*", this one has 33'],
  ["P6", { f: [{ wildcard: "a".repeat(2049) }] }, "f[0].wildcard", "a wildcard has at most 2048 characters, this one has 2049"],
  [
    "P6",
    { f: Array.from({ length: 257 }, (_, i) => ({ wildcard: `*${i}` })) },
    "",
    'a pattern has at most 256 wildcards, those in every combination of "$or" counted; this one has 257: write it as several patterns',
  ],
  ["P6", { f: [{ "anything-but": { wildcard: Array.from({ length: 257 }, (_, i) => `*${i}`) } }] }, "", /this one has 257:/],
  [
    "P6",
    { f: [{ wildcard: "a*" }, { wildcard: "b*" }], $or: Array.from({ length: 129 }, (_, i) => ({ g: [i] })) },
    "",
    /this one has 258:/,
  ],
  ["P21", { f: [Number.NaN] }, "f[0]", "NaN is no number that JSON can carry"],
  ["P21", '{"f":[1e999]}', "f[0]", "Infinity is no number that JSON can carry"],
  ["P23", { f: [{ prefix: 5 }] }, "f[0].prefix", 'must be a string, or { "equals-ignore-case": … }, not a number'],
  ["P23", { f: [{ suffix: ["a"] }] }, "f[0].suffix", 'must be a string, or { "equals-ignore-case": … }, not a list'],
  ["P24", { f: [{ prefix: { suffix: "a" } }] }, "f[0].prefix.suffix", 'unknown operator "suffix"; there is "equals-ignore-case"'],
  [
    "P24",
    { f: [{ suffix: { "equal-ignore-case": "a" } }] },
    "f[0].suffix.equal-ignore-case",
    'unknown operator "equal-ignore-case" (did you mean "equals-ignore-case"?)',
  ],
  ["P24", { f: [{ prefix: {} }] }, "f[0].prefix", "an empty object: equals-ignore-case is missing"],
  ["P24", { f: [{ prefix: { "equals-ignore-case": null } }] }, "f[0].prefix.equals-ignore-case", "must be a string, not null"],
  ["P24", { f: [{ "equals-ignore-case": 1 }] }, "f[0].equals-ignore-case", "must be a string, not a number"],
  ["P25", { f: [{ wildcard: ["a*"] }] }, "f[0].wildcard", "must be a string, not a list"],
  ["P25", { f: [{ wildcard: "ab**" }] }, "f[0].wildcard", '"**" at character 2: one "*" stands for any characters'],
  ["P25", { f: [{ wildcard: "a\\b" }] }, "f[0].wildcard", '"\\b" at character 1: only "\\*" and "\\\\" are escapes'],
  ["P25", { f: [{ wildcard: "a\\" }] }, "f[0].wildcard", '"\\" at character 1: only "\\*" and "\\\\" are escapes'],
  ["P26", { f: [{ numeric: 5 }] }, "f[0].numeric", 'must be a list such as [">", 0, "<=", 5], not a number'],
  [
    "P26",
    { f: [{ numeric: [] }] },
    "f[0].numeric",
    "must be one comparison with its number, or a lower and an upper bound; these are 0 terms",
  ],
  ["P26", { f: [{ numeric: [">", 1, "<"] }] }, "f[0].numeric", /these are 3 terms$/],
  ["P26", { f: [{ numeric: ["=>", 1] }] }, "f[0].numeric[0]", 'must be one of "=", "<", "<=", ">", ">=", not "=>"'],
  ["P26", { f: [{ numeric: [1, ">"] }] }, "f[0].numeric[0]", /not a number$/],
  ["P26", { data: { total: [{ numeric: [">", "1"] }] } }, "data.total[0].numeric[1]", "must be a number, not a string"],
  ["P26", { f: [{ numeric: [">", Number.POSITIVE_INFINITY] }] }, "f[0].numeric[1]", "Infinity is no number that JSON can carry"],
  ["P26", { f: [{ numeric: ["<", 5, ">", 0] }] }, "f[0].numeric", /^a range is a lower bound .* not "<" and ">"$/],
  ["P26", { f: [{ numeric: ["=", 5, "<", 9] }] }, "f[0].numeric", /not "=" and "<"$/],
  [
    "P26",
    { f: [{ numeric: [">=", 5, "<=", 5] }] },
    "f[0].numeric",
    "the lower bound must be less than the upper one, 5 is not less than 5",
  ],
  ["P27", { f: [{ cidr: 5 }] }, "f[0].cidr", "must be a string, not a number"],
  [
    "P27",
    { f: [{ cidr: "10.0.0.0" }] },
    "f[0].cidr",
    '"10.0.0.0" is no block: write an address, "/" and the number of mask bits, such as "10.0.0.0/8"',
  ],
  ["P27", { f: [{ cidr: "10.0.0.0/8/8" }] }, "f[0].cidr", /is no block/],
  ["P27", { f: [{ cidr: "10.0.0/8" }] }, "f[0].cidr", '"10.0.0" is no IP address'],
  ["P27", { f: [{ cidr: "10.0.0.256/8" }] }, "f[0].cidr", /is no IP address$/],
  ["P27", { f: [{ cidr: "1::2::3/8" }] }, "f[0].cidr", /is no IP address$/],
  ["P27", { f: [{ cidr: `${"0".repeat(60)}::/8` }] }, "f[0].cidr", /is no IP address$/],
  ["P27", { f: [{ cidr: "10.0.0.0/33" }] }, "f[0].cidr", 'mask bits go from 0 to 31 here, not "33"'],
  ["P27", { f: [{ cidr: "10.0.0.0/" }] }, "f[0].cidr", 'mask bits go from 0 to 31 here, not ""'],
  ["P27", { f: [{ cidr: "::/-1" }] }, "f[0].cidr", 'mask bits go from 0 to 127 here, not "-1"'],
  ["P27", { f: [{ cidr: "10.0.0.1/32" }] }, "f[0].cidr", '"10.0.0.1/32" is one address: write it as a literal, "10.0.0.1"'],
  ["P27", { f: [{ cidr: "::1/128" }] }, "f[0].cidr", '"::1/128" is one address: write it as a literal, "::1"'],
  ["P28", { f: [{ exists: "true" }] }, "f[0].exists", "must be true or false, not a string"],
  [
    "P30",
    { f: [{ "anything-but": null }] },
    "f[0].anything-but",
    /^must be a string, a number, a list of either, or one of "prefix", .*, not null$/,
  ],
  ["P30", { f: [{ "anything-but": [] }] }, "f[0].anything-but", "an empty list excludes nothing; write at least one value"],
  ["P30", { f: [{ "anything-but": ["a", 1] }] }, "f[0].anything-but[1]", "a list is all strings or all numbers"],
  ["P30", { f: [{ "anything-but": ["a", true] }] }, "f[0].anything-but[1]", /not a boolean$/],
  ["P30", { f: [{ "anything-but": [1, Number.NaN] }] }, "f[0].anything-but[1]", "NaN is no number that JSON can carry"],
  ["P31", { f: [{ "anything-but": {} }] }, "f[0].anything-but", "an empty object: an operator is missing"],
  ["P31", { f: [{ "anything-but": { prefix: "" } }] }, "f[0].anything-but.prefix", "must not be empty here: it would exclude every string"],
  [
    "P31",
    { f: [{ "anything-but": { suffix: ["a", ""] } }] },
    "f[0].anything-but.suffix[1]",
    "must not be empty here: it would exclude every string",
  ],
  [
    "P31",
    { f: [{ "anything-but": { prefix: { "equals-ignore-case": "a" } } }] },
    "f[0].anything-but.prefix",
    "must be a string or a list of strings, not an object",
  ],
  [
    "P31",
    { f: [{ "anything-but": { wildcard: [] } }] },
    "f[0].anything-but.wildcard",
    "an empty list excludes nothing; write at least one string",
  ],
  ["P31", { f: [{ "anything-but": { wildcard: ["a", "**"] } }] }, "f[0].anything-but.wildcard[1]", /^"\*\*" at character 0/],
  [
    "P31",
    { f: [{ "anything-but": { "equals-ignore-case": [1] } }] },
    "f[0].anything-but.equals-ignore-case[0]",
    "must be a string, not a number",
  ],
  [
    "P31",
    { f: [{ "anything-but": { numeric: ["=", 1] } }] },
    "f[0].anything-but.numeric",
    '"anything-but" takes "prefix", "suffix", "equals-ignore-case", "wildcard", not "numeric"',
  ],
  ["P31", { f: [{ "anything-but": { prefx: "a" } }] }, "f[0].anything-but.prefx", 'unknown operator "prefx" (did you mean "prefix"?)'],
  ["P31", { f: [{ "anything-but": { prefix: "a", suffix: "b" } }] }, "f[0].anything-but", /^one operator an object/],
  ["P33", { f: ["\ud83d"] }, "f[0]", "holds half of a surrogate pair, which no text can carry"],
  ["P33", { f: [{ prefix: "a\ude00" }] }, "f[0].prefix", "holds half of a surrogate pair, which no text can carry"],
  [
    "P33",
    { f: [{ "anything-but": { wildcard: ["*", "\ud83d*"] } }] },
    "f[0].anything-but.wildcard[1]",
    "holds half of a surrogate pair, which no text can carry",
  ],
  ["P32", { f: [{}] }, "f[0]", "an empty object: an operator is missing"],
  [
    "P32",
    { f: ["a", { prefix: "a", suffix: "b" }] },
    "f[1]",
    'one operator an object, here are "prefix", "suffix": give each its own object in the list',
  ],
  ["P32", { data: { total: [{ numerc: [">", 1] }] } }, "data.total[0].numerc", 'unknown operator "numerc" (did you mean "numeric"?)'],
  ["P32", { f: [{ Prefix: "a" }] }, "f[0].Prefix", 'unknown operator "Prefix" (did you mean "prefix"?)'],
  ["P32", { f: [{ anythingbut: "a" }] }, "f[0].anythingbut", 'unknown operator "anythingbut" (did you mean "anything-but"?)'],
  ["P32", { f: [{ toString: "a" }] }, "f[0].toString", /^unknown operator "toString"; there are "prefix", /],
];

describe("errors of patterns", () => {
  it.each(FAULTS)("%s: %j is refused at %j", (_rule, pattern, path, fault) => {
    const error = errorOf(pattern);
    expect(error.path).toBe(path);
    expect(typeof fault === "string" ? error.fault === fault : fault.test(error.fault), `the fault was: ${error.fault}`).toBe(true);
    expect(error.message).toBe(path === "" ? error.fault : `${path}: ${error.fault}`);
    expect(error).toMatchObject({ code: "bad_pattern", name: "PatternError" });
  });

  it("P6: the limits themselves are allowed", () => {
    expect(() => compilePattern(nested(64) as Pattern)).not.toThrow();
    expect(() => compilePattern({ f: [{ wildcard: "a*".repeat(32) }] })).not.toThrow();
    expect(() => compilePattern({ f: Array.from({ length: 256 }, (_, i) => ({ wildcard: `*${i}` })) })).not.toThrow();
    const branches = Array.from({ length: 128 }, (_, i) => ({ g: [i] }));
    expect(() => compilePattern({ f: [{ wildcard: "a*" }, { "anything-but": { wildcard: "b*" } }], $or: branches })).not.toThrow();
    const thousand = Object.fromEntries(
      Array.from({ length: 3 }, (_, i) => [`f${i}`, orOf(...Array.from({ length: 10 }, (_, j) => ({ [`g${j}`]: [1] })))]),
    );
    expect(compilePattern(thousand as Pattern).branches).toHaveLength(1000);
  });

  it("P6: a cyclic pattern is refused, not followed for ever", () => {
    const cyclic: Record<string, unknown> = {};
    cyclic["a"] = cyclic;
    expect(errorOf(cyclic).fault).toBe("a pattern has at most 64 levels");
    const or: unknown[] = [];
    or.push({ $or: or }, { b: [1] });
    expect(errorOf({ $or: or }).fault).toBe("a pattern has at most 64 levels");
  });

  it("P41: a refused pattern leaves the matcher as it was", () => {
    const matcher = new Matcher<string>();
    matcher.add("a", { type: ["x"] });
    expect(() => matcher.add("a", { $or: [{ type: ["y"] }, { type: [{ prefx: "z" }] }] } as Pattern)).toThrow(PatternError);
    expect(() => matcher.add("b", "{")).toThrow(PatternError);
    expect(matcher.size).toBe(1);
    expect(matcher.match({ type: "y" })).toEqual([]);
    expect(matcher.match({ type: "x" })).toEqual(["a"]);
  });
});
