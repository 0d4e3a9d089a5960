import { describe, expect, it } from "vitest";
import { foldCase } from "./fold-case.ts";
import { compilePattern, type Alternative, type Pattern } from "./index.ts";

const matches = (pattern: Pattern, event: object): boolean => compilePattern(pattern).matches(event);

/** Does a field with this value satisfy the alternatives? */
const at = (alternatives: readonly Alternative[], value: unknown): boolean => matches({ f: alternatives }, { f: value });

/** The values of `all` that satisfy them. */
const which = (alternatives: readonly Alternative[], all: readonly unknown[]): unknown[] => all.filter((value) => at(alternatives, value));

describe("shape of a pattern", () => {
  it("P2: fields are a conjunction, alternatives a disjunction", () => {
    const pattern = { a: ["x", "y"], b: [1] };
    expect(matches(pattern, { a: "y", b: 1 })).toBe(true);
    expect(matches(pattern, { a: "y", b: 2 })).toBe(false);
    expect(matches(pattern, { a: "z", b: 1 })).toBe(false);
    expect(matches(pattern, { a: "x" })).toBe(false);
  });

  it("P3: keys with dots equal nested paths, in patterns and in events", () => {
    for (const pattern of [{ a: { b: { c: [1] } } }, { "a.b": { c: [1] } }, { a: { "b.c": [1] } }, { "a.b.c": [1] }]) {
      for (const event of [{ a: { b: { c: 1 } } }, { "a.b": { c: 1 } }, { a: { "b.c": 1 } }, { "a.b.c": 1 }])
        expect(matches(pattern, event)).toBe(true);
      expect(matches(pattern, { a: { b: 1 }, c: 1 })).toBe(false);
    }
    expect(matches({ a: { "": [1] } }, { "a.": 1 })).toBe(true);
  });

  it("P4: a path that is written twice counts once, the last time", () => {
    expect(matches({ a: { b: ["x"] }, "a.b": ["y"] }, { a: { b: "y" } })).toBe(true);
    expect(matches({ a: { b: ["x"] }, "a.b": ["y"] }, { a: { b: "x" } })).toBe(false);
    const or = { a: ["x"], $or: [{ a: ["y"] }, { b: [1] }] };
    expect(matches(or, { a: "y" })).toBe(true);
    expect(matches(or, { a: "x", b: 1 })).toBe(true);
    expect(matches(or, { a: "x" })).toBe(false);
    expect(compilePattern('{"a":["x"],"a":["y"]}').matches({ a: "y" })).toBe(true);
  });

  it("P5: $or wants one of its patterns, at any depth, nested freely", () => {
    const pattern = { s: ["m"], data: { $or: [{ x: [1] }, { y: [2], $or: [{ z: [3] }, { "w.v": [4] }] }] } };
    expect(matches(pattern, { s: "m", data: { x: 1 } })).toBe(true);
    expect(matches(pattern, { s: "m", data: { y: 2, w: { v: 4 } } })).toBe(true);
    expect(matches(pattern, { s: "m", data: { y: 2 } })).toBe(false);
    expect(matches(pattern, { s: "n", data: { x: 1 } })).toBe(false);
    const two: Pattern = { $or: [{ a: [1] }, { b: [1] }], d: { $or: [{ a: [1] }, { b: [1] }] } };
    expect(matches(two, { b: 1, d: { a: 1 } })).toBe(true);
    expect(matches(two, { b: 1, a: 1 })).toBe(false);
  });
});

