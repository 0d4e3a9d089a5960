import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compilePattern, explain, type Explanation, type Pattern } from "./index.ts";

const event = {
  type: "order.placed",
  data: {
    total: 50,
    tags: ["a", "b"],
    lines: [
      { sku: "x", qty: 1 },
      { sku: "y", qty: 2 },
    ],
    note: {},
    none: [],
  },
};

describe("which condition failed", () => {
  it("P44: says that an event matches", () => {
    expect(explain({ type: ["order.placed"] }, event)).toMatchObject({ matched: true });
    expect(explain({ type: ["order.placed"] }, event)).not.toHaveProperty("failed");
    expect(explain('{"type":["order.placed"]}', JSON.stringify(event))).toMatchObject({ matched: true });
  });

  it.each<[string, Pattern, object]>([
    [
      "a value that does not fit",
      { type: ["order.placed"], data: { total: [{ numeric: [">", 100] }] } },
      { path: "data.total", condition: [{ numeric: [">", 100] }], found: 50, reason: "mismatch" },
    ],
    ["a list of values", { "data.tags": ["c"] }, { path: "data.tags", condition: ["c"], found: ["a", "b"], reason: "mismatch" }],
    [
      "values of several elements",
      { data: { lines: { sku: ["z"] } } },
      { path: "data.lines.sku", condition: ["z"], found: ["x", "y"], reason: "mismatch" },
    ],
    [
      "nothing there",
      { type: ["order.placed"], subject: ["s"] },
      { path: "subject", condition: ["s"], found: undefined, reason: "missing" },
    ],
    [
      "an object there",
      { data: { note: [{ exists: true }] } },
      { path: "data.note", condition: [{ exists: true }], found: {}, reason: "missing" },
    ],
    ["an empty array there", { data: { none: [null] } }, { path: "data.none", condition: [null], found: [], reason: "missing" }],
    [
      "a value where none should be",
      { data: { total: [{ exists: false }] } },
      { path: "data.total", condition: [{ exists: false }], found: 50, reason: "mismatch" },
    ],
    [
      "different elements",
      { data: { lines: { sku: ["x"], qty: [2] } } },
      { path: "data.lines.qty", condition: [2], found: [1, 2], reason: "apart" },
    ],
    [
      "the branch that came furthest",
      {
        type: ["order.placed"],
        $or: [
          { type: ["other"], "data.total": [1] },
          { "data.tags": ["a"], subject: ["s"] },
        ],
      },
      { path: "subject", condition: ["s"], found: undefined, reason: "missing" },
    ],
  ])("P44: %s", (_what, pattern, expected) => {
    const { matched, failed } = explain(pattern, event);
    expect(matched).toBe(false);
    const { hint: _, ...facts } = failed ?? { path: "", hint: "" };
    expect(facts).toEqual(expected);
  });

  it("P44: shows at most 20 values", () => {
    const { failed } = explain({ a: ["x"] }, { a: Array.from({ length: 100 }, (_, i) => i) });
    expect(failed?.found).toHaveLength(20);
  });

  it("P44: a condition that may be absent is judged last, whatever comes first", () => {
    const pattern: Pattern = { d: { a: [{ exists: false }], b: [1], c: [9] } };
    expect(explain(pattern, { d: [{ a: 1 }, { b: 1 }] }).failed?.path).toBe("d.c");
  });

  it("P44: one that chooses an element may let another be absent, whichever is written first", () => {
    const pattern: Pattern = { d: { x: [{ exists: false }], y: [{ exists: false }, 1] }, z: [9] };
    const { failed, branches } = explain(pattern, { d: [{ x: 1 }, { y: 1 }], z: 1 });
    expect(failed?.path).toBe("z");
    expect(branches[0]?.conditions.map(({ holds }) => holds)).toEqual([true, true, false]);
  });

  it("P44: a few that fail among very many are found", () => {
    const pattern = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`f${i}`, [i % 125 === 124 ? -1 : i]]));
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`f${i}`, i]));
    const { failed, branches } = explain(pattern, many);
    expect(failed?.path).toBe("f124");
    expect(branches[0]?.conditions.flatMap(({ path, holds }) => (holds ? [] : [path]))).toEqual(["f124", "f249", "f374", "f499"]);
  });
});

