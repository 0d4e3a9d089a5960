import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FRAME, type Frame } from "../protocol/frame.ts";
import { httpHead, load, Workshop } from "./testing-support/instance.ts";

let workshop: Workshop;
beforeAll(async () => {
  workshop = await Workshop.open();
});
afterAll(() => workshop.close());

interface Told {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly fatal?: boolean;
  readonly retryAfterMs?: number;
}

function errorOf(frame: Frame): Told {
  const { error } = frame.head;
  if (typeof error !== "object" || error === null) throw new Error(`no error in ${JSON.stringify(frame.head)}`);
  return error as Told;
}

/** One export `f` of `fn({ on: event("test") }, …)`. */
function onTest(handler: string, before = ""): string {
  return `import { event, fn, Fatal, RetryAfter } from "millrace";\n${before}\nexport const f = fn({ on: event("test") }, ${handler});`;
}

describe("life", () => {
  it("B1: says ready first, with the protocols that it speaks, pid and runtime", async () => {
    const instance = workshop.start();
    await instance.frame(FRAME.ready);
    expect(instance.frames[0]?.type).toBe(FRAME.ready);
    expect(instance.frames[0]?.head).toEqual({ protocols: [1], pid: instance.pid, runtime: expect.stringMatching(/^node \d+/) });
  });

  it("B2: the function sees the variables of its app and none of the node", async () => {
    const directory = await workshop.bundle({
      "functions/app.ts": onTest("(e, ctx) => console.log(JSON.stringify([process.env, ctx.env]))"),
    });
    const instance = workshop.start();
    await load(instance, { directory, env: { GREETING: "hi" } });
    await instance.event(1, {});
    expect(JSON.parse(instance.logs(1)[0]?.text ?? "")).toEqual([{ GREETING: "hi" }, { GREETING: "hi" }]);
  });

  it("B2: works under Node's permission model, with its own folder alone", async () => {
    const directory = await workshop.bundle({
      "functions/app.ts": onTest(`() => { throw new Error(String(process.permission.has("fs.read", "/etc/hosts"))) }`),
    });
    const instance = workshop.start(["--permission", `--allow-fs-read=${workshop.folder}`]);
    await load(instance, { directory });
    const error = errorOf(await instance.event(1, {}));
    expect(error.message).toBe("false");
    expect(error.stack).toContain("functions/app.ts:");
  });

  it("B2: a call that comes before loaded waits for it", async () => {
    const directory = await workshop.bundle({ "functions/app.ts": onTest("() => {}", "await new Promise((r) => setTimeout(r, 20));") });
    const instance = workshop.start();
    const loaded = load(instance, { directory });
    expect((await instance.event(1, {})).type).toBe(FRAME.result);
    expect((await loaded).head).not.toHaveProperty("error");
  });

  it("B3: an error at import comes back in loaded, with the user's line, and in every call", async () => {
    const directory = await workshop.bundle({
      "functions/app.ts": "interface A {}\n\nthrow new TypeError('at import');\nexport const f = 1;",
    });
    const instance = workshop.start();
    const error = errorOf(await load(instance, { directory }));
    expect(error).toMatchObject({ name: "TypeError", message: "at import" });
    expect(error.stack).toContain("functions/app.ts:3:7");
    expect(errorOf(await instance.event(1, {}))).toEqual(error);
  });

  it("B3: an export that is no function is named", async () => {
    const directory = await workshop.bundle({ "functions/app.ts": "export const g = 1;" });
    const instance = workshop.start();
    expect(errorOf(await load(instance, { directory })).message).toContain('no function exported as "f"');
  });

  it("B4: describes an app, or names the file that cannot be loaded", async () => {
    const good = await workshop.bundle({
      "functions/a.ts": 'import { fn, http } from "millrace"; export const hello = fn({ on: http.get("/hello") }, () => "hi");',
    });
    const entries = [{ entry: "functions/a.mjs", file: "functions/a.ts" }];
    const first = workshop.start();
    first.send(FRAME.manifest, 0, { directory: good, entries, env: {} });
    expect((await first.frame(FRAME.described)).head).toMatchObject({
      manifest: { functions: [{ name: "hello", exportName: "hello", entry: "functions/a.mjs", file: "functions/a.ts" }] },
    });
    const bad = await workshop.bundle({ "functions/a.ts": "throw new Error('no good');" });
    const second = workshop.start();
    second.send(FRAME.manifest, 0, { directory: bad, entries, env: {} });
    expect((await second.frame(FRAME.described)).head).toMatchObject({
      error: { message: expect.stringContaining("no good"), file: "functions/a.ts" },
    });
  });

  it("B5: stop waits for the calls at hand, then exits with 0", async () => {
    const instance = await workshop.run(onTest("() => new Promise((r) => setTimeout(r, 50))"));
    const end = instance.event(1, {});
    instance.send(FRAME.stop, 0, null);
    expect((await end).type).toBe(FRAME.result);
    expect(await instance.exited).toEqual({ code: 0, signal: null });
  });

  it("B5: stop does not wait for an aborted call", async () => {
    const instance = await workshop.run(onTest("() => new Promise(() => {})"));
    void instance.event(1, {}).catch(() => {});
    instance.send(FRAME.abort, 1, { reason: "timeout" });
    await instance.frame(FRAME.aborted, 1);
    instance.send(FRAME.stop, 0, null);
    expect(await instance.exited).toEqual({ code: 0, signal: null });
  });

  it("B6: ends when the node is gone, whatever it does", async () => {
    const instance = await workshop.run(onTest("() => new Promise((r) => setTimeout(r, 60_000))"));
    void instance.event(1, {}).catch(() => {});
    instance.disconnect();
    expect((await instance.exited).signal).toBeNull();
  });

  it("B7: tells its load while calls run", async () => {
    const instance = await workshop.run(onTest("() => new Promise((r) => setTimeout(r, 60_000))"));
    void instance.event(1, {}).catch(() => {});
    expect((await instance.frame(FRAME.loadReport)).head).toEqual({ utilisation: expect.any(Number), heapBytes: expect.any(Number) });
  });
});

