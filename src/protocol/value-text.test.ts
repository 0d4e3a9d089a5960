import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MillraceError } from "../core/index.ts";
import { fromValueText, HttpAnswerValue, toValueText } from "./value-text.ts";

function textOf(value: unknown): string {
  const written = toValueText(value);
  if (!written.ok) throw new Error(`it is not kept: ${written.path}: ${written.what}`);
  return written.text;
}

function again<Value>(value: Value): Value {
  return fromValueText(textOf(value)) as Value;
}

function faultOf(value: unknown): { path: string; what: string } {
  const written = toValueText(value);
  if (written.ok) throw new Error(`it is kept: ${written.text}`);
  return { path: written.path, what: written.what };
}

describe("V1 V2: what JSON carries exactly is its JSON", () => {
  it.each([
    "text",
    "",
    "~",
    0,
    -1.5,
    true,
    null,
    [],
    {},
    { a: [1, { b: null }] },
    "\ud800",
    Object.create(null),
    JSON.parse('{"__proto__":{"admin":true}}'),
  ])("%j", (value) => {
    expect(textOf(value)).toBe(JSON.stringify(value));
    expect(fromValueText(textOf(value))).toEqual(value);
  });

  it.each([
    ["undefined", undefined, "~"],
    ["an undefined property", { a: undefined }, '~[[0],{"a":["undefined"]}]'],
    ["NaN", NaN, '~[["NaN"]]'],
    ["-0 within", [-0], '~[[0],["Array",["-0"]]]'],
    ["a hole", Object.assign([], { 0: 1, 2: 2 }), '~[[0],["Sparse",3,{"0":1,"2":2}]]'],
    ["a Date", { at: new Date(5) }, '~[[0],{"at":[1]},["Date",5]]'],
    ["a BigInt", 12n, '~[["12n"]]'],
  ])("V4 V5: %s is rich", (_, value, text) => {
    expect(textOf(value)).toBe(text);
  });

  it("V6: cells stand level by level", () => {
    expect(textOf({ a: { deep: new Date(1) }, b: new Set(["x"]) })).toBe('~[[0],{"a":[1],"b":[2]},{"deep":[3]},["Set","x"],["Date",1]]');
  });

  it("an array with a name is rich, and so is one whose names make up for its holes", () => {
    const match = "ab".match(/b/);
    expect(again(match)).toEqual(match);
    expect(again(match)?.index).toBe(1);
    const holed = Object.assign([], { 0: 1, 2: 3, name: "x" });
    expect(Object.entries(again(holed))).toEqual(Object.entries(holed));
    expect(again(holed)).toHaveLength(3);
  });

  it("toJSON is not asked", () => {
    expect(textOf(Object.assign(Object.create({ toJSON: () => "no" }), { a: 1 }))).toBe('~[[0],{"a":1}]');
  });
});

