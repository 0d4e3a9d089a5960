import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NODE_FILE, TOKEN_FILE } from "../control/client/index.ts";
import { Control } from "../control/index.ts";
import { answered, eventView, flow, fn, release, ScriptedRooms } from "../control/testing-support/scripted-rooms.ts";
import { entry, kept, runView } from "../control/testing-support/scripted-runs.ts";
import type { Mismatch, RunNote } from "../runs/runs.ts";
import { COMMANDS } from "./commands/all.ts";
import { run } from "./run.ts";
import { ScriptedIo } from "./testing-support/scripted-io.ts";

let rooms: ScriptedRooms;
let control: Control;
let folder: string;
let io: ScriptedIo;

beforeEach(async () => {
  rooms = new ScriptedRooms();
  rooms.current = release([fn("greet", "event"), flow("fulfil"), flow("checkout", "http")]);
  control = new Control({ host: "127.0.0.1", port: 0, token: "secret", tokenIsConfigured: false, rooms });
  await control.start();
  folder = await realpath(await mkdtemp(join(tmpdir(), "millrace-runs-")));
  await mkdir(join(folder, ".millrace"));
  await writeFile(join(folder, ".millrace", NODE_FILE), JSON.stringify({ gateway: "", control: control.address, pid: process.pid }));
  await writeFile(join(folder, ".millrace", TOKEN_FILE), "secret");
  io = new ScriptedIo(folder);
});

afterEach(async () => {
  await control.stop();
  await rm(folder, { recursive: true, force: true });
});

function millrace(...argv: string[]): Promise<number> {
  return run(argv, COMMANDS, "9.9.9", io);
}

const declined = Object.assign(new TypeError("card declined"), { stack: "TypeError: card declined\n    at charge (functions/a.ts:3:1)" });
const exhausted: RunNote = {
  why: "exhausted",
  verb: "step",
  name: "charge",
  number: 2,
  attempts: 3,
  error: { name: "TypeError", message: "card declined" },
};
const mismatch: Mismatch = {
  pos: 4,
  recorded: 'step "charge" #1',
  attempted: [{ command: 'step "pay" #1', at: "functions/orders.ts:31" }],
};

describe("runs list", () => {
  it("shows what each waits for, or why it stands still", async () => {
    rooms.runs.views = [
      runView("r1", { state: "waiting", dueMs: 60_000, entries: 1 }),
      runView("r2", { state: "sleeping", dueMs: 10_808_000, entries: 1 }),
      runView("r3", { state: "paused", dueMs: 99_000, note: JSON.stringify(exhausted) }),
      runView("r4", { state: "failed", endedMs: 9000, value: kept(declined) }),
      runView("r5", { state: "done", endedMs: 6500 }),
      runView("r6", { state: "ready", attempt: 1, errors: [failedAttempt] }),
    ];
    rooms.runs.journals.set("r1", [
      entry(1, "wait/paid/1/opened", { value: '{"type":"order.paid","dueMs":60000}' }),
      entry(2, "callback/ok", { value: '{"dueMs":null}' }),
    ]);
    rooms.runs.journals.set("r2", [entry(1, "sleep/rest/1/opened", { value: '{"dueMs":10808000}' })]);
    expect(await millrace("runs", "list")).toBe(0);
    expect(io.stdout).toBe(
      [
        "ID  FLOW    STATE     STARTED  TOOK            ENTRIES  WAITS FOR, OR ERROR",
        "r1  fulfil  waiting   5s ago   wakes in 50s          1  wait paid (order.paid, times out in 50s); callback ok (not answered yet)",
        "r2  fulfil  sleeping  5s ago   wakes in 2h59m        1  sleep rest",
        "r3  fulfil  paused    5s ago                         0  step charge #2 failed in all of its 3 attempts: TypeError: card declined",
        "r4  fulfil  failed    5s ago   4s                    0  TypeError: card declined",
        "r5  fulfil  done      5s ago   1.5s                  0",
        "r6  fulfil  ready     5s ago                         0  TypeError: card declined",
        "",
      ].join("\n"),
    );
  });

  const failedAttempt = {
    attempt: 1,
    invocation: "r6",
    startedMs: 1,
    endedMs: 2,
    name: "TypeError",
    message: "card declined",
    stack: null,
  };

  it("asks for what the line says", async () => {
    rooms.runs.views = [runView("r1", { state: "done", endedMs: 6000 })];
    expect(
      await millrace(
        "runs",
        "list",
        "--state",
        "done,failed",
        "--state",
        "paused",
        "--flow",
        "fulfil",
        "--release",
        "abc",
        "--parent",
        "r1",
        "--before",
        "40",
        "--limit",
        "7",
      ),
    ).toBe(0);
    expect(rooms.runs.queries).toEqual([
      { fn: "fulfil", states: ["done", "failed", "paused"], release: "abc", parent: 12, before: 40, limit: 7 },
    ]);
    expect(io.stderr).toBe("There are no such runs.\n");
  });

  it("pages on, prints JSON, and knows its states", async () => {
    rooms.runs.views = [runView("r1", { state: "done", value: "7" }), runView("r2", { seq: 8 })];
    expect(await millrace("runs", "list", "--limit", "2")).toBe(0);
    expect(io.stderr).toBe("There may be more: millrace runs list --before 8\n");
    io.stdout = "";
    await millrace("runs", "list", "--json");
    expect(io.json).toMatchObject([{ id: "r1", result: 7 }, { id: "r2" }]);
    expect(await millrace("runs", "list", "--state", "sleepin")).toBe(2);
    expect(io.stderr).toContain('not "sleepin" (did you mean "sleeping"?)');
  });
});

