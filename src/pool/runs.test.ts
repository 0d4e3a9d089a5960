import { describe, expect, it } from "vitest";
import { FLAG_LAST, type Frame, FRAME, LARGEST_PART_BYTES } from "../protocol/index.ts";
import type { RunCall, RunLink, RunMessage, RunOutcome } from "./pool.ts";
import { ANSWERS, eventCall, runCall, type Script, SILENT } from "./testing-support/scripted-instance.ts";
import { kindOf, one, type Rig, rig } from "./testing-support/scripted-rig.ts";

interface Running extends Rig {
  readonly outcome: Promise<RunOutcome>;
  readonly link: RunLink;
  readonly messages: RunMessage[];
  /** What came to the instance for the run, without the `run` frame itself. */
  readonly told: () => Pick<Frame, "type" | "head" | "flags">[];
}

/** A run that has begun in an instance. */
async function running(over: Partial<RunCall> = {}, script: Script = SILENT): Promise<Running> {
  const built = await rig(script, [one()]);
  const messages: RunMessage[] = [];
  const links: RunLink[] = [];
  const call = { begun: (link: RunLink) => links.push(link), onMessage: (message: RunMessage) => messages.push(message), ...over };
  const outcome = built.pool.run(runCall("f", call));
  await expect.poll(() => built.made[0]?.calls().length).toBe(1);
  const [link] = links;
  if (link === undefined) throw new Error("the run was not begun");
  const told = (): ReturnType<Running["told"]> => {
    const frames = built.made[0]?.received.filter(({ call, type }) => call === 1 && type !== FRAME.run) ?? [];
    return frames.map(({ type, head, flags }) => ({ type, head, flags }));
  };
  return { ...built, outcome, link, messages, told };
}

const STEP = { step: 1, verb: "step", name: "pack", number: 1, phase: "done", attempt: 1, ranMs: 2 };