describe("all that was asked", () => {
  it("P45: tells of every condition whether it holds, and what was found", () => {
    const pattern: Pattern = { type: [{ prefix: "order." }], subject: [{ exists: false }], data: { tags: ["b", "z"], total: [60] } };
    expect(explain(pattern, event).branches).toEqual([
      {
        branch: 1,
        matched: false,
        conditions: [
          { holds: true, path: "type", condition: [{ prefix: "order." }], found: "order.placed" },
          { holds: true, path: "subject", condition: [{ exists: false }], found: undefined },
          { holds: true, path: "data.tags", condition: ["b", "z"], found: "b" },
          { holds: false, path: "data.total", condition: [60], found: 50, reason: "mismatch" },
        ],
      },
    ]);
  });

  it("P45: the branch that matches comes first, then by how far each came", () => {
    const pattern: Pattern = {
      type: ["order.placed"],
      $or: [{ subject: ["s"], id: ["i"] }, { subject: ["s"] }, { data: { total: [50] } }, { "data.tags": ["a"], subject: ["s"] }],
    };
    const { matched, branches, branchCount } = explain(pattern, event);
    expect({ matched, branchCount, order: branches.map(({ branch }) => branch) }).toEqual({
      matched: true,
      branchCount: 4,
      order: [3, 4, 2, 1],
    });
  });

  it("P45: lists at most 20 branches, and says how many there are", () => {
    const pattern: Pattern = { $or: Array.from({ length: 100 }, (_, i) => ({ a: [i], ...(i === 77 ? {} : { b: [1] }) })) };
    const { branches, branchCount } = explain(pattern, { c: 1 });
    expect(branches).toHaveLength(20);
    expect(branchCount).toBe(100);
    expect(branches[0]?.branch).toBe(78);
  });
});