describe("runs show", () => {
  it("is the timeline of the run", async () => {
    rooms.eventViews = [eventView(3, "order.paid")];
    rooms.runs.views = [
      runView("r1", { state: "rolling-back", deadlineMs: 70_000, parentId: "r0" }),
      runView("r7", { seq: 30, fn: "shipping", parent: 12, parentId: "r1", state: "done", endedMs: 9000 }),
    ];
    rooms.runs.journals.set("r1", [
      entry(1, "step/pack", { atMs: 5012, ranMs: 12, value: kept({ id: "p1" }) }),
      entry(2, "sleep/cool down/1/opened", { atMs: 5012, value: '{"dueMs":5500}' }),
      entry(3, "sleep/cool down", { atMs: 5500, value: "~" }),
      entry(4, "callback/approve", { atMs: 5510, value: '{"dueMs":null}' }),
      entry(5, "answer/approve", { atMs: 5800, value: kept(true) }),
      entry(6, "wait/paid/1/opened", { atMs: 5800, value: '{"type":"order.paid","dueMs":null}' }),
      entry(7, "wait/paid", { atMs: 5810, value: '{"seq":9,"event":{"type":"order.paid","data":{"total":7}}}' }),
      entry(8, "map/tell/1/opened", { atMs: 5810, value: '{"total":2}' }),
      entry(9, "step/tell", { atMs: 5820, ranMs: 8 }),
      entry(10, "step/tell/2", { atMs: 5830, ranMs: 8 }),
      entry(11, "call/ship/1/opened", { atMs: 5840, value: '{"target":"shipping","id":"r7"}' }),
      entry(12, "call/ship", { atMs: 9000, value: kept("shipped") }),
      entry(13, "step/charge/1/attempt", { atMs: 9100, ranMs: 50, value: JSON.stringify({ error: kept(declined), dueMs: 9500 }) }),
      entry(14, "step/charge/1/failed", { atMs: 9550, attempt: 2, ranMs: 50, value: kept(declined) }),
      entry(15, "run/cancel/1/failed", { atMs: 9600, value: '{"reason":"by hand","rollback":true}' }),
      entry(16, "rollback/pack/1/attempt", { atMs: 9700, ranMs: 4, value: JSON.stringify({ error: kept(declined), dueMs: 13_000 }) }),
    ]);
    expect(await millrace("runs", "show", "r1")).toBe(0);
    expect(io.stdout).toBe(`fulfil  rolling-back  r1
  release    abc123
  file       functions/orders.ts
  input      {"to":"x"}
  started    1970-01-01T00:00:05.000Z (5s ago)
  deadline   1970-01-01T00:01:10.000Z (in 1m)
  called by  r0
  cost       16.9 MB·s (132ms of steps)
     STEP              STARTED   TOOK       COST  RESULT
  ✓  step pack             +0s   12ms  1.54 MB·s  {"id":"p1"}
  ✓  sleep cool down     +12ms  488ms
  ✓  callback approve   +510ms  290ms             answered: true
  ✓  wait paid          +800ms   10ms             order.paid: {"total":7}
  ✓  map tell           +810ms   20ms  2.05 MB·s  2 of 2 done
  ✓  call ship          +840ms  3.16s             shipping r7: shipped
  ✗  step charge        +4.05s  500ms  12.8 MB·s  2 attempts: TypeError: card declined
  ✗  cancel              +4.6s                    by hand
  …  rollback pack       +4.7s         0.51 MB·s  tried again in 3s: TypeError: card declined
Called
  r7  shipping  done  5s ago
`);
  });

  it("in full has every attempt, whole results and stacks", async () => {
    rooms.runs.views = [runView("r1", { state: "done", endedMs: 9000, value: kept({ ok: true }) })];
    rooms.runs.journals.set("r1", [
      entry(1, "step/charge/1/attempt", { atMs: 5100, ranMs: 50, value: JSON.stringify({ error: kept(declined), dueMs: 5200 }) }),
      entry(2, "step/charge", { atMs: 5300, attempt: 2, ranMs: 50, value: kept({ paid: 7 }) }),
    ]);
    expect(await millrace("runs", "show", "r1", "--full")).toBe(0);
    expect(io.stdout).toContain(`  ✓  step charge    +50ms  250ms  12.8 MB·s  2 attempts: {"paid":7}
       attempt 1 1970-01-01T00:00:05.100Z (4s ago), ran 50ms: failed
         TypeError: card declined
             at charge (functions/a.ts:3:1)
       attempt 2 1970-01-01T00:00:05.300Z (4s ago), ran 50ms: done
       {
         "paid": 7
       }
Result
  {
    "ok": true
  }
`);
  });

  it("has no costs where the memory is not known, and tells a request by its line", async () => {
    rooms.runs.memoryBytes = null;
    rooms.runs.views = [runView("r1", { state: "failed", endedMs: 6000, value: kept(declined) })];
    const data = { method: "POST", url: "http://localhost/checkout", headers: ["authorization", "Bearer s3cret"], params: {}, body: null };
    rooms.eventViews = [{ ...eventView(3), type: "millrace.http", json: JSON.stringify({ type: "millrace.http", data }) }];
    rooms.runs.journals.set("r1", [entry(1, "step/pack", { ranMs: 12 })]);
    await millrace("runs", "show", "r1");
    expect(io.stdout).toContain("input    POST http://localhost/checkout\n");
    expect(io.stdout).not.toContain("s3cret");
    expect(io.stdout).not.toContain("MB·s");
    expect(io.stdout).toMatch(/Error\n {2}TypeError: card declined\n$/);
  });

  it("of a paused run has the reason and the ways on", async () => {
    rooms.runs.views = [runView("it's", { state: "paused", note: JSON.stringify(exhausted) })];
    await millrace("runs", "show", "it's");
    expect(io.stdout).toContain(
      [
        "Paused: step charge #2 failed in all of its 3 attempts: TypeError: card declined",
        "How it goes on",
        String.raw`  millrace runs resume 'it'\''s'                try the step again, with all its attempts`,
        String.raw`  millrace runs resume 'it'\''s' --result JSON  you have done it by hand: this is its result`,
        String.raw`  millrace runs cancel 'it'\''s'                give it up: what its steps did is rolled back`,
        "",
      ].join("\n"),
    );
  });

  it("of a journal that does not fit has the difference", async () => {
    rooms.runs.views = [runView("r1", { state: "paused", note: JSON.stringify({ why: "mismatch", mismatch }) })];
    rooms.runs.journals.set("r1", [entry(1, "step/pack/2"), entry(4, "step/charge"), entry(6, "step/tell")]);
    await millrace("runs", "show", "r1");
    expect(io.stdout).toContain(
      [
        'Paused: its journal does not fit the code: step "charge" #1 is not asked for',
        '  the journal has    step "charge" #1  at position 4',
        '  the code asks for  step "pay" #1     at functions/orders.ts:31',
        "How it goes on",
        "  millrace runs resume r1 --release live              once the live release fits: go on by its code",
        "  millrace runs fork r1 --from charge --release live  a new run that does all from there anew",
        "  millrace runs cancel r1                             give it up: what its steps did is rolled back",
        "",
      ].join("\n"),
    );
  });

  it.each<[RunNote, "paused" | "stuck", readonly string[]]>([
    [
      { ...exhausted, verb: "rollback", number: 1, attempts: 1 },
      "stuck",
      ["Stuck: rollback charge failed in its only attempt", "--result null"],
    ],
    [{ why: "release-gone", release: "old1" }, "paused", ["Paused: its release old1 is gone", "--release live"]],
    [
      { why: "failing", attempts: 5, error: { name: "Error", message: "no luck" } },
      "paused",
      ["Paused: it could not go on, 5 times: no luck", "try again"],
    ],
    [{ why: "mismatch", mismatch: { ...mismatch, attempted: [] } }, "paused", ["the code         comes to its end"]],
  ])("why it stands still: $why", async (note, state, words) => {
    rooms.runs.views = [runView("r1", { state, note: JSON.stringify(note) })];
    await millrace("runs", "show", "r1");
    for (const each of words) expect(io.stdout).toContain(each);
  });

  it("prints all of it as JSON, and names a run that is not there", async () => {
    rooms.runs.views = [runView("r1")];
    rooms.runs.journals.set("r1", [entry(1, "step/pack", { value: kept(new Date(0)) })]);
    await millrace("runs", "show", "r1", "--json");
    expect(io.json).toMatchObject([{ run: { id: "r1" }, running: false, journal: [{ value: "1970-01-01T00:00:00.000Z" }], children: [] }]);
    expect(await millrace("runs", "show", "r9")).toBe(1);
    expect(io.stderr).toContain('there is no run "r9"');
  });

  it("of a run that has ended nothing is waited for any more", async () => {
    rooms.runs.views = [runView("r1", { state: "done", endedMs: 6000 })];
    rooms.runs.journals.set("r1", [entry(1, "sleep/rest/1/opened", { value: '{"dueMs":99000}' })]);
    await millrace("runs", "show", "r1");
    expect(io.stdout).toContain("  –  sleep rest     +1ms              given up\n");
  });

  it("says that it runs", async () => {
    rooms.runs.views = [runView("r1", { state: "ready" })];
    await millrace("runs", "show", "r1");
    expect(io.stdout).toContain("fulfil  running  r1\n");
  });

  it("names from a journal stay on their line", async () => {
    rooms.runs.views = [runView("r1")];
    rooms.runs.journals.set("r1", [entry(1, "step/pa\u001B[31mck\n", { value: kept("a\nb\u001B[0m") })]);
    await millrace("runs", "show", "r1");
    expect(io.stdout).toContain("step pa�[31mck�");
    expect(io.stdout).toContain("a b�[0m");
  });
});

