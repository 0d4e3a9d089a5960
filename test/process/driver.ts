import { rmSync } from "node:fs";
import { join } from "node:path";
import { inspect, quiet } from "./inspect.ts";
import { faultsIn } from "./model.ts";
import { NodeProcess, pause } from "./node-process.ts";
import { Random } from "./random.ts";
import { Senders, type Tally } from "./senders.ts";

/**
 * One run: a node under load, something that goes wrong again and again, and then the question whether anything was lost or done twice.
 * The phases: serve, disturb, let the senders finish, settle, judge. What was drawn (load and moments) follows from the seed; how processes
 * and the disk take turns does not, so a seed that found a fault may need a few runs to find it again.
 */
export const APP = join(import.meta.dirname, "app");

export interface RunOptions {
  readonly seed: number;
  readonly kills: number;
  readonly senders?: number;
  readonly pauseMs?: number;
}

export interface RunReport {
  readonly seed: number;
  readonly kills: number;
  readonly events: number;
  readonly effects: number;
  readonly dead: number;
  readonly sold: number;
  readonly seconds: number;
  /** Of them, from the last acknowledgement until nothing was left to do. */
  readonly settledSeconds: number;
  readonly tally: Tally;
  /** Kept when there are faults. */
  readonly data: string;
  readonly faults: readonly string[];
}

const LONGEST_LIFE_MS = 500;
/** A share of the nodes does not live to serve. */
const STILLBORN_SHARE = 0.15;
const LONGEST_START_MS = 350;
/** Between two instances. */
const LONGEST_CALM_MS = 150;

/** The node that is there now; a kill puts another one in its place. */
export class Stage {
  readonly senders: Senders;
  node: NodeProcess;

  constructor(node: NodeProcess, senders: Senders) {
    this.node = node;
    this.senders = senders;
  }

  mustRun(): void {
    if (!this.node.running) throw new Error(`the node ended by itself:\n${this.node.output}`);
  }

  /** SIGKILL. */
  async killNode(): Promise<void> {
    this.mustRun();
    await this.node.kill();
  }

  /** The next one, on the same directory and port; it need not be ready. */
  async launchNode(): Promise<void> {
    const { data, port } = this.node;
    this.node = await NodeProcess.launch(APP, { data, port });
  }
}

/** The node itself is killed and started again. */
export async function killNodes(options: RunOptions): Promise<RunReport> {
  const random = new Random(options.seed);
  // One that ends well leaves what it compiled to those that will not have the time.
  await (await NodeProcess.start(APP)).stop();
  return run(options, await NodeProcess.start(APP), async (stage) => {
    for (let killed = 0; killed < options.kills; killed++) {
      if (random.chance(STILLBORN_SHARE)) {
        await pause(random.next() * LONGEST_START_MS);
      } else {
        await stage.node.ready();
        // Most nodes take something in first; some die with what they found at their start.
        if (random.chance(0.7)) await stage.senders.acknowledges(1);
        await pause(random.next() * LONGEST_LIFE_MS);
      }
      await stage.killNode();
      await stage.launchNode();
    }
    await stage.node.ready();
  });
}

/** Instances, with functions or spare, are killed under a node that stays. */
export async function killInstances(options: RunOptions): Promise<RunReport> {
  const random = new Random(options.seed);
  return run(options, await NodeProcess.start(APP), async ({ node, senders }) => {
    for (let killed = 0; killed < options.kills;) {
      await senders.acknowledges(1);
      await pause(random.next() * LONGEST_CALM_MS);
      const pids = node.instancePids();
      if (pids.length > 0 && isKilled(random.pick(pids))) killed++;
    }
  });
}

/** False when it ended by itself between the look and the kill. */
function isKilled(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}

/** Load, disturbance, judgement. Afterwards the node is stopped, and its directory is gone unless it is of interest. */
export async function run(options: RunOptions, first: NodeProcess, disturb: (stage: Stage) => Promise<void>): Promise<RunReport> {
  const startMs = performance.now();
  const { seed, kills } = options;
  const load = { gateway: first.gateway, seed, senders: options.senders ?? 4, pauseMs: options.pauseMs ?? 100 };
  const stage = new Stage(first, new Senders(load));
  try {
    await disturb(stage);
    await stage.senders.stop();
    const sentMs = performance.now();
    await quiet(stage.node);
    const settledSeconds = tenths(performance.now() - sentMs);
    stage.mustRun();
    const found = await inspect(stage.node);
    const faults = faultsIn(stage.senders.sent, found);
    await stage.node.stop({ keepData: true });
    if (faults.length === 0) rmSync(stage.node.data, { recursive: true, force: true });
    const sold = [...found.kv.keys()].filter((key) => key.startsWith("sale/sold/")).length;
    const counts = { events: found.log.length, effects: found.kv.size, dead: found.dead.length, sold };
    const seconds = tenths(performance.now() - startMs);
    return { seed, kills, ...counts, seconds, settledSeconds, tally: stage.senders.tally, data: stage.node.data, faults };
  } catch (thrown) {
    const said = stage.node.output;
    await stage.node.kill();
    await stage.senders.abandon();
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new Error(`seed ${seed}, data ${stage.node.data}: ${why}\n${said}`, { cause: thrown });
  }
}

function tenths(ms: number): number {
  return Math.round(ms / 100) / 10;
}

export function seedFrom(text: string | undefined): number {
  const seed = text === undefined || text === "" ? Math.floor(Math.random() * 2 ** 31) : Number(text);
  if (!Number.isSafeInteger(seed)) throw new Error(`the seed must be a whole number, not ${JSON.stringify(text)}`);
  return seed;
}

/** Says in one line how it went, and hands it on. */
export function told(what: string, report: RunReport): RunReport {
  process.stdout.write(summary(what, report));
  return report;
}

function summary(
  what: string,
  { seed, kills, events, effects, dead, sold, seconds, settledSeconds, tally, data, faults }: RunReport,
): string {
  const refused = Object.entries(tally.refused).map(([answer, times]) => `${times} × ${answer}`);
  return (
    `${what}: seed ${seed}, ${kills} kills in ${seconds} s (the last ${settledSeconds} s to settle); ${tally.requests} requests: ${tally.acknowledged} acknowledged, ${tally.givenUp} given up; ` +
    `${tally.broken} broken connections, ${tally.duplicates} answered as duplicates (${tally.repeated} repeated on purpose); ` +
    `refused: ${refused.join(", ") || "none"}; ${events} events in the log, ${effects} kv values, ${dead} dead letters, ${sold} sold; ${faults.length} faults${faults.length === 0 ? "" : `, see ${data}`}\n`
  );
}
