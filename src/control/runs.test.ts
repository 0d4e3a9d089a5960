import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ControlClient } from "./client/index.ts";
import { Control } from "./control.ts";
import { answered, eventView, flow, fn, release, ScriptedRooms } from "./testing-support/scripted-rooms.ts";
import { entry, kept, runView } from "./testing-support/scripted-runs.ts";

let rooms: ScriptedRooms;
let control: Control;
let client: ControlClient;

beforeEach(async () => {
  rooms = new ScriptedRooms();
  rooms.current = release([fn("greet", "event"), flow("fulfil"), flow("checkout", "http")]);
  control = new Control({ host: "127.0.0.1", port: 0, token: "t", tokenIsConfigured: false, rooms });
  await control.start();
  client = new ControlClient({ url: control.address, token: "t" });
});

afterEach(async () => {
  await control.stop();
});

async function status(path: string): Promise<number> {
  return (await fetch(control.address + path, { headers: { authorization: "Bearer t" } })).status;
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

describe("C16: looking at runs", () => {
  it("C16: a list is filtered", async () => {
    rooms.runs.views = [runView("r1"), runView("r2", { seq: 14, state: "done", parent: 12, parentId: "r1" })];
    expect((await client.runs()).map(({ id }) => id)).toEqual(["r1", "r2"]);
    expect((await client.runs({ state: ["done", "failed"] })).map(({ id }) => id)).toEqual(["r2"]);
    expect((await client.runs({ parent: "r1", fn: "fulfil", release: "abc", before: 20, after: 2, limit: 3 })).map(({ id }) => id)).toEqual(
      ["r2"],
    );
    expect(rooms.runs.queries).toEqual([
      { limit: 50 },
      { states: ["done", "failed"], limit: 50 },
      { parent: 12, fn: "fulfil", release: "abc", before: 20, after: 2, limit: 3 },
    ]);
  });

  it("C16: states may be repeated, have commas, and must be some", async () => {
    expect(await status("/v1/runs?state=done,failed&state=paused")).toBe(200);
    expect(rooms.runs.queries.at(-1)?.states).toEqual(["done", "failed", "paused"]);
    for (const query of ["state=", "state=asleep", "state=done,,failed", "fn=a&fn=b"])
      expect([query, await status(`/v1/runs?${query}`)]).toEqual([query, 400]);
  });

  it("C16: a run comes with its input, its journal and what it called", async () => {
    rooms.eventViews = [eventView(3, "order.paid")];
    const cause = new TypeError("card declined");
    rooms.runs.views = [
      runView("r1", { seq: 12, event: 3 }),
      runView("r2", { seq: 15, parent: 12, parentId: "r1", state: "done", endedMs: 6000, value: kept(new Date(0)) }),
    ];
    rooms.runs.journals.set("r1", [
      entry(1, "step/pack", { ranMs: 2.5, value: kept(new Map([["box", 7n]])) }),
      entry(2, "step/charge/1/attempt", { value: JSON.stringify({ error: kept(cause), dueMs: 9000 }) }),
      entry(3, "sleep/rest/1/opened", { value: '{"dueMs":8000}' }),
      entry(4, "sleep/rest", { value: "~" }),
      entry(5, "step/broken", { value: "~[" }),
    ]);
    const details = await client.run("r1");
    expect(details.input).toEqual({ seq: 3, id: "e3", type: "order.paid", source: "/test", data: { to: "x" } });
    expect(details.children).toMatchObject([{ id: "r2", parent: "r1", result: "1970-01-01T00:00:00.000Z", error: null }]);
    expect(details.journal.map(({ value }) => value)).toEqual([
      { box: "7" },
      { error: { name: "TypeError", message: "card declined", stack: cause.stack }, dueMs: 9000 },
      { dueMs: 8000 },
      null,
      expect.stringMatching(/^\[cannot be read: /),
    ]);
    expect(details.journal[0]).toEqual({
      pos: 1,
      verb: "step",
      name: "pack",
      number: 1,
      phase: "done",
      attempt: 1,
      ranMs: 2.5,
      atMs: 5001,
      value: { box: "7" },
    });
    expect({ file: details.file, memoryBytes: details.memoryBytes }).toEqual({ file: "functions/orders.ts", memoryBytes: 134_217_728 });
  });

  it("C16: input that JSON does not carry is shown, and one that is no longer kept is null", async () => {
    const event = { specversion: "1.0", id: "e3", source: "/s", type: "millrace.run", datacontenttype: "application/vnd.millrace.value" };
    rooms.eventViews = [{ ...eventView(3), json: JSON.stringify({ ...event, data: kept(new Set(["a"])) }) }];
    rooms.runs.views = [runView("r1", { event: 3 }), runView("r2", { event: 2 })];
    expect((await client.run("r1")).input?.data).toEqual(["a"]);
    expect((await client.run("r2")).input).toBeNull();
  });

  it("C16: errors are errors, notes are notes", async () => {
    const note = { why: "failing", attempts: 5, error: { name: "Error", message: "no" } };
    rooms.runs.views = [
      runView("r1", { state: "failed", endedMs: 7000, value: kept(Object.assign(new Error("lost"), { stack: undefined })) }),
      runView("r2", { state: "paused", note: JSON.stringify(note) }),
      runView("r3", { state: "failed", value: '"words alone"' }),
      runView("r4", { state: "cancelled", value: null }),
    ];
    const runs = await client.runs();
    expect(runs.map(({ error }) => error)).toEqual([
      { name: "Error", message: "lost", stack: null },
      null,
      { name: "Error", message: "words alone", stack: null },
      null,
    ]);
    expect(runs.map((run) => run.note)).toEqual([null, note, null, null]);
    expect(runs.map(({ result }) => result)).toEqual([null, null, null, null]);
  });

  it("C16: a watched run comes line by line", async () => {
    const run = runView("r1");
    rooms.runs.views = [run];
    rooms.runs.progress = [
      { run, running: true, entries: [entry(1, "map/tell/1/opened", { value: '{"total":2}' })], maps: [map(0)] },
      { run, running: true, entries: [], maps: [map(0)] },
      { run: { ...run, state: "done", endedMs: 6000, value: "[1]" }, running: false, entries: [], maps: [map(2)] },
    ];
    const lines = await all(client.watchRun("r1"));
    expect(lines).toMatchObject([
      { running: true, entries: [{ verb: "map", value: { total: 2 } }], maps: [{ name: "tell", done: 0 }] },
      { run: { state: "done", result: [1] }, entries: [], maps: [{ done: 2 }] },
    ]);
  });

  function map(done: number): { name: string; number: number; total: number; done: number; failed: number } {
    return { name: "tell", number: 1, total: 2, done, failed: 0 };
  }

  it("C14: who leaves a stream before its first line is told of no error", async () => {
    rooms.runs.views = [runView("r1")];
    const left = new AbortController();
    rooms.runs.onWatch = () => left.abort();
    expect(await all(client.watchRun("r1", left.signal))).toEqual([]);
    expect(await all(client.watchRun("r1", AbortSignal.abort()))).toEqual([]);
  });

  it("C16: an id that is not there is named", async () => {
    const calls = [
      () => client.run("nobody"),
      () => client.runs({ parent: "nobody" }),
      () => client.cancelRun("nobody"),
      () => client.rerun("nobody"),
      () => all(client.watchRun("nobody")),
    ];
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: "not_found", message: 'there is no run "nobody"' });
    expect(await status("/v1/runs/nobody")).toBe(404);
    expect(await status("/v1/runs/no%20body")).toBe(400);
  });

  it("C16: which releases runs are on", async () => {
    rooms.runs.held = [{ release: "old", live: false, present: false, flows: [{ flow: "fulfil", runs: 3 }] }];
    expect(await client.runReleases()).toEqual(rooms.runs.held);
  });

  it("C16: flows are told from functions", async () => {
    const functions = await client.functions();
    expect(functions.map(({ name, options }) => [name, options?.flow])).toEqual([
      ["checkout", { onExhausted: "throw", deadlineMs: null, cancelOn: [], runsPerKey: null }],
      ["fulfil", { onExhausted: "throw", deadlineMs: null, cancelOn: [], runsPerKey: null }],
      ["gone", undefined],
      ["greet", null],
    ]);
  });
});