describe("runs logs", () => {
  beforeEach(() => {
    rooms.runs.views = [runView("r1")];
  });

  it("of a run that is not there say so", async () => {
    expect(await millrace("runs", "logs", "r9")).toBe(1);
    expect(io.stderr).toContain('there is no run "r9"');
  });

  it("are those of the run", async () => {
    rooms.logs.write({ atMs: 9000, fn: "fulfil", invocation: "r1", level: "info", text: "packing" });
    rooms.logs.flush();
    expect(await millrace("runs", "logs", "r1")).toBe(0);
    expect(io.stdout).toMatch(/INFO {2}fulfil {2}packing\n$/);
  });

  it("go on with -f until Ctrl-C", async () => {
    const done = millrace("runs", "logs", "r1", "-f");
    rooms.logs.write({ atMs: 9000, fn: "fulfil", invocation: "r1", level: "info", text: "before" });
    await io.printed("before");
    rooms.logs.write({ atMs: 9000, fn: "fulfil", invocation: "r2", level: "info", text: "another's" });
    rooms.logs.write({ atMs: 9000, fn: "fulfil", invocation: "r1", level: "info", text: "packing" });
    await io.printed("packing");
    io.interrupt();
    expect(await done).toBe(0);
    expect(io.stdout).not.toContain("another's");
  });
});

