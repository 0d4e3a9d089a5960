import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { WireValue } from "../protocol/messages.ts";
import { EffectLog } from "./effect-log.ts";
import { compareKeys } from "./key-order.ts";
import { type CommittedState, KvView, type ListQuery } from "./kv-view.ts";

/** A committed state in memory that notes what was read. Its pages are cut at `pageMost`, as a frame's size cuts them. */
class State implements CommittedState {
  readonly reads: (readonly string[] | ListQuery)[] = [];
  readonly values: Map<string, WireValue>;
  private readonly pageMost: number;

  constructor(values: Iterable<readonly [string, unknown]> = [], pageMost = Number.POSITIVE_INFINITY) {
    this.values = new Map(Array.from(values, ([key, value]) => [key, { json: JSON.stringify(value) }]));
    this.pageMost = pageMost;
  }

  async get(keys: readonly string[]): Promise<readonly (WireValue | null)[]> {
    this.reads.push(keys);
    return keys.map((key) => this.values.get(key) ?? null);
  }

  async list(query: ListQuery): Promise<{ entries: { key: string; value: WireValue }[]; more: boolean }> {
    this.reads.push(query);
    const inRange = [...this.values]
      .filter(([key]) => key.startsWith(query.prefix) && (query.after === null || utf8Order(key, query.after) > 0))
      .sort(([a], [b]) => utf8Order(a, b));
    const most = Math.min(query.limit, this.pageMost);
    return { entries: inRange.slice(0, most).map(([key, value]) => ({ key, value })), more: inRange.length >= most };
  }
}

function utf8Order(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function viewOf(state: CommittedState): { view: KvView; effects: EffectLog } {
  const effects = new EffectLog();
  return { view: new KvView(state, effects, () => {}), effects };
}

describe("the kv of one call", () => {
  it("B18: own writes are seen by own gets", async () => {
    const { view } = viewOf(new State([["a", 1]]));
    expect(await view.get("a")).toBe(1);
    await view.set("a", { n: 2 });
    expect(await view.get("a")).toEqual({ n: 2 });
    await view.delete("a");
    expect(await view.get("a")).toBeUndefined();
  });

  it("B18: what was read keeps its value, though the state changes", async () => {
    const state = new State([["a", 1]]);
    const { view } = viewOf(state);
    expect(await view.get("a")).toBe(1);
    state.values.set("a", { json: "2" });
    state.values.set("b", { json: "3" });
    expect(await view.get("a")).toBe(1);
    expect(await view.list()).toEqual([
      { key: "a", value: 1 },
      { key: "b", value: 3 },
    ]);
    state.values.set("b", { json: "4" });
    expect(await view.get("b")).toBe(3);
  });

  it("B18: what was read as absent stays absent, in lists too", async () => {
    const state = new State();
    const { view } = viewOf(state);
    expect(await view.get("a")).toBeUndefined();
    state.values.set("a", { json: "1" });
    expect(await view.list()).toEqual([]);
  });

  it("B19: gets of one tick leave in one read, each key once, and never again", async () => {
    const state = new State([["a", 1]]);
    const { view } = viewOf(state);
    expect(await Promise.all([view.get("a"), view.get("b"), view.get("a")])).toEqual([1, undefined, 1]);
    await view.get("b");
    expect(state.reads).toEqual([["a", "b"]]);
  });

  it("B18: a value is a fresh copy each time", async () => {
    const { view } = viewOf(new State([["a", { n: 1 }]]));
    const first = (await view.get("a")) as { n: number };
    first.n = 99;
    expect(await view.get("a")).toEqual({ n: 1 });
    const own = { n: 1 };
    await view.set("b", own);
    own.n = 99;
    expect(await view.get("b")).toEqual({ n: 1 });
  });

  it("B18: bytes come back as bytes", async () => {
    const { view, effects } = viewOf(new State());
    const bytes = new Uint8Array([0, 255, 7]);
    await view.set("a", bytes);
    bytes[0] = 9;
    expect(await view.get("a")).toEqual(new Uint8Array([0, 255, 7]));
    expect(JSON.parse(effects.toJson())).toEqual({ emits: [], kv: [{ op: "set", key: "a", base64: "AP8H" }] });
  });

  it("B18: lists fetch on until the limit is full, past own deletions and short pages", async () => {
    const state = new State(
      Array.from({ length: 30 }, (_, i) => [`k${String(i).padStart(2, "0")}`, i]),
      3,
    );
    const { view } = viewOf(state);
    for (let i = 0; i < 20; i++) await view.delete(`k${String(i).padStart(2, "0")}`);
    expect(await view.list({ limit: 5 })).toEqual([20, 21, 22, 23, 24].map((i) => ({ key: `k${i}`, value: i })));
  });

  it("B18: writes leave as one effect a key, the last one", async () => {
    const { view, effects } = viewOf(new State());
    await view.set("a", 1);
    await view.set("b", 2, { ttl: "1m" });
    await view.set("a", 3);
    await view.delete("c");
    expect(JSON.parse(effects.toJson())).toEqual({
      emits: [],
      kv: [
        { op: "set", key: "a", json: "3" },
        { op: "set", key: "b", json: "2", ttlMs: 60_000 },
        { op: "delete", key: "c" },
      ],
    });
  });

  it.each([
    ["", "kv_bad_key", "must not be empty"],
    ["x".repeat(1025), "kv_bad_key", "1025 bytes"],
    ["é".repeat(513), "kv_bad_key", "1026 bytes"],
    ["\ud800", "kv_bad_key", "surrogate"],
    [7, "kv_bad_key", "not number"],
  ])("B20: the key %j is refused", async (key, code, words) => {
    const { view } = viewOf(new State());
    for (const attempt of [view.get(key as string), view.set(key as string, 1), view.delete(key as string)])
      await expect(attempt).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
  });

  it("B20: a key of 1 KiB and a value of 1 MiB are allowed, one byte more is not", async () => {
    const { view } = viewOf(new State());
    await view.set("x".repeat(1024), new Uint8Array(1024 * 1024));
    await view.set("json", "x".repeat(1024 * 1024 - 2));
    await expect(view.set("a", new Uint8Array(1024 * 1024 + 1))).rejects.toMatchObject({ code: "kv_too_large" });
    await expect(view.set("a", "x".repeat(1024 * 1024 - 1))).rejects.toMatchObject({ code: "kv_too_large" });
  });

  it("B17: a value that JSON cannot carry is refused with its path", async () => {
    const { view, effects } = viewOf(new State());
    const cyclic: Record<string, unknown> = { list: [1] };
    (cyclic["list"] as unknown[]).push(cyclic);
    const bad: [unknown, string][] = [
      [undefined, "value: undefined"],
      [{ a: [1, undefined] }, "value.a[1]: undefined"],
      [{ a: 1n }, "value.a: a BigInt"],
      [{ "b-c": () => 1 }, 'value["b-c"]: a function'],
      [cyclic, "value.list[1]: a cycle"],
      [{ a: Number.NaN }, "value.a: NaN"],
      [{ a: new Map() }, "value.a: a Map"],
      [{ a: Promise.resolve() }, "value.a: a Promise"],
    ];
    for (const [value, words] of bad)
      await expect(view.set("a", value)).rejects.toMatchObject({ code: "kv_bad_value", message: expect.stringContaining(words) });
    expect(effects.isEmpty).toBe(true);
  });

  it("B20: all effects of a call have one limit, told where it is crossed", async () => {
    const { view } = viewOf(new State());
    const big = "x".repeat(1_000_000);
    for (const key of ["a", "b", "c", "a", "b", "c"]) await view.set(key, big);
    await view.set("d", big);
    await expect(view.set("e", big)).rejects.toMatchObject({ code: "too_large" });
    await view.delete("a");
    await view.set("e", big);
  });

  it("names a misspelt option", async () => {
    const { view } = viewOf(new State());
    await expect(view.list({ prefx: "a" } as object)).rejects.toThrow('no option "prefx" (did you mean "prefix"?)');
    await expect(view.set("a", 1, { tll: "1s" } as object)).rejects.toThrow('did you mean "ttl"?');
    await expect(view.set("a", 1, { ttl: "soon" })).rejects.toThrow("no duration");
    await expect(view.set("a", 1, { ttl: 0 })).rejects.toThrow("longer than nothing");
    await expect(view.list({ limit: 0 })).rejects.toThrow("from 1 to 1000");
  });

  it("passes an error of reading on to whoever reads", async () => {
    const { view } = viewOf({ get: () => Promise.reject(new Error("broken")), list: () => Promise.reject(new Error("broken")) });
    await expect(Promise.all([view.get("a"), view.get("b")])).rejects.toThrow("broken");
    await expect(view.list()).rejects.toThrow("broken");
  });
});

const letters = fc.constantFrom("a", "b", "/", "é", "\uffee", "😀");
const keys = fc.array(letters, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(""));
/** The edges of the ranges in which UTF-16 and UTF-8 differ. */
const texts = fc.string({ unit: fc.constantFrom("a", "\u07ff", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}") });
const commands = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ op: fc.constant("set" as const), key: keys, value: fc.integer() }) },
    { weight: 3, arbitrary: fc.record({ op: fc.constant("delete" as const), key: keys }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant("get" as const), key: keys }) },
    {
      weight: 4,
      arbitrary: fc.record({
        op: fc.constant("list" as const),
        prefix: fc.oneof(fc.constant(""), keys),
        after: fc.option(keys, { nil: undefined }),
        limit: fc.integer({ min: 1, max: 6 }),
      }),
    },
  ),
  { maxLength: 30 },
);

