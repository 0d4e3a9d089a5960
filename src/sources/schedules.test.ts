import { describe, expect, it } from "vitest";
import { EngineUnderTest } from "../delivery/testing-support/engine-under-test.ts";
import { functionOf } from "../delivery/testing-support/manifests.ts";
import { eventOf, returned } from "../delivery/testing-support/outcomes.ts";
import type { FunctionManifest, Trigger } from "../protocol/manifest.ts";
import { afterFiring, nextDueMs, Schedules } from "./schedules.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

const every = (everyMs: number): Trigger => ({ kind: "every", everyMs });
const cron = (expression: string, timezone: string | null = null): Trigger => ({ kind: "cron", expression, timezone });

function scheduled(name: string, ...triggers: readonly Trigger[]): FunctionManifest {
  return functionOf(name, { triggers });
}

interface Tick {
  readonly fn: string;
  readonly at: string;
  readonly schedule: string;
  readonly missed: number;
}

/** A node's schedules over an engine: `use` as the node does it. */
class Node {
  readonly world: EngineUnderTest;
  readonly ticks: Tick[] = [];
  private schedules: Schedules;
  private functions: readonly FunctionManifest[] = [];

  static async start(...functions: readonly FunctionManifest[]): Promise<Node> {
    const world = await EngineUnderTest.start({ functions: [], loaded: false });
    const node = new Node(world);
    await node.use(...functions);
    return node;
  }

  private constructor(world: EngineUnderTest) {
    this.world = world;
    this.schedules = this.made();
  }

  private made(): Schedules {
    return new Schedules({ store: this.world.store, engine: this.world.engine, clock: this.world.clock });
  }

  async use(...functions: readonly FunctionManifest[]): Promise<void> {
    this.functions = functions;
    for (const { name } of functions) {
      this.world.scripts[name] = (call) => {
        const { data, time } = eventOf<{ schedule: string; missed: number }>(call);
        this.ticks.push({ fn: name, at: time ?? "", schedule: data?.schedule ?? "", missed: data?.missed ?? -1 });
        return returned();
      };
    }
    await this.world.use(...functions);
    await this.schedules.use({ functions, events: [] });
    await this.world.engine.settled();
  }

  async down(ms: number, ...functions: readonly FunctionManifest[]): Promise<void> {
    await this.world.restart({ meanwhileMs: ms, loaded: false });
    this.schedules = this.made();
    await this.use(...(functions.length === 0 ? this.functions : functions));
  }

  times(): readonly string[] {
    return this.ticks.map(({ at }) => at.slice(11, 19));
  }
}