describe("orders", () => {
  it("cancel, resume, signal, rerun and fork say what they do", async () => {
    rooms.runs.views = [runView("r1")];
    await millrace("runs", "cancel", "r1");
    await millrace("runs", "cancel", "r1", "--no-rollback", "--reason", "a mistake");
    await millrace("runs", "resume", "r1");
    await millrace("runs", "resume", "r1", "--result", "null", "--release", "live");
    io.input = '{"from":"stdin"}';
    await millrace("runs", "signal", "r1", "paid", "-");
    await millrace("runs", "signal", "r1", "paid");
    await millrace("runs", "rerun", "r1");
    await millrace("runs", "fork", "r1", "--from", "pack#2");
    await millrace("runs", "fork", "r1", "--from", "pack", "--release", "live", "--json");
    expect(rooms.runs.orders).toEqual([
      ["cancel", "r1", { rollback: true, reason: "by hand" }],
      ["cancel", "r1", { rollback: false, reason: "a mistake" }],
      ["resume", "r1", {}],
      ["resume", "r1", { result: kept(null), release: "live" }],
      ["signal", "r1", { wait: "paid", data: kept({ from: "stdin" }) }],
      ["signal", "r1", { wait: "paid", data: kept(null) }],
      ["rerun", "r1"],
      ["fork", "r1", { from: "pack#2", release: "same" }],
      ["fork", "r1", { from: "pack", release: "live" }],
    ]);
    const lines = io.stdout.split("\n");
    expect(lines[0]).toBe("cancelling fulfil r1, waiting  millrace runs watch r1 follows it");
    expect(lines[6]).toBe("begun fulfil r1-again (seq 91)");
    expect(JSON.parse(lines[8] ?? "")).toEqual({ id: "r1-forked", seq: 92, flow: "fulfil", existing: false });
  });

  it("a signal that no wait is there for says so: it is kept, and may be misspelt", async () => {
    rooms.runs.views = [runView("r1", { state: "waiting" }), runView("r2", { state: "sleeping" })];
    rooms.runs.journals.set("r1", [
      entry(1, "wait/packed/1/opened", { value: '{"type":"order.packed","dueMs":null}' }),
      entry(2, "wait/packed", { value: '{"seq":1,"event":{}}' }),
      entry(3, "wait/arrived/1/opened", { value: '{"type":"order.arrived","dueMs":null}' }),
    ]);
    await millrace("runs", "signal", "r1", "arrived");
    expect(io.stderr).toBe("");
    await millrace("runs", "signal", "r1", "arived");
    expect(io.stderr).toBe('the run waits for "arrived" now: the signal is kept for a later wait "arived" (did you mean "arrived"?)\n');
    await millrace("runs", "signal", "r2", "packed");
    expect(io.stderr).toContain('the run waits for nothing now: the signal is kept for a later wait "packed"');
    expect(rooms.runs.orders).toHaveLength(3);
  });

  it("refuse what the line lacks, and what the state does not allow", async () => {
    rooms.runs.views = [runView("r1", { state: "done", endedMs: 6000 })];
    expect(await millrace("runs", "fork", "r1")).toBe(2);
    expect(io.stderr).toContain("runs fork needs --from");
    expect(await millrace("runs", "resume", "r1", "--result", "{x}")).toBe(2);
    expect(io.stderr).toContain("--result is no JSON");
    expect(await millrace("runs", "cancel", "r1")).toBe(1);
    expect(io.stderr).toContain("the run r1 has ended (done)\n  → Look at the run's state first");
  });
});

