import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { answered, flow, fn, release } from "../control/testing-support/scripted-rooms.ts";
import { entry, kept, runView } from "../control/testing-support/scripted-runs.ts";
import type { Mismatch } from "../runs/runs.ts";
import { ControlStage } from "./testing-support/control-stage.ts";

const stage = new ControlStage(release([fn("greet", "event"), flow("fulfil"), flow("checkout", "http")]));

const declined = Object.assign(new TypeError("card declined"), { stack: "TypeError: card declined\n    at charge (functions/a.ts:3:1)" });
const mismatch: Mismatch = {
  pos: 4,
  recorded: 'step "charge" #1',
  attempted: [{ command: 'step "pay" #1', at: "functions/orders.ts:31" }],
};

describe("orders", () => {
  it("cancel, resume, signal, rerun and fork say what they do", async () => {
    stage.rooms.runs.views = [runView("r1")];
    await stage.millrace("runs", "cancel", "r1");
    await stage.millrace("runs", "cancel", "r1", "--no-rollback", "--reason", "a mistake");
    await stage.millrace("runs", "resume", "r1");
    await stage.millrace("runs", "resume", "r1", "--result", "null", "--release", "live");
    stage.io.input = '{"from":"stdin"}';
    await stage.millrace("runs", "signal", "r1", "paid", "-");
    await stage.millrace("runs", "signal", "r1", "paid");
    await stage.millrace("runs", "rerun", "r1");
    await stage.millrace("runs", "fork", "r1", "--from", "pack#2");
    await stage.millrace("runs", "fork", "r1", "--from", "pack", "--release", "live", "--json");
    expect(stage.rooms.runs.orders).toEqual([
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
    const lines = stage.io.stdout.split("\n");
    expect(lines[0]).toBe("cancelling fulfil r1, waiting  millrace runs watch r1 follows it");
    expect(lines[6]).toBe("begun fulfil r1-again (seq 91)");
    expect(JSON.parse(lines[8] ?? "")).toEqual({ id: "r1-forked", seq: 92, flow: "fulfil", existing: false });
  });

  it("a signal that no wait is there for says so: it is kept, and may be misspelt", async () => {
    stage.rooms.runs.views = [runView("r1", { state: "waiting" }), runView("r2", { state: "sleeping" })];
    stage.rooms.runs.journals.set("r1", [
      entry(1, "wait/packed/1/opened", { value: '{"type":"order.packed","dueMs":null}' }),
      entry(2, "wait/packed", { value: '{"seq":1,"event":{}}' }),
      entry(3, "wait/arrived/1/opened", { value: '{"type":"order.arrived","dueMs":null}' }),
    ]);
    await stage.millrace("runs", "signal", "r1", "arrived");
    expect(stage.io.stderr).toBe("");
    await stage.millrace("runs", "signal", "r1", "arived");
    expect(stage.io.stderr).toBe(
      'the run waits for "arrived" now: the signal is kept for a later wait "arived" (did you mean "arrived"?)\n',
    );
    await stage.millrace("runs", "signal", "r2", "packed");
    expect(stage.io.stderr).toContain('the run waits for nothing now: the signal is kept for a later wait "packed"');
    expect(stage.rooms.runs.orders).toHaveLength(3);
  });

  it("refuse what the line lacks, and what the state does not allow", async () => {
    stage.rooms.runs.views = [runView("r1", { state: "done", endedMs: 6000 })];
    expect(await stage.millrace("runs", "fork", "r1")).toBe(2);
    expect(stage.io.stderr).toContain("runs fork needs --from");
    expect(await stage.millrace("runs", "resume", "r1", "--result", "{x}")).toBe(2);
    expect(stage.io.stderr).toContain("--result is no JSON");
    expect(await stage.millrace("runs", "cancel", "r1")).toBe(1);
    expect(stage.io.stderr).toContain("the run r1 has ended (done)\n  → Look at the run's state first");
  });
});

describe("invoke", () => {
  it("of a flow begins a run, follows it and prints its result alone on stdout", async () => {
    stage.rooms.runs.views = [runView("r-new", { state: "done", endedMs: 6000, value: kept({ parcel: "p1" }) })];
    stage.rooms.runs.journals.set("r-new", [entry(1, "step/pack")]);
    expect(await stage.millrace("invoke", "fulfil", '{"id":"o1"}')).toBe(0);
    expect(stage.rooms.runs.begun).toEqual([{ flow: "fulfil", input: '{"id":"o1"}', id: null }]);
    expect(stage.io.stdout).toBe('{\n  "parcel": "p1"\n}\n');
    expect(stage.io.stderr).toMatch(/✓ step pack\nfulfil r-new done\n$/);
  });

  it("takes an id, and says whose it was", async () => {
    stage.rooms.runs.views = [runView("o1", { state: "done", endedMs: 6000, value: "~" })];
    expect(await stage.millrace("invoke", "fulfil", "--id", "o1")).toBe(0);
    expect(stage.rooms.runs.begun).toEqual([{ flow: "fulfil", input: "null", id: "o1" }]);
    expect(stage.io.stderr).toContain("The run o1 was there already.\n");
    expect(stage.io.stdout).toBe("");
    expect(await stage.millrace("invoke", "greet", "--id", "o1")).toBe(1);
    expect(stage.io.stderr).toContain('"greet" is a function, not a flow');
    expect(await stage.millrace("invoke", "fulfil", "--id", "o1", "--path", "/x")).toBe(2);
  });

  it("exits with 1 when the run fails, and when it is left alone", async () => {
    stage.rooms.runs.views = [runView("r-new", { state: "failed", endedMs: 6000, value: kept(declined) })];
    expect(await stage.millrace("invoke", "fulfil")).toBe(1);
    expect(stage.io.stderr).toContain("TypeError: card declined\n    at charge (functions/a.ts:3:1)\n");
    stage.io.stderr = "";
    stage.rooms.runs.views = [runView("r-new")];
    stage.rooms.runs.endless = true;
    stage.rooms.runs.journals.set("r-new", [entry(1, "step/pack")]);
    const watched = new Promise<void>((resolve) => (stage.rooms.runs.onWatch = resolve));
    const done = stage.millrace("invoke", "fulfil", "--json");
    await watched;
    stage.io.interrupt();
    expect(await done).toBe(1);
    expect(stage.io.stderr).toBe("The run goes on: millrace runs watch r-new\n");
    expect(stage.io.stdout).toBe("");
  });

  it("of a flow that HTTP begins prints the answer that comes in time", async () => {
    stage.rooms.runs.httpResult = answered("bought", "text/plain", 201);
    expect(await stage.millrace("invoke", "checkout", "{}")).toBe(0);
    expect(stage.io.stdout).toBe("bought\n");
    stage.rooms.runs.httpResult = { kind: "accepted", id: "r-http" };
    stage.rooms.runs.views = [runView("r-http", { state: "done", endedMs: 6000, value: "7" })];
    stage.io.stdout = "";
    expect(await stage.millrace("invoke", "checkout", "{}", "--json")).toBe(0);
    expect(stage.io.json).toMatchObject([{ id: "r-http", state: "done", result: 7 }]);
  });
});

describe("runs releases and check", () => {
  it("releases are those that runs need", async () => {
    stage.rooms.runs.held = [
      { release: "new1", live: true, present: true, flows: [{ flow: "fulfil", runs: 12 }] },
      { release: "old1", live: false, present: true, flows: [{ flow: "fulfil", runs: 3 }] },
      { release: "gone", live: false, present: false, flows: [{ flow: "checkout", runs: 1 }] },
    ];
    expect(await stage.millrace("runs", "releases")).toBe(0);
    expect(stage.io.stdout).toBe(
      [
        "RELEASE  FLOW      RUNS",
        "new1     fulfil      12  live",
        "old1     fulfil       3  kept",
        "gone     checkout     1  gone: resume its runs with --release live",
        "",
      ].join("\n"),
    );
    stage.io.stdout = "";
    await stage.millrace("runs", "releases", "--json");
    expect(stage.io.json).toEqual(stage.rooms.runs.held);
  });

  it("there may be none", async () => {
    expect(await stage.millrace("runs", "releases")).toBe(0);
    expect(stage.io.stderr).toBe("There are no live runs.\n");
  });

  it("check ends with 1 when a run would break, and shows where", async () => {
    stage.rooms.runs.checks = [
      { id: "r1", flow: "fulfil", fits: true, mismatch: null, error: null },
      { id: "r2", flow: "fulfil", fits: false, mismatch, error: null },
      { id: "r3", flow: "checkout", fits: false, mismatch: null, error: 'the release has no flow "checkout"' },
    ];
    expect(await stage.millrace("runs", "check", "--app", "shop")).toBe(1);
    expect(stage.io.stdout).toBe(
      [
        "✗ fulfil r2",
        '  the journal has    step "charge" #1  at position 4',
        '  the code asks for  step "pay" #1     at functions/orders.ts:31',
        '✗ checkout r3  the release has no flow "checkout"',
        "✗ 1 of 3 live runs fit",
        "",
      ].join("\n"),
    );
    expect(stage.rooms.runs.orders).toEqual([["check", `app:${join(stage.folder, "shop")}`, {}]]);
  });

  it("check ends with 0 when all fit", async () => {
    stage.rooms.runs.checks = [{ id: "r1", flow: "fulfil", fits: true, mismatch: null, error: null }];
    expect(await stage.millrace("runs", "check", "--release", "new1", "--flow", "fulfil")).toBe(0);
    expect(stage.io.stdout).toBe("✓ 1 of 1 live runs fit\n");
    expect(stage.rooms.runs.orders).toEqual([["check", "new1", { flow: "fulfil" }]]);
    stage.io.stdout = "";
    expect(await stage.millrace("runs", "check", "--json")).toBe(0);
    expect(stage.io.json).toEqual(stage.rooms.runs.checks);
    expect(await stage.millrace("runs", "check", "--release", "a", "--app", "b")).toBe(2);
  });
});

describe("flow", () => {
  beforeEach(() => {
    stage.rooms.runs.views = [
      runView("r2", { seq: 20 }),
      runView("r1", { state: "done", endedMs: 6000 }),
      runView("c1", { fn: "checkout", state: "done", endedMs: 6000 }),
    ];
    stage.rooms.runs.journals.set("r1", [entry(1, "step/pack", { ranMs: 5 })]);
    stage.rooms.runs.journals.set("r2", [entry(1, "wait/paid/1/opened", { value: '{"type":"order.paid"}' })]);
  });

  it("draws the newest run that has ended, or the one that is named", async () => {
    expect(await stage.millrace("flow", "fulfil", "--diagram")).toBe(0);
    expect(stage.io.stdout).toContain('title: "fulfil r1"\n---\nflowchart TD\n');
    expect(stage.io.stdout).toContain("step: pack");
    stage.io.stdout = "";
    await stage.millrace("flow", "fulfil", "--diagram", "--run", "r2", "--format", "svg");
    expect(stage.io.stdout).toMatch(/^<svg [^]*>paid<[^]*<\/svg>\n$/);
  });

  it("writes into a file, by its name an SVG", async () => {
    expect(await stage.millrace("flow", "fulfil", "--diagram", "-o", "r1.SVG")).toBe(0);
    expect(await readFile(join(stage.folder, "r1.SVG"), "utf8")).toMatch(/^<svg /);
    expect(stage.io.stdout).toBe("");
    expect(stage.io.stderr).toBe("fulfil r1 is in r1.SVG\n");
    await stage.millrace("flow", "fulfil", "--diagram", "-o", "r1.svg", "--format", "mermaid");
    expect(await readFile(join(stage.folder, "r1.svg"), "utf8")).toMatch(/^---\n/);
    expect(await stage.millrace("flow", "fulfil", "--diagram", "-o", "no/such/folder.svg")).toBe(1);
    expect(stage.io.stderr).toContain("cannot be written");
  });

  it("says what there is not", async () => {
    expect(await stage.millrace("flow", "fulfil")).toBe(2);
    expect(await stage.millrace("flow", "fulfill", "--diagram")).toBe(1);
    expect(stage.io.stderr).toContain('there is no function "fulfill" (did you mean "fulfil"?)');
    expect(await stage.millrace("flow", "fulfil", "--diagram", "--run", "c1")).toBe(1);
    expect(stage.io.stderr).toContain('the run c1 is one of "checkout", not of "fulfil"');
    stage.rooms.runs.views = [];
    expect(await stage.millrace("flow", "fulfil", "--diagram")).toBe(1);
    expect(stage.io.stderr).toContain('no run of "fulfil" has ended yet');
  });
});

describe("functions", () => {
  it("flows are shown as such", async () => {
    stage.rooms.current = release([{ ...flow("bare"), triggers: [] }, fn("greet", "event")]);
    expect(await stage.millrace("functions")).toBe(0);
    expect(stage.io.stdout).toContain("FUNCTION  KIND  WOKEN BY");
    expect(stage.io.stdout).toContain("bare      flow  start, call");
    expect(stage.io.stdout).toContain("greet     fn    on greeting.*");
  });
});
