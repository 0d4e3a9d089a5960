import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FLAG_BROKEN, FLAG_LAST, FRAME } from "../protocol/index.ts";
import {
  ANSWERS,
  eventCall,
  functionManifest,
  httpCall,
  releaseOf,
  type Script,
  type ScriptedInstance,
  SILENT,
} from "./testing-support/scripted-instance.ts";
import { kindOf, one, type Rig, rig } from "./testing-support/scripted-rig.ts";

/** What an instance at work tells every 100 ms; the pool takes none sooner, so it is told again and again. */
const told = (instance: ScriptedInstance | undefined, utilisation: number): void =>
  instance?.send(FRAME.loadReport, 0, { utilisation, heapBytes: 0 });

/** A dozen reports on a slow machine. */
const SLOWLY = { timeout: 15_000 };

describe("how many calls an instance takes", () => {
  it("C4, C6: sixteen, until its loop is known to have time", async () => {
    const { pool, made } = await rig(SILENT, [one({ concurrency: { instance: 40, function: null, key: 1 } })]);
    expect(pool.capacity("f")).toBe(16);
    for (let i = 0; i < 50; i++) void pool.call(httpCall("f"));
    await expect.poll(() => made[0]?.calls().length).toBe(16);
    await expect.poll(() => (told(made[0], 0.1), made[0]?.calls().length), SLOWLY).toBe(40);
    expect(pool.capacity("f")).toBe(40);
  });

  it("C4: of a flow's runs, which mostly wait for commits, sixty-four", async () => {
    const wide = { instance: 100, function: null, key: 1 };
    const flow = { onExhausted: "throw", deadlineMs: null, cancelOn: [], runsPerKey: null } as const;
    const { pool } = await rig(SILENT, [one({ concurrency: wide, flow })]);
    expect(pool.capacity("f")).toBe(64);
  });

  it("C5: a full loop takes no call for the ones that it ends, down to what it does in 50 ms", async () => {
    const { pool, made } = await rig(SILENT, [one({ concurrency: { instance: 16, function: null, key: 1 } })]);
    for (let i = 0; i < 20; i++) void pool.call(httpCall("f"));
    await expect.poll(() => made[0]?.calls().length).toBe(16);
    await expect.poll(() => (told(made[0], 1), pool.capacity("f")), SLOWLY).toBe(1);
    for (let number = 1; number <= 15; number++) made[0]?.send(FRAME.result, number, { status: 200 });
    await expect.poll(() => pool.stats().running).toBe(1);
    expect(pool.stats().waiting).toBe(4);
  });

  it("S11: beyond the cores no instance is started until a loop is known to have time", async () => {
    const { pool, made } = await rig(
      SILENT,
      [one({ instances: { min: 0, max: 3, idleMs: 60_000 }, concurrency: { instance: 1, function: null, key: 1 } })],
      { cores: 1 },
    );
    for (let i = 0; i < 3; i++) void pool.call(httpCall("f"));
    await expect.poll(() => (told(made[0], 0.95), made[0]?.calls().length), SLOWLY).toBe(1);
    expect(made.length).toBe(1);
    await expect.poll(() => (told(made[0], 0.1), made.length), SLOWLY).toBe(2);
  });
});

