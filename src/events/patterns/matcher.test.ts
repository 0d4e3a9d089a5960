import { describe, expect, it } from "vitest";
import { explain, Matcher, type Pattern } from "./index.ts";

function matcherOf(patterns: Record<string, Pattern | string>): Matcher<string> {
  const matcher = new Matcher<string>();
  for (const [id, pattern] of Object.entries(patterns)) matcher.add(id, pattern);
  return matcher;
}

describe("matcher", () => {
  it("P15: takes an object, JSON text or UTF-8 bytes", () => {
    const matcher = matcherOf({ a: { type: ["é😀"] }, b: '{"n":[300.0]}' });
    const event = { type: "é😀", n: 300 };
    const text = JSON.stringify(event);
    for (const input of [event, text, new TextEncoder().encode(text), Buffer.from(text), Buffer.from(`\uFEFF${text}`)])
      expect(matcher.match(input)).toEqual(["a", "b"]);
    expect(matcher.match(' {"n":3.0e2} ')).toEqual(["b"]);
  });

  it.each([
    "",
    "{",
    '{"a":1}}',
    "{'a':1}",
    '{"a":01}',
    '{"a":"\n"}',
    '{"a":1,}',
    "nul",
    new Uint8Array(),
    new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
  ])("P15: damaged JSON is an error: %j", (input) => {
    expect(() => matcherOf({ a: { type: ["x"] } }).match(input)).toThrow(
      expect.objectContaining({ code: "bad_json", message: expect.stringMatching(/^the event is not JSON: ./) as string }),
    );
  });

  it.each([
    ["[]", "a list"],
    ["5", "a number"],
    ["null", "null"],
    ['"x"', "a string"],
    [[], "a list"],
  ])("P15: %j is no event", (input, name) => {
    expect(() => matcherOf({ a: { type: ["x"] } }).match(input)).toThrow(
      expect.objectContaining({ code: "bad_event", message: `an event is a JSON object, not ${name}` }),
    );
  });

  it("P16: deep events do no harm where no pattern looks, and are refused where one does", () => {
    const deepArray = `${"[".repeat(100_000)}"x"${"]".repeat(100_000)}`;
    const deepObject = `${'{"a":'.repeat(100_000)}"x"${"}".repeat(100_000)}`;
    const matcher = matcherOf({ a: { type: ["x"], a: { a: { a: [{ exists: false }] } } } });
    expect(matcher.match(`{"type":"x","deep":${deepArray}}`)).toEqual(["a"]);
    expect(matcher.match(`{"type":"x","a":${deepObject}}`)).toEqual(["a"]);
    const tooDeep = expect.objectContaining({
      code: "bad_event",
      message: "the event nests arrays more than 256 levels deep where a pattern looks",
    }) as Error;
    expect(() => matcher.match(`{"type":"x","a":${deepArray}}`)).toThrow(tooDeep);
    expect(() => matcher.match(`{"type":${deepArray}}`)).toThrow(tooDeep);
    expect(() => matcherOf({ a: { d: { e: ["x"] } } }).match(`{"d":{"e":0},"d.e":${deepArray}}`)).toThrow(tooDeep);
    expect(() => explain({ a: ["y"] }, `{"a":${deepArray}}`)).toThrow(tooDeep);
    expect(matcherOf({ a: { d: ["x"] } }).match(`{"d":${"[".repeat(256)}"x"${"]".repeat(256)}}`)).toEqual(["a"]);
  });

  it("P16: a cyclic event is refused, not followed for ever", () => {
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    expect(() => matcherOf({ a: { d: ["x"] } }).match({ d: cyclic })).toThrow("256 levels");
  });

  it("P16: dotted keys with too many ways are refused", () => {
    const names = Array.from({ length: 12 }, (_, i) => `c${i}`);
    const matcher = matcherOf({ a: { d: { e: Object.fromEntries(names.map((name) => [name, [1]])) } } });
    // every element fulfils another half of the conditions, so that none beats another
    const elements = Array.from({ length: 4096 }, (_, bits) => names.filter((_, i) => (bits >> i) % 2 === 1)).filter(
      ({ length }) => length === 6,
    );
    const objects = elements.map((own) => Object.fromEntries(own.map((name) => [name, 1])));
    expect(matcher.match({ d: { e: objects } })).toEqual([]);
    expect(() => matcher.match({ d: { e: objects }, "d.e": [{ c0: 1 }] })).toThrow(
      expect.objectContaining({ code: "bad_event", message: expect.stringContaining("256 ways") as string }),
    );
    expect(matcher.match({ d: { e: objects.slice(0, 100) }, "d.e": [{ c0: 1 }] })).toEqual([]);
    expect(matcher.match({ d: { e: objects.slice(0, 1) }, "d.e": objects.slice(-1) })).toEqual(["a"]);
  });

  it("P16: dotted keys beside long arrays are refused: each element would cost its ways", () => {
    const matcher = matcherOf({ a: { d: { e: { x: [1], y: [2] } } } });
    const objects = Array.from({ length: 1001 }, () => ({ x: 1 }));
    expect(matcher.match({ d: { e: objects } })).toEqual([]);
    expect(matcher.match({ d: { e: objects.slice(1), "e.y": 2 } })).toEqual(["a"]);
    expect(() => matcher.match({ d: { e: objects, "e.y": 2 } })).toThrow(
      expect.objectContaining({ code: "bad_event", message: expect.stringContaining("1000 objects") as string }),
    );
  });

  it("P25: the worst text for a wildcard takes no longer than its length", () => {
    const text = "a".repeat(1_000_000);
    const worst = `*b${"a".repeat(1500)}*${"ab*".repeat(20)}`;
    expect(matcherOf({ a: { f: [{ wildcard: worst }] } }).match({ f: text })).toEqual([]);
  });

  it("P40: returns ids once, in the order in which they were first added", () => {
    const matcher = new Matcher<object | number>();
    const [first, second] = [{}, {}];
    matcher.add(first, { type: [{ prefix: "order." }] });
    matcher.add(second, { type: ["order.paid"] });
    matcher.add(Number.NaN, { source: ["s"] });
    matcher.add(first, { source: ["s"] });
    matcher.add(first, { $or: [{ type: ["order.paid"] }, { source: ["s"] }] });
    expect(matcher.match({ type: "order.paid", source: "s" })).toEqual([first, second, Number.NaN]);
    expect(matcher.match({ type: "x", source: "s" })).toEqual([first, Number.NaN]);
    expect(matcher.match({ type: ["order.paid", "order.paid", ["x"]] })).toEqual([first, second]);
    expect(matcher.size).toBe(3);
  });

  it("P42: delete removes all patterns of an id", () => {
    const matcher = new Matcher<string>();
    expect(matcher.delete("a")).toBe(false);
    matcher.add("a", { type: ["x", "y"] });
    matcher.add("b", { type: ["x"] });
    matcher.add("a", { n: [{ exists: true }] });
    expect(matcher.delete("a")).toBe(true);
    expect(matcher.delete("a")).toBe(false);
    expect(matcher.match({ type: "x", n: 1 })).toEqual(["b"]);
    expect(matcher.size).toBe(1);
    expect(matcher.delete("b")).toBe(true);
    expect(matcher.match({ type: "x", n: 1 })).toEqual([]);
    matcher.add("a", { type: ["x"] });
    expect(matcher.match({ type: "x" })).toEqual(["a"]);
  });

  it("P43: inherited fields and odd values do not disturb the index", () => {
    const matcher = matcherOf({ a: { constructor: ["x"] }, b: JSON.parse('{"__proto__":["x"]}') as Pattern, c: { type: ["x"] } });
    expect(matcher.match({})).toEqual([]);
    expect(matcher.match(JSON.parse('{"constructor":"x","__proto__":"x","type":{"x":"x"}}') as object)).toEqual(["a", "b"]);
    expect(matcher.match({ type: null })).toEqual([]);
  });
});
