import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { APP, run, type RunReport, seedFrom, summary } from "./driver.ts";
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
  begin(): Promise<unknown> | void;
  end(): Promise<unknown> | void;
  readonly code: string;
}

async function through(node: NodeProcess, trouble: Trouble): Promise<RunReport> {
  return run({ seed, kills: 0 }, node, async ({ senders }) => {
    for (let round = 0; round < 3; round++) {
      await senders.acknowledges(20);
      await trouble.begin();
      await refusals(senders, trouble.code, 10);
      const before = senders.tally.acknowledged;
      await refusals(senders, trouble.code, 10);
      // Only what was on its way into the disk when it filled up could still be acknowledged.
      expect(senders.tally.acknowledged - before).toBeLessThanOrEqual(0);
      expect(await node.metric("millrace_store_healthy")).toBe(0);
      await trouble.end();
      await senders.acknowledges(20);
      expect(await node.metric("millrace_store_healthy")).toBe(1);
    }
  });
}

function judge(what: string, report: RunReport): void {
  process.stdout.write(summary(what, report));
  expect(report.faults.slice(0, 20), `seed ${report.seed}`).toEqual([]);
}

/** Faults put into the node's system calls, on and off. */
function injected(node: () => NodeProcess, refusal: Refusal, code: string): Trouble {
  let faults: WriteFaults | null = null;
  return {
    code,
    begin: async () => (faults = await WriteFaults.begin(node().pid, refusal)),
    end: () => faults?.end(),
  };
}

describe("a disk that takes nothing more", () => {
  it("full: 503 disk_full, nothing acknowledged is lost, and the node goes on when there is room", { timeout: limitMs }, async (ctx) => {
    const disk = SmallDisk.mount(DISK_MIB);
    if (disk === null) {
      process.stderr.write("NO SMALL DISK: this user may not mount, so ENOSPC is put into the node's system calls instead.\n");
      ctx.skip(!canTrace(), STRACE_MISSING);
      const node = await NodeProcess.start(APP);
      return judge(
        "full disk (injected)",
        await through(
          node,
          injected(() => node, "ENOSPC", "disk_full"),
        ),
      );
    }
    onTestFinished(() => disk.unmount());
    const node = await NodeProcess.start(APP, { data: join(disk.path, "data") });
    judge("full disk", await through(node, { code: "disk_full", begin: () => disk.fill(), end: () => disk.free() }));
  });

  it("read-only: 503 data_unwritable, and the same", { timeout: limitMs }, async (ctx) => {
    ctx.skip(!canTrace(), STRACE_MISSING);
    const node = await NodeProcess.start(APP);
    judge(
      "read-only disk",
      await through(
        node,
        injected(() => node, "EROFS", "data_unwritable"),
      ),
    );
  });
});