describe("calls", () => {
  it("Q1: run first come, first served, as many at once as an instance takes", async () => {
    const { pool, made } = await rig(SILENT, [one()]);
    const calls = ["a", "b", "c"].map((id) => pool.call(httpCall("f", { id })));
    await expect.poll(() => made[0]?.calls().length).toBe(2);
    expect(pool.stats()).toMatchObject({ instances: 1, running: 2, waiting: 1, coldStarts: 1 });
    made[0]?.send(FRAME.result, 1, { status: 200 });
    await calls[0];
    await expect.poll(() => made[0]?.calls().map(({ head }) => head["id"])).toEqual(["a", "b", "c"]);
    made[0]?.send(FRAME.result, 2, { status: 200 });
    made[0]?.send(FRAME.threw, 3, { error: { name: "E", message: "no" } });
    expect((await Promise.all(calls)).map(kindOf)).toEqual(["returned", "returned", "threw"]);
  });

  it("Q1: follow `load` without waiting for `loaded`", async () => {
    const { pool, made } = await rig({ ...ANSWERS, onLoad: () => {} }, [one()]);
    const call = pool.call(eventCall("f"));
    await expect.poll(() => made[0]?.calls().length).toBe(1);
    made[0]?.send(FRAME.loaded, 0);
    expect(kindOf(await call)).toBe("returned");
  });

  it("Q2: one that waits too long ends as overloaded", async () => {
    const { pool } = await rig(SILENT, [one({ concurrency: { instance: 1, function: null, key: 1 } })], { waitMs: 60 });
    void pool.call(httpCall("f"));
    expect(kindOf(await pool.call(httpCall("f")))).toBe("overloaded");
    expect(pool.stats().waiting).toBe(0);
  });

  it("Q3: events wait inside only as many as the capacity", async () => {
    const { pool } = await rig(SILENT, [one()]);
    expect(pool.capacity("f")).toBe(2);
    const calls = Array.from({ length: 5 }, () => pool.call(eventCall("f")));
    // Nothing runs yet: two wait, three are refused at once.
    expect((await Promise.all(calls.slice(2))).map(kindOf)).toEqual(["overloaded", "overloaded", "overloaded"]);
  });

  it("Q4: capacity is bounded by the function's own limit, by memory, and is 0 for what does not exist", async () => {
    const many = { instance: 10, function: 7, key: 1 };
    const functions = [
      functionManifest("limited", { concurrency: many, instances: { min: 0, max: 4, idleMs: 1 } }),
      functionManifest("big", { memoryBytes: 400, instances: { min: 0, max: 4, idleMs: 1 } }),
    ];
    const { pool } = await rig(SILENT, functions, { budgetBytes: 1000 });
    expect(["limited", "big", "none"].map((fn) => pool.capacity(fn))).toEqual([7, 32, 0]);
    expect(kindOf(await pool.call(eventCall("none")))).toBe("load-failed");
  });

  it("Q5: a client that leaves while its call waits takes it along; while it runs, the instance is told", async () => {
    const { pool, made } = await rig(SILENT, [one({ concurrency: { instance: 1, function: null, key: 1 } })]);
    const [running, waiting] = [new AbortController(), new AbortController()];
    const first = pool.call(httpCall("f", { signal: running.signal }));
    const second = pool.call(httpCall("f", { signal: waiting.signal }));
    await expect.poll(() => made[0]?.calls().length).toBe(1);
    waiting.abort();
    expect(kindOf(await second)).toBe("aborted");
    running.abort();
    await expect.poll(() => made[0]?.has(FRAME.abort)?.head).toEqual({ reason: "client" });
    made[0]?.send(FRAME.result, 1, { status: 204 });
    expect(kindOf(await first)).toBe("returned");
    expect(kindOf(await pool.call(httpCall("f", { signal: waiting.signal })))).toBe("aborted");
  });

  it("Q6: a call alone gets an instance in which nothing else runs meanwhile", async () => {
    const { pool, made } = await rig(SILENT, [one()]);
    const calls = [pool.call(eventCall("f", { id: "a" }))];
    await expect.poll(() => made[0]?.calls().length).toBe(1);
    calls.push(pool.call(eventCall("f", { id: "alone", alone: true })));
    // It was kept free for that one when the decision was made, at the end of the turn.
    await Promise.resolve();
    calls.push(pool.call(eventCall("f", { id: "c" })));
    made[0]?.send(FRAME.result, 1);
    await calls[0];
    await expect.poll(() => made[0]?.calls().map(({ head }) => head["id"])).toEqual(["a", "alone"]);
    made[0]?.send(FRAME.result, 2);
    await expect.poll(() => made[0]?.calls().length).toBe(3);
    made[0]?.send(FRAME.result, 3);
    expect((await Promise.all(calls)).map(kindOf)).toEqual(["returned", "returned", "returned"]);
  });

  it("Q7: reads are answered by the caller's reader, its failure too", async () => {
    const { pool, made } = await rig(SILENT, [one()]);
    const kv = {
      get: async (keys: readonly string[]) => keys.map((key) => ({ json: `"${key}"` })),
      list: () => Promise.reject(new Error("no store")),
    };
    const call = pool.call(eventCall("f", { kv }));
    await expect.poll(() => made[0]?.calls().length).toBe(1);
    made[0]?.send(FRAME.read, 1, { read: 1, op: "get", keys: ["a"] });
    made[0]?.send(FRAME.read, 1, { read: 2, op: "list", prefix: "", after: null, limit: 3 });
    const replies = () => made[0]?.received.filter(({ type }) => type === FRAME.reply).map(({ head }) => head);
    await expect.poll(replies).toEqual([
      { read: 1, entries: [{ json: '"a"' }] },
      { read: 2, error: { name: "Error", message: "no store" } },
    ]);
    const starts = [{ target: "flow", input: "1", id: "a", named: true }];
    made[0]?.send(FRAME.result, 1, { effects: { emits: [{ type: "x" }], kv: [{ op: "delete", key: "k" }], starts } });
    expect(await call).toMatchObject({ effects: { emits: [{ type: "x" }], kv: [{ op: "delete", key: "k" }], starts } });
  });

  it("F5: what the handler returned comes back where it was asked for", async () => {
    const { pool, made } = await rig(SILENT, [one()]);
    const calls = [pool.call(eventCall("f", { wantsResult: true, checkSchema: true })), pool.call(eventCall("f"))];
    await expect.poll(() => made[0]?.calls().map(({ head }) => head["result"])).toEqual([true, undefined]);
    for (const number of [1, 2]) made[0]?.send(FRAME.result, number, null, '{"ä":1}');
    const [asked, other] = await Promise.all(calls);
    expect(asked).toMatchObject({ kind: "returned", value: '{"ä":1}' });
    expect(other).not.toHaveProperty("value");
  });
});