describe("runs watch", () => {
  const started = runView("r1", { state: "ready" });
  const map = (done: number, failed = 0) => ({ name: "tell", number: 1, total: 4, done, failed });

  it("tells line by line what it does, and ends with it", async () => {
    rooms.runs.views = [started];
    rooms.runs.progress = [
      {
        run: started,
        running: true,
        entries: [
          entry(1, "step/pack/1/attempt", { ranMs: 5, value: JSON.stringify({ error: kept(declined), dueMs: 7001 }) }),
          entry(2, "step/pack", { ranMs: 5, attempt: 2, value: kept("p1") }),
          entry(3, "map/tell/1/opened", { value: '{"total":4}' }),
          entry(4, "step/tell"),
        ],
        maps: [map(1)],
      },
      { run: started, running: true, entries: [entry(5, "step/tell/2/failed", { value: kept(declined) })], maps: [map(1, 1)] },
      { run: { ...started, state: "done", endedMs: 6000 }, running: false, entries: [], maps: [map(3, 1)] },
    ];
    expect(await millrace("runs", "watch", "r1")).toBe(0);
    const lines = io.stdout.replaceAll(/^\d\d:\d\d:\d\d\.\d{3} /gm, "");
    expect(lines).toBe(
      [
        "… step pack 5ms  tried again in 2s: TypeError: card declined",
        "✓ step pack attempt 2 5ms  p1",
        "map tell  1 of 4 done",
        "map tell  1 of 4 done, 1 failed",
        "map tell  3 of 4 done, 1 failed",
        "fulfil r1 done",
        "",
      ].join("\n"),
    );
    expect(io.stderr).toBe("");
  });

  it("shows a bar a map on a terminal, beneath what is said", async () => {
    io.errIsTerminal = true;
    rooms.runs.views = [started];
    rooms.runs.progress = [
      { run: started, running: true, entries: [], maps: [map(1), { ...map(0), number: 2 }] },
      { run: started, running: true, entries: [entry(1, "step/pack")], maps: [map(2), map(4)] },
      { run: { ...started, state: "failed", endedMs: 6000 }, running: false, entries: [], maps: [] },
    ];
    expect(await millrace("runs", "watch", "r1")).toBe(1);
    expect(io.stderr).toContain(`${"█".repeat(6)}${"░".repeat(18)} 1 of 4 done  map tell\n`);
    expect(io.stderr).toContain(`${"░".repeat(24)} 0 of 4 done  map tell #2\n\u001B[2A\u001B[J`);
    expect(io.stderr.endsWith("2 of 4 done  map tell\n\u001B[1A\u001B[J")).toBe(true);
    expect(io.stdout).toContain("map tell  4 of 4 done\n");
    expect(io.stdout).toContain("fulfil r1 failed\n");
  });

  it("says why it stands still, and stops at Ctrl-C", async () => {
    const paused = runView("r1", { state: "paused", note: JSON.stringify(exhausted) });
    rooms.runs.views = [paused];
    rooms.runs.endless = true;
    const done = millrace("runs", "watch", "r1");
    await io.printed("millrace runs cancel r1");
    io.interrupt();
    expect(await done).toBe(0);
  });

  it("says when the node stops", async () => {
    rooms.runs.views = [started];
    expect(await millrace("runs", "watch", "r1")).toBe(1);
    expect(io.stderr).toBe("The node stopped; the run goes on when it is back.\n");
  });

  it("prints each line as JSON", async () => {
    rooms.runs.views = [runView("r1", { state: "cancelled", endedMs: 6000 })];
    expect(await millrace("runs", "watch", "r1", "--json")).toBe(1);
    expect(io.json).toMatchObject([{ run: { id: "r1", state: "cancelled" }, entries: [], maps: [] }]);
  });
});

