import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { type } from "arktype";
import * as v from "valibot";
import { beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import type { FunctionManifest } from "../protocol/manifest.ts";
import { registeredEvents } from "./event-registry.ts";
import { cron, event, every, flow, fn, type FnOptions, http } from "./index.ts";
import { describeExport, describeFiles, faultOf } from "./testing-support/describe-files.ts";

beforeEach(() => registeredEvents().clear());

function describeOptions(options: object): Promise<FunctionManifest> {
  return describeExport(fn(options as FnOptions, () => {}));
}

const on = event("order.placed");

describe("functions", () => {
  it("D9 D13: every exported fn is described, with every default", async () => {
    const { functions, events } = await describeFiles({
      "functions/a.ts": () => ({ reserve: fn({ on: event("order.placed") }, () => {}), helper: () => 1, limit: 7, nothing: null }),
    });
    expect(events).toEqual([]);
    expect(functions).toEqual([
      {
        name: "reserve",
        exportName: "reserve",
        file: "functions/a.ts",
        entry: "functions/a.mjs",
        triggers: [{ kind: "event", type: "order.placed", where: null, sql: null }],
        key: { kind: "default" },
        onDead: "continue",
        retry: { attempts: 5, backoff: "exponential", baseMs: 1000, factor: 2, maxMs: 3_600_000, jitter: "full" },
        timeoutMs: 30_000,
        memoryBytes: 128 * 1024 ** 2,
        concurrency: { instance: 100, function: null, key: 1 },
        instances: { min: 0, max: null, idleMs: 60_000 },
        allow: [],
        network: true,
      },
    ]);
  });

  it("D12: every option is read", async () => {
    expect(
      await describeOptions({
        on: [on, http.post("/orders/:id"), every("5m"), cron("0 3 * * *", { timezone: "Europe/Berlin" })],
        id: "orders.reserve",
        key: "data.sku",
        onDead: "hold",
        concurrency: { instance: 4, function: 8, key: 2 },
        retry: { attempts: 3, backoff: "fixed", base: "2s", factor: 3, max: "1m", jitter: "none" },
        timeout: "10s",
        memory: "256mb",
        instances: { min: 1, max: 4, idle: "5m" },
        allow: ["worker", "addons"],
        network: false,
      }),
    ).toMatchObject({
      name: "orders.reserve",
      exportName: "reserve",
      triggers: [
        { kind: "event", type: "order.placed", where: null, sql: null },
        { kind: "http", method: "POST", path: "/orders/:id" },
        { kind: "every", everyMs: 300_000 },
        { kind: "cron", expression: "0 3 * * *", timezone: "Europe/Berlin" },
      ],
      key: { kind: "path", path: ["data", "sku"] },
      onDead: "hold",
      concurrency: { instance: 4, function: 8, key: 2 },
      retry: { attempts: 3, backoff: "fixed", baseMs: 2000, factor: 3, maxMs: 60_000, jitter: "none" },
      timeoutMs: 10_000,
      memoryBytes: 256 * 1024 ** 2,
      instances: { min: 1, max: 4, idleMs: 300_000 },
      allow: ["addons", "worker"],
      network: false,
    });
    expect(await describeOptions({ on, key: (e: { data: { sku: string } }) => e.data.sku, concurrency: 3 })).toMatchObject({
      key: { kind: "path", path: ["data", "sku"] },
      concurrency: { instance: 3, function: null, key: 1 },
    });
    expect(await describeOptions({ on, key: null, timeout: undefined })).toMatchObject({ key: { kind: "none" }, timeoutMs: 30_000 });
  });

  it("D9: two functions of one name are refused, with both files", async () => {
    const two = {
      "functions/a.ts": () => ({ reserve: fn({ on }, () => {}) }),
      "functions/b.ts": () => ({ reserve: fn({ on }, () => {}) }),
    };
    const fault = await faultOf(describeFiles(two));
    expect(fault.code).toBe("duplicate_function");
    expect(fault.message).toBe('two functions have the name "reserve": functions/a.ts and functions/b.ts');
    const sameFile = await faultOf(
      describeFiles({ "functions/a.ts": () => ({ one: fn({ on, id: "x" }, () => {}), two: fn({ on, id: "x" }, () => {}) }) }),
    );
    expect(sameFile.message).toContain('exports "one" and "two" of functions/a.ts');
  });

  it("D9: the very same function exported again is one", async () => {
    const reserve = fn({ on }, () => {});
    const { functions } = await describeFiles({ "functions/a.ts": () => ({ reserve }), "functions/index.ts": () => ({ reserve }) });
    expect(functions.map(({ file }) => file)).toEqual(["functions/a.ts"]);
  });

  it.each([
    ["9lives", undefined, "letters, digits"],
    ["ok", "with space", "letters, digits"],
    ["ok", 7, "is a string"],
    ["ok", "x".repeat(129), "128"],
    ["millraceHelper", undefined, 'start with "millrace"'],
    ["default", undefined, "default export"],
  ])("D10: the name %s with id %s is refused", async (exportName, id, words) => {
    const fault = await faultOf(describeFiles({ "functions/a.ts": () => ({ [exportName]: fn({ on, id } as FnOptions, () => {}) }) }));
    expect(fault.code).toBe("bad_option");
    expect(fault.message).toContain(`functions/a.ts: export "${exportName}": `);
    expect(fault.message).toContain(words);
  });

  it("D10: a default export with an id is fine", async () => {
    const { functions } = await describeFiles({ "functions/a.ts": () => ({ default: fn({ on, id: "named" }, () => {}) }) });
    expect(functions).toMatchObject([{ name: "named", exportName: "default" }]);
  });

  it("D18: a module that throws is named", async () => {
    const fault = await faultOf(
      describeFiles({
        "functions/a.ts": () => {
          throw new Error("no DATABASE_URL");
        },
      }),
    );
    expect(fault.code).toBe("load_failed");
    expect(fault.message).toBe("functions/a.ts: the file cannot be loaded: no DATABASE_URL");
  });
});

describe("D11: nothing is accepted and ignored", () => {
  it.each([
    [{ on, timout: "10s" }, 'functions/a.ts: export "reserve": option "timout" does not exist (did you mean "timeout"?)'],
    [{ on, retry: { attemps: 3 } }, 'functions/a.ts: export "reserve": option "retry.attemps" does not exist (did you mean "attempts"?)'],
    [{ on, batch: { size: 10 } }, 'functions/a.ts: export "reserve": option "batch" is not part of this version'],
    [{ on, throttle: 1 }, 'functions/a.ts: export "reserve": option "throttle" is not part of this version'],
    [{ on: http.get("/"), retry: {} }, 'functions/a.ts: export "reserve": option "retry" has no effect on a function that only HTTP wakes'],
    [
      { on: http.get("/"), key: "data.a" },
      'functions/a.ts: export "reserve": option "key" has no effect on a function that only HTTP wakes',
    ],
  ])("%#", async (options, message) => {
    const fault = await faultOf(describeOptions(options));
    expect(fault).toMatchObject({ code: "bad_option", message });
    expect(fault.cure).not.toBe("");
  });
});

describe("D12: a wrong value is named, with a cure", () => {
  it.each([
    [{ on, timeout: "ten" }, 'option "timeout" is wrong: "ten" is no duration'],
    [{ on, timeout: true }, 'option "timeout" is true'],
    [{ on, timeout: 0 }, 'option "timeout" is 0'],
    [{ on, timeout: "2d" }, 'option "timeout" is "2d"'],
    [{ on, memory: "1kb" }, 'option "memory" is "1kb"'],
    [{ on, memory: "much" }, 'option "memory" is wrong'],
    [{ on, onDead: "stop" }, 'option "onDead" is "stop"'],
    [{ on, concurrency: 0 }, 'option "concurrency" is 0'],
    [{ on, concurrency: "many" }, 'option "concurrency" is "many", not an object'],
    [{ on, concurrency: { key: 1.5 } }, 'option "concurrency.key" is 1.5'],
    [{ on, retry: 3 }, 'option "retry" is 3, not an object'],
    [{ on, retry: { attempts: "3" } }, 'option "retry.attempts" is "3"'],
    [{ on, retry: { factor: 0.5 } }, 'option "retry.factor" is 0.5'],
    [{ on, retry: { jitter: true } }, 'option "retry.jitter" is true'],
    [{ on, instances: { min: 5, max: 2 } }, 'option "instances.max" is 2'],
    [{ on, allow: "worker" }, 'option "allow" is "worker", not an array'],
    [{ on, allow: ["net"] }, 'option "allow" holds "net"'],
    [{ on, network: "no" }, 'option "network" is "no"'],
    [{ on, key: 7 }, 'option "key" is 7'],
    [{ on, key: (e: { data: { a: string } }) => e.data.a.trim() }, 'option "key" cannot be used: it calls a function'],
  ])("%#", async (options, words) => {
    const fault = await faultOf(describeOptions(options));
    expect(fault.code).toBe("bad_option");
    expect(fault.message).toContain(`functions/a.ts: export "reserve": ${words}`);
    expect(fault.cure).toMatch(/Write|Read/);
  });

  it("says when options or handler are none", async () => {
    const files = (made: unknown) => describeFiles({ "functions/a.ts": () => ({ reserve: made }) });
    const loose = fn as (options?: unknown, handler?: unknown) => unknown;
    expect((await faultOf(files(loose()))).message).toContain("the options are undefined, not an object");
    expect((await faultOf(files(loose({ on })))).message).toContain("the handler is undefined, not a function");
  });
});

describe("D14 D15 D16: triggers", () => {
  it.each([
    [undefined, 'option "on" is missing'],
    [[], 'option "on" is empty'],
    ["order.placed", '"order.placed", which is no trigger (did you mean event("order.placed")?)'],
    ["/orders", '(did you mean http.get("/orders")?)'],
    [[on, 7], "holds 7, which is no trigger"],
    [fn({ on }, () => {}), "holds a function"],
    [flow({ on }, () => {}), "holds a flow"],
    [http.get("orders"), 'does not start with "/"'],
    [http.get("/a//b"), "empty part"],
    [http.get("/a/"), "empty part"],
    [http.get("/a/*/b"), '"*" before its end'],
    [http.get("/a*"), '"*" inside'],
    [http.get("/:a/:a"), '":a" twice'],
    [http.get("/:1"), "no identifier"],
    [http.get("/a?b"), "a character that no path has"],
    [http.get("/../a"), 'the part ".."'],
    [http.get("/_/events"), "the platform's own"],
    [every("soon"), 'every("soon"): "soon" is no duration'],
    [every(1), "too often"],
    [cron("* * * * *", { timezon: "UTC" } as object), 'option "timezon" does not exist (did you mean "timezone"?)'],
    [event(""), "the type is empty"],
    [event("a b"), "spaces"],
    [event("millrace.delivery.*"), "wildcards do not match"],
    [event("order.placed", { were: {} } as object), 'option "were" does not exist (did you mean "where"?)'],
    [event("a", { where: { data: { a: [/x/] } } }), '"where.data.a[0]" is a regular expression'],
    [event("a", { where: { data: { a: [undefined] } } }), '"where.data.a[0]" is undefined'],
    [event("a", { where: "x" } as object), '"where" is "x", not an object'],
    [event("a", { sql: 5 } as object), 'event("a"): "sql" is 5, not a string'],
    [event("a", { sql: " " }), 'event("a"): "sql" is empty'],
    [event("a", { sqll: "type = 'x'" } as object), 'option "sqll" does not exist (did you mean "sql"?)'],
  ])("%#", async (trigger, words) => {
    const fault = await faultOf(describeOptions({ on: trigger }));
    expect(fault.code).toBe("bad_option");
    expect(fault.message).toMatch(/^functions\/a\.ts: /);
    expect(fault.message).toContain(words);
  });

  it("D14: paths that are fine", async () => {
    for (const path of ["/", "/a", "/a/:id", "/a/:id/b/*", "/*", "/v1/items:batch", "/ä"]) {
      expect(await describeOptions({ on: http.any(path) })).toMatchObject({ triggers: [{ method: "ANY", path }] });
    }
  });

  it("D15: platform events are subscribed by name, patterns cross as data", async () => {
    const where = { data: { total: [{ numeric: [">", 100] }] } };
    expect((await describeOptions({ on: [event("millrace.delivery.dead"), event("order.*", { where })] })).triggers).toEqual([
      { kind: "event", type: "millrace.delivery.dead", where: null, sql: null },
      { kind: "event", type: "order.*", where, sql: null },
    ]);
  });
});

describe("D16: CloudEvents SQL", () => {
  it("crosses as it is written, alone and beside a pattern", async () => {
    const sql = "source LIKE '/shops/%'";
    const where = { data: { paid: [true] } };
    expect((await describeOptions({ on: [event("order.*", { sql }), event("bill", { sql, where })] })).triggers).toEqual([
      { kind: "event", type: "order.*", where: null, sql },
      { kind: "event", type: "bill", where, sql },
    ]);
  });
});

describe("D17: schemas", () => {
  it("gives JSON Schema where the library has it, and the entry that brings the event", async () => {
    const { events } = await describeFiles({
      "functions/a.ts": () => {
        event("by.zod", { schema: z.object({ id: z.string() }) });
        return {};
      },
      "functions/b.ts": () => ({
        made: event("by.valibot", { schema: v.object({ id: v.string() }) }),
        also: event("by.valibot.json", { schema: toStandardJsonSchema(v.object({ id: v.string() })) }),
        third: event("by.arktype", { schema: type({ id: "string" }) }),
        date: event("by.zod.date", { schema: z.object({ at: z.date() }) }),
        untyped: event("untyped"),
      }),
    });
    const json = expect.objectContaining({ type: "object", required: ["id"], properties: { id: { type: "string" } } });
    expect(events).toEqual([
      { type: "by.zod", entry: "functions/a.mjs", vendor: "zod", jsonSchema: json },
      { type: "by.valibot", entry: "functions/b.mjs", vendor: "valibot", jsonSchema: null },
      { type: "by.valibot.json", entry: "functions/b.mjs", vendor: "valibot", jsonSchema: json },
      { type: "by.arktype", entry: "functions/b.mjs", vendor: "arktype", jsonSchema: json },
      { type: "by.zod.date", entry: "functions/b.mjs", vendor: "zod", jsonSchema: null },
    ]);
  });

  it("takes equal schemas, and refuses different ones with both files", async () => {
    const equal = () => ({ made: event("a", { schema: z.object({ id: z.string() }) }) });
    const other = () => ({ made: event("a", { schema: z.object({ id: z.number() }) }) });
    expect((await describeFiles({ "functions/a.ts": equal, "functions/b.ts": equal })).events).toHaveLength(1);
    expect((await faultOf(describeFiles({ "functions/a.ts": equal, "functions/b.ts": other }))).message).toBe(
      'functions/b.ts: event("a"): the type has another schema in functions/a.ts',
    );
  });

  it("without JSON Schema takes the shared object only", async () => {
    const shared = v.object({ id: v.string() });
    const same = () => ({ made: event("a", { schema: shared }) });
    const copy = () => ({ made: event("a", { schema: v.object({ id: v.string() }) }) });
    expect((await describeFiles({ "functions/a.ts": same, "functions/b.ts": same })).events).toHaveLength(1);
    expect((await faultOf(describeFiles({ "functions/a.ts": same, "functions/b.ts": copy }))).message).toContain("another schema");
  });

  it("refuses a schema for a wildcard, for a platform type, and what is no schema", async () => {
    const schema = z.object({});
    expect((await faultOf(describeOptions({ on: event("a.*", { schema }) }))).message).toContain("cannot be given to a type with `*`");
    expect((await faultOf(describeOptions({ on: event("millrace.delivery.dead", { schema }) }))).message).toContain("platform's own");
    expect((await faultOf(describeOptions({ on: event("a", { schema: { id: "string" } } as object) }))).message).toContain(
      "not a Standard Schema",
    );
  });
});