describe("time", () => {
  it("T3: a call that answers within the grace has timed out all the same, and its instance goes on", async () => {
    const { pool, made } = await rig(SILENT, [one()]);
    const call = pool.call(eventCall("f", { timeoutMs: 20 }));
    await expect.poll(() => made[0]?.has(FRAME.abort)?.head).toEqual({ reason: "timeout" });
    made[0]?.send(FRAME.result, 1);
    expect(kindOf(await call)).toBe("timeout");
    expect(pool.stats().instances).toBe(1);
    expect(made[0]?.has(FRAME.stop)).toBeUndefined();
  });

  it("T3: one that does not answer has its instance retired, and its late answer is refused", async () => {
    const { pool, made } = await rig(SILENT, [one()]);
    const slow = pool.call(eventCall("f", { timeoutMs: 10_000 }));
    expect(kindOf(await pool.call(eventCall("f", { timeoutMs: 20 })))).toBe("timeout");
    made[0]?.send(FRAME.result, 2);
    const next = pool.call(eventCall("f"));
    await expect.poll(() => made[1]?.calls().length).toBe(1);
    made[1]?.send(FRAME.result, 1);
    made[0]?.send(FRAME.result, 1);
    expect((await Promise.all([slow, next])).map(kindOf)).toEqual(["returned", "returned"]);
    await expect.poll(() => made[0]?.has(FRAME.stop)).toBeDefined();
  });

  it("T2: several past their time in a blocked loop are all suspects; HTTP calls have timed out", async () => {
    const { pool } = await rig({}, [one({ concurrency: { instance: 4, function: null, key: 1 } })], { graceMs: 50 });
    const outcomes = await Promise.all([
      pool.call(eventCall("f", { timeoutMs: 20 })),
      pool.call(eventCall("f", { timeoutMs: 20 })),
      pool.call(httpCall("f", { timeoutMs: 20 })),
      pool.call(eventCall("f", { timeoutMs: 60_000 })),
    ]);
    expect(outcomes.map(kindOf)).toEqual(["suspect", "suspect", "timeout", "bystander"]);
  });
});