describe("what an event offers", () => {
  it("P10: objects and empty arrays have no value of their own, inherited and undefined fields do not exist", () => {
    const anything: Alternative[] = [{ exists: true }];
    for (const value of [{}, [], [[]], [{}], { g: 1 }, undefined, () => 1]) expect(at(anything, value)).toBe(false);
    for (const value of ["", 0, false, null, [null]]) expect(at(anything, value)).toBe(true);
    expect(at([null], [])).toBe(false);
    for (const key of ["toString", "constructor", "__proto__"]) {
      const pattern = JSON.parse(`{"${key}":[{"exists":true}]}`) as Pattern;
      expect(matches(pattern, {})).toBe(false);
      expect(matches(pattern, JSON.parse(`{"${key}":1}`) as object)).toBe(true);
    }
    expect(matches({ a: { toString: ["x"] } }, { a: { toString: "x" } })).toBe(true);
    expect(matches({ a: ["x"] }, Object.create({ a: "x" }) as object)).toBe(false);
    expect(matches({ a: { b: ["x"] } }, Object.create({ "a.b": "x" }) as object)).toBe(false);
  });

  it("P11, P12: any element of an array will do, at any depth of arrays", () => {
    expect(at(["b"], ["a", "b"])).toBe(true);
    expect(at(["b"], ["a", ["c", ["b"]]])).toBe(true);
    expect(at(["b"], ["a"])).toBe(false);
    expect(matches({ e: { n: ["Anna"] } }, { e: [[{ n: "John" }], [{ n: "Anna" }]] })).toBe(true);
  });

  it("P13: two conditions are not satisfied by different elements of one array", () => {
    const pattern = { e: { first: ["Anna"], last: ["Jones"] } };
    expect(
      matches(pattern, {
        e: [
          { first: "Anna", last: "Smith" },
          { first: "Peter", last: "Jones" },
        ],
      }),
    ).toBe(false);
    expect(
      matches(pattern, {
        e: [
          { first: "Anna", last: "Smith" },
          { first: "Anna", last: "Jones" },
        ],
      }),
    ).toBe(true);
    expect(matches(pattern, { e: [[{ first: "Anna" }], [{ last: "Jones" }]] })).toBe(false);
    expect(matches(pattern, { e: [[{ first: "Anna", last: "Jones" }]] })).toBe(true);
    expect(matches({ e: { x: { k: [1], v: [2] } } }, { e: [{ x: [{ k: 1 }, { v: 2 }] }] })).toBe(false);
    expect(matches({ e: { x: { k: [1] }, y: { k: [1] } } }, { e: [{ x: [{ k: 0 }, { k: 1 }], y: [{ k: 1 }, { k: 0 }] }] })).toBe(true);
    expect(matches({ e: [1], "e.k": [2] }, { e: [1, { k: 2 }] })).toBe(true);
    expect(matches({ e: [1], "e.k": [2] }, { e: [[1], { k: 2 }] })).toBe(false);
    expect(matches({ tags: ["a"], names: ["b"] }, { tags: ["a", "c"], names: ["d", "b"] })).toBe(true);
  });

  it("P13: holds across a $or", () => {
    const pattern = { e: { a: [1], $or: [{ b: [2] }, { c: [3] }] } };
    expect(matches(pattern, { e: [{ a: 1 }, { b: 2 }] })).toBe(false);
    expect(
      matches(pattern, {
        e: [
          { a: 1, b: 0 },
          { a: 1, c: 3 },
        ],
      }),
    ).toBe(true);
  });

  it("P14: a path spelt in several ways offers all its values", () => {
    expect(matches({ "a.b": [2] }, { a: { b: 1 }, "a.b": 2 })).toBe(true);
    expect(matches({ "a.b": [{ exists: false }] }, { a: {}, "a.b": 2 })).toBe(false);
    expect(matches({ a: { x: { p: [1], q: [2] } } }, { a: { x: { p: 1 } }, "a.x": { q: 2 } })).toBe(true);
    expect(matches({ a: { p: [1], q: [2] } }, { a: [{ p: 1 }, { q: 2 }], "a.q": 3 })).toBe(false);
    expect(matches({ a: { p: [1], q: [2] } }, { a: [{ p: 1 }, { q: 2 }], "a.q": [[2]] })).toBe(true);
    expect(matches({ a: { p: [1], q: [2] } }, { a: [[{ p: 1 }, 7], null], "a.q": [3, [undefined, 2]] })).toBe(true);
  });
});

