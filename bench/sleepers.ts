import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { NodeProcess, pause } from "../test/process/node-process.ts";
import { type BenchOptions, print, round } from "./report.ts";
import { fill } from "./sleepers/fill.ts";

const APP = join(import.meta.dirname, "sleepers/app");
const RUNS = 1_000_000;
const DUE = 10_000;
const LONG_STEPS = 10_000;
const MIB = 2 ** 20;

/**
 * A million runs asleep: what they cost a node that starts over them and lets them sleep, and how long ten thousand take that fall due at one
 * moment. Then one run of ten thousand steps: what it takes to run it again over its journal.
 */
export async function sleepers(options: BenchOptions): Promise<void> {
  const runs = options.runs ?? RUNS;
  const due = Math.min(DUE, runs);
  const data = mkdtempSync(join(tmpdir(), "millrace-sleepers-"));
  let node: NodeProcess | null = null;
  try {
    // The app is served once: its release is the one that the runs are on.
    node = await NodeProcess.start(APP, { data });
    await longRun(node);
    const { release } = (await node.controlJson("/v1/node")) as { release: { id: string } };
    await node.stop({ keepData: true });
    const fillMs = performance.now();
    // Filling takes minutes; what is due must not be due before the node has been looked at.
    await fill({ directory: data, release: release.id, runs, first: 0, dueRuns: 0, dueMs: 0 });
    const dueMs = Date.now() + START_MS;
    await fill({ directory: data, release: release.id, runs: due, first: runs, dueRuns: due, dueMs });
    print({
      measure: "runs laid into the store",
      runs: runs + due,
      seconds: round((performance.now() - fillMs) / 1000, 1),
      fileMiB: Math.round(statSync(join(data, "millrace.db")).size / MIB),
    });
    const startMs = performance.now();
    node = await NodeProcess.start(APP, { data });
    const readyMs = performance.now() - startMs;
    await pause(Math.max(0, dueMs - Date.now() - LOOK_BEFORE_MS));
    const asleep = await node.metric("millrace_runs_parked");
    if (asleep !== runs + due) throw new Error(`${asleep} of ${runs + due} runs are asleep`);
    print({
      measure: "a node over sleeping runs",
      parked: asleep,
      startMs: Math.round(readyMs),
      rssMiB: Math.round(node.rssBytes() / MIB),
      rssMB: Math.round(node.rssBytes() / 1e6),
      instances: await node.metric("millrace_instances"),
    });
    await untilAwake(node, data, due, dueMs);
  } finally {
    await node?.stop({ keepData: true });
    rmSync(data, { recursive: true, force: true });
  }
}

/** From the end of the filling to the moment in which ten thousand are due. */
const START_MS = 45_000;
const LOOK_BEFORE_MS = 2000;
const LONGEST_MS = 60_000;

async function untilAwake(node: NodeProcess, data: string, due: number, dueMs: number): Promise<void> {
  const database = new DatabaseSync(join(data, "millrace.db"), { readOnly: true, timeout: 10_000 });
  try {
    const ended = database.prepare("SELECT count(*) AS count, max(ended_ms) AS last FROM runs WHERE state >= 6 AND ended_ms >= ?");
    for (;;) {
      const row = ended.get(dueMs);
      const count = Number(row?.["count"]);
      if (count >= due) {
        print({
          measure: `${due} runs that fall due at once`,
          untilAllEndedMs: Number(row?.["last"]) - dueMs,
          rssMiB: Math.round(node.rssBytes() / MIB),
        });
        return;
      }
      if (Date.now() > dueMs + LONGEST_MS) throw new Error(`${count} of ${due} runs have ended after ${LONGEST_MS} ms`);
      // Looking costs what is being measured its processor.
      await pause(500);
    }
  } finally {
    database.close();
  }
}

/** Ten thousand steps, then a sleep: the wake has to run the handler again over all of them. */
async function longRun(node: NodeProcess): Promise<void> {
  const startMs = performance.now();
  const begun = await fetch(`${node.gateway}/long/${LONG_STEPS}`, { method: "POST", headers: { prefer: "wait=60" } });
  if (!begun.ok) throw new Error(`the long run answered ${begun.status}`);
  const ranMs = performance.now() - startMs;
  const { slept, woke } = (await (await fetch(`${node.gateway}/told`)).json()) as { slept: number; woke: number };
  print({
    measure: `a run of ${LONG_STEPS} steps`,
    seconds: round(ranMs / 1000, 1),
    stepMs: round((slept - (Date.now() - ranMs)) / LONG_STEPS, 3),
    replayMs: woke - slept - 2000,
  });
}