describe("a run in an instance", () => {
  it("J1, J2: is handed over, and then what its link sends, in order", async () => {
    const { made, link, told } = await running({ id: "i", attempt: 2, eventJson: '{"type":"ä"}', started: () => {} });
    const head = { id: "i", attempt: 2, timeoutMs: 5000, notify: true, run: runCall("f").run };
    expect(made[0]?.calls()[0]).toMatchObject({ type: FRAME.run, head, body: Buffer.from('{"type":"ä"}') });
    const large = JSON.stringify([{ pos: 1, value: "x".repeat(1.1 * 2 ** 20) }]);
    link.entries(large, false);
    link.entries("[]", true);
    link.kept(1, 7, 1234);
    link.again(2, false);
    link.again(3, true);
    await expect.poll(told).toEqual([
      { type: FRAME.entries, head: {}, flags: 0 },
      { type: FRAME.entries, head: {}, flags: FLAG_LAST },
      { type: FRAME.kept, head: { step: 1, pos: 7, atMs: 1234 }, flags: 0 },
      { type: FRAME.again, head: { step: 2 }, flags: 0 },
      { type: FRAME.again, head: { step: 3, conflict: true }, flags: 0 },
    ]);
    expect(made[0]?.has(FRAME.entries)?.body.toString()).toBe(large);
  });

  it("J2: what is sent while it begins comes behind it", async () => {
    const { pool, made } = await rig(SILENT, [one()]);
    void pool.run(runCall("f", { begun: (link) => link.entries("[]", true) }));
    await expect.poll(() => made[0]?.received.map(({ type }) => type).slice(-2)).toEqual([FRAME.run, FRAME.entries]);
  });

  it("J2: after its end nothing leaves by its link, and no call of a later number hears of it", async () => {
    const { pool, made, outcome, link } = await running();
    made[0]?.send(FRAME.park, 1, { reason: "sleep" });
    await outcome;
    link.entries("[]", true);
    link.kept(1, 1, 1);
    link.again(1, false);
    const next = pool.call(eventCall("f"));
    await expect.poll(() => made[0]?.calls().length).toBe(2);
    expect(made[0]?.received.map(({ type }) => type).slice(-2)).toEqual([FRAME.run, FRAME.event]);
    made[0]?.send(FRAME.result, 2);
    await next;
  });

  it("J3: what it says is handed on as it comes, in one turn if it came together", async () => {
    const turns: number[] = [];
    let turn = 0;
    const messages: RunMessage[] = [];
    const { made } = await running({
      onMessage: (message) => {
        messages.push(message);
        turns.push(turn);
      },
    });
    const starts = [{ target: "g", input: "1", id: "a", named: false }];
    const effects = { emits: [{ type: "x" }], kv: [], starts };
    made[0]?.send(FRAME.open, 1, { step: 1, verb: "sleep", name: "n", number: 1 }, "");
    made[0]?.send(FRAME.step, 1, { ...STEP, step: 2, effects }, '{"ä":1}');
    made[0]?.send(FRAME.step, 1, { ...STEP, step: 3 }, "null");
    const next = (): void => {
      turn++;
      if (messages.length < 3) setImmediate(next);
    };
    next();
    await expect.poll(() => messages.length).toBe(3);
    expect(new Set(turns).size).toBe(1);
    expect(messages).toEqual([
      { kind: "open", step: 1, head: { step: 1, verb: "sleep", name: "n", number: 1 }, body: "" },
      { kind: "step", step: 2, head: { ...STEP, step: 2, effects }, effects, body: '{"ä":1}' },
      { kind: "step", step: 3, head: { ...STEP, step: 3 }, effects: { emits: [], kv: [] }, body: "null" },
    ]);
  });

  it("J4: parks, finishes or throws", async () => {
    const parked = await running();
    parked.made[0]?.send(FRAME.park, 1, { reason: "waits", dueMs: 7 });
    expect(await parked.outcome).toEqual({ kind: "parked", head: { reason: "waits", dueMs: 7 }, ranMs: expect.any(Number) });
    expect(parked.pool.stats()).toMatchObject({ running: 0, instances: 1 });
    const finished = await running();
    finished.made[0]?.send(FRAME.result, 1, { state: "cancelled" }, '"é"');
    expect(await finished.outcome).toEqual({ kind: "finished", head: { state: "cancelled" }, value: '"é"', ranMs: expect.any(Number) });
    const thrown = await running();
    thrown.made[0]?.send(FRAME.threw, 1, { error: { name: "E", message: "m", fatal: true } });
    expect(await thrown.outcome).toMatchObject({ kind: "threw", error: { name: "E", message: "m", fatal: true } });
  });

  it("J5: each step reads by its own reader", async () => {
    const kvOf = (step: number): RunCall["kv"] => ({
      get: async (keys) => keys.map((key) => ({ json: `"${key} of ${step}"` })),
      list: async () => [],
    });
    const { made, told } = await running({ kvOf });
    made[0]?.send(FRAME.read, 1, { read: 1, step: 4, op: "get", keys: ["a"] });
    made[0]?.send(FRAME.read, 1, { read: 2, step: 5, op: "get", keys: ["b"] });
    await expect
      .poll(() => told().map(({ head }) => head))
      .toEqual([
        { read: 1, entries: [{ json: '"a of 4"' }] },
        { read: 2, entries: [{ json: '"b of 5"' }] },
      ]);
  });

  it("J6, T2, T3: one that says nothing more is told to stop; one that does not hear is ended", async () => {
    const heard = await running({ timeoutMs: 40 });
    expect(await heard.outcome).toMatchObject({ kind: "timeout", error: { name: "Timeout", message: expect.stringContaining("40ms") } });
    expect(heard.told()).toEqual([{ type: FRAME.abort, head: { reason: "timeout" }, flags: 0 }]);
    const deaf = await running({ timeoutMs: 40 }, {});
    expect(await deaf.outcome).toMatchObject({ kind: "timeout", error: { message: expect.stringContaining("blocked the event loop") } });
    expect(deaf.made[0]?.killed).toBe(true);
  });

  it("J6: lines of its log do not count as going on", async () => {
    const lines: string[] = [];
    const { made, outcome } = await running({ timeoutMs: 100, log: (_, text) => lines.push(text) });
    const prattle = setInterval(() => made[0]?.send(FRAME.log, 1, { level: "info", atMs: 1 }, "still here"), 10);
    expect(kindOf(await outcome)).toBe("timeout");
    clearInterval(prattle);
    expect(lines.length).toBeGreaterThan(1);
  });

  it("J1: one whose event is too large for a frame is never begun", async () => {
    const { pool } = await rig(ANSWERS, [one()]);
    let begun = false;
    const eventJson = JSON.stringify("x".repeat(LARGEST_PART_BYTES));
    const outcome = await pool.run(runCall("f", { eventJson, begun: () => (begun = true) }));
    expect(outcome).toMatchObject({ kind: "threw", error: { name: "TooLarge", fatal: true } });
    expect(begun).toBe(false);
  });

  it.each<[string, Frame["type"], Record<string, unknown>]>([
    ["a step without a number", FRAME.step, { verb: "step" }],
    ["the step 0", FRAME.step, { ...STEP, step: 0 }],
    ["half a step", FRAME.open, { step: 1.5 }],
    ["a step whose number is text", FRAME.open, { step: "1" }],
    ["a step with effects of the wrong shape", FRAME.step, { ...STEP, effects: { emits: {}, kv: [] } }],
    ["a start without an input", FRAME.step, { ...STEP, effects: { emits: [], kv: [], starts: [{ target: "g", id: "a", named: true }] } }],
    ["a read of no step", FRAME.read, { read: 1, op: "get", keys: ["a"] }],
    ["an extension by nothing", FRAME.extend, {}],
    ["a piece of an answer", FRAME.responseChunk, {}],
    ["an error of the wrong shape", FRAME.threw, {}],
  ])("B4: %s ends the instance", async (_, type, head) => {
    const { made, outcome, messages } = await running();
    made[0]?.send(type, 1, head);
    expect(kindOf(await outcome)).toBe("guilty");
    expect(messages).toEqual([]);
    expect(made[0]?.killed).toBe(true);
  });

  it("B1, B2: is to blame, under suspicion or a bystander as any call is", async () => {
    const gone = async (end: (rig: Rig) => void): Promise<string[]> => {
      const built = await rig(SILENT, [one()]);
      const outcomes = [built.pool.run(runCall("f")), built.pool.call(eventCall("f"))];
      await expect.poll(() => built.made[0]?.calls().length).toBe(2);
      end(built);
      return (await Promise.all<RunOutcome | Awaited<(typeof outcomes)[number]>>(outcomes)).map(kindOf);
    };
    expect(await gone(({ made }) => made[0]?.exit({ code: 1, signal: null, output: "" }))).toEqual(["suspect", "suspect"]);
    const error = { name: "E", message: "m" };
    expect(await gone(({ made }) => made[0]?.send(FRAME.fatal, 1, { error }))).toEqual(["guilty", "bystander"]);
    expect(await gone(({ made }) => made[0]?.send(FRAME.fatal, 2, { error }))).toEqual(["bystander", "guilty"]);
  });

  it("Q6: one that wants to be alone gets an instance of its own", async () => {
    const { pool, made } = await rig(SILENT, [one({ instances: { min: 0, max: 2, idleMs: 60_000 } })]);
    const first = pool.run(runCall("f", { id: "a" }));
    await expect.poll(() => made[0]?.calls().length).toBe(1);
    const second = pool.run(runCall("f", { id: "alone", alone: true }));
    await expect.poll(() => made[1]?.calls().map(({ head }) => head["id"])).toEqual(["alone"]);
    for (const instance of made) instance.send(FRAME.park, 1, {});
    expect((await Promise.all([first, second])).map(kindOf)).toEqual(["parked", "parked"]);
  });

  it("Q3, J1: waits inside as an event does, only as many as the capacity", async () => {
    const { pool } = await rig(SILENT, [one()]);
    const calls = Array.from({ length: 4 }, () => pool.run(runCall("f")));
    expect((await Promise.all(calls.slice(2))).map(kindOf)).toEqual(["overloaded", "overloaded"]);
  });

  it("R2: when the node stops, what waits is refused and what runs is given its time", async () => {
    const { pool, made, outcome } = await running();
    const stopped = pool.stop();
    expect(kindOf(await pool.run(runCall("f")))).toBe("stopping");
    expect(kindOf(await outcome)).toBe("bystander");
    await stopped;
    expect(made[0]?.killed).toBe(true);
  });
});