describe("C17: orders to runs", () => {
  it("C17: JSON becomes kept text", async () => {
    expect(await client.beginRun({ flow: "fulfil", input: { id: "o1" }, id: "mine" })).toEqual({
      id: "mine",
      seq: 90,
      flow: "fulfil",
      existing: false,
    });
    await client.beginRun({ flow: "fulfil" });
    expect(rooms.runs.begun).toEqual([
      { flow: "fulfil", input: kept({ id: "o1" }), id: "mine" },
      { flow: "fulfil", input: kept(null), id: null },
    ]);
  });

  it("C17: an id that is there already is told", async () => {
    rooms.runs.views = [runView("mine")];
    expect(await client.beginRun({ flow: "fulfil", id: "mine" })).toMatchObject({ id: "mine", existing: true });
  });

  it("C17: only flows begin, under an id that can be one", async () => {
    await expect(client.beginRun({ flow: "greet" })).rejects.toMatchObject({
      code: "bad_request",
      message: expect.stringContaining("no runs"),
    });
    await expect(client.beginRun({ flow: "fulfill" })).rejects.toMatchObject({
      code: "not_found",
      message: 'there is no function "fulfill" (did you mean "fulfil"?)',
    });
    await expect(client.beginRun({ flow: "fulfil", id: "no spaces" })).rejects.toMatchObject({ code: "bad_request" });
    expect(rooms.runs.begun).toEqual([]);
  });

  it("C17: orders reach the room as they are meant", async () => {
    rooms.runs.views = [runView("r/1?")];
    await client.cancelRun("r/1?");
    await client.cancelRun("r/1?", { rollback: false, reason: "a mistake" });
    await client.resumeRun("r/1?");
    await client.resumeRun("r/1?", { result: null, release: "live" });
    await client.signalRun("r/1?", { wait: "paid", data: [1] });
    await client.signalRun("r/1?", { wait: "paid" });
    expect(await client.rerun("r/1?")).toMatchObject({ id: "r/1?-again", flow: "fulfil" });
    expect(await client.forkRun("r/1?", { from: "pack#2" })).toMatchObject({ id: "r/1?-forked" });
    await client.forkRun("r/1?", { from: "pack", release: "live" });
    expect(rooms.runs.orders).toEqual([
      ["cancel", "r/1?", { rollback: true, reason: "by hand" }],
      ["cancel", "r/1?", { rollback: false, reason: "a mistake" }],
      ["resume", "r/1?", {}],
      ["resume", "r/1?", { result: kept(null), release: "live" }],
      ["signal", "r/1?", { wait: "paid", data: kept([1]) }],
      ["signal", "r/1?", { wait: "paid", data: kept(null) }],
      ["rerun", "r/1?"],
      ["fork", "r/1?", { from: "pack#2", release: "same" }],
      ["fork", "r/1?", { from: "pack", release: "live" }],
    ]);
  });

  it("C17: what the state does not allow is refused in the room's words", async () => {
    rooms.runs.views = [runView("r1", { state: "done", endedMs: 6000 })];
    await expect(client.cancelRun("r1")).rejects.toMatchObject({ code: "run_state", message: "the run r1 has ended (done)" });
  });

  it("C17: to invoke a flow is to begin a run", async () => {
    expect(await client.invoke("fulfil", { data: { id: "o1" } })).toEqual({
      outcome: "begun",
      invocation: "r-new",
      run: "r-new",
      logs: [],
    });
    expect(rooms.runs.begun).toEqual([{ flow: "fulfil", input: '{"id":"o1"}', id: null }]);
    expect(rooms.invoked).toEqual([]);
  });

  it("C17: a flow that HTTP begins is called, and answers where it does so in time", async () => {
    expect(await client.invoke("checkout", { data: 1 })).toMatchObject({ outcome: "begun", run: "r-http" });
    rooms.runs.httpResult = answered("bought", "text/plain", 201);
    expect(await client.invoke("checkout", { data: 1 })).toMatchObject({ outcome: "answered", status: 201, text: "bought" });
    expect(rooms.runs.requests.map(({ fn, body }) => [fn, body instanceof Uint8Array && Buffer.from(body).toString()])).toEqual([
      ["checkout", "1"],
      ["checkout", "1"],
    ]);
    expect(rooms.requests).toEqual([]);
  });
});

describe("C18: checking runs", () => {
  it("C18: a line a run, of the live release unless said", async () => {
    const mismatch = { pos: 3, recorded: 'step "charge" #1', attempted: [{ command: 'step "pay" #1', at: "functions/orders.ts:31" }] };
    rooms.runs.checks = [
      { id: "r1", flow: "fulfil", fits: true, mismatch: null, error: null },
      { id: "r2", flow: "checkout", fits: false, mismatch, error: null },
    ];
    expect(await all(client.checkRuns())).toEqual(rooms.runs.checks);
    expect(await all(client.checkRuns({ release: "app:/shop", flow: "checkout" }))).toEqual(rooms.runs.checks.slice(1));
    expect(rooms.runs.orders).toEqual([
      ["check", "live", {}],
      ["check", "app:/shop", { flow: "checkout" }],
    ]);
  });
});