describe("invoke", () => {
  it("of a flow begins a run, follows it and prints its result alone on stdout", async () => {
    rooms.runs.views = [runView("r-new", { state: "done", endedMs: 6000, value: kept({ parcel: "p1" }) })];
    rooms.runs.journals.set("r-new", [entry(1, "step/pack")]);
    expect(await millrace("invoke", "fulfil", '{"id":"o1"}')).toBe(0);
    expect(rooms.runs.begun).toEqual([{ flow: "fulfil", input: '{"id":"o1"}', id: null }]);
    expect(io.stdout).toBe('{\n  "parcel": "p1"\n}\n');
    expect(io.stderr).toMatch(/✓ step pack\nfulfil r-new done\n$/);
  });

  it("takes an id, and says whose it was", async () => {
    rooms.runs.views = [runView("o1", { state: "done", endedMs: 6000, value: "~" })];
    expect(await millrace("invoke", "fulfil", "--id", "o1")).toBe(0);
    expect(rooms.runs.begun).toEqual([{ flow: "fulfil", input: "null", id: "o1" }]);
    expect(io.stderr).toContain("The run o1 was there already.\n");
    expect(io.stdout).toBe("");
    expect(await millrace("invoke", "greet", "--id", "o1")).toBe(1);
    expect(io.stderr).toContain('"greet" is a function, not a flow');
    expect(await millrace("invoke", "fulfil", "--id", "o1", "--path", "/x")).toBe(2);
  });

  it("exits with 1 when the run fails, and when it is left alone", async () => {
    rooms.runs.views = [runView("r-new", { state: "failed", endedMs: 6000, value: kept(declined) })];
    expect(await millrace("invoke", "fulfil")).toBe(1);
    expect(io.stderr).toContain("TypeError: card declined\n    at charge (functions/a.ts:3:1)\n");
    io.stderr = "";
    rooms.runs.views = [runView("r-new")];
    rooms.runs.endless = true;
    rooms.runs.journals.set("r-new", [entry(1, "step/pack")]);
    const watched = new Promise<void>((resolve) => (rooms.runs.onWatch = resolve));
    const done = millrace("invoke", "fulfil", "--json");
    await watched;
    io.interrupt();
    expect(await done).toBe(1);
    expect(io.stderr).toBe("The run goes on: millrace runs watch r-new\n");
    expect(io.stdout).toBe("");
  });

  it("of a flow that HTTP begins prints the answer that comes in time", async () => {
    rooms.runs.httpResult = answered("bought", "text/plain", 201);
    expect(await millrace("invoke", "checkout", "{}")).toBe(0);
    expect(io.stdout).toBe("bought\n");
    rooms.runs.httpResult = { kind: "accepted", id: "r-http" };
    rooms.runs.views = [runView("r-http", { state: "done", endedMs: 6000, value: "7" })];
    io.stdout = "";
    expect(await millrace("invoke", "checkout", "{}", "--json")).toBe(0);
    expect(io.json).toMatchObject([{ id: "r-http", state: "done", result: 7 }]);
  });
});

