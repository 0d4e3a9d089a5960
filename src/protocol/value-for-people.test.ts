import { describe, expect, it } from "vitest";
import { valueForPeople } from "./value-for-people.ts";
import { HttpAnswerValue, toValueText } from "./value-text.ts";

function shown(value: unknown): unknown {
  const written = toValueText(value);
  if (!written.ok) throw new Error(written.what);
  return valueForPeople(written.text);
}

describe("V9: a value as people see it", () => {
  const error = Object.assign(new TypeError("wrong", { cause: new Map([["a", 1n]]) }), { sku: "x" });
  it.each<[string, unknown, unknown]>([
    ["JSON as it is", { a: [1, "b", null] }, { a: [1, "b", null] }],
    ["undefined", undefined, null],
    ["odd numbers", [NaN, -Infinity, -0, 12n], ["NaN", "-Infinity", 0, "12"]],
    ["dates", [new Date(0), new Date(NaN)], ["1970-01-01T00:00:00.000Z", "Invalid Date"]],
    ["a Map of texts", new Map([["a", new Date(0)]]), { a: "1970-01-01T00:00:00.000Z" }],
    [
      "another Map",
      new Map<unknown, number>([
        ["a", 1],
        [2, 3],
      ]),
      [
        ["a", 1],
        [2, 3],
      ],
    ],
    ["a Set", new Set([1, 2n]), [1, "2"]],
    ["a RegExp", [/a/g], ["/a/g"]],
    [
      "bytes",
      { all: Buffer.from("hi"), some: new Uint8Array([1]).buffer, view: new DataView(new ArrayBuffer(1)) },
      { all: "aGk=", some: "AQ==", view: "AA==" },
    ],
    ["boxed values", [Object(1n), Object("x")], ["1", "x"]],
    ["an error", error, { name: "TypeError", message: "wrong", stack: error.stack, cause: { a: "1" }, sku: "x" }],
    ["holes", Object.assign([], { 0: 1, 2: 2 }), { length: 3, "0": 1, "2": 2 }],
    ["an own valueOf", { valueOf: 1, at: undefined }, { valueOf: 1, at: null }],
  ])("%s", (_, value, people) => {
    expect(shown(value)).toEqual(people);
    expect(JSON.parse(JSON.stringify(shown(value)))).toEqual(people);
  });

  it("an HTTP answer, its body as text where it is text", () => {
    const answer = { status: 200, statusText: "OK", headers: ["a", "b"] };
    expect(shown(new HttpAnswerValue({ ...answer, body: Buffer.from("é") }))).toEqual({ ...answer, body: "é" });
    expect(shown(new HttpAnswerValue({ ...answer, body: Buffer.from([255]) }))).toEqual({ ...answer, body: "/w==" });
  });

  it("what was shown before is not shown again", () => {
    const shared = { n: 1 };
    const value: Record<string, unknown> = { one: shared, other: shared };
    value["self"] = value;
    expect(shown(value)).toEqual({ one: { n: 1 }, other: "[shown above]", self: "[shown above]" });
  });

  it("a value that doubles at each level stays as large as its text", () => {
    let value: unknown = 1n;
    for (let i = 0; i < 500; i++) value = [value, value];
    expect(JSON.stringify(shown(value)).length).toBeLessThan(20_000);
  });

  it("a way through shared objects that is deeper than any value may be is cut off", () => {
    // Every object is one reference away from the first, and a step from the one before it.
    const cells = Array.from({ length: 5000 }, (_, n) => (n === 4999 ? '{"a":1}' : `{"a":[${n + 2}]}`));
    const all = `["Array",${cells.map((_, n) => `[${n + 1}]`).join(",")}]`;
    expect(JSON.stringify(valueForPeople(`~[[0],${all},${cells.join(",")}]`))).toContain("[nested too deep]");
  });

  it("names like __proto__ are names", () => {
    const people = valueForPeople('~[[0],{"__proto__":[1]},["Map","__proto__",{}]]'.replace("{}", '["undefined"]')) as object;
    expect(Object.getPrototypeOf(people)).toBe(Object.prototype);
    expect(JSON.stringify(people)).toBe('{"__proto__":{"__proto__":null}}');
  });
});
