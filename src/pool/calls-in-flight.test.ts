import { describe, expect, it } from "vitest";
import { TransientMap } from "../core/index.ts";
import { type Frame, FRAME, FrameReader, FrameWriter } from "../protocol/index.ts";
import type { Ending } from "./blame.ts";
import { type CallsHost, CallsInFlight } from "./calls-in-flight.ts";
import { Deadlines } from "./deadlines.ts";
import { InstanceLog } from "./instance-log.ts";
import { LoopGauge } from "./loop-gauge.ts";
import type { RunLink, RunOutcome } from "./pool.ts";
import { eventCall, runCall } from "./testing-support/scripted-instance.ts";
import { CallTicket, RunTicket, type Ticket, type TicketHolder } from "./ticket.ts";

const NOBODY: TicketHolder = { ticketDue: () => {}, clientLeft: () => {} };

/** The calls of an instance that does not exist, in a time that the test tells. */
class Bench implements CallsHost {
  loaded = true;
  readonly idleSinceMs = 0;
  nowMs = 1000;
  readonly endings: Ending[] = [];
  readonly gauge = new LoopGauge();
  readonly calls: CallsInFlight;
  link: RunLink | null = null;
  private readonly deadlines = new Deadlines(() => this.nowMs);
  private readonly frames: Frame[] = [];
  private readonly writer: FrameWriter;

  kill(): void {}

  constructor() {
    const reader = new FrameReader((frame) => this.frames.push(frame));
    this.writer = new FrameWriter((bytes) => reader.push(bytes));
    const tickets = new TransientMap<number, Ticket>();
    const rename = (text: string): string => text;
    this.calls = new CallsInFlight({
      tickets,
      host: this,
      writer: this.writer,
      deadlines: this.deadlines,
      nowMs: () => this.nowMs,
      graceMs: 250,
      memoryBytes: 1,
      rename,
      log: new InstanceLog({ tickets, fn: () => null, rename, onStray: () => {} }),
      gauge: this.gauge,
    });
  }

  /** A run with 10 s. */
  run(): Promise<RunOutcome> {
    const call = runCall("f", { timeoutMs: 10_000, begun: (link) => (this.link = link) });
    return new Promise((resolve) => this.calls.send(new RunTicket(call, NOBODY, this.nowMs, resolve)));
  }

  event(): void {
    this.calls.send(new CallTicket(eventCall("f", { timeoutMs: 10_000 }), NOBODY, this.nowMs, () => {}));
  }

  /** From the instance. */
  says(type: Frame["type"], head: Record<string, unknown>, call = 1): void {
    this.calls.onFrame({ type, call, flags: 0, head, body: Buffer.alloc(0) });
  }

  pass(ms: number): this {
    // In small steps, as the timer comes.
    for (let left = ms; left > 0; left -= 50) {
      this.nowMs += Math.min(50, left);
      this.deadlines.turn();
    }
    return this;
  }

  sent(): number[] {
    this.writer.flush();
    return this.frames.splice(0).map(({ type }) => type);
  }

  callEnded(): void {}
  retire(): void {}
  end(ending: Ending): void {
    this.endings.push(ending);
  }
}

const STEP = { step: 1, verb: "step", name: "a", number: 1, phase: "done", attempt: 1, ranMs: 1 };

describe("the time of a run", () => {
  it.each<[string, (bench: Bench) => void]>([
    ["a step", (bench) => bench.says(FRAME.step, STEP)],
    ["a command", (bench) => bench.says(FRAME.open, { step: 1, verb: "sleep", name: "a", number: 1 })],
    ["a read", (bench) => bench.says(FRAME.read, { read: 1, step: 1, op: "get", keys: ["k"] })],
    ["a piece of its journal", (bench) => bench.link?.entries("[]", true)],
    ["what is kept", (bench) => bench.link?.kept(1, 2, 3)],
    ["a step to be run again", (bench) => bench.link?.again(1, true)],
  ])("J6: begins anew with %s", (_, frame) => {
    const bench = new Bench();
    void bench.run();
    for (let i = 0; i < 5; i++) frame(bench.pass(9900));
    bench.sent();
    expect(bench.pass(9900).sent()).not.toContain(FRAME.abort);
    expect(bench.pass(200).sent()).toEqual([FRAME.abort]);
    bench.pass(300);
    expect(bench.endings).toEqual([{ kind: "blocked" }]);
  });

  it("J6: `extend` is as long as it says and the limit, until the next frame", () => {
    const bench = new Bench();
    void bench.run();
    bench.says(FRAME.extend, { ms: 60_000 });
    bench.sent();
    expect(bench.pass(69_900).sent()).toEqual([]);
    bench.says(FRAME.step, STEP);
    expect(bench.pass(9900).sent()).toEqual([]);
    expect(bench.pass(200).sent()).toEqual([FRAME.abort]);
  });

  it("J6: past an extension too it is over", () => {
    const bench = new Bench();
    void bench.run();
    bench.says(FRAME.extend, { ms: 60_000 });
    expect(bench.pass(70_100).sent()).toEqual([FRAME.run, FRAME.abort]);
  });

  it("J6, Q1: begins when the code is loaded, whatever was sent until then", () => {
    const bench = new Bench();
    bench.loaded = false;
    void bench.run();
    bench.pass(5000).link?.entries("[]", true);
    expect(bench.pass(20_000).sent()).toEqual([FRAME.run, FRAME.entries]);
    bench.loaded = true;
    bench.calls.beginAll(bench.nowMs);
    expect(bench.pass(9900).sent()).toEqual([]);
    expect(bench.pass(200).sent()).toEqual([FRAME.abort]);
  });

  it("J2, J3: past it nothing is sent, read or handed on, and what comes is a timeout that says what it means", async () => {
    const bench = new Bench();
    const outcome = bench.run();
    bench.pass(10_100);
    expect(bench.sent()).toEqual([FRAME.run, FRAME.abort]);
    bench.says(FRAME.aborted, {});
    bench.says(FRAME.step, STEP);
    bench.says(FRAME.extend, { ms: 60_000 });
    bench.says(FRAME.read, { read: 1, step: 1, op: "get", keys: ["k"] });
    bench.link?.kept(1, 2, 3);
    expect(bench.sent()).toEqual([]);
    bench.says(FRAME.park, { reason: "sleep" });
    expect(await outcome).toMatchObject({
      kind: "timeout",
      error: {
        message: expect.stringMatching(/^the run did not go on for 10s .*no step ended and nothing was asked for.*that is no step/),
      },
    });
  });

  it("J7: counts for processor time as well: of calls and runs the one whose time began first", () => {
    const bench = new Bench();
    void bench.run();
    bench.pass(100).event();
    expect(bench.calls.oldest).toMatchObject({ sinceMs: 1000, allowedMs: 10_000 });
    bench.pass(50).says(FRAME.extend, { ms: 5000 });
    expect(bench.calls.oldest).toMatchObject({ sinceMs: 1100, allowedMs: 10_000 });
    bench.says(FRAME.threw, { error: { name: "E", message: "m" } }, 2);
    expect(bench.calls.oldest).toMatchObject({ sinceMs: 1150, allowedMs: 15_000 });
  });

  it("J8: what a run did counts as calls that ended", () => {
    const bench = new Bench();
    void bench.run();
    for (let i = 0; i < 30; i++) bench.says(FRAME.step, STEP);
    const report = bench.gauge.report(1, 0, { running: 1, loadedMs: 1000, nowMs: 2000 });
    expect(report).toMatchObject({ endedPerSecond: 30 });
    expect(bench.gauge.endedCalls).toBe(0);
  });
});
