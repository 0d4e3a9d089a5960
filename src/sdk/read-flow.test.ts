import { beforeEach, describe, expect, it } from "vitest";
import type { FlowManifest, FunctionManifest } from "../protocol/manifest.ts";
import { registeredEvents } from "./event-registry.ts";
import { event, every, flow, type FlowOptions, fn, http } from "./index.ts";
import { describeExport, describeFiles, faultOf } from "./testing-support/describe-files.ts";

beforeEach(() => registeredEvents().clear());

const on = event("order.paid");

function describeOptions(options: object): Promise<FunctionManifest> {
  return describeExport(flow(options as FlowOptions & { on: typeof on }, () => {}));
}

async function flowOf(options: object): Promise<FlowManifest | undefined> {
  return (await describeOptions(options)).flow;
}

describe("D25: flows are described", () => {
  it("with every default", async () => {
    expect(await describeOptions({ on })).toEqual({
      name: "reserve",
      exportName: "reserve",
      file: "functions/a.ts",
      entry: "functions/a.mjs",
      triggers: [{ kind: "event", type: "order.paid", where: null, sql: null }],
      key: { kind: "none" },
      onDead: "continue",
      retry: { attempts: 5, backoff: "exponential", baseMs: 1000, factor: 2, maxMs: 3_600_000, jitter: "full" },
      timeoutMs: 30_000,
      memoryBytes: 128 * 1024 ** 2,
      concurrency: { instance: 100, function: null, key: 1 },
      instances: { min: 0, max: null, idleMs: 60_000 },
      allow: [],
      network: true,
      flow: { onExhausted: "throw", deadlineMs: null, cancelOn: [], runsPerKey: null },
    });
  });

  it("with every option", async () => {
    expect(
      await describeOptions({
        on: [on, http.post("/orders/:id"), every("5m")],
        id: "orders.fulfil",
        key: "data.order",
        concurrency: { instance: 4, function: 8, key: 2 },
        retry: { attempts: 3, backoff: "fixed", base: "2s", factor: 3, max: "1m", jitter: "none", onExhausted: "pause" },
        timeout: "10s",
        deadline: "90d",
        cancelOn: { event: "order.cancelled", match: { "data.order": "data.id" }, rollback: false },
        memory: "256mb",
        instances: { min: 1, max: 4, idle: "5m" },
        allow: ["worker"],
        network: false,
      }),
    ).toMatchObject({
      name: "orders.fulfil",
      triggers: [{ type: "order.paid" }, { method: "POST", path: "/orders/:id" }, { everyMs: 300_000 }],
      key: { kind: "path", path: ["data", "order"] },
      concurrency: { instance: 4, function: 8, key: 2 },
      retry: { attempts: 3, backoff: "fixed", baseMs: 2000, factor: 3, maxMs: 60_000, jitter: "none" },
      timeoutMs: 10_000,
      memoryBytes: 256 * 1024 ** 2,
      instances: { min: 1, max: 4, idleMs: 300_000 },
      allow: ["worker"],
      network: false,
      flow: {
        onExhausted: "pause",
        deadlineMs: 90 * 86_400_000,
        cancelOn: [{ type: "order.cancelled", match: [["data.order", "data.id"]], rollback: false }],
        runsPerKey: 2,
      },
    });
  });

  it("and functions have none of it", async () => {
    expect(await describeExport(fn({ on }, () => {}))).not.toHaveProperty("flow");
  });

  it("a flow and a function cannot share a name", async () => {
    const files = { "functions/a.ts": () => ({ one: flow({ on, id: "x" }, () => {}), two: fn({ on, id: "x" }, () => {}) }) };
    expect((await faultOf(describeFiles(files))).code).toBe("duplicate_function");
  });

  it("D10: a default export needs an id", async () => {
    const fault = await faultOf(describeFiles({ "functions/a.ts": () => ({ default: flow({ on }, () => {}) }) }));
    expect([fault.message, fault.cure]).toEqual([
      'functions/a.ts: export "default": a default export gives a flow no name',
      "Write export const name = flow(…), or give it an `id`.",
    ]);
  });
});