describe("calls", () => {
  it("B8: what did nothing says nothing", async () => {
    const instance = await workshop.run(onTest("() => {}"));
    const end = await instance.event(1, {});
    expect([end.type, end.head, end.body.length]).toEqual([FRAME.result, {}, 0]);
    expect(instance.frames.some((frame) => frame.type === FRAME.started)).toBe(false);
    await instance.event(2, {}, { notify: true });
    await instance.frame(FRAME.started, 2);
  });

  it("B8: the handler gets the event, and ctx its facts", async () => {
    const instance = await workshop.run(
      onTest(
        "async (e, ctx) => { await ctx.kv.set('seen', [e.type, e.data, ctx.id, ctx.attempt, ctx.deadline instanceof Date, ctx.params, Object.isFrozen(ctx.env)]); }",
      ),
    );
    const end = await instance.event(1, { data: { a: 1 } }, { attempt: 3 });
    const { kv } = end.head["effects"] as { kv: { json: string }[] };
    expect(JSON.parse(kv[0]?.json ?? "")).toEqual(["test", { a: 1 }, "inv1", 3, true, {}, true]);
  });

  it("B9: many at once; each line belongs to its call", async () => {
    const instance = await workshop.run(
      onTest("async (e) => { for (let i = 0; i < 3; i++) { await new Promise((r) => setTimeout(r, 1)); console.log(e.id, i); } }"),
    );
    await Promise.all([1, 2, 3, 4].map((call) => instance.event(call, {})));
    for (const call of [1, 2, 3, 4]) expect(instance.logs(call).map(({ text }) => text)).toEqual([0, 1, 2].map((i) => `e${call} ${i}`));
  });

  it("B10: a rejection that nobody handled ends its call, and no other", async () => {
    const instance = await workshop.run(
      onTest(
        "async (e) => { if (e.id === 'e1') { Promise.reject(new Error('floating')); await new Promise(() => {}); } await new Promise((r) => setTimeout(r, 20)); }",
      ),
    );
    const [guilty, other] = await Promise.all([instance.event(1, {}), instance.event(2, {})]);
    expect(errorOf(guilty)).toMatchObject({ message: "floating", stack: expect.stringContaining("functions/app.ts:") });
    expect(other.type).toBe(FRAME.result);
  });

  it("B10: one that comes after the end of its call is a log line", async () => {
    const instance = await workshop.run(onTest("(e) => { setTimeout(() => Promise.reject(new Error('too late')), 1); }"));
    await instance.event(1, {});
    const line = await instance.frame(FRAME.log, 0);
    expect(line.body.toString()).toMatch(/nobody handled: Error: too late/);
  });

  it("B11: an uncaught exception names its call, then the process ends", async () => {
    const instance = await workshop.run(
      onTest("(e) => new Promise(() => { if (e.id === 'e2') setTimeout(() => { throw new Error('boom'); }, 1); })"),
    );
    void instance.event(1, {}).catch(() => {});
    void instance.event(2, {}).catch(() => {});
    expect(errorOf(await instance.frame(FRAME.fatal, 2))).toMatchObject({
      message: "boom",
      stack: expect.stringContaining("functions/app.ts:"),
    });
    expect(await instance.exited).toEqual({ code: 1, signal: null });
  });

  it.each([
    ["process.exit(3)", "process.exit(3)", { code: 3, signal: null }],
    ["process.kill(process.pid, 'SIGKILL')", "process.kill on itself with SIGKILL", { code: null, signal: "SIGKILL" }],
    ["process.abort()", "process.abort()", { code: null, signal: "SIGABRT" }],
  ])("B11: %s names its call before it happens", async (code, words, exit) => {
    const instance = await workshop.run(onTest(`async () => { await 1; ${code}; }`));
    void instance.event(7, {}).catch(() => {});
    expect(errorOf(await instance.frame(FRAME.fatal, 7))).toMatchObject({ message: `the function called ${words}` });
    expect(await instance.exited).toEqual(exit);
  });

  it("B12: abort is answered at once, reaches ctx.signal, and the late end is told", async () => {
    const instance = await workshop.run(
      onTest("(e, ctx) => new Promise((r) => ctx.signal.addEventListener('abort', () => { console.log(ctx.signal.reason.name); r(1); }))"),
    );
    const end = instance.event(1, {});
    instance.send(FRAME.abort, 1, { reason: "timeout" });
    await instance.frame(FRAME.aborted, 1);
    expect(errorOf(await end)).toMatchObject({ name: "TimeoutError", message: expect.stringContaining("30000 ms") });
    expect(instance.logs(1).map(({ text }) => text)).toEqual(["TimeoutError"]);
  });

  it("B12: an abort for a call that is over is answered too", async () => {
    const instance = await workshop.run(onTest("() => {}"));
    await instance.event(1, {});
    instance.send(FRAME.abort, 1, { reason: "client" });
    expect((await instance.frame(FRAME.aborted, 1)).head).toEqual({});
  });

  it("B13: effects after abort and after the end are refused", async () => {
    const instance = await workshop.run(
      onTest(`async (e, ctx) => {
        if (e.id === "e1") { setTimeout(() => ctx.kv.set("a", 1).catch((error) => console.log(error.code)), 5); return; }
        await new Promise((r) => ctx.signal.addEventListener("abort", r));
        await ctx.emit("late").catch((error) => console.log(error.code, error.message));
      }`),
    );
    await instance.event(1, {});
    expect((await instance.frame(FRAME.log, 0)).body.toString()).toBe("effect_after_end");
    const end = instance.event(2, {});
    instance.send(FRAME.abort, 2, { reason: "client" });
    await end;
    expect(instance.logs(2)[0]?.text).toMatch(/^effect_after_end emit after the call was given up: the client went away/);
  });

  it("B14: the receiver's check: a mismatch is fatal, what fits is the schema's output", async () => {
    const directory = await workshop.bundle({
      "functions/app.ts": onTest("(e) => console.log(JSON.stringify(e.data))"),
      "functions/schema.ts":
        'import { event } from "millrace"; import { z } from "zod"; event("test", { schema: z.object({ qty: z.number(), n: z.number().default(7) }) });',
    });
    const instance = workshop.start();
    await load(instance, { directory, schemas: { test: "functions/schema.mjs" } });
    const error = errorOf(await instance.event(1, { data: { qty: "x" } }, { checkSchema: true }));
    expect(error).toMatchObject({ name: "SchemaMismatch", fatal: true, message: expect.stringContaining("data.qty: ") });
    await instance.event(2, { data: { qty: 1 } }, { checkSchema: true });
    expect(instance.logs(2)[0]?.text).toBe('{"qty":1,"n":7}');
    await instance.event(3, { data: { qty: "x" } });
    expect(instance.logs(3)[0]?.text).toBe('{"qty":"x"}');
  });

  it("B15: a stack shows the user's lines, through a helper in another file and causes", async () => {
    const directory = await workshop.bundle({
      "lib/helper.ts": "interface Padding { a: string }\n\nexport function fail(): never {\n  throw new RangeError('deep');\n}\n",
      "functions/app.ts": [
        'import { event, fn } from "millrace";',
        'import { fail } from "../lib/helper.ts";',
        "type Padding = { b: number };",
        'export const f = fn({ on: event("test") }, async () => {',
        "  await 1;",
        "  try { fail(); } catch (cause) {",
        "    throw new Error('outer', { cause });",
        "  }",
        "});",
      ].join("\n"),
    });
    const instance = workshop.start();
    await load(instance, { directory });
    const { stack } = errorOf(await instance.event(1, {}));
    expect(stack.split("\n")[1]).toMatch(/functions\/app\.ts:7:11\)?$/);
    expect(stack).toMatch(/Caused by: RangeError: deep\n {4}at fail \(lib\/helper\.ts:4:9\)/);
    expect(stack).not.toContain("runtime.cjs");
  });

  it.each(["beside", "below"] as const)(
    "B15: the files of a stack are relative to the app, for a release made %s its sources",
    async (place) => {
      const source = 'import { event, fn } from "millrace";\nexport const f = fn({ on: event("test") }, () => { throw new Error("x"); });';
      const directory = await workshop.bundle({ "functions/deep/app.ts": source, "functions/other.ts": "export {};" }, place);
      const instance = workshop.start();
      await load(instance, { directory, entry: "functions/deep/app.mjs" });
      expect(errorOf(await instance.event(1, {})).stack).toMatch(/[ (]functions\/deep\/app\.ts:2:/);
    },
  );

  it("B15: Fatal and RetryAfter of the bundle's own copy of the SDK are known", async () => {
    const instance = await workshop.run(onTest("(e) => { throw e.id === 'e1' ? new Fatal('never') : new RetryAfter('30s', 'later'); }"));
    expect(errorOf(await instance.event(1, {}))).toMatchObject({ name: "Fatal", message: "never", fatal: true });
    expect(errorOf(await instance.event(2, {}))).toMatchObject({ name: "RetryAfter", message: "later", retryAfterMs: 30_000 });
  });
});

