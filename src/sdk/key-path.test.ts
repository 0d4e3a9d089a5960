import { array, assert, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { keyPathOfAccessor, keyPathOfText } from "./key-path.ts";

interface Sample {
  readonly type: string;
  readonly tenant: string;
  /** Misspelt, for the near miss. */
  readonly dta: { readonly sku: string };
  readonly data: {
    readonly sku: string;
    readonly optional?: string;
    readonly other: string;
    readonly on: boolean;
    readonly count: number;
    readonly lines: readonly { readonly sku: string }[];
    readonly "a-b": string;
    readonly byName: Readonly<Record<string, string>>;
    readonly maybe?: { readonly inner?: string };
    readonly call: () => string;
  };
}

function pathOf(accessor: (e: Sample) => unknown): readonly string[] | string {
  const found = keyPathOfAccessor(accessor as (event: unknown) => unknown);
  return found.ok ? found.path : found.fault;
}

describe("D19: an accessor that reads one field is its path", () => {
  const cases: readonly [string, (e: Sample) => unknown, readonly string[]][] = [
    ["a field of data", (e) => e.data.sku, ["data", "sku"]],
    ["an attribute", (e) => e.type, ["type"]],
    ["an extension", (e) => e.tenant, ["tenant"]],
    ["an index by text", (e) => e.data["a-b"], ["data", "a-b"]],
    ["an index by number", (e) => e.data.lines[0]?.sku, ["data", "lines", "0", "sku"]],
    ["optional access", (e) => e.data.maybe?.inner, ["data", "maybe", "inner"]],
    ["destructuring", ({ data: { sku } }) => sku, ["data", "sku"]],
    ["the whole data", (e) => e.data, ["data"]],
    [
      "a body",
      (e) => {
        const { data } = e;
        return data.sku;
      },
      ["data", "sku"],
    ],
  ];
  it.each(cases)("%s", (_, accessor, path) => {
    expect(pathOf(accessor)).toEqual(path);
  });

  it("for any path of names", () => {
    assert(
      property(array(string({ minLength: 1 }), { maxLength: 6 }), (names) => {
        const accessor = (event: unknown): unknown =>
          ["data", ...names].reduce((value, name) => (value as Record<string, unknown>)[name], event);
        expect(keyPathOfAccessor(accessor)).toEqual({ ok: true, path: ["data", ...names] });
      }),
      { examples: [[["__proto__"]], [["constructor", "prototype"]], [["then"]], [["length", "0"]]] },
    );
  });
});

describe("D20: anything more is an error that says what it does", () => {
  const cases: readonly [string, (e: Sample) => unknown, string][] = [
    ["a call", (e) => e.data.sku.toUpperCase(), "calls a function"],
    ["a call of a field", (e) => e.data.call(), "calls a function"],
    ["an operator", (e) => e.data.count + 1, "operator"],
    ["a template string", (e) => `${e.data.count}`, "template string"],
    ["a template string of two", (e) => `${e.data.sku}/${e.data.other}`, "template string"],
    ["a conversion", (e) => String(e.data.count), "operator"],
    ["a condition", (e) => (e.data.on ? e.data.sku : e.data.other), "more than one field"],
    ["and", (e) => e.data.on && e.data.sku, "more than one field"],
    ["a field as a name", (e) => e.data.byName[e.data.sku], "as a name"],
    ["a comparison", (e) => e.data.sku === "x", "computed value (false)"],
    ["typeof", (e) => typeof e.data.sku, "computed value"],
    ["a constant", () => "all", 'constant or a computed value ("all")'],
    ["null", () => null, "(null)"],
    ["nothing", () => {}, "returns nothing"],
    ["the event", (e) => e, "the event itself"],
    ["a new object", (e) => ({ sku: e.data.sku }), "a value of its own"],
    ["a new array", (e) => [e.data.sku, e.data.other], "a value of its own"],
    ["a spread", (e) => ({ ...e.data }), "lists the fields"],
    ["a loop", (e) => [...e.data.lines], "loops"],
    ["in", (e) => "sku" in e.data, "uses `in`"],
    ["a throw", (e) => Promise.reject.call(null, e), "throws"],
    ["a change", (e) => Object.assign(e, { type: "x" }), "changes the event"],
    ["JSON", (e) => JSON.stringify(e.data), "calls a function"],
  ];
  it.each(cases)("%s", (_, accessor, fault) => {
    expect(pathOf(accessor)).toContain(fault);
  });

  it("an async accessor, without leaving a rejection behind", async () => {
    const returned: unknown[] = [];
    const fault = pathOf((e) => {
      const promise = (async () => e.data.sku)();
      returned.push(promise);
      return promise;
    });
    expect(fault).toContain("async");
    await new Promise((resolve) => setImmediate(resolve));
    expect(returned).toHaveLength(1);
  });
});

describe("D21: what a proxy cannot see is found by proof", () => {
  const cases: readonly [string, (e: Sample) => unknown][] = [
    ["??", (e) => e.data.sku ?? "none"],
    ["?? of another field", (e) => e.data.sku ?? e.data.other],
    ["||", (e) => e.data.sku || "none"],
    ["|| undefined", (e) => e.data.sku || undefined],
    ["a default in destructuring", ({ data: { optional = "none" } }) => optional],
  ];
  it.each(cases)("%s", (_, accessor) => {
    expect(pathOf(accessor)).toContain("does more than read a field");
  });
});

describe("D22: only data has fields", () => {
  it("names the near miss", () => {
    expect(keyPathOfText("data.sku")).toEqual({ ok: true, path: ["data", "sku"] });
    expect(keyPathOfText("subject")).toEqual({ ok: true, path: ["subject"] });
    expect(keyPathOfText("dat.sku")).toMatchObject({ ok: false, fault: expect.stringContaining('did you mean "data"?') });
    expect(keyPathOfText("Subject")).toMatchObject({ ok: false, fault: expect.stringContaining('did you mean "subject"?') });
    expect(keyPathOfText("subject.length")).toMatchObject({ ok: false });
    expect(keyPathOfText("data..sku")).toMatchObject({ ok: false, fault: expect.stringContaining("empty part") });
    expect(keyPathOfText("")).toMatchObject({ ok: false });
    expect(pathOf((e) => e.dta.sku)).toContain('did you mean "data"?');
  });
});