describe("D26: what begins a run", () => {
  it("may be nothing but start and call", async () => {
    expect((await describeOptions({})).triggers).toEqual([]);
    expect((await faultOf(describeExport(fn({} as { on: typeof on }, () => {})))).message).toContain('option "on" is missing');
  });

  it("but an `on` that is there holds a trigger", async () => {
    expect((await faultOf(describeOptions({ on: [] }))).message).toContain('option "on" is empty');
    expect((await faultOf(describeOptions({ on: "order.paid" }))).message).toContain('did you mean event("order.paid")?');
  });

  it("retry is sound where only HTTP wakes", async () => {
    expect(await describeOptions({ on: http.post("/"), retry: { attempts: 2 } })).toMatchObject({ retry: { attempts: 2 } });
  });
});

describe("D27: runs follow one behind the other only where that was asked for", () => {
  const none = { kind: "none" };
  it.each<[string, object, number | null, object]>([
    ["nothing is said", { on }, null, none],
    ["key: null", { on, key: null }, null, none],
    ["other limits", { on, concurrency: { function: 5 } }, null, none],
    ["a number", { on, concurrency: 5 }, null, none],
    ["a key", { on, key: "data.order" }, 1, { kind: "path", path: ["data", "order"] }],
    ["a key read by a function", { on, key: (e: { data: { id: string } }) => e.data.id }, 1, { kind: "path", path: ["data", "id"] }],
    ["a limit for each key", { on, concurrency: { key: 3 } }, 3, { kind: "default" }],
    ["both", { on, key: "subject", concurrency: { key: 3 } }, 3, { kind: "path", path: ["subject"] }],
    ["a key, and nothing wakes it", { key: "data.order" }, 1, { kind: "path", path: ["data", "order"] }],
  ])("%s", async (_, options, runsPerKey, key) => {
    const described = await describeOptions(options);
    expect([described.flow?.runsPerKey, described.key]).toEqual([runsPerKey, key]);
  });

  it.each([
    [{ on, key: null, concurrency: { key: 2 } }, 'option "concurrency.key" has no effect beside "key: null"', /Remove one of them/],
    [{ on: http.post("/"), key: "data.a" }, 'option "key" has no effect on a flow that only HTTP wakes', /Remove "key"/],
    [
      { on: http.post("/"), concurrency: { key: 2 } },
      'option "concurrency.key" has no effect on a flow that only HTTP wakes',
      /Remove "concurrency\.key"/,
    ],
    [{ on, onDead: "hold" }, 'option "onDead" has no effect on a flow', /onExhausted: "pause"/],
  ])("%#", async (options, words, cure) => {
    const fault = await faultOf(describeOptions(options));
    expect(fault.message).toContain(`functions/a.ts: export "reserve": ${words}`);
    expect(fault.cure).toMatch(cure);
  });
});