describe("hints", () => {
  const hintOf = (condition: unknown, found: unknown): string | undefined =>
    explain(JSON.stringify({ data: { x: condition } }), { data: { x: found } }).failed?.hint;

  it.each<[found: unknown, condition: readonly unknown[], hint: string | undefined]>([
    // the type
    ["300", [300], 'found the string "300", the pattern wants the number 300'],
    [300, ["300"], 'found the number 300, the pattern wants the string "300"'],
    ["true", [true], 'found the string "true", the pattern wants true'],
    [false, ["false"], 'found false, the pattern wants the string "false"'],
    ["null", [null], 'found the string "null", the pattern wants null'],
    [null, ["null"], 'found null, the pattern wants the string "null"'],
    ["", [0], undefined],
    [1, [true], undefined],
    ["250", [{ numeric: [">", 100] }], '"250" is a string, and "numeric" looks at numbers only: send it without quotes'],
    ["abc", [{ numeric: [">", 100] }], '"numeric" looks at numbers only, and "abc" is a string'],
    ["50", [{ numeric: [">", 100] }], '"numeric" looks at numbers only, and "50" is a string'],
    [null, [{ numeric: [">", 100] }], '"numeric" looks at numbers only, and this is null'],
    [300, [{ prefix: "3" }], '"prefix" looks at strings only, and 300 is a number'],
    [true, [{ wildcard: "t*" }], '"wildcard" looks at strings only, and true is a boolean'],
    // letter case
    ["Lamp", ["lamp"], 'differs only in letter case; {"equals-ignore-case":"lamp"} would match'],
    ["/Shops/7", [{ prefix: "/shops/" }], 'differs only in letter case; {"prefix":{"equals-ignore-case":"/shops/"}} would match'],
    ["a.PNG", [{ suffix: ".png" }], 'differs only in letter case; {"suffix":{"equals-ignore-case":".png"}} would match'],
    ["A.png", [{ wildcard: "a.*" }], 'differs only in letter case, and "wildcard" tells upper from lower case'],
    // spaces and code points
    ["lamp ", ["lamp"], "differs only in spaces: the event has some around it"],
    ["lamp", ["lamp "], "differs only in spaces: the pattern has some around it"],
    ["cafe\u0301", ["caf\u00e9"], "looks the same, but one of the two composes its accents of several characters (Unicode normalization)"],
    // literals that were meant as more
    ["order.placed", ["order.*"], '"order.*" stands for itself alone; {"wildcard":"order.*"} would match'],
    ["10.1.2.3", ["10.0.0.0/8"], '"10.0.0.0/8" stands for itself alone; {"cidr":"10.0.0.0/8"} would match'],
    ["/shops/7", ["/shops/"], 'the whole string must be equal; {"prefix":"/shops/"} would match'],
    ["a.png", [".png"], 'the whole string must be equal; {"suffix":".png"} would match'],
    ["anything", [""], undefined],
    // numbers
    [100, [{ numeric: [">", 100] }], '100 is the bound itself, which is left out; {"numeric":[">=",100]} would match'],
    [20, [{ numeric: [">=", 10, "<", 20] }], '20 is the bound itself, which is left out; {"numeric":[">=",10,"<=",20]} would match'],
    [99, [{ numeric: [">", 100] }], undefined],
    // null and absence
    [null, [{ exists: false }], 'null is a value like any other: "exists": false wants the field itself to be absent'],
    [5, [{ exists: false }], undefined],
    // spelling
    ["order.plcaed", ["order.placed"], '"order.plcaed" and "order.placed" are spelled almost alike'],
    ["order.paid", ["order.placed"], undefined],
    ["order-1001", ["order-1002"], undefined],
    ["FR", ["DE"], undefined],
    // the surest of several
    [["b", 7, "Lamp"], ["c", "7", "lamp"], 'found the number 7, the pattern wants the string "7"'],
  ])("P46: found %j, wanted %j", (found, condition, hint) => {
    expect(hintOf(condition, found)).toBe(hint);
  });

  it.each<[what: string, path: string, event: object, hint: string | undefined]>([
    ["a name in another case", "data.total", { data: { Total: 1 } }, "the event has data.Total: names are case-sensitive"],
    ["a name misspelt", "data.totla", { data: { total: 1 } }, "the event has data.total: was that meant?"],
    ["a forgotten level", "total", { data: { total: 1 } }, "the event has data.total"],
    ["an attribute sought in data", "data.subject", { subject: "s", data: { a: 1 } }, "the event has subject, beside data and not in it"],
    ["an event in a wrapper", "data.total", { seq: 1, cloudEvent: { data: { total: 1 } } }, "the event has cloudEvent.data.total"],
    ["a string on the way", "data.customer.id", { data: { customer: "c1" } }, 'data.customer is a string, "c1": there is nothing below it'],
    ["null on the way", "data.customer.id", { data: { customer: null } }, "data.customer is null: there is nothing below it"],
    [
      "JSON in a string",
      "data.total",
      { data: '{"total":1}' },
      "data is a string that holds JSON, and patterns do not look into strings: send it as JSON",
    ],
    [
      "bytes",
      "data.total",
      { type: "a", data_base64: "AA==" },
      "the event carries bytes (data_base64), and patterns do not look into them",
    ],
    ["an empty object on the way", "data.a.b", { data: { a: {} } }, "data.a is an object without fields"],
    ["a list of values on the way", "data.a.b", { data: { a: [1, 2] } }, "data.a is a list without objects: there are no fields below it"],
    ["a list of objects on the way", "data.a.b", { data: { a: [{ c: 1 }, { d: 2 }] } }, "data.a has c, d"],
    ["other names", "data.vip", { data: { sku: "x", qty: 1 } }, "data has sku, qty"],
    [
      "very many other names",
      "data.vip",
      { data: Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`field${i}`, i])) },
      "data has field0, field1, field2, field3, field4, field5, field6, field7, …",
    ],
    ["an empty list", "data.a", { data: { a: [] } }, "the list there is empty: it has no values to match"],
    [
      "a list of objects",
      "data.a",
      { data: { a: [{ b: 1 }] } },
      "a list of objects stands there, and conditions look at values: ask for a field of it, such as data.a.b",
    ],
    [
      "an object",
      "data.a",
      { data: { a: { b: 1 } } },
      "an object stands there, and conditions look at values: ask for a field of it, such as data.a.b",
    ],
    ["an empty object", "data.a", { data: { a: {} } }, "an object without values stands there, and conditions look at values"],
  ])("P46: %s", (_what, path, input, hint) => {
    const { failed } = explain({ [path]: [{ exists: true }] }, input);
    expect(failed).toMatchObject({ path, reason: "missing" });
    expect(failed?.hint).toBe(hint);
  });

  it("P46: of two elements says where each condition holds", () => {
    expect(explain({ data: { lines: { sku: ["x"], qty: [2] } } }, event).failed?.hint).toBe(
      "data.lines[1].qty fits, and so does data.lines[0].sku: of a list, one element must fit all that is asked",
    );
    const three: Pattern = { d: { a: [1], b: [2], c: [3] } };
    const pairwise = {
      d: [
        { a: 1, b: 2 },
        { b: 2, c: 3 },
        { a: 1, c: 3 },
      ],
    };
    expect(explain(three, pairwise).failed?.hint).toBe(
      "what fits is in another element than what fits the rest: of a list, one element must fit all that is asked",
    );
  });

  it("P46: looks at what the event itself has, not at what every object has", () => {
    expect(explain({ data: { constructor: [1] } }, { data: { a: 1 } }).failed?.hint).toBe("data has a");
    expect(explain({ toString: { name: ["x"] } }, {}).failed?.hint).toBe("the event is an object without fields");
  });
});

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

// Few names and values, so that patterns and events meet often; arrays of objects, so that conditions meet in them.
const name = fc.constantFrom("a", "b", "c", "d", "a.b", "b.c");
const leaf = fc.constantFrom<Json>(0, 1, 2, "1", "2", "ab", "AB", "ab ", "abc", "a*", "", null, true, "true");
const objects = <T extends Json>(value: fc.Arbitrary<T>, minKeys = 0): fc.Arbitrary<{ [key: string]: Json }> =>
  fc.dictionary(name, value, { minKeys, maxKeys: 4 });