describe("bodies", () => {
  async function streaming(): Promise<{ rig: Rig; answer: AsyncIterable<Uint8Array>; discard: () => void }> {
    const built = await rig(SILENT, [one()]);
    const call = built.pool.call(httpCall("f"));
    await expect.poll(() => built.made[0]?.calls().length).toBe(1);
    built.made[0]?.send(FRAME.result, 1, { status: 200, headers: ["a", "b"], stream: true });
    const outcome = await call;
    if (outcome.kind !== "returned" || outcome.response === null || outcome.response.body instanceof Uint8Array)
      throw new Error("no stream");
    return { rig: built, answer: outcome.response.body, discard: outcome.response.discard };
  }

  it("F7: a streamed answer flows when it is read, and credit comes back as it is", async () => {
    const {
      rig: { made, pool },
      answer,
    } = await streaming();
    expect(made[0]?.has(FRAME.go)).toBeUndefined();
    const reader = answer[Symbol.asyncIterator]();
    const first = reader.next();
    await expect.poll(() => made[0]?.has(FRAME.go)).toBeDefined();
    for (let i = 0; i < 4; i++) made[0]?.send(FRAME.responseChunk, 1, null, Buffer.alloc(64 * 1024, i));
    expect((await first).value).toHaveLength(64 * 1024);
    await expect.poll(() => made[0]?.has(FRAME.responseCredit)?.head).toEqual({ bytes: 64 * 1024 });
    expect(pool.stats().running).toBe(1);
    made[0]?.send(FRAME.responseChunk, 1, null, "end", FLAG_LAST);
    let bytes = 0;
    for (let next = await reader.next(); next.done !== true; next = await reader.next()) bytes += next.value.length;
    expect(bytes).toBe(3 * 64 * 1024 + 3);
    expect(pool.stats().running).toBe(0);
  });

  it("F7: what flows before `go` or beyond the credit breaks the protocol", async () => {
    const early = await streaming();
    early.rig.made[0]?.send(FRAME.responseChunk, 1, null, "x");
    await expect.poll(() => early.rig.made[0]?.killed).toBe(true);
    const greedy = await streaming();
    const next = greedy.answer[Symbol.asyncIterator]().next();
    for (let i = 0; i < 6; i++) greedy.rig.made[0]?.send(FRAME.responseChunk, 1, null, Buffer.alloc(64 * 1024));
    await next.catch(() => {});
    await expect.poll(() => greedy.rig.made[0]?.killed).toBe(true);
  });

  it("F7: one that breaks off, or whose instance ends, is an error for its reader", async () => {
    const broken = await streaming();
    const next = broken.answer[Symbol.asyncIterator]().next();
    broken.rig.made[0]?.send(FRAME.responseChunk, 1, null, null, FLAG_BROKEN);
    await expect(next).rejects.toThrow("broke off");
    const crashed = await streaming();
    const last = crashed.answer[Symbol.asyncIterator]().next();
    crashed.rig.made[0]?.exit({ code: 1, signal: null, output: "" });
    await expect(last).rejects.toThrow("instance ended");
  });

  it("F7: one that is not wanted frees its place", async () => {
    const {
      rig: { made, pool },
      discard,
    } = await streaming();
    discard();
    await expect.poll(() => made[0]?.has(FRAME.discard)).toBeDefined();
    expect(pool.stats().running).toBe(0);
  });

  it("F8: a large request body goes in pieces, as far as credit reaches", async () => {
    const { pool, made } = await rig(SILENT, [one()]);
    const call = pool.call(httpCall("f", { body: Buffer.alloc(400 * 1024, 7) }));
    const pieces = () => made[0]?.received.filter(({ type }) => type === FRAME.requestChunk) ?? [];
    const bytes = (): number => pieces().reduce((sum, { body }) => sum + body.length, 0);
    await expect.poll(bytes).toBe(256 * 1024);
    expect(made[0]?.calls()[0]?.head["stream"]).toBe(true);
    made[0]?.send(FRAME.requestCredit, 1, { bytes: 256 * 1024 });
    await expect.poll(() => pieces().at(-1)?.flags).toBe(FLAG_LAST);
    expect(bytes()).toBe(400 * 1024);
    made[0]?.send(FRAME.result, 1, { status: 200 });
    await call;
  });

  it("F8: a body that breaks off is told to the function; one nobody reads is closed with the call", async () => {
    const { pool, made } = await rig(SILENT, [one()]);
    let closed = false;
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("a");
      throw new Error("reset");
    }
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.alloc(64 * 1024);
      } finally {
        closed = true;
      }
    }
    const calls = [pool.call(httpCall("f", { body: broken() })), pool.call(httpCall("f", { body: endless() }))];
    await expect
      .poll(() => made[0]?.received.filter(({ type, flags }) => type === FRAME.requestChunk && flags === FLAG_BROKEN).length)
      .toBe(1);
    for (const number of [1, 2]) made[0]?.send(FRAME.result, number, { status: 200 });
    await Promise.all(calls);
    await expect.poll(() => closed).toBe(true);
  });
});