describe("V3: what structured clone carries comes back", () => {
  const bytes = Uint8Array.of(0, 127, 128, 255);
  it.each<[string, unknown]>([
    ["undefined", undefined],
    ["odd numbers", [NaN, Infinity, -Infinity, -0]],
    ["big integers", [0n, -(2n ** 70n), 2n ** 64n]],
    ["dates", [new Date("2026-01-02T03:04:05.678Z"), new Date(NaN)]],
    [
      "a Map",
      new Map<unknown, unknown>([
        ["a", 1],
        [{ b: 2 }, new Map()],
        [NaN, undefined],
      ]),
    ],
    ["a Set", new Set<unknown>([1, "1", [1], undefined])],
    ["regular expressions", [/a"b\/c/giu, /./v]],
    ["an ArrayBuffer", bytes.buffer],
    ["numbers as arrays", [new Float64Array([1.5, NaN, -0]), new BigInt64Array([-1n]), new Uint16Array([65535]), new Float16Array([0.5])]],
    ["a DataView", new DataView(bytes.buffer, 1, 2)],
    ["boxed values", [Object(1), Object("text"), Object(false), Object(5n), Object(-0)]],
    ["an object without prototype", { inner: Object.create(null), at: new Date(0) }],
    ["names like those of prototypes", { constructor: 1, toString: undefined, hasOwnProperty: "x" }],
  ])("%s", (_, value) => {
    expect(again(value)).toEqual(structuredClone(value));
    expect(again({ within: [value] })).toEqual(structuredClone({ within: [value] }));
  });

  it("whatever data there is", () => {
    const data = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: true,
      withBoxedValues: true,
      withNullPrototype: true,
    });
    fc.assert(
      fc.property(data, (value) => {
        expect(again(value)).toStrictEqual(structuredClone(value));
      }),
      { numRuns: 2000 },
    );
  });

  it("a view carries its own bytes and no more", () => {
    const small = Buffer.from("small");
    expect(small.buffer.byteLength).toBeGreaterThan(1000);
    const back = again<Uint8Array>(small);
    expect(back.constructor).toBe(Uint8Array);
    expect([back.buffer.byteLength, Buffer.from(back).toString()]).toEqual([5, "small"]);
  });

  it("cycles and shared references", () => {
    const shared = { n: 1 };
    const value: Record<string, unknown> = { one: shared, other: [shared] };
    value["self"] = value;
    value["map"] = new Map([[value, new Set([value])]]);
    const back = again(value);
    expect(back["self"]).toBe(back);
    expect((back["other"] as unknown[])[0]).toBe(back["one"]);
    const [[key, set] = []] = back["map"] as Map<unknown, Set<unknown>>;
    expect([key === back, set?.has(back)]).toEqual([true, true]);
  });

  it("an object that comes a ninth time is shared as well", () => {
    const objects = Array.from({ length: 12 }, (_, n) => ({ n }));
    for (const twice of [0, 7, 8, 9, 11]) {
      const back = again([...objects, objects[twice]]);
      expect(back[12]).toBe(back[twice]);
    }
  });

  it("an object of a class is its own properties", () => {
    class Parcel {
      readonly weight = 3;
      readonly #secret = 1;
      get heavy(): boolean {
        return this.weight > this.#secret;
      }
    }
    const back = again<object>(new Parcel());
    expect([back, Object.getPrototypeOf(back)]).toEqual([{ weight: 3 }, Object.prototype]);
  });

  it("an own property called __proto__ stays one", () => {
    const value = Object.defineProperty({ at: new Date(0) }, "__proto__", { value: { admin: true }, enumerable: true });
    const back = again<object>(value);
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
    expect(Object.getOwnPropertyDescriptor(back, "__proto__")?.value).toEqual({ admin: true });
    expect("admin" in back).toBe(false);
  });

  it("an HTTP answer", () => {
    const answer = new HttpAnswerValue({ status: 201, statusText: "Made", headers: ["a", "b"], body: Buffer.from([0, 255]) });
    const back = again(answer);
    expect(back).toBeInstanceOf(HttpAnswerValue);
    expect([back.status, back.statusText, back.headers, [...back.body]]).toEqual([201, "Made", ["a", "b"], [0, 255]]);
  });
});

describe("V3: errors come back as errors", () => {
  it.each([
    new Error("a"),
    new TypeError("b"),
    new RangeError("c"),
    new SyntaxError(""),
    new URIError("d"),
    new EvalError("e"),
    new ReferenceError("f"),
  ])("%s", (error) => {
    const back = again(error);
    expect(back.constructor).toBe(error.constructor);
    expect([back.name, back.message, back.stack]).toEqual([error.name, error.message, error.stack]);
    expect(Object.keys(back)).toEqual([]);
  });

  it("with their cause, their own properties and the name of their class", () => {
    class NoStock extends RangeError {
      override readonly name = "NoStock";
      readonly sku = "a1";
      readonly when = new Date(7);
    }
    const back = again(new NoStock("none left", { cause: new TypeError("deeper", { cause: "text" }) }));
    expect(back).toBeInstanceOf(RangeError);
    expect([back.name, back.message, back.sku, back.when]).toEqual(["NoStock", "none left", "a1", new Date(7)]);
    expect(back.cause).toBeInstanceOf(TypeError);
    expect((back.cause as Error).cause).toBe("text");
  });

  it("a cause that is undefined is there, one that is not is not", () => {
    expect(Object.hasOwn(again(new Error("a", { cause: undefined })), "cause")).toBe(true);
    expect(Object.hasOwn(again(new Error("a")), "cause")).toBe(false);
  });

  it("an AggregateError has its errors, a DOMException its name and code", () => {
    const aggregate = again(new AggregateError([new TypeError("one"), 2], "both"));
    expect(aggregate).toBeInstanceOf(AggregateError);
    expect([aggregate.message, aggregate.errors]).toEqual(["both", [new TypeError("one"), 2]]);
    const aborted = again(new DOMException("gone", "AbortError"));
    expect(aborted).toBeInstanceOf(DOMException);
    expect([aborted.name, aborted.message, aborted.code]).toEqual(["AbortError", "gone", 20]);
  });

  it("one that is its own cause", () => {
    const error: Error & { cause?: unknown } = new Error("round");
    error.cause = error;
    const back = again(error);
    expect(back.cause).toBe(back);
  });
});