const level = (value: fc.Arbitrary<Json>): fc.Arbitrary<Json> =>
  fc.oneof(leaf, fc.array(leaf, { maxLength: 3 }), objects(value), fc.array(objects(value), { maxLength: 3 }));
const anyEvent = objects(fc.oneof(level(level(leaf)), level(leaf)));
const alternative = fc.oneof(
  leaf,
  fc.constantFrom<Json>(
    { exists: false },
    { exists: true },
    { prefix: "a" },
    { suffix: "B" },
    { wildcard: "a*c" },
    { numeric: [">", 1] },
    { numeric: [">=", 0, "<", 2] },
    { "anything-but": [1, 2] },
    { "anything-but": { prefix: "a" } },
  ),
);
const alternatives = fc.array(alternative, { minLength: 1, maxLength: 2 });
const path = fc.array(fc.constantFrom("a", "b", "c", "d"), { minLength: 1, maxLength: 3 }).map((keys) => keys.join("."));
const fields = fc.dictionary(path, alternatives, { minKeys: 1, maxKeys: 4 });
const anyPattern = fc
  .tuple(fields, fc.option(fc.array(fields, { minLength: 2, maxLength: 3 })))
  .map(([always, or]) => (or === null ? always : { ...always, $or: or }) as Pattern);

const RUNS = { numRuns: 3000 };

type Branch = Explanation["branches"][number];

const flat = (conditions: Branch["conditions"]): Pattern =>
  Object.fromEntries(conditions.map((each) => [each.path, each.condition])) as Pattern;
const matches = (conditions: Branch["conditions"], input: object): boolean =>
  conditions.length === 0 || compilePattern(flat(conditions)).matches(input);

describe("explanations are true", () => {
  it("P44, P45: of random patterns and events", () => {
    let failures = 0;
    fc.assert(
      fc.property(anyPattern, anyEvent, (pattern, input) => {
        const { matched, failed, branches } = explain(pattern, input);
        expect(matched).toBe(compilePattern(pattern).matches(input));
        expect(failed === undefined).toBe(matched);
        for (const { conditions, matched: whole } of branches) {
          const held = conditions.filter(({ holds }) => holds);
          expect(whole).toBe(held.length === conditions.length);
          expect(matches(held, input)).toBe(true);
          for (const each of conditions) {
            if (each.holds) continue;
            expect(matches([...held, each], input)).toBe(false);
            const alone = matches([each], input);
            expect(each.reason === "apart").toBe(alone);
            expect(each.reason === "missing").toBe(matches([{ ...each, condition: [{ exists: false }] }], input));
          }
        }
        if (!matched) failures++;
      }),
      RUNS,
    );
    expect(failures).toBeGreaterThan(RUNS.numRuns / 4);
  });

  it("P44: without the condition that is named, the branch gets further", () => {
    let failures = 0;
    fc.assert(
      fc.property(anyPattern, anyEvent, (pattern, input) => {
        const { failed, branches } = explain(pattern, input);
        const [furthest] = branches;
        if (failed === undefined || furthest === undefined) return;
        failures++;
        const order = furthest.conditions.map((each) => each.path);
        const others = furthest.conditions.filter((each) => each.path !== failed.path);
        if (others.length === 0) return;
        const without = explain(flat(others), input);
        expect(without.failed === undefined || order.indexOf(without.failed.path) > order.indexOf(failed.path)).toBe(true);
      }),
      RUNS,
    );
    expect(failures).toBeGreaterThan(RUNS.numRuns / 4);
  });

  it("P46: what a hint says would match does match what was found", () => {
    let proposals = 0;
    fc.assert(
      fc.property(alternatives, leaf, (condition, found) => {
        const { failed } = explain(JSON.stringify({ x: condition }), { x: found });
        const proposed = /; (\{.*\}) would match$/.exec(failed?.hint ?? "")?.[1];
        if (proposed === undefined) return;
        proposals++;
        expect(compilePattern(`{"x":[${proposed}]}`).matches({ x: found })).toBe(true);
      }),
      RUNS,
    );
    expect(proposals).toBeGreaterThan(RUNS.numRuns / 100);
  });

  it("P46: what a hint says the event has is there", () => {
    let claims = 0;
    fc.assert(
      fc.property(path, anyEvent, (wanted, input) => {
        const { failed } = explain({ [wanted]: [{ exists: true }] }, input);
        const claimed = /^the event has ([^,:]+)/.exec(failed?.hint ?? "")?.[1];
        if (claimed === undefined) return;
        claims++;
        const { failed: there } = explain({ [claimed]: [{ exists: true }] }, input);
        expect(there === undefined || there.found !== undefined).toBe(true);
      }),
      RUNS,
    );
    expect(claims).toBeGreaterThan(RUNS.numRuns / 20);
  });
});