describe("starting and failing", () => {
  it("L1: code that does not load: back-off, doubling, told to the owner when it ends", async () => {
    const { pool, made } = await rig(
      {
        onLoad: (instance) => instance.send(FRAME.loaded, 0, { error: { name: "SyntaxError", message: "bad" } }),
      },
      [one()],
    );
    let changes = 0;
    pool.onChange(() => changes++);
    expect(await pool.call(eventCall("f"))).toMatchObject({
      kind: "not-run",
      reason: "load-failed",
      error: { message: "f (functions/f.ts) could not be loaded: bad" },
    });
    expect(pool.capacity("f")).toBe(0);
    expect(await pool.call(httpCall("f"))).toMatchObject({
      kind: "not-run",
      error: { message: "f (functions/f.ts) could not be loaded: bad" },
    });
    expect(made).toHaveLength(1);
    await expect.poll(() => pool.capacity("f")).toBe(2);
    expect(changes).toBeGreaterThan(0);
    expect(kindOf(await pool.call(eventCall("f")))).toBe("load-failed");
    expect(made).toHaveLength(2);
  });

  it("L1: an instance that never says ready ends as load-failed", async () => {
    const { pool, made } = await rig({ ready: false, onLoad: () => {} }, [one()], { loadLimitMs: 50 });
    expect(kindOf(await pool.call(eventCall("f")))).toBe("load-failed");
    expect(made[0]?.killed).toBe(true);
  });

  it("F4: nothing is sent before the instance has said what it speaks; then comes the version that was picked", async () => {
    const { pool, made } = await rig({ ...ANSWERS, ready: false }, [one()]);
    const call = pool.call(httpCall("f"));
    await expect.poll(() => made.length).toBe(1);
    await new Promise(setImmediate);
    expect(made[0]?.received).toEqual([]);
    made[0]?.send(FRAME.ready, 0, { protocols: [7, 1, 99] });
    expect(kindOf(await call)).toBe("returned");
    expect(made[0]?.received.map(({ type }) => type)).toEqual([FRAME.speak, FRAME.load, FRAME.http]);
    expect(made[0]?.has(FRAME.speak)?.head).toEqual({ protocol: 1 });
  });

  it("L3: another protocol number is not spoken", async () => {
    const { pool, made } = await rig({ ready: false, onLoad: () => {} }, [one()]);
    const call = pool.call(eventCall("f"));
    await expect.poll(() => made.length).toBe(1);
    made[0]?.send(FRAME.ready, 0, { protocols: [99] });
    expect(await call).toMatchObject({
      kind: "not-run",
      error: { message: expect.stringContaining("protocol [99] is not spoken here, only 1") },
    });
  });

  it("B4: an answer for a call that was never made ends the instance", async () => {
    const { pool, made } = await rig(SILENT, [one()]);
    const call = pool.call(eventCall("f"));
    await expect.poll(() => made[0]?.calls().length).toBe(1);
    made[0]?.send(FRAME.result, 77);
    expect(kindOf(await call)).toBe("guilty");
  });

  it.each([
    ["effects", FRAME.result, { effects: { emits: [{ type: 7 }], kv: [] } }],
    ["effects", FRAME.result, { effects: { emits: [], kv: [{ op: "set", key: "k" }] } }],
    ["effects", FRAME.result, { effects: { emits: [], kv: [], starts: [{ target: "flow", input: "1", id: "a" }] } }],
    ["an error", FRAME.threw, {}],
    ["a read", FRAME.read, { read: 1, op: "drop" }],
    ["a line", FRAME.log, { level: "loud", atMs: 1 }],
    ["a frame of the other direction", FRAME.event, {}],
    ["a frame of a run", FRAME.park, { reason: "sleep" }],
  ] as const)("B4: %s of the wrong shape ends the instance", async (_, type, head) => {
    const { pool, made } = await rig(SILENT, [one()]);
    const call = pool.call(eventCall("f"));
    await expect.poll(() => made[0]?.calls().length).toBe(1);
    made[0]?.send(type, 1, head);
    expect(kindOf(await call)).toBe("guilty");
  });

  it("D3: the bundle is linked into the instance's folder, which goes with the instance", async () => {
    const { pool, made, directory } = await rig(ANSWERS, [one({ instances: { min: 0, max: 1, idleMs: 10 } })]);
    await pool.call(eventCall("f"));
    const loaded = made[0]?.has(FRAME.load)?.head;
    expect(loaded).toMatchObject({ fn: "f", exportName: "f", entry: "app.mjs", env: { GREETING: "hello" }, schemas: {} });
    const placed = String(loaded?.["directory"]);
    expect(existsSync(join(placed, "chunks", "a.mjs"))).toBe(true);
    // S5: idle, it goes, to zero.
    await expect.poll(() => readdirSync(join(directory, "instances"))).toEqual([]);
    expect(pool.stats().instances).toBe(0);
  });

  it("D3: paths of the private folder become those of the release in errors", async () => {
    const { pool, made, bundle } = await rig(SILENT, [one()]);
    const call = pool.call(eventCall("f"));
    await expect.poll(() => made[0]?.calls().length).toBe(1);
    const placed = String(made[0]?.has(FRAME.load)?.head["directory"]);
    made[0]?.send(FRAME.threw, 1, { error: { name: "E", message: "m", stack: `E: m\n  at file://${placed}/app.mjs:1:1` } });
    expect(await call).toMatchObject({ error: { stack: `E: m\n  at file://${bundle}/app.mjs:1:1` } });
  });
});