describe("alternatives", () => {
  it("P20: literals match their own value and type only", () => {
    const all = ["a", "A", "", "null", "true", "300", 300, true, false, null];
    for (const value of all) expect(which([value], all)).toEqual([value]);
    expect(which(["a", null, 300], all)).toEqual(["a", 300, null]);
  });

  it("P21: numbers match by value", () => {
    for (const written of ["300", "300.0", "3.0e2", "3e+2"]) {
      expect(compilePattern(`{"f":[${written}]}`).matches(JSON.parse('{"f":3.00E2}') as object)).toBe(true);
      expect(compilePattern(`{"f":[${written}, 1]}`).matches({ f: 300 })).toBe(true);
    }
    expect(at([0], -0)).toBe(true);
    expect(at([-0, 5], 0)).toBe(true);
    expect(at([0.1], 0.1)).toBe(true);
    expect(at([300], 300.000001)).toBe(false);
  });

  it("P22: a literal IPv6 address matches all its spellings, an IPv4 address is plain text", () => {
    const spellings = ["2001:db8::1", "2001:DB8:0:0:0:0:0:1", "2001:0db8:0000::0001", "2001:db8:0::0.0.0.1"];
    for (const literal of spellings) expect(which([literal], [...spellings, "2001:db8::2", "2001:db8:::1", 1, null])).toEqual(spellings);
    expect(which(["::g"], ["::g", "::0"])).toEqual(["::g"]);
    expect(which(["10.0.0.1"], ["10.0.0.1", "10.0.0.01"])).toEqual(["10.0.0.1"]);
  });

  it("P23: prefix and suffix match strings only, the empty one all of them", () => {
    const all = ["eu-west", "west-eu", "EU-", "", 3, null, "😀x"];
    expect(which([{ prefix: "eu-" }], all)).toEqual(["eu-west"]);
    expect(which([{ suffix: "-eu" }], all)).toEqual(["west-eu"]);
    expect(which([{ prefix: "" }], all)).toEqual(["eu-west", "west-eu", "EU-", "", "😀x"]);
    expect(which([{ suffix: "" }], all)).toEqual(["eu-west", "west-eu", "EU-", "", "😀x"]);
    expect(which([{ prefix: "😀" }], all)).toEqual(["😀x"]);
    expect(at([{ prefix: "3" }], 30)).toBe(false);
  });

  it("P24: equals-ignore-case folds code point by code point, also inside prefix and suffix", () => {
    expect(which([{ "equals-ignore-case": "aLiCe" }], ["alice", "ALICE", "alic", 1, null])).toEqual(["alice", "ALICE"]);
    expect(at([{ "equals-ignore-case": "ΟΔΟΣ" }], "οδος")).toBe(true);
    expect(at([{ "equals-ignore-case": "straße" }], "STRASSE")).toBe(false);
    expect(at([{ "equals-ignore-case": "straße" }], "STRAßE")).toBe(true);
    expect(at([{ "equals-ignore-case": "İ" }], "İ")).toBe(true);
    expect(at([{ "equals-ignore-case": "𐐀" }], "𐐨")).toBe(true);
    expect(at([{ prefix: { "equals-ignore-case": "ÉV" } }], "événement")).toBe(true);
    expect(at([{ prefix: { "equals-ignore-case": "οδος" } }], "ΟΔΟΣΑ")).toBe(true);
    expect(at([{ suffix: { "equals-ignore-case": ".PNG" } }], "a.png")).toBe(true);
    expect(at([{ suffix: { "equals-ignore-case": ".PNG" } }], "a.pn")).toBe(false);
    expect(at([{ prefix: { "equals-ignore-case": "1" } }], 12)).toBe(false);
    expect(at([{ suffix: { "equals-ignore-case": "1" } }], 1)).toBe(false);
  });

  it("P24: folding keeps the length of every character, so that a long string is folded no further than is compared", () => {
    for (let code = 0; code <= 0x10ffff; code++) {
      const char = String.fromCodePoint(code);
      const folded = foldCase(char);
      if (folded.length !== char.length || foldCase(folded) !== folded) expect.fail(`U+${code.toString(16)} folds to "${folded}"`);
    }
    expect(at([{ suffix: { "equals-ignore-case": "𐐀É" } }], "𐐨𐐨é")).toBe(true);
  });

  it.each([
    ["*", ["", "a", "ab"], []],
    ["a*", ["a", "ab"], ["", "ba"]],
    ["*a", ["a", "ba"], ["", "ab"]],
    ["a*a", ["aa", "aba", "aaa"], ["a", "ab"]],
    ["dir/*.png", ["dir/.png", "dir/a/b.png"], ["dir.png", "dir/a.png "]],
    ["*/lib/*", ["/lib/", "a/lib/b"], ["lib", "/lib"]],
    ["a*b*c", ["abc", "abbc", "a-b-b-c-c"], ["acb", "ac", "abcd"]],
    ["*ab*ab*", ["abab", "xabyabz"], ["ab", "aab"]],
    ["*ab*b", ["abb", "abab"], ["ab", "aab"]],
    ["a\\*b", ["a*b"], ["ab", "axb", "a\\*b"]],
    ["a\\\\*", ["a\\", "a\\x"], ["a", "a*"]],
    ["\\**", ["*", "*x"], ["", "x*"]],
    ["", [""], ["a"]],
    ["plain", ["plain"], ["plain ", "plai"]],
    ["*é😀*", ["é😀", "xé😀y"], ["é", "😀é"]],
    ["a.c", ["a.c"], ["abc"]],
    ["*aaaaaaaaaaaaaaaaab*", [`${"a".repeat(40)}b`], ["a".repeat(40), `${"a".repeat(16)}b`]],
    ["*abababababababababac*", [`${"ab".repeat(30)}ac`], ["ab".repeat(30)]],
  ])("P25: wildcard %j", (wildcard, yes, no) => {
    expect(which([{ wildcard }], [...yes, ...no, 1, null])).toEqual(yes);
  });

  it("P26: numeric compares numbers only", () => {
    const all = [-1, 0, 5, 5.5, 10, "5", null];
    expect(which([{ numeric: ["=", 5] }], all)).toEqual([5]);
    expect(which([{ numeric: ["<", 5] }], all)).toEqual([-1, 0]);
    expect(which([{ numeric: ["<=", 5] }], all)).toEqual([-1, 0, 5]);
    expect(which([{ numeric: [">", 5] }], all)).toEqual([5.5, 10]);
    expect(which([{ numeric: [">=", 5] }], all)).toEqual([5, 5.5, 10]);
    expect(which([{ numeric: [">", 0, "<=", 5.5] }], all)).toEqual([5, 5.5]);
    expect(which([{ numeric: [">=", 0, "<", 5.5] }], all)).toEqual([0, 5]);
    expect(compilePattern('{"f":[{"numeric":["=",3.018e2]}]}').matches({ f: 301.8 })).toBe(true);
  });

  it("P27: cidr matches addresses of its own family, however they are spelt", () => {
    expect(
      which(
        [{ cidr: "10.0.0.0/24" }],
        ["10.0.0.0", "10.0.0.255", "10.0.1.0", "10.0.0", "10.0.0.256", "::ffff:10.0.0.7", "::ffff:a00:7", 1],
      ),
    ).toEqual(["10.0.0.0", "10.0.0.255", "::ffff:10.0.0.7", "::ffff:a00:7"]);
    expect(which([{ cidr: "10.0.0.128/25" }], ["10.0.0.127", "10.0.0.128"])).toEqual(["10.0.0.128"]);
    expect(which([{ cidr: "10.3.0.0/15" }], ["10.2.9.9", "10.3.9.9", "10.4.0.0"])).toEqual(["10.2.9.9", "10.3.9.9"]);
    expect(which([{ cidr: "0.0.0.0/0" }], ["1.2.3.4", "::1", "01.2.3.4", "x"])).toEqual(["1.2.3.4"]);
    expect(
      which([{ cidr: "2001:db8::/33" }], ["2001:db8::1", "2001:0DB8:7fff:0:0:0:0:1", "2001:db8:8000::", "2001:db8::1::", "1.2.3.4"]),
    ).toEqual(["2001:db8::1", "2001:0DB8:7fff:0:0:0:0:1"]);
    expect(
      which(
        [{ cidr: "::/0" }],
        [
          "::",
          "::1",
          "1::",
          "1:2:3:4:5:6:7:8",
          "1:2:3:4:5:6:7",
          "1:2:3:4:5:6:7:8:9",
          "12345::",
          ":1",
          "1:",
          "1.2.3.4",
          "a::1.2.3.4",
          "1.2.3.4::",
          "f".repeat(50) + ":",
        ],
      ),
    ).toEqual(["::", "::1", "1::", "1:2:3:4:5:6:7:8", "a::1.2.3.4"]);
    expect(which([{ cidr: "::ffff:10.0.0.0/104" }], ["10.1.1.1", "11.1.1.1"])).toEqual(["10.1.1.1"]);
  });

  it("P28: exists true wants a value", () => {
    expect(at([{ exists: true }], "x")).toBe(true);
    expect(matches({ f: [{ exists: true }] }, { g: 1 })).toBe(false);
    expect(matches({ f: [{ exists: true }] }, { f: { g: 1 } })).toBe(false);
  });

  it("P29: exists false wants no value at that path", () => {
    const absent: Pattern = { d: { b: [{ exists: false }] } };
    for (const event of [{}, { d: {} }, { d: [] }, { d: { b: [] } }, { d: { b: { c: 1 } } }, { d: 1 }])
      expect(matches(absent, event)).toBe(true);
    for (const event of [{ d: { b: null } }, { d: [{}, { b: 1 }] }, { d: { b: ["x"] } }]) expect(matches(absent, event)).toBe(false);
    expect(at([{ exists: false }, "x"], "x")).toBe(true);
    expect(at([{ exists: false }, "x"], "y")).toBe(false);
  });

  it("P29: next to another condition it looks at the element chosen by that", () => {
    const event = { d: [{ a: 1, b: 2 }, { a: 3 }] };
    expect(matches({ d: { a: [3], b: [{ exists: false }] } }, event)).toBe(true);
    expect(matches({ d: { b: [{ exists: false }], a: [3] } }, event)).toBe(true);
    expect(matches({ d: { a: [1], b: [{ exists: false }] } }, event)).toBe(false);
  });

  it("P30: anything-but wants a value, of any type, that is none of those", () => {
    const all = ["a", "b", "1", 1, 2, true, null];
    expect(which([{ "anything-but": "a" }], all)).toEqual(["b", "1", 1, 2, true, null]);
    expect(which([{ "anything-but": 1 }], all)).toEqual(["a", "b", "1", 2, true, null]);
    expect(which([{ "anything-but": ["a", "b"] }], all)).toEqual(["1", 1, 2, true, null]);
    expect(which([{ "anything-but": [1, 2.0] }], all)).toEqual(["a", "b", "1", true, null]);
    expect(matches({ f: [{ "anything-but": "a" }] }, {})).toBe(false);
    expect(at([{ "anything-but": "a" }], [])).toBe(false);
    expect(at([{ "anything-but": "a" }], ["a", "b"])).toBe(true);
    expect(at([{ "anything-but": "a" }], ["a"])).toBe(false);
  });

  it("P31: anything-but with an operator, one string or a list", () => {
    const all = ["init", "INIT", "x.jar", "/bin/x.jar", 1, null];
    expect(which([{ "anything-but": { prefix: "in" } }], all)).toEqual(["INIT", "x.jar", "/bin/x.jar", 1, null]);
    expect(which([{ "anything-but": { prefix: ["in", "IN"] } }], all)).toEqual(["x.jar", "/bin/x.jar", 1, null]);
    expect(which([{ "anything-but": { suffix: ".jar" } }], all)).toEqual(["init", "INIT", 1, null]);
    expect(which([{ "anything-but": { suffix: [".jar", "T"] } }], all)).toEqual(["init", 1, null]);
    expect(which([{ "anything-but": { "equals-ignore-case": "Init" } }], all)).toEqual(["x.jar", "/bin/x.jar", 1, null]);
    expect(which([{ "anything-but": { "equals-ignore-case": ["Init", "X.JAR"] } }], all)).toEqual(["/bin/x.jar", 1, null]);
    expect(which([{ "anything-but": { wildcard: "*/bin/*.jar" } }], all)).toEqual(["init", "INIT", "x.jar", 1, null]);
    expect(which([{ "anything-but": { wildcard: ["*.jar", "init"] } }], all)).toEqual(["INIT", 1, null]);
  });
});
