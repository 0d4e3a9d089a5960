import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Outcome } from "./pool.ts";
import { type RealApp, realApp } from "./testing-support/real-app.ts";
import { eventCall, httpCall } from "./testing-support/scripted-instance.ts";

const SOURCE = `
  import { fn } from "millrace";
  const on = { __proto__: null };
  const make = (handler: any) => fn({ on: "x" as any }, handler);
  export const fine = make(async (e: any) => { await new Promise((r) => setTimeout(r, e.data?.forMs ?? 0)); });
  export const mixed = make(async (e: any, ctx: any) => {
    const { what, forMs } = e.data ?? {};
    if (what === "exit") process.exit(3);
    if (what === "kill") process.kill(process.pid, "SIGKILL");
    if (what === "block") for (;;);
    if (what === "never") await new Promise(() => {});
    if (what === "late-throw") setTimeout(() => { throw new Error("thrown in a timer"); }, 5);
    if (what === "reallyExit") (process as any).reallyExit(7);
    if (what === "allocate") { const all = []; for (;;) all.push(new Array(1000).fill(all.length)); }
    if (what === "buffers") { const all = []; for (;;) { all.push(Buffer.alloc(4 << 20, 1)); await new Promise((r) => setTimeout(r, 40)); } }
    if (what === "garbage") { const { writeSync } = process.getBuiltinModule("node:fs"); writeSync(3, Buffer.alloc(64, 255)); await new Promise(() => {}); }
    if (what === "flood") { const { writeSync } = process.getBuiltinModule("node:fs"); const line = Buffer.alloc(60_000, 120); for (let i = 0; i < 500; i++) { try { writeSync(1, line); } catch { await new Promise((r) => setTimeout(r, 1)); } } }
    if (what === "throw") throw new TypeError("no good");
    if (forMs) await new Promise((r) => setTimeout(r, forMs));
  });
`;

const say = (data: object): string => JSON.stringify({ specversion: "1.0", id: "1", source: "/t", type: "x", data });

function blame(outcome: Outcome): string {
  return outcome.kind === "crashed" ? `crashed ${outcome.blame}` : outcome.kind;
}

function messageOf(outcome: Outcome): string {
  return outcome.kind === "returned" ? "" : `${outcome.error.name}: ${outcome.error.message}`;
}

