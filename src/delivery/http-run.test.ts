import { describe, expect, it } from "vitest";
import { type Call, GONE, type Outcome } from "../pool/pool.ts";
import type { HttpResult } from "./delivery.ts";
import { EngineUnderTest, request } from "./testing-support/engine-under-test.ts";
import { functionOf, listener } from "./testing-support/manifests.ts";
import { answered, crashed, notRun, readNumber, returned, setNumber, threw } from "./testing-support/outcomes.ts";

const DAY_MS = 86_400_000;

async function textOf(result: HttpResult): Promise<string> {
  if (result.kind === "failed") return `${result.error.code} ${result.error.status}`;
  if (result.body instanceof Uint8Array) return Buffer.from(result.body).toString();
  const pieces: Uint8Array[] = [];
  for await (const piece of result.body) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

function disturb(world: EngineUnderTest, value: number): Promise<unknown> {
  const nowMs = world.clock.now();
  const kv = [{ op: "set", key: "n", value: { kind: "json", json: String(value) }, expiresMs: null }] as const;
  return world.store.commit({ id: `disturb-${value}`, nowMs, kv });
}

async function* pieces(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

describe("an HTTP call as a transaction", () => {
  it("D14: its effects are committed before it is answered; one that did nothing does not touch the store", async () => {
    const world = await EngineUnderTest.start({
      functions: [functionOf("idle"), functionOf("busy"), listener("after", "paid")],
      scripts: {
        idle: () => answered("nothing"),
        busy: () => answered("done", { emits: [{ type: "paid", data: 1 }], kv: [setNumber("n", 3)] }),
        after: () => returned(),
      },
    });
    expect(await textOf(await world.engine.http(request("idle")))).toBe("nothing");
    expect(world.store.commits).toEqual([]);
    expect(await textOf(await world.engine.http(request("busy")))).toBe("done");
    expect(await world.number("n")).toBe(3);
    await world.engine.settled();
    expect(world.pool.calls.map(({ fn }) => fn)).toEqual(["idle", "busy", "after"]);
    expect(await textOf(await world.engine.http(request("nobody")))).toBe("not_found 404");
  });

  it("D13: conflicts re-run it, eight runs in all, then it is 503; its stale answers are discarded", async () => {
    let discarded = 0;
    const world = await EngineUnderTest.start({
      functions: [functionOf("f")],
      scripts: { f: async (call) => answered(String(await readNumber(call, "n")), { kv: [setNumber("n", 1)] }, () => discarded++) },
    });
    let disturbed = 0;
    let most = 2;
    world.store.before = async ({ reads }) => {
      if (reads !== undefined && disturbed < most) await disturb(world, ++disturbed * 10);
    };
    expect(await textOf(await world.engine.http(request("f")))).toBe("20");
    expect(discarded).toBe(2);
    most = Infinity;
    const result = await world.engine.http(request("f"));
    expect(result).toMatchObject({ kind: "failed", error: { code: "conflict", status: 503 }, retryAfterMs: 1000 });
    expect(world.pool.calls).toHaveLength(3 + 8);
  });

  it("D13: what it read is validated when it throws or only reads, too", async () => {
    const world = await EngineUnderTest.start({
      functions: [functionOf("throws"), functionOf("reads")],
      scripts: {
        throws: async (call) => ((await readNumber(call, "n")) === 0 ? threw("n is 0") : answered("fine")),
        reads: async (call) => answered(String(await readNumber(call, "n"))),
      },
    });
    let disturbed = 0;
    world.store.before = async ({ reads }) => {
      if (reads !== undefined && disturbed < 1) await disturb(world, ++disturbed);
    };
    expect(await textOf(await world.engine.http(request("throws")))).toBe("fine");
    disturbed = 0;
    world.store.before = async ({ reads }) => {
      if (reads !== undefined && disturbed < 1) await disturb(world, 7 + disturbed++);
    };
    expect(await textOf(await world.engine.http(request("reads")))).toBe("7");
  });

  it("D15: a body that came whole is run again, a streamed one cannot be", async () => {
    const world = await EngineUnderTest.start({
      functions: [functionOf("f")],
      scripts: { f: async (call) => answered(String(await readNumber(call, "n"))) },
    });
    let disturbed = 0;
    world.store.before = async ({ reads }) => {
      if (reads !== undefined && disturbed++ % 2 === 0) await disturb(world, disturbed);
    };
    expect(await textOf(await world.engine.http(request("f", { body: Buffer.from("whole") })))).toBe("1");
    expect(await textOf(await world.engine.http(request("f", { body: pieces("streamed") })))).toBe("conflict 503");
  });

  it("D22: a store that fails is a 503, for reads as for commits, and nothing of the call is kept", async () => {
    const world = await EngineUnderTest.start({
      functions: [functionOf("writes"), functionOf("reads")],
      scripts: {
        writes: () => answered("done", { kv: [setNumber("n", 1)] }),
        reads: async (call) => answered(String(await readNumber(call, "n").catch(() => "caught"))),
      },
    });
    world.store.failing = "commits";
    expect(await world.engine.http(request("writes"))).toMatchObject({ error: { code: "disk_full" }, retryAfterMs: 1000 });
    world.store.failing = "reads";
    expect(await textOf(await world.engine.http(request("reads")))).toBe("data_unwritable 503");
    world.store.failing = "nothing";
    expect(await world.number("n")).toBeNull();
    expect(await textOf(await world.engine.http(request("writes")))).toBe("done");
  });

  it("D30: what was killed runs once more, alone, where that is harmless; what ended itself does not", async () => {
    const gone = { name: GONE };
    const alone: boolean[] = [];
    let outcomes: Outcome[] = [];
    const script = (call: Call): Outcome => {
      alone.push(call.alone);
      return outcomes.shift() ?? threw("not expected");
    };
    const world = await EngineUnderTest.start({ functions: [functionOf("f")], scripts: { f: script } });
    const ask = async (asked: Parameters<typeof request>[1], ...come: Outcome[]): Promise<string> => {
      outcomes = come;
      return textOf(await world.engine.http(request("f", asked)));
    };
    expect(await ask({ method: "GET" }, crashed("guilty", gone), answered("again"))).toBe("again");
    expect(alone).toEqual([false, true]);
    expect(await ask({ method: "GET" }, crashed("guilty", gone), crashed("guilty", gone), answered("no third time"))).toBe(
      "function_crashed 502",
    );
    expect(await ask({ method: "POST" }, crashed("guilty", gone))).toBe("function_crashed 502");
    expect(await ask({ method: "POST", idempotencyKey: "k30" }, crashed("guilty", gone), answered("kept"))).toBe("kept");
    expect(await ask({ method: "GET" }, crashed("guilty", { name: "ProcessEnded" }))).toBe("function_crashed 502");
    expect(await ask({ method: "GET" }, notRun("load-failed", gone))).toBe("function_crashed 502");
    expect(await ask({ method: "GET" }, notRun("load-failed"))).toBe("load_failed 500");
  });

  it("D2: an innocent crash is run again once where that is harmless, and what the function did wrong is said without its words", async () => {
    const outcomes = [crashed("bystander"), answered("again"), crashed("bystander"), threw("the password is 1234"), notRun("overloaded")];
    const world = await EngineUnderTest.start({ functions: [functionOf("f")], scripts: { f: () => outcomes.shift() ?? threw() } });
    expect(await textOf(await world.engine.http(request("f", { method: "GET" })))).toBe("again");
    expect(await textOf(await world.engine.http(request("f", { method: "POST" })))).toBe("function_crashed 502");
    const failed = await world.engine.http(request("f"));
    expect(failed).toMatchObject({ kind: "failed", error: { code: "function_failed", status: 500 } });
    expect(JSON.stringify(failed.kind === "failed" && failed.error.toBody())).not.toContain("1234");
    expect(world.logs.map(({ text }) => text)).toContain("Error: the password is 1234");
    expect(await textOf(await world.engine.http(request("f")))).toBe("overloaded 503");
  });

  it("D8: an answer that comes with what may not be emitted is the function's failure, not the caller's", async () => {
    const world = await EngineUnderTest.start({
      functions: [functionOf("f")],
      scripts: { f: () => answered("no", { emits: [{ type: "millrace.delivery.dead", data: {} }] }) },
    });
    expect(await textOf(await world.engine.http(request("f")))).toBe("function_failed 500");
    expect(world.logs[0]?.text).toContain("the platform's own");
  });
});

describe("Idempotency-Key", () => {
  const keyed = { idempotencyKey: "k1" };

  it("D16: a repetition gets the first answer again, by function and key, also after a restart, until a day has passed", async () => {
    let n = 0;
    const script = () => answered(String(++n), { kv: [setNumber("n", n)] });
    const world = await EngineUnderTest.start({ functions: [functionOf("f"), functionOf("g")], scripts: { f: script, g: script } });
    const body = Buffer.from("same");
    const first = await world.engine.http(request("f", { ...keyed, body }));
    expect(first).toMatchObject({ kind: "answered", replayed: false, head: { status: 200 } });
    expect(await textOf(first)).toBe("1");
    await world.restart();
    const again = await world.engine.http(request("f", { ...keyed, body }));
    expect(again).toMatchObject({ kind: "answered", replayed: true, head: { status: 200 } });
    expect(await textOf(again)).toBe("1");
    expect(await textOf(await world.engine.http(request("g", { ...keyed, body })))).toBe("2");
    await world.advance(DAY_MS);
    expect(await textOf(await world.engine.http(request("f", { ...keyed, body })))).toBe("3");
  });

  it("D16: the same key for another request is 422", async () => {
    const world = await EngineUnderTest.start({ functions: [functionOf("f")], scripts: { f: () => answered("1") } });
    await world.engine.http(request("f", { ...keyed, body: Buffer.from("a") }));
    for (const other of [{ body: Buffer.from("b") }, { url: "http://localhost/other" }, { method: "PUT" }])
      expect(await textOf(await world.engine.http(request("f", { ...keyed, body: Buffer.from("a"), ...other })))).toBe(
        "idempotency_reused 422",
      );
  });

  it("D16: one at the same time is 409; a first that fails lets the key go", async () => {
    const gate = Promise.withResolvers<void>();
    const outcomes = [threw(), answered("second")];
    const world = await EngineUnderTest.start({
      functions: [functionOf("f")],
      scripts: {
        f: async () => {
          await gate.promise;
          return outcomes.shift() ?? threw();
        },
      },
    });
    const first = world.engine.http(request("f", keyed));
    await world.pool.arrived(1);
    expect(await world.engine.http(request("f", keyed))).toMatchObject({ error: { code: "idempotency_in_progress" }, retryAfterMs: 1000 });
    gate.resolve();
    expect(await textOf(await first)).toBe("function_failed 500");
    expect(await textOf(await world.engine.http(request("f", keyed)))).toBe("second");
  });

  it("D16: a streamed answer is stored whole, one beyond 1 MiB goes out but is not kept", async () => {
    const half = "x".repeat(600 * 1024);
    const answers = [answered(pieces("a", "b", "c")), answered(pieces(half, half)), answered(Buffer.from(half + half))];
    const world = await EngineUnderTest.start({ functions: [functionOf("f")], scripts: { f: () => answers.shift() ?? threw() } });
    expect(await textOf(await world.engine.http(request("f", keyed)))).toBe("abc");
    expect(await textOf(await world.engine.http(request("f", keyed)))).toBe("abc");
    for (const key of ["streamed", "whole"]) {
      expect((await textOf(await world.engine.http(request("f", { idempotencyKey: key })))).length).toBe(2 * half.length);
      expect(await textOf(await world.engine.http(request("f", { idempotencyKey: key })))).toBe("idempotency_answer_lost 409");
    }
  });

  it("D16: a streamed answer that breaks off is the function's failure and is not stored; one whose client left is let go", async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("a");
      throw new Error("the function's answer broke off");
    }
    const client = new AbortController();
    const left = Promise.withResolvers<never>();
    async function* endless(): AsyncGenerator<Uint8Array> {
      client.abort();
      await left.promise;
      yield Buffer.from("never");
    }
    const answers = [answered(broken()), answered("whole"), answered(endless(), {}, () => left.reject(new Error("discarded")))];
    const world = await EngineUnderTest.start({ functions: [functionOf("f")], scripts: { f: () => answers.shift() ?? threw() } });
    expect(await textOf(await world.engine.http(request("f", keyed)))).toBe("function_failed 500");
    expect(await textOf(await world.engine.http(request("f", keyed)))).toBe("whole");
    const gone = await world.engine.http(request("f", { idempotencyKey: "k2", signal: client.signal }));
    expect(gone.kind).toBe("failed");
    await world.engine.settled();
  });
});