describe("effects", () => {
  it("B16, B18: emits and kv writes leave with the result", async () => {
    const instance = await workshop.run(
      onTest(
        "async (e, { emit, kv }) => { const { id } = await emit('next', { a: 1 }, { key: 'k' }); await kv.set('last', id, { ttl: '1h' }); return emit('more'); }",
      ),
    );
    const effects = (await instance.event(1, {})).head["effects"] as { emits: { id: string }[]; kv: unknown };
    expect(effects).toEqual({
      emits: [
        { type: "next", id: expect.any(String), key: "k", data: { a: 1 } },
        { type: "more", id: expect.any(String) },
      ],
      kv: [{ op: "set", key: "last", json: JSON.stringify(effects.emits[0]?.id), ttlMs: 3_600_000 }],
    });
  });

  it("B18, B19, F12: reads go to the node and come back in any order", async () => {
    const instance = await workshop.run(
      onTest(`async (e, { kv }) => {
        const [values, list] = await Promise.all([Promise.all([kv.get("a"), kv.get("b")]), kv.list({ prefix: "p/", limit: 2 })]);
        console.log(JSON.stringify([values, list]));
      }`),
    );
    const end = instance.event(1, {});
    const get = await instance.frame(FRAME.read, 1, ({ head }) => head["op"] === "get");
    const list = await instance.frame(FRAME.read, 1, ({ head }) => head["op"] === "list");
    expect(get.head).toEqual({ read: expect.any(Number), op: "get", keys: ["a", "b"] });
    expect(list.head).toEqual({ read: expect.any(Number), op: "list", prefix: "p/", after: null, limit: 2 });
    instance.send(FRAME.reply, 1, { read: list.head["read"], entries: [{ key: "p/1", value: { json: "1" } }] });
    // A reply may be cut short by its size: the rest is asked for again.
    instance.send(FRAME.reply, 1, { read: get.head["read"], entries: [{ json: '"A"' }] });
    const rest = await instance.frame(FRAME.read, 1, ({ head }) => (head["keys"] as string[] | undefined)?.length === 1);
    instance.send(FRAME.reply, 1, { read: rest.head["read"], entries: [null] });
    await end;
    expect(JSON.parse(instance.logs(1)[0]?.text ?? "")).toEqual([["A", null], [{ key: "p/1", value: 1 }]]);
  });

  it("B13: a read that waits when its call is aborted is refused; an error of the node is told", async () => {
    const instance = await workshop.run(onTest("(e, { kv }) => kv.get('a')"));
    const first = instance.event(1, {});
    await instance.frame(FRAME.read, 1);
    instance.send(FRAME.abort, 1, { reason: "timeout" });
    expect(errorOf(await first).name).toBe("TimeoutError");
    const second = instance.event(2, {});
    const read = await instance.frame(FRAME.read, 2);
    instance.send(FRAME.reply, 2, { read: read.head["read"], error: { message: "disk full" } });
    expect(errorOf(await second).message).toContain("disk full");
  });
});