describe("spares", () => {
  it("P1: one is kept ready, handed over at once and replaced", async () => {
    const { pool, made } = await rig(ANSWERS, [one(), functionManifest("g", { network: false })], { spares: { classes: 1, perClass: 1 } });
    await expect.poll(() => pool.stats().spares).toBe(1);
    expect(kindOf(await pool.call(eventCall("f")))).toBe("returned");
    expect(made[0]?.has(FRAME.load)).toBeDefined();
    await expect.poll(() => pool.stats().spares).toBe(1);
    expect(made).toHaveLength(2);
  });

  it("P2: a function of another class does not get it", async () => {
    const { pool, made } = await rig(ANSWERS, [one(), functionManifest("g", { network: false })], { spares: { classes: 1, perClass: 1 } });
    await expect.poll(() => pool.stats().spares).toBe(1);
    await pool.call(eventCall("g"));
    expect(made.map(({ instanceClass }) => instanceClass.network)).toEqual([true, false]);
    expect(pool.stats().spares).toBe(1);
  });

  it("P3: cold starts are counted and timed by phase", async () => {
    const starts: unknown[] = [];
    const { pool } = await rig(ANSWERS, [one()], { onColdStart: (start) => starts.push(start) });
    await pool.call(eventCall("f"));
    await pool.call(eventCall("f"));
    expect(starts).toEqual([{ fn: "f", waitMs: expect.any(Number), loadMs: expect.any(Number), firstCallMs: expect.any(Number) }]);
    expect(pool.stats().coldStarts).toBe(1);
  });
});