describe("schedules", () => {
  it("every keeps to the grid that began with its release", async () => {
    const node = await Node.start(scheduled("f", every(5 * MINUTE_MS)));
    await node.world.advance(16 * MINUTE_MS);
    expect(node.times()).toEqual(["00:05:00", "00:10:00", "00:15:00"]);
    expect(node.ticks[0]).toEqual({ fn: "f", at: "2026-01-01T00:05:00.000Z", schedule: "every 300000ms", missed: 0 });
    const [event] = await node.world.store.events({ limit: 1 });
    expect(event).toMatchObject({ type: "millrace.schedule", source: "/schedules/f", origin: "platform" });
  });

  it("cron follows the clock of its time zone, in UTC without one", async () => {
    const node = await Node.start(scheduled("utc", cron("30 9 * * *")), scheduled("kolkata", cron("30 9 * * *", "Asia/Kolkata")));
    await node.world.advance(24 * HOUR_MS);
    expect(node.ticks.map(({ fn, at, schedule }) => `${fn} ${at} ${schedule}`)).toEqual([
      "kolkata 2026-01-01T04:00:00.000Z cron 30 9 * * * Asia/Kolkata",
      "utc 2026-01-01T09:30:00.000Z cron 30 9 * * *",
    ]);
  });

  it.each([
    // In Berlin the clock goes from 02:00 to 03:00 on 2026-03-29, and from 03:00 back to 02:00 on 2026-10-25.
    [
      "a daily time keeps its hour through both changes",
      "0 9 * * *",
      ["2026-03-28T08:00", "2026-03-29T07:00", "2026-03-30T07:00"],
      "2026-03-28T00:00Z",
    ],
    ["and back", "0 9 * * *", ["2026-10-24T07:00", "2026-10-25T08:00", "2026-10-26T08:00"], "2026-10-24T00:00Z"],
    [
      "a time that the night skips comes right after it",
      "30 2 * * *",
      ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"],
      "2026-03-28T00:00Z",
    ],
    [
      "a time that the night has twice comes once",
      "30 2 * * *",
      ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"],
      "2026-10-24T00:00Z",
    ],
  ])("cron and summer time: %s", (_, expression, expected, from) => {
    const schedule = { kind: "cron", expression, timezone: "Europe/Berlin" } as const;
    let atMs = Date.parse(from);
    const times = expected.map(() => {
      atMs = nextDueMs(schedule, atMs, atMs) ?? Number.NaN;
      return new Date(atMs).toISOString().slice(0, 16);
    });
    expect(times).toEqual(expected);
  });

  it("D25: after downtime each fires once, at once, and says how many it missed; then it goes on as before", async () => {
    const node = await Node.start(scheduled("f", every(10 * MINUTE_MS)), scheduled("c", cron("0 * * * *")));
    await node.world.advance(10 * MINUTE_MS);
    await node.down(3 * HOUR_MS + 5 * MINUTE_MS);
    expect(node.ticks.slice(1)).toEqual([
      { fn: "f", at: "2026-01-01T00:20:00.000Z", schedule: "every 600000ms", missed: 17 },
      { fn: "c", at: "2026-01-01T01:00:00.000Z", schedule: "cron 0 * * * *", missed: 2 },
    ]);
    await node.world.advance(HOUR_MS);
    expect(node.ticks.slice(3).map(({ fn, at, missed }) => `${fn} ${at.slice(11, 16)} ${missed}`)).toEqual([
      "f 03:20 0",
      "f 03:30 0",
      "f 03:40 0",
      "f 03:50 0",
      "c 04:00 0",
      "f 04:00 0",
      "f 04:10 0",
    ]);
  });

  it("a schedule that stayed keeps its next time, a changed one starts anew, one that is gone does not fire", async () => {
    const node = await Node.start(
      scheduled("stays", every(10 * MINUTE_MS)),
      scheduled("changes", every(10 * MINUTE_MS)),
      scheduled("goes", every(10 * MINUTE_MS)),
    );
    await node.world.advance(4 * MINUTE_MS);
    await node.use(scheduled("stays", every(10 * MINUTE_MS)), scheduled("changes", every(3 * MINUTE_MS)));
    await node.world.advance(7 * MINUTE_MS);
    expect(node.ticks.map(({ fn, at }) => `${fn} ${at.slice(14, 16)}`)).toEqual(["changes 07", "stays 10", "changes 10"]);
    expect(await node.world.store.timers("schedule")).toHaveLength(2);
  });

  it("one that changed or went while the node was down does not fire by its old plan", async () => {
    const node = await Node.start(scheduled("changes", every(10 * MINUTE_MS)), scheduled("goes", every(10 * MINUTE_MS)));
    await node.down(HOUR_MS, scheduled("changes", every(20 * MINUTE_MS)));
    expect(node.ticks).toEqual([]);
    await node.world.advance(20 * MINUTE_MS);
    expect(node.ticks.map(({ fn, schedule }) => `${fn} ${schedule}`)).toEqual(["changes every 1200000ms"]);
  });

  it("D24: two nodes over one store do not fire the same time twice", async () => {
    const node = await Node.start(scheduled("f", every(10 * MINUTE_MS)));
    const { store, clock } = node.world;
    const [timer] = await store.timers("schedule");
    const dueMs = timer?.dueMs ?? 0;
    // The other node was first: it fired this time and set the next.
    const fired = { name: timer?.name ?? "", dueMs, epoch: (await store.acquire("other")).epoch };
    const next = { name: fired.name, kind: "schedule", partition: 0, dueMs: dueMs + 10 * MINUTE_MS, payload: timer?.payload ?? "" };
    expect((await store.commit({ id: "theirs", nowMs: dueMs, fired, timers: [next] })).kind).toBe("committed");
    expect((await store.commit({ id: "again", nowMs: dueMs, fired, timers: [next] })).kind).toBe("fenced");
    await clock.advanceTo(dueMs + MINUTE_MS, () => node.world.engine.settled());
    expect(node.ticks).toEqual([]);
  });

  it("several schedules of one function are each their own; the same one twice is one", async () => {
    const node = await Node.start(scheduled("f", every(10 * MINUTE_MS), every(15 * MINUTE_MS), every(10 * MINUTE_MS)));
    await node.world.advance(30 * MINUTE_MS);
    expect(node.times()).toEqual(["00:10:00", "00:15:00", "00:20:00", "00:30:00", "00:30:00"]);
  });

  it("a time that never comes ends the schedule", () => {
    const schedule = { kind: "cron", expression: "0 0 30 2 *", timezone: null } as const;
    expect(nextDueMs(schedule, 0, Date.UTC(2026, 0, 1))).toBeNull();
  });

  it("counts what a cron missed, up to a bound", () => {
    const schedule = { kind: "cron", expression: "* * * * *", timezone: "Europe/Berlin" } as const;
    const fromMs = Date.UTC(2026, 0, 1);
    expect(afterFiring(schedule, fromMs, fromMs + 90 * MINUTE_MS)).toEqual({ dueMs: fromMs + 91 * MINUTE_MS, missed: 90 });
    expect(afterFiring(schedule, fromMs, fromMs + 365 * 24 * HOUR_MS).missed).toBe(1000);
  });

  it("a clock that was set back does not fire a time twice", () => {
    expect(afterFiring({ kind: "every", everyMs: 1000 }, 10_000, 9_500)).toEqual({ dueMs: 11_000, missed: 0 });
  });
});