describe("V7: what cannot be kept is named by its path", () => {
  const noop = (): void => {};
  it.each<[string, unknown, string, RegExp]>([
    ["a function", noop, "", /^a function cannot be kept$/],
    ["a method", { items: [{}, { act: noop }] }, "items[1].act", /function/],
    ["a symbol", { "odd name": Symbol("s") }, '["odd name"]', /symbol/],
    ["in a Map", { m: new Map([["k", { f: noop }]]) }, 'm.get("k").f', /function/],
    ["as the key of a Map", new Map([[noop, 1]]), "keys()[0]", /function/],
    ["in a Set", [new Set([1, noop])], "[0].values()[1]", /function/],
    ["in an error", new Error("x", { cause: { f: noop } }), "cause.f", /function/],
    ["a Promise", { p: Promise.resolve() }, "p", /a Promise cannot be kept \(is an `await` missing\?\)/],
    ["a WeakMap", new WeakMap(), "", /a WeakMap/],
    ["a generator", (function* () {})(), "", /a Generator/],
    ["a URL", { to: new URL("http://a.example/") }, "to", /a URL cannot be kept \(keep its `href`\)/],
    ["a Response", [new Response("x")], "[0]", /a Response cannot be kept/],
    ["shared memory", new SharedArrayBuffer(1), "", /a SharedArrayBuffer/],
    [
      "a property that throws",
      {
        get a(): never {
          throw new Error("no");
        },
      },
      "",
      /to read it throws: no/,
    ],
  ])("%s", (_, value, path, what) => {
    const fault = faultOf(value);
    expect([fault.path, fault.what]).toEqual([path, expect.stringMatching(what)]);
  });

  it("a value may be nested 1,000 deep and no deeper, as JSON and rich", () => {
    for (const innermost of [1, undefined]) {
      expect(again(nested(1000, innermost))).toEqual(nested(1000, innermost));
      expect(faultOf(nested(1001, innermost)).what).toMatch(/nested deeper than 1000/);
    }
    expect(faultOf(nested(200_000, 1)).what).toMatch(/nested deeper/);
  });

  function nested(depth: number, innermost: unknown): unknown {
    let value = innermost;
    for (let i = 0; i < depth; i++) value = [value];
    return value;
  }
});