describe("functions that do not start, and those that always do", () => {
  const failing = (broken: string): Script => ({
    ...ANSWERS,
    onLoad: (instance) => {
      const isBroken = instance.has(FRAME.load)?.head["fn"] === broken;
      instance.send(FRAME.loaded, 0, isBroken ? { error: { name: "TypeError", message: "no good" } } : null);
    },
  });

  it("L4, L5: the reason is shown with function and file until a call ends; the others go on", async () => {
    const { pool } = await rig(failing("f"), [one({ file: "functions/orders.ts" }), functionManifest("g")]);
    await pool.call(eventCall("f"));
    expect(kindOf(await pool.call(eventCall("g")))).toBe("returned");
    expect(pool.stats().functions.map(({ fn, startFailure }) => [fn, startFailure])).toEqual([
      [
        "f",
        {
          error: expect.objectContaining({ name: "TypeError", message: "f (functions/orders.ts) could not be loaded: no good" }),
          failures: 1,
          retryAtMs: expect.any(Number),
        },
      ],
      ["g", null],
    ]);
    const { retryAtMs = 0 } = pool.stats().functions[0]?.startFailure ?? {};
    expect(Math.abs(retryAtMs - Date.now())).toBeLessThan(5000);
  });

  it("L6: `min` instances stand ready, also after a deploy and after one of them ended", async () => {
    const always = one({ instances: { min: 2, max: 4, idleMs: 1 } });
    const { pool, made, bundle } = await rig(ANSWERS, [always]);
    const isThere = (instance: ScriptedInstance): boolean =>
      instance.has(FRAME.load) !== undefined && !instance.has(FRAME.stop) && !instance.killed;
    const there = (): number[] => [...made.keys()].filter((at) => made[at] !== undefined && isThere(made[at]));
    await expect.poll(there).toEqual([0, 1]);
    pool.use(releaseOf(bundle, [always], "r2"));
    await expect.poll(there).toEqual([2, 3]);
    made[2]?.kill();
    await expect.poll(there).toEqual([3, 4]);
  });
});

describe("spares and the code", () => {
  const SPARES = { spares: { classes: 1, perClass: 1 }, prepareSpares: true };
  const prepared = (instance: ScriptedInstance | undefined): unknown => instance?.has(FRAME.prepare)?.head["entries"];

  it("P5: a burst leaves as many behind as it took", async () => {
    const functions = ["a", "b", "c"].map((name) => functionManifest(name));
    const { pool } = await rig(ANSWERS, functions, { ...SPARES, cores: 2 });
    await expect.poll(() => pool.stats().spares).toBe(1);
    await Promise.all(functions.map(({ name }) => pool.call(eventCall(name))));
    await expect.poll(() => pool.stats().spares).toBe(3);
  });

  it("P7: a spare lays out and compiles the code of its class, and is not given it again", async () => {
    const functions = [
      one({ entry: "a.mjs" }),
      functionManifest("g", { entry: "b.mjs" }),
      functionManifest("h", { entry: "c.mjs", network: false }),
    ];
    const { pool, made } = await rig(ANSWERS, functions, SPARES);
    await expect.poll(() => prepared(made[0])).toEqual(["a.mjs", "b.mjs"]);
    expect(existsSync(join(made[0]?.directory ?? "", "bundle", "chunks", "a.mjs"))).toBe(true);
    await pool.call(eventCall("g"));
    expect(made[0]?.has(FRAME.load)?.head["directory"]).toBe(made[0]?.has(FRAME.prepare)?.head["directory"]);
    // What was asked for last is compiled first.
    await expect.poll(() => prepared(made[1])).toEqual(["b.mjs", "a.mjs"]);
  });

  it("P7: those that hold an earlier release's code take the new one's in its place", async () => {
    const { pool, made, directory } = await rig(ANSWERS, [one()], SPARES);
    await expect.poll(() => prepared(made[0])).toEqual(["app.mjs"]);
    mkdirSync(join(directory, "second"));
    writeFileSync(join(directory, "second", "b.mjs"), "export {};");
    pool.use(releaseOf(join(directory, "second"), [one({ entry: "b.mjs" })], "r2"));
    const preparations = (): unknown[] =>
      made[0]?.received.filter(({ type }) => type === FRAME.prepare).map(({ head }) => head["entries"]) ?? [];
    await expect.poll(preparations).toEqual([["app.mjs"], [], ["b.mjs"]]);
    expect(readdirSync(join(made[0]?.directory ?? "", "bundle"))).toEqual(["b.mjs"]);
    expect(kindOf(await pool.call(eventCall("f")))).toBe("returned");
    expect(made[0]?.has(FRAME.load)).toBeDefined();
  });

  it("P7: a release that cannot be laid out is told to the call, not to the spare", async () => {
    const { pool, directory } = await rig(ANSWERS, [], SPARES);
    pool.use(releaseOf(join(directory, "missing"), [one()]));
    await expect.poll(() => pool.stats().spares).toBe(1);
    expect(await pool.call(eventCall("f"))).toMatchObject({
      kind: "not-run",
      error: { message: expect.stringContaining("could not be read") },
    });
  });

  it("P8: caches come to lie beside the files; a process that ends instead is no failure", async () => {
    const { pool, bundle } = await rig(
      {
        onFrame: (instance, { type, head }) => {
          if (type !== FRAME.compile) return;
          const { files, out } = head as { files: string[]; out: string };
          for (const place of files.keys()) writeFileSync(join(out, String(place)), files[place] ?? "");
          instance.send(FRAME.compiled, 0, { files: files.length });
        },
      },
      [],
    );
    expect(await pool.compile(bundle)).toBe(2);
    expect(readFileSync(join(bundle, "chunks", "a.mjs.v8"), "utf8")).toBe("chunks/a.mjs");
    const broken = await rig({ onFrame: (instance) => instance.exit({ code: 1, signal: null, output: "" }) }, []);
    expect(await broken.pool.compile(broken.bundle)).toBe(0);
    expect(await broken.pool.compile(join(broken.directory, "missing"))).toBe(0);
    expect(readdirSync(broken.bundle).sort()).toEqual(["app.mjs", "chunks"]);
  });
});

