import { beforeEach, describe, expect, it } from "vitest";
import { eventView, flow, fn, release } from "../control/testing-support/scripted-rooms.ts";
import { entry, kept, runView } from "../control/testing-support/scripted-runs.ts";
import type { Mismatch, RunNote } from "../runs/runs.ts";
import { ControlStage } from "./testing-support/control-stage.ts";

const stage = new ControlStage(release([fn("greet", "event"), flow("fulfil"), flow("checkout", "http")]));

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
    stage.rooms.runs.views = [
      runView("r1", { state: "waiting", dueMs: 60_000, entries: 1 }),
      runView("r2", { state: "sleeping", dueMs: 10_808_000, entries: 1 }),
      runView("r3", { state: "paused", dueMs: 99_000, note: JSON.stringify(exhausted) }),
      runView("r4", { state: "failed", endedMs: 9000, value: kept(declined) }),
      runView("r5", { state: "done", endedMs: 6500 }),
      runView("r6", { state: "ready", attempt: 1, errors: [failedAttempt] }),
    ];
    stage.rooms.runs.journals.set("r1", [
      entry(1, "wait/paid/1/opened", { value: '{"type":"order.paid","dueMs":60000}' }),
      entry(2, "callback/ok", { value: '{"dueMs":null}' }),
    ]);
    stage.rooms.runs.journals.set("r2", [entry(1, "sleep/rest/1/opened", { value: '{"dueMs":10808000}' })]);
    expect(await stage.millrace("runs", "list")).toBe(0);
    expect(stage.io.stdout).toBe(
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
    stage.rooms.runs.views = [runView("r1", { state: "done", endedMs: 6000 })];
    expect(
      await stage.millrace(
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
    expect(stage.rooms.runs.queries).toEqual([
      { fn: "fulfil", states: ["done", "failed", "paused"], release: "abc", parent: 12, before: 40, limit: 7 },
    ]);
    expect(stage.io.stderr).toBe("There are no such runs.\n");
  });

  it("pages on, prints JSON, and knows its states", async () => {
    stage.rooms.runs.views = [runView("r1", { state: "done", value: "7" }), runView("r2", { seq: 8 })];
    expect(await stage.millrace("runs", "list", "--limit", "2")).toBe(0);
    expect(stage.io.stderr).toBe("There may be more: millrace runs list --before 8\n");
    stage.io.stdout = "";
    await stage.millrace("runs", "list", "--json");
    expect(stage.io.json).toMatchObject([{ id: "r1", result: 7 }, { id: "r2" }]);
    expect(await stage.millrace("runs", "list", "--state", "sleepin")).toBe(2);
    expect(stage.io.stderr).toContain('not "sleepin" (did you mean "sleeping"?)');
  });
});

