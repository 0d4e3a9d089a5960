import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { STOCK } from "./app/fates.ts";
import { APP, run, type RunReport, seedFrom, told } from "./driver.ts";
import { NodeProcess, pause } from "./node-process.ts";
import type { Senders } from "./senders.ts";
import { SmallDisk } from "./small-disk.ts";
import { canTrace, type Refusal, STRACE_MISSING, WriteFaults } from "./write-faults.ts";

/** The disk takes nothing more, in the middle of the load; then it does again, and the node goes on by itself. */
const seed = seedFrom(process.env["MILLRACE_SEED"]);
const DISK_MIB = 48;
const limitMs = 120_000;

async function refusals(senders: Senders, code: string, count: number): Promise<void> {
  const name = `503 ${code}`;
  const wanted = (senders.tally.refused[name] ?? 0) + count;
  const until = Date.now() + 20_000;
  while ((senders.tally.refused[name] ?? 0) < wanted) {
    if (Date.now() > until) throw new Error(`no ${name} came: ${JSON.stringify(senders.tally)}`);
    await pause(10);
  }
}

interface Trouble {
  begin(node: NodeProcess): Promise<unknown> | void;
  end(): Promise<unknown> | void;
  readonly code: string;
}

async function through(node: NodeProcess, trouble: Trouble): Promise<RunReport> {
  return run({ seed, kills: 1 }, node, async (stage) => {
    const { senders } = stage;
    for (let round = 0; round < 2; round++) {
      await senders.acknowledges(20);
      await trouble.begin(stage.node);
      await refusals(senders, trouble.code, 10);
      await expect.poll(() => stage.node.metric("millrace_store_healthy")).toBe(0);
      await trouble.end();
      await senders.acknowledges(20);
      await expect.poll(() => stage.node.metric("millrace_store_healthy")).toBe(1);
    }
    // What a node leaves behind that dies in this state, the next one can read.
    await trouble.begin(stage.node);
    await refusals(senders, trouble.code, 10);
    await stage.killNode();
    await trouble.end();
    await stage.launchNode();
    await senders.acknowledges(20);
  });
}

/** Faults put into the node's system calls, on and off. */
function injected(refusal: Refusal, code: string): Trouble {
  let faults: WriteFaults | null = null;
  return {
    code,
    begin: async ({ pid }) => (faults = await WriteFaults.begin(pid, refusal)),
    end: () => faults?.end(),
  };
}

describe("a disk that takes nothing more", () => {
  it("full: 503 disk_full, nothing acknowledged is lost, and the node goes on when there is room", { timeout: limitMs }, async (ctx) => {
    const disk = SmallDisk.mount(DISK_MIB);
    let report: RunReport;
    if (disk === null) {
      process.stderr.write("NO SMALL DISK: this user may not mount, so ENOSPC is put into the node's system calls instead.\n");
      ctx.skip(!canTrace(), STRACE_MISSING);
      report = await through(await NodeProcess.start(APP), injected("ENOSPC", "disk_full"));
    } else {
      onTestFinished(() => disk.unmount());
      const node = await NodeProcess.start(APP, { data: join(disk.path, "data") });
      report = await through(node, { code: "disk_full", begin: () => disk.fill(), end: () => disk.free() });
    }
    const { faults, sold } = told("full disk", report);
    expect(faults.slice(0, 20), `seed ${seed}`).toEqual([]);
    expect(sold).toBe(STOCK);
  });

  it("read-only: 503 data_unwritable, and the same", { timeout: limitMs }, async (ctx) => {
    ctx.skip(!canTrace(), STRACE_MISSING);
    const { faults, sold } = told("read-only disk", await through(await NodeProcess.start(APP), injected("EROFS", "data_unwritable")));
    expect(faults.slice(0, 20), `seed ${seed}`).toEqual([]);
    expect(sold).toBe(STOCK);
  });
});