describe("releases and stopping", () => {
  it("R1: new calls go to the new release, those of the old one finish, those that waited move over", async () => {
    const { pool, made, bundle } = await rig(SILENT, [
      one({ concurrency: { instance: 1, function: null, key: 1 } }),
      functionManifest("gone"),
    ]);
    const running = pool.call(eventCall("f", { id: "old" }));
    await expect.poll(() => made[0]?.calls().length).toBe(1);
    const waiting = pool.call(eventCall("f", { id: "moved" }));
    pool.use(releaseOf(bundle, [one()], "r2"));
    const fresh = pool.call(eventCall("f", { id: "new" }));
    await expect.poll(() => made[1]?.calls().map(({ head }) => head["id"])).toEqual(["moved", "new"]);
    made[0]?.send(FRAME.result, 1);
    for (const number of [1, 2]) made[1]?.send(FRAME.result, number);
    expect((await Promise.all([running, waiting, fresh])).map(kindOf)).toEqual(["returned", "returned", "returned"]);
    await expect.poll(() => made[0]?.has(FRAME.stop)).toBeDefined();
    await expect.poll(() => pool.stats().instances).toBe(1);
    expect(kindOf(await pool.call(eventCall("gone")))).toBe("load-failed");
  });

  it("R2: stop refuses new calls, waits for those that run, then ends what is left", async () => {
    const { pool, made } = await rig(SILENT, [one({ concurrency: { instance: 2, function: null, key: 1 } })]);
    const calls = ["a", "b", "waits"].map((id) => pool.call(httpCall("f", { id })));
    await expect.poll(() => made[0]?.calls().length).toBe(2);
    const stopped = pool.stop();
    expect(kindOf(await pool.call(eventCall("f")))).toBe("stopping");
    made[0]?.send(FRAME.result, 1, { status: 200 });
    expect((await Promise.all(calls)).map(kindOf)).toEqual(["returned", "bystander", "stopping"]);
    await stopped;
    expect(pool.stop()).toBe(pool.stop());
    expect(made[0]?.killed).toBe(true);
  });
});