describe("bad functions harm themselves alone", () => {
  let app: RealApp;
  const mixed = (data: object, over: Parameters<typeof eventCall>[1] = {}): Promise<Outcome> =>
    app.pool.call(eventCall("mixed", { eventJson: say(data), ...over }));

  beforeAll(async () => {
    app = await realApp(SOURCE, { fine: {}, mixed: { memoryBytes: 64 * 2 ** 20, instances: { min: 0, max: 1, idleMs: 60_000 } } });
    expect(blame(await mixed({}))).toBe("returned");
    expect(blame(await app.pool.call(eventCall("fine")))).toBe("returned");
  });
  afterAll(() => app.close());

  /** Runs a bad call between a slow good one of its function and one of another function. */
  async function beside(
    data: object,
    over: Parameters<typeof eventCall>[1] = {},
  ): Promise<{ bad: Outcome; beside: Outcome; other: Outcome; next: Outcome }> {
    const started = Promise.withResolvers<void>();
    const slow = mixed({ forMs: 20_000 }, { timeoutMs: 25_000, started: started.resolve });
    await started.promise;
    const other = app.pool.call(eventCall("fine", { eventJson: say({ forMs: 10 }) }));
    const bad = await mixed(data, over);
    return { bad, beside: await slow, other: await other, next: await mixed({}) };
  }

  it.each([
    ["B1", "exit", "ProcessEnded: the function called process.exit(3)"],
    ["B1", "kill", "process.kill on itself"],
    ["B1", "late-throw", "thrown in a timer"],
  ])("%s: %s: the guilty one is known, the one beside it a bystander", async (_, what, message) => {
    const { bad, beside: neighbour, other, next } = await beside({ what, forMs: 5000 });
    expect([bad, neighbour, other, next].map(blame)).toEqual(["crashed guilty", "crashed bystander", "returned", "returned"]);
    expect(messageOf(bad)).toContain(message);
  });

  it("B2: gone without a word: all in flight are suspects, and alone it is guilty", async () => {
    const { bad, beside: neighbour, other, next } = await beside({ what: "reallyExit" });
    expect([bad, neighbour, other, next].map(blame)).toEqual(["crashed suspect", "crashed suspect", "returned", "returned"]);
    expect(messageOf(bad)).toContain("exit code 7");
    expect(blame(await mixed({ what: "reallyExit" }, { alone: true }))).toBe("crashed guilty");
  });

  it("T2: a blocked loop is ended; the one past its time is guilty, the one beside it a bystander", async () => {
    const { bad, beside: neighbour, other, next } = await beside({ what: "block" }, { timeoutMs: 200 });
    expect([bad, neighbour, other, next].map(blame)).toEqual(["timeout", "crashed bystander", "returned", "returned"]);
    expect(messageOf(bad)).toContain("blocked the event loop");
  });

  it("T3: one that never returns times out; its instance takes no more calls, what runs there goes on", async () => {
    const started = Promise.withResolvers<void>();
    const slow = mixed({ forMs: 1500 }, { started: started.resolve });
    await started.promise;
    const bad = await mixed({ what: "never" }, { timeoutMs: 100 });
    expect([bad, await slow, await mixed({})].map(blame)).toEqual(["timeout", "returned", "returned"]);
  });

  it("B3: one that fills the heap is told so", async () => {
    const outcome = await mixed({ what: "allocate" }, { timeoutMs: 20_000 });
    expect(blame(outcome)).toBe("crashed guilty");
    expect(messageOf(outcome)).toMatch(/OutOfMemory: .*64 MiB.*raise the function's `memory`/);
    expect(blame(await mixed({}))).toBe("returned");
  });

  it("B3: one that fills memory outside the heap is ended too", async () => {
    const outcome = await mixed({ what: "buffers" }, { timeoutMs: 20_000 });
    expect(blame(outcome)).toBe("crashed guilty");
    expect(messageOf(outcome)).toMatch(/OutOfMemory: .*it used/);
  });

  it("B4: garbage on the connection ends that instance alone", async () => {
    const { bad, beside: neighbour, other, next } = await beside({ what: "garbage" });
    expect([bad, neighbour, other, next].map(blame)).toEqual(["crashed guilty", "crashed guilty", "returned", "returned"]);
  });

  it("a flood on stdout is drained and forgotten", async () => {
    expect(blame(await mixed({ what: "flood" }, { timeoutMs: 20_000 }))).toBe("returned");
  });

  it("a throw is that call's alone", async () => {
    const outcome = await mixed({ what: "throw" });
    expect(messageOf(outcome)).toBe("TypeError: no good");
    expect(outcome.kind === "threw" ? outcome.error.stack : "").toContain("functions.ts");
  });

  it("L2: an instance that ends itself in its first call is not taken for one that cannot load", async () => {
    const first = await realApp(SOURCE, { mixed: {} });
    const outcome = await first.pool.call(eventCall("mixed", { eventJson: say({ what: "reallyExit" }) }));
    expect(blame(outcome)).toBe("crashed guilty");
    await first.close();
  });
});

describe("code that cannot be loaded", () => {
  it.each([
    ["throws at top level", `throw new Error("bad top level");`, "bad top level"],
    ["exits at top level", `process.exit(4);`, "process.exit(4)"],
    ["blocks at top level", `for (;;);`, "did not come to its end in time"],
    ["waits for ever at top level", `await new Promise(() => {});`, "did not come to its end in time"],
  ])("L1, L4: %s: calls end as not-run with the reason, the function and its file", async (_, source, reason) => {
    const app = await realApp(source, { f: {} }, { loadLimitMs: 1000 });
    const outcomes = await Promise.all([app.pool.call(eventCall("f")), app.pool.call(httpCall("f"))]);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ kind: "not-run", reason: "load-failed" });
      expect(messageOf(outcome)).toContain(reason);
      expect(messageOf(outcome)).toContain("f (functions/f.ts) could not be loaded: ");
    }
    expect(app.pool.capacity("f")).toBe(0);
    await app.close();
  });
});