describe("runs show", () => {
  it("is the timeline of the run", async () => {
    stage.rooms.eventViews = [eventView(3, "order.paid")];
    stage.rooms.runs.views = [
      runView("r1", { state: "rolling-back", deadlineMs: 70_000, parentId: "r0" }),
      runView("r7", { seq: 30, fn: "shipping", parent: 12, parentId: "r1", state: "done", endedMs: 9000 }),
    ];
    stage.rooms.runs.journals.set("r1", [
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
    expect(await stage.millrace("runs", "show", "r1")).toBe(0);
    expect(stage.io.stdout).toBe(`fulfil  rolling-back  r1
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
    stage.rooms.runs.views = [runView("r1", { state: "done", endedMs: 9000, value: kept({ ok: true }) })];
    stage.rooms.runs.journals.set("r1", [
      entry(1, "step/charge/1/attempt", { atMs: 5100, ranMs: 50, value: JSON.stringify({ error: kept(declined), dueMs: 5200 }) }),
      entry(2, "step/charge", { atMs: 5300, attempt: 2, ranMs: 50, value: kept({ paid: 7 }) }),
    ]);
    expect(await stage.millrace("runs", "show", "r1", "--full")).toBe(0);
    expect(stage.io.stdout).toContain(`  ✓  step charge    +50ms  250ms  12.8 MB·s  2 attempts: {"paid":7}
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
    stage.rooms.runs.memoryBytes = null;
    stage.rooms.runs.views = [runView("r1", { state: "failed", endedMs: 6000, value: kept(declined) })];
    const data = { method: "POST", url: "http://localhost/checkout", headers: ["authorization", "Bearer s3cret"], params: {}, body: null };
    stage.rooms.eventViews = [{ ...eventView(3), type: "millrace.http", json: JSON.stringify({ type: "millrace.http", data }) }];
    stage.rooms.runs.journals.set("r1", [entry(1, "step/pack", { ranMs: 12 })]);
    await stage.millrace("runs", "show", "r1");
    expect(stage.io.stdout).toContain("input    POST http://localhost/checkout\n");
    expect(stage.io.stdout).not.toContain("s3cret");
    expect(stage.io.stdout).not.toContain("MB·s");
    expect(stage.io.stdout).toMatch(/Error\n {2}TypeError: card declined\n$/);
  });

  it("of a paused run has the reason and the ways on", async () => {
    stage.rooms.runs.views = [runView("it's", { state: "paused", note: JSON.stringify(exhausted) })];
    await stage.millrace("runs", "show", "it's");
    expect(stage.io.stdout).toContain(
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
    stage.rooms.runs.views = [runView("r1", { state: "paused", note: JSON.stringify({ why: "mismatch", mismatch }) })];
    stage.rooms.runs.journals.set("r1", [entry(1, "step/pack/2"), entry(4, "step/charge"), entry(6, "step/tell")]);
    await stage.millrace("runs", "show", "r1");
    expect(stage.io.stdout).toContain(
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
    stage.rooms.runs.views = [runView("r1", { state, note: JSON.stringify(note) })];
    await stage.millrace("runs", "show", "r1");
    for (const each of words) expect(stage.io.stdout).toContain(each);
  });

  it("prints all of it as JSON, and names a run that is not there", async () => {
    stage.rooms.runs.views = [runView("r1")];
    stage.rooms.runs.journals.set("r1", [entry(1, "step/pack", { value: kept(new Date(0)) })]);
    await stage.millrace("runs", "show", "r1", "--json");
    expect(stage.io.json).toMatchObject([
      { run: { id: "r1" }, running: false, journal: [{ value: "1970-01-01T00:00:00.000Z" }], children: [] },
    ]);
    expect(await stage.millrace("runs", "show", "r9")).toBe(1);
    expect(stage.io.stderr).toContain('there is no run "r9"');
  });

  it("of a run that has ended nothing is waited for any more", async () => {
    stage.rooms.runs.views = [runView("r1", { state: "done", endedMs: 6000 })];
    stage.rooms.runs.journals.set("r1", [entry(1, "sleep/rest/1/opened", { value: '{"dueMs":99000}' })]);
    await stage.millrace("runs", "show", "r1");
    expect(stage.io.stdout).toContain("  –  sleep rest     +1ms              given up\n");
  });

  it("says that it runs", async () => {
    stage.rooms.runs.views = [runView("r1", { state: "ready" })];
    await stage.millrace("runs", "show", "r1");
    expect(stage.io.stdout).toContain("fulfil  running  r1\n");
  });

  it("names from a journal stay on their line", async () => {
    stage.rooms.runs.views = [runView("r1")];
    stage.rooms.runs.journals.set("r1", [entry(1, "step/pa\u001B[31mck\n", { value: kept("a\nb\u001B[0m") })]);
    await stage.millrace("runs", "show", "r1");
    expect(stage.io.stdout).toContain("step pa�[31mck�");
    expect(stage.io.stdout).toContain("a b�[0m");
  });
});

describe("runs logs", () => {
  beforeEach(() => {
    stage.rooms.runs.views = [runView("r1")];
  });

  it("of a run that is not there say so", async () => {
    expect(await stage.millrace("runs", "logs", "r9")).toBe(1);
    expect(stage.io.stderr).toContain('there is no run "r9"');
  });

  it("are those of the run", async () => {
    stage.rooms.logs.write({ atMs: 9000, fn: "fulfil", invocation: "r1", level: "info", text: "packing" });
    stage.rooms.logs.flush();
    expect(await stage.millrace("runs", "logs", "r1")).toBe(0);
    expect(stage.io.stdout).toMatch(/INFO {2}fulfil {2}packing\n$/);
  });

  it("go on with -f until Ctrl-C", async () => {
    const done = stage.millrace("runs", "logs", "r1", "-f");
    stage.rooms.logs.write({ atMs: 9000, fn: "fulfil", invocation: "r1", level: "info", text: "before" });
    await stage.io.printed("before");
    stage.rooms.logs.write({ atMs: 9000, fn: "fulfil", invocation: "r2", level: "info", text: "another's" });
    stage.rooms.logs.write({ atMs: 9000, fn: "fulfil", invocation: "r1", level: "info", text: "packing" });
    await stage.io.printed("packing");
    stage.io.interrupt();
    expect(await done).toBe(0);
    expect(stage.io.stdout).not.toContain("another's");
  });
});

describe("runs watch", () => {
  const started = runView("r1", { state: "ready" });
  const map = (done: number, failed = 0) => ({ name: "tell", number: 1, total: 4, done, failed });

  it("tells line by line what it does, and ends with it", async () => {
    stage.rooms.runs.views = [started];
    stage.rooms.runs.progress = [
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
    expect(await stage.millrace("runs", "watch", "r1")).toBe(0);
    const lines = stage.io.stdout.replaceAll(/^\d\d:\d\d:\d\d\.\d{3} /gm, "");
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
    expect(stage.io.stderr).toBe("");
  });

  it("shows a bar a map on a terminal, beneath what is said", async () => {
    stage.io.errIsTerminal = true;
    stage.rooms.runs.views = [started];
    stage.rooms.runs.progress = [
      { run: started, running: true, entries: [], maps: [map(1), { ...map(0), number: 2 }] },
      { run: started, running: true, entries: [entry(1, "step/pack")], maps: [map(2), map(4)] },
      { run: { ...started, state: "failed", endedMs: 6000 }, running: false, entries: [], maps: [] },
    ];
    expect(await stage.millrace("runs", "watch", "r1")).toBe(1);
    expect(stage.io.stderr).toContain(`${"█".repeat(6)}${"░".repeat(18)} 1 of 4 done  map tell\n`);
    expect(stage.io.stderr).toContain(`${"░".repeat(24)} 0 of 4 done  map tell #2\n\u001B[2A\u001B[J`);
    expect(stage.io.stderr.endsWith("2 of 4 done  map tell\n\u001B[1A\u001B[J")).toBe(true);
    expect(stage.io.stdout).toContain("map tell  4 of 4 done\n");
    expect(stage.io.stdout).toContain("fulfil r1 failed\n");
  });

  it("says why it stands still, and stops at Ctrl-C", async () => {
    const paused = runView("r1", { state: "paused", note: JSON.stringify(exhausted) });
    stage.rooms.runs.views = [paused];
    stage.rooms.runs.endless = true;
    const done = stage.millrace("runs", "watch", "r1");
    await stage.io.printed("millrace runs cancel r1");
    stage.io.interrupt();
    expect(await done).toBe(0);
  });

  it("says when the node stops", async () => {
    stage.rooms.runs.views = [started];
    expect(await stage.millrace("runs", "watch", "r1")).toBe(1);
    expect(stage.io.stderr).toBe("The node stopped; the run goes on when it is back.\n");
  });

  it("prints each line as JSON", async () => {
    stage.rooms.runs.views = [runView("r1", { state: "cancelled", endedMs: 6000 })];
    expect(await stage.millrace("runs", "watch", "r1", "--json")).toBe(1);
    expect(stage.io.json).toMatchObject([{ run: { id: "r1", state: "cancelled" }, entries: [], maps: [] }]);
  });
});
