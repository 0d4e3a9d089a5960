import { rmSync } from "node:fs";
import { join } from "node:path";
import { inspect, quiet } from "./inspect.ts";
import { faultsIn } from "./model.ts";
import { freePort, NodeProcess, pause } from "./node-process.ts";
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
  readonly seconds: number;
  readonly tally: Tally;
  readonly faults: readonly string[];
}

const LONGEST_LIFE_MS = 500;
/** A share of the nodes does not live to serve. */
const STILLBORN_SHARE = 0.15;
const LONGEST_START_MS = 350;

/** The node itself is killed and started again, on the same directory and port. */
export async function killNodes(options: RunOptions): Promise<RunReport> {
  const port = await freePort();
  const random = new Random(options.seed);
  let node = await NodeProcess.start(APP, { port });
  return run(options, node, async (senders) => {
    for (let killed = 0; killed < options.kills;) {
      await serveAndDie(node, random, senders);
      killed++;
      node = await NodeProcess.launch(APP, { port, data: node.data });
      while (killed < options.kills && random.chance(STILLBORN_SHARE)) {
        await pause(random.next() * LONGEST_START_MS);
        mustRun(node);
        await node.kill();
        killed++;
        node = await NodeProcess.launch(APP, { port, data: node.data });
      }
      await node.ready();
    }
    return node;
  });
}

async function serveAndDie(node: NodeProcess, random: Random, senders: Senders): Promise<void> {
  // Most nodes do some work first; some die with what they found at their start.
  if (random.chance(0.7)) await senders.acknowledges(1);
  await pause(random.next() * LONGEST_LIFE_MS);
  mustRun(node);
  await node.kill();
}

/** Instances, with functions or spare, are killed under a node that stays. */
export async function killInstances(options: RunOptions): Promise<RunReport> {
  const random = new Random(options.seed);
  const node = await NodeProcess.start(APP);
  return run(options, node, async (senders) => {
    for (let killed = 0; killed < options.kills;) {
      await senders.acknowledges(1);
      await pause(random.next() * 150);
      mustRun(node);
      const pids = node.instancePids();
      if (pids.length === 0 || !killIfAlive(random.pick(pids))) continue;
      killed++;
    }
    return node;
  });
}

/** False when it ended by itself between the look and the kill. */
function killIfAlive(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}

export type Disturb = (senders: Senders, node: NodeProcess) => Promise<NodeProcess>;

/** Resolves with what was found; the node is stopped, and its directory is gone unless there were faults. */
export async function run(options: RunOptions, first: NodeProcess, disturb: Disturb): Promise<RunReport> {
  const startMs = performance.now();
  const senders = new Senders({
    gateway: first.gateway,
    seed: options.seed,
    senders: options.senders ?? 4,
    pauseMs: options.pauseMs ?? 100,
  });
  let node = first;
  try {
    node = await disturb(senders, node);
    await senders.stop();
    await quiet(node);
    mustRun(node);
    const found = await inspect(node);
    const faults = faultsIn(senders.sent, found);
    const report: RunReport = {
      seed: options.seed,
      kills: options.kills,
      events: found.log.length,
      effects: found.kv.size,
      dead: found.dead.length,
      seconds: Math.round((performance.now() - startMs) / 100) / 10,
      tally: senders.tally,
      faults,
    };
    await node.stop({ keepData: true });
    if (faults.length === 0) rmSync(node.data, { recursive: true, force: true });
    return report;
  } catch (thrown) {
    const said = node.output;
    await node.kill();
    throw new Error(`seed ${options.seed}, data ${node.data}: ${thrown instanceof Error ? thrown.message : String(thrown)}\n${said}`, {
      cause: thrown,
    });
  }
}

function mustRun(node: NodeProcess): void {
  if (!node.running) throw new Error(`the node ended by itself:\n${node.output}`);
}

export function seedFrom(text: string | undefined): number {
  const seed = text === undefined || text === "" ? Math.floor(Math.random() * 2 ** 31) : Number(text);
  if (!Number.isSafeInteger(seed)) throw new Error(`the seed must be a whole number, not ${JSON.stringify(text)}`);
  return seed;
}

/** One line for people. */
export function summary(what: string, { seed, kills, events, effects, dead, seconds, tally, faults }: RunReport): string {
  const refused = Object.entries(tally.refused).map(([answer, times]) => `${times} × ${answer}`);
  return (
    `${what}: seed ${seed}, ${kills} kills in ${seconds} s; ${tally.requests} requests: ${tally.acknowledged} acknowledged, ${tally.givenUp} given up; ` +
    `${tally.broken} broken connections, ${tally.duplicates} answered as duplicates (${tally.repeated} repeated on purpose); ` +
    `refused: ${refused.join(", ") || "none"}; ${events} events in the log, ${effects} kv values, ${dead} dead letters; ${faults.length} faults\n`
  );
}