describe("runs releases and check", () => {
  it("releases are those that runs need", async () => {
    rooms.runs.held = [
      { release: "new1", live: true, present: true, flows: [{ flow: "fulfil", runs: 12 }] },
      { release: "old1", live: false, present: true, flows: [{ flow: "fulfil", runs: 3 }] },
      { release: "gone", live: false, present: false, flows: [{ flow: "checkout", runs: 1 }] },
    ];
    expect(await millrace("runs", "releases")).toBe(0);
    expect(io.stdout).toBe(
      [
        "RELEASE  FLOW      RUNS",
        "new1     fulfil      12  live",
        "old1     fulfil       3  kept",
        "gone     checkout     1  gone: resume its runs with --release live",
        "",
      ].join("\n"),
    );
    io.stdout = "";
    await millrace("runs", "releases", "--json");
    expect(io.json).toEqual(rooms.runs.held);
  });

  it("there may be none", async () => {
    expect(await millrace("runs", "releases")).toBe(0);
    expect(io.stderr).toBe("There are no live runs.\n");
  });

  it("check ends with 1 when a run would break, and shows where", async () => {
    rooms.runs.checks = [
      { id: "r1", flow: "fulfil", fits: true, mismatch: null, error: null },
      { id: "r2", flow: "fulfil", fits: false, mismatch, error: null },
      { id: "r3", flow: "checkout", fits: false, mismatch: null, error: 'the release has no flow "checkout"' },
    ];
    expect(await millrace("runs", "check", "--app", "shop")).toBe(1);
    expect(io.stdout).toBe(
      [
        "✗ fulfil r2",
        '  the journal has    step "charge" #1  at position 4',
        '  the code asks for  step "pay" #1     at functions/orders.ts:31',
        '✗ checkout r3  the release has no flow "checkout"',
        "✗ 1 of 3 live runs fit",
        "",
      ].join("\n"),
    );
    expect(rooms.runs.orders).toEqual([["check", `app:${join(folder, "shop")}`, {}]]);
  });

  it("check ends with 0 when all fit", async () => {
    rooms.runs.checks = [{ id: "r1", flow: "fulfil", fits: true, mismatch: null, error: null }];
    expect(await millrace("runs", "check", "--release", "new1", "--flow", "fulfil")).toBe(0);
    expect(io.stdout).toBe("✓ 1 of 1 live runs fit\n");
    expect(rooms.runs.orders).toEqual([["check", "new1", { flow: "fulfil" }]]);
    io.stdout = "";
    expect(await millrace("runs", "check", "--json")).toBe(0);
    expect(io.json).toEqual(rooms.runs.checks);
    expect(await millrace("runs", "check", "--release", "a", "--app", "b")).toBe(2);
  });
});