type Command = typeof commands extends fc.Arbitrary<(infer C)[]> ? C : never;

function perform(command: Command, view: KvView): Promise<unknown> {
  switch (command.op) {
    case "set":
      return view.set(command.key, command.value);
    case "delete":
      return view.delete(command.key);
    case "get":
      return view.get(command.key);
    case "list": {
      const { prefix, after, limit } = command;
      return view.list(after === undefined ? { prefix, limit } : { prefix, after, limit });
    }
  }
}

function performOnMap(command: Command, model: Map<string, unknown>): unknown {
  switch (command.op) {
    case "set":
      model.set(command.key, command.value);
      return undefined;
    case "delete":
      model.delete(command.key);
      return undefined;
    case "get":
      return model.get(command.key);
    case "list":
      return [...model]
        .filter(([key]) => key.startsWith(command.prefix) && (command.after === undefined || utf8Order(key, command.after) > 0))
        .sort(([a], [b]) => utf8Order(a, b))
        .slice(0, command.limit)
        .map(([key, value]) => ({ key, value }));
  }
}

describe("against a plain Map", () => {
  it("B18: any program of gets, sets, deletes and lists sees what a Map would show", async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(keys, fc.integer()), fc.integer({ min: 1, max: 5 }), commands, async (before, pageMost, program) => {
        const model = new Map<string, unknown>(Object.entries(before));
        const { view } = viewOf(new State(model, pageMost));
        for (const command of program) expect(await perform(command, view)).toEqual(performOnMap(command, model));
      }),
      { numRuns: 500 },
    );
  });

  it("B18: keys are ordered by their UTF-8 bytes", () => {
    fc.assert(
      fc.property(texts, texts, (a, b) => {
        expect(Math.sign(compareKeys(a, b))).toBe(Math.sign(utf8Order(a, b)));
      }),
    );
  });
});