describe("V8: text may come from anybody", () => {
  it.each([
    ["", /no JSON/],
    ["{", /no JSON/],
    ["undefined", /no JSON/],
    ["~[", /no JSON/],
    ["~{}", /no cells/],
    ["~[]", /no cells/],
    ["~[[0]]", /leads nowhere/],
    ["~[[-1],{}]", /leads nowhere/],
    ["~[[0.5],{}]", /leads nowhere/],
    ['~[["length"],{}]', /no value "length"/],
    ["~[[0,1],{},{}]", /no value and no reference/],
    ["~[{}]", /no value and no reference/],
    ["~[1,{}]", /nothing before it mentions cell 0/],
    ['~[[1],{"a":[0]},{"a":[1]}]', /nothing before it mentions cell 0/],
    ["~[[0],7]", /no object/],
    ['~[[0],["Function","alert"]]', /no kind of cell "Function"/],
    ['~[[0],["constructor","x"]]', /no kind of cell "constructor"/],
    ['~[[0],["__proto__"]]', /no kind of cell "__proto__"/],
    ['~[[0],["Map",1]]', /key without a value/],
    ['~[[0],["Date","now"]]', /no number/],
    ['~[[0],["RegExp","(",""]]', /a RegExp is none/],
    ['~[[0],["RegExp","a","zz"]]', /a RegExp is none/],
    ['~[[0],["Sparse",-1,{}]]', /a Sparse is none/],
    ['~[[0],["Sparse",1,{"5":1}]]', /longer than it says/],
    ['~[[0],["Sparse",1,{"length":5}]]', /longer than it says/],
    ['~[[0],["Error","Function",{}]]', /no class of error/],
    ['~[[0],["Error","constructor",{}]]', /no class of error/],
    ['~[[0],["Error","Error",[]]]', /no object/],
    ['~[[0],["Float64Array","AAAA"]]', /a Float64Array is none/],
    ['~[[0],["Uint8Array",[0]]]', /no text/],
    ['~[[0],["Boxed",[0]]]', /no primitive/],
    ['~[["1.5n"]]', /no value/],
    ['~[["0x10n"]]', /no value/],
  ])("%s is refused", (text, words) => {
    const thrown = thrownBy(() => fromValueText(text));
    expect(thrown).toBeInstanceOf(MillraceError);
    expect(thrown).toMatchObject({ code: "bad_value", message: expect.stringMatching(words) });
  });

  it("whatever it is: a value, or bad_value", () => {
    const slot = fc.oneof(
      fc.constant(1),
      fc.tuple(fc.integer({ min: -1, max: 4 })),
      fc.tuple(fc.constantFrom("undefined", "-0", "7n", "x")),
      fc.jsonValue(),
    );
    const kind = fc.constantFrom(
      "Array",
      "Sparse",
      "Map",
      "Set",
      "Date",
      "RegExp",
      "Error",
      "Boxed",
      "ArrayBuffer",
      "Uint16Array",
      "HttpAnswer",
      "x",
    );
    const cell = fc.oneof(
      fc.dictionary(fc.constantFrom("a", "__proto__", "length", "constructor"), slot),
      fc.tuple(kind, slot, slot).map((parts) => [...parts]),
      fc.tuple(
        fc.constant("Error"),
        fc.constantFrom("Error", "DOMException"),
        fc.dictionary(fc.constantFrom("name", "stack", "__proto__"), slot),
      ),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(slot, fc.array(cell, { maxLength: 5 }), (root, cells) => {
        const thrown = thrownBy(() => textOf(fromValueText(`~${JSON.stringify([root, ...cells])}`)));
        if (thrown !== undefined) expect(thrown).toMatchObject({ code: "bad_value" });
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
      { numRuns: 5000 },
    );
  });

  it("__proto__ in a cell is a property", () => {
    for (const text of ['~[[0],{"__proto__":[1]},{"admin":true}]', '~[[0],["Error","Error",{"__proto__":[1]}],{"admin":true}]']) {
      const back = fromValueText(text) as object;
      expect("admin" in back).toBe(false);
      expect(Object.hasOwn(back, "__proto__")).toBe(true);
    }
    const sparse = fromValueText('~[[0],["Sparse",1,{"__proto__":[1]}],{"admin":true}]') as object;
    expect([Array.isArray(sparse), "admin" in sparse]).toEqual([true, false]);
  });

  it("a few bytes cannot ask for gigabytes", () => {
    const cells = Array.from({ length: 1000 }, (_, n) => `["Sparse",30000000,{${n === 0 ? "" : '"7":1'}}]`);
    const before = process.memoryUsage().heapUsed;
    const back = fromValueText(`~[[0],["Array",${cells.map((_, n) => `[${n + 1}]`).join(",")}],${cells.join(",")}]`) as unknown[][];
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(50_000_000);
    expect([back.length, back[999]?.length, back[999]?.[7]]).toEqual([1000, 30_000_000, 1]);
  });

  it("depth is refused before anything is made of it", () => {
    const deep = "[".repeat(400_000) + "]".repeat(400_000);
    expect(thrownBy(() => fromValueText(deep))).toMatchObject({
      code: "bad_value",
      message: expect.stringMatching(/nested deeper than 1000/),
    });
    expect(thrownBy(() => fromValueText(`~${deep}`))).toMatchObject({ code: "bad_value" });
    const chain = Array.from({ length: 5000 }, (_, n) => `{"a":${n === 4999 ? "1" : `[${n + 1}]`}}`).join(",");
    expect(thrownBy(() => fromValueText(`~[[0],${chain}]`))).toMatchObject({ message: expect.stringMatching(/nested deeper than 1000/) });
    expect(fromValueText(JSON.stringify({ a: `\\"${"[".repeat(5000)}` }))).toEqual({ a: `\\"${"[".repeat(5000)}` });
  });
});

function thrownBy(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (thrown) {
    return thrown;
  }
}