describe("flow", () => {
  beforeEach(() => {
    rooms.runs.views = [
      runView("r2", { seq: 20 }),
      runView("r1", { state: "done", endedMs: 6000 }),
      runView("c1", { fn: "checkout", state: "done", endedMs: 6000 }),
    ];
    rooms.runs.journals.set("r1", [entry(1, "step/pack", { ranMs: 5 })]);
    rooms.runs.journals.set("r2", [entry(1, "wait/paid/1/opened", { value: '{"type":"order.paid"}' })]);
  });

  it("draws the newest run that has ended, or the one that is named", async () => {
    expect(await millrace("flow", "fulfil", "--diagram")).toBe(0);
    expect(io.stdout).toContain('title: "fulfil r1"\n---\nflowchart TD\n');
    expect(io.stdout).toContain("step: pack");
    io.stdout = "";
    await millrace("flow", "fulfil", "--diagram", "--run", "r2", "--format", "svg");
    expect(io.stdout).toMatch(/^<svg [^]*>paid<[^]*<\/svg>\n$/);
  });

  it("writes into a file, by its name an SVG", async () => {
    expect(await millrace("flow", "fulfil", "--diagram", "-o", "r1.SVG")).toBe(0);
    expect(await readFile(join(folder, "r1.SVG"), "utf8")).toMatch(/^<svg /);
    expect(io.stdout).toBe("");
    expect(io.stderr).toBe("fulfil r1 is in r1.SVG\n");
    await millrace("flow", "fulfil", "--diagram", "-o", "r1.svg", "--format", "mermaid");
    expect(await readFile(join(folder, "r1.svg"), "utf8")).toMatch(/^---\n/);
    expect(await millrace("flow", "fulfil", "--diagram", "-o", "no/such/folder.svg")).toBe(1);
    expect(io.stderr).toContain("cannot be written");
  });

  it("says what there is not", async () => {
    expect(await millrace("flow", "fulfil")).toBe(2);
    expect(await millrace("flow", "fulfill", "--diagram")).toBe(1);
    expect(io.stderr).toContain('there is no function "fulfill" (did you mean "fulfil"?)');
    expect(await millrace("flow", "fulfil", "--diagram", "--run", "c1")).toBe(1);
    expect(io.stderr).toContain('the run c1 is one of "checkout", not of "fulfil"');
    rooms.runs.views = [];
    expect(await millrace("flow", "fulfil", "--diagram")).toBe(1);
    expect(io.stderr).toContain('no run of "fulfil" has ended yet');
  });
});

describe("functions", () => {
  it("flows are shown as such", async () => {
    rooms.current = release([{ ...flow("bare"), triggers: [] }, fn("greet", "event")]);
    expect(await millrace("functions")).toBe(0);
    expect(io.stdout).toContain("FUNCTION  KIND  WOKEN BY");
    expect(io.stdout).toContain("bare      flow  start, call");
    expect(io.stdout).toContain("greet     fn    on greeting.*");
  });
});