describe("logs", () => {
  it("B21: console, ctx.log and the streams, in order and with their levels, before the end", async () => {
    const instance = await workshop.run(
      onTest(`(e, ctx) => {
        console.log("a %s %o", "b", { c: 1 });
        console.debug("d"); console.info("i"); console.warn("w"); console.error("e");
        ctx.log.warn("own", { n: 1 });
        console.group("G"); console.log("in\\nner"); console.groupEnd(); console.log("out");
        console.assert(false, "claim"); console.count("n"); console.dir({ x: 1 });
        process.stdout.write("half "); process.stdout.write("line\\n"); process.stderr.write("err");
      }`),
    );
    await instance.event(1, {});
    expect(instance.logs(1).map(({ level, text }) => `${String(level)}: ${text}`)).toEqual([
      "info: a b { c: 1 }",
      "debug: d",
      "info: i",
      "warn: w",
      "error: e",
      "warn: own { n: 1 }",
      "info: G",
      "info:   in\n  ner",
      "info: out",
      "warn: Assertion failed: claim",
      "info: n: 1",
      "info: { x: 1 }",
      "info: half line",
      "error: err",
    ]);
    expect(instance.frames.at(-1)?.type).toBe(FRAME.result);
  });

  it("B21: a logged error shows the user's line; what is logged at import belongs to no call", async () => {
    const instance = await workshop.run(onTest("() => console.log(new Error('shown'))", "console.log('importing');"));
    expect(instance.logs(0)).toEqual([{ level: "info", text: "importing" }]);
    await instance.event(1, {});
    expect(instance.logs(1)[0]?.text).toMatch(/^Error: shown\n.*functions\/app\.ts:3:/);
  });

  it("B22: a loop that logs is bounded", async () => {
    const instance = await workshop.run(onTest("() => { for (let i = 0; i < 5000; i++) console.log(i); }"));
    await instance.event(1, {});
    expect(instance.logs(1)).toHaveLength(1001);
    expect(instance.logs(1).at(-1)?.text).toBe("… 4000 more lines were dropped");
  });
});

it("a frame that breaks the protocol ends the process", async () => {
  const instance = workshop.start();
  await instance.frame(FRAME.ready);
  instance.send(FRAME.ready, 0, httpHead(1, {}));
  expect((await instance.exited).signal).toBeNull();
});