describe("D28: what cancels a run", () => {
  const cancelled = event("order.cancelled");

  it("is one rule or several", async () => {
    const cancelOn = { event: cancelled, match: { "data.order": "data.id" } };
    const rule = { type: "order.cancelled", match: [["data.order", "data.id"]], rollback: true };
    expect((await flowOf({ on, cancelOn }))?.cancelOn).toEqual([rule]);
    expect((await flowOf({ on, cancelOn: [cancelOn, { event: "shop.closed", rollback: false }] }))?.cancelOn).toEqual([
      rule,
      { type: "shop.closed", match: [], rollback: false },
    ]);
  });

  it("pairs stand in the order of the event that cancels, however they were written", async () => {
    const match = { "data.b": "data.x", subject: "subject", "data.a": "data.y" };
    expect((await flowOf({ on, cancelOn: { event: "a", match } }))?.cancelOn[0]?.match).toEqual([
      ["data.a", "data.y"],
      ["data.b", "data.x"],
      ["subject", "subject"],
    ]);
  });

  it.each<[unknown, string]>([
    ["order.cancelled", 'option "cancelOn" is the event itself, not a rule'],
    [[cancelled], 'option "cancelOn[0]" is the event itself, not a rule'],
    [[{ event: "a" }, 7], 'option "cancelOn[1]" is 7, not an object'],
    [{}, 'option "cancelOn.event" is missing'],
    [{ event: 7 }, 'option "cancelOn.event" is 7'],
    [{ event: http.get("/") }, 'option "cancelOn.event" is no event'],
    [{ event: "order.*" }, 'option "cancelOn.event" is "order.*": an event that cancels is named exactly, without `*`'],
    [{ event: event("order.*") }, "named exactly"],
    [{ event: "millrace.delivery.dead" }, "the platform's own events cancel no runs"],
    [{ event: "a b" }, "holds spaces"],
    [{ event: " " }, "the type is empty"],
    [{ event: event("a", { where: { data: { x: [1] } } }) }, 'option "cancelOn.event" has "where", which would have no effect here'],
    [{ event: event("a", { sql: "id = 'x'" }) }, 'has "sql", which would have no effect here'],
    [{ event: "a", mach: {} }, 'option "cancelOn.mach" does not exist (did you mean "match"?)'],
    [{ event: "a", match: "data.id" }, 'option "cancelOn.match" is "data.id", not an object'],
    [{ event: "a", match: { "data.id": 7 } }, 'option "cancelOn.match" has the path 7'],
    [{ event: "a", match: { "data..id": "data.id" } }, 'the path "data..id" has an empty part'],
    [{ event: "a", match: { "data.id": "dat.id" } }, '"dat" has no fields, only "data" has (did you mean "data"?)'],
    [{ event: "a", match: { Subject: "id" } }, '"Subject" is no attribute of an event (did you mean "subject"?)'],
    [[{ event: "a", rollback: "no" }], 'option "cancelOn[0].rollback" is "no"'],
  ])("%#", async (cancelOn, words) => {
    const fault = await faultOf(describeOptions({ on, cancelOn }));
    expect(fault.code).toBe("bad_option");
    expect(fault.message).toMatch(/^functions\/a\.ts: export "reserve": option "cancelOn/);
    expect(fault.message).toContain(words);
    expect(fault.cure).toMatch(/Write|Remove|Correct/);
  });
});

describe("D11 D12: a flow's options are checked like those of functions", () => {
  it.each([
    [{ on, dedline: "1d" }, 'option "dedline" does not exist (did you mean "deadline"?)'],
    [{ on, batch: {} }, 'option "batch" is not part of this version'],
    [{ on, deadline: "11y" }, 'option "deadline" is wrong: "11y" is no duration'],
    [{ on, deadline: "4000d" }, 'option "deadline" is "4000d"'],
    [{ on, deadline: 0 }, 'option "deadline" is 0'],
    [{ on, timeout: "2d" }, 'option "timeout" is "2d"'],
    [{ on, retry: { onExhausted: "stop" } }, 'option "retry.onExhausted" is "stop"'],
    [{ on, retry: { onExausted: "pause" } }, 'option "retry.onExausted" does not exist (did you mean "onExhausted"?)'],
    [{ on, concurrency: { key: 0 } }, 'option "concurrency.key" is 0'],
    [{ on, key: 7 }, 'option "key" is 7'],
    [{ on, memory: "much" }, 'option "memory" is wrong'],
  ])("%#", async (options, words) => {
    const fault = await faultOf(describeOptions(options));
    expect(fault.code).toBe("bad_option");
    expect(fault.message).toContain(`functions/a.ts: export "reserve": ${words}`);
    expect(fault.cure).not.toBe("");
  });

  it("retry.onExhausted is no option of a function", async () => {
    const fault = await faultOf(describeExport(fn({ on, retry: { onExhausted: "pause" } as object }, () => {})));
    expect(fault.message).toContain('option "retry.onExhausted" does not exist');
  });

  it("says when options or handler are none", async () => {
    const loose = flow as (options?: unknown, handler?: unknown) => object;
    expect((await faultOf(describeExport(loose()))).message).toContain("the options are undefined, not an object");
    expect((await faultOf(describeExport(loose({ on })))).message).toContain("the handler is undefined, not a function");
  });
});
