import { Agent, request } from "node:http";
import { join } from "node:path";
import { NodeProcess, pause } from "../test/process/node-process.ts";
import { type BenchOptions, median, percentile, print, round } from "./report.ts";

const APP = join(import.meta.dirname, "app");
const WINDOW_MS = 250;
const CROWD = 2000;

/**
 * From nothing to a load, at once: how long until the answers come as they then go on to come, with how many instances, and how long until
 * there is none again. The load is open: a call leaves when it is due, whatever has become of those before. It is made on the same cores,
 * so 500 calls a second that compute for 5 ms are more than two cores can do; 150 are not. Not measured: functions that touch the store.
 */
export async function surge(options: BenchOptions): Promise<void> {
  const seconds = options.seconds ?? 10;
  const node = await NodeProcess.start(APP);
  try {
    // The node's own code is compiled by its first calls; each function below still starts from nothing.
    for (let i = 0; i < 500; i++) await get(node, "/hello", new Agent({ keepAlive: true }));
    await step(node, { name: "waits", perSecond: 500, seconds });
    await step(node, { name: "computes", perSecond: 150, seconds });
    await step(node, { name: "computes", perSecond: 500, seconds });
    await crowd(node);
  } finally {
    await node.stop();
  }
}

interface Step {
  readonly name: string;
  readonly perSecond: number;
  readonly seconds: number;
}

interface Answer {
  readonly leftMs: number;
  readonly tookMs: number;
  readonly status: number;
}

async function step(node: NodeProcess, { name, perSecond, seconds }: Step): Promise<void> {
  const cpuBefore = await node.metric("process_cpu_seconds_total");
  const watch = new InstanceWatch(node, name);
  const agent = new Agent({ keepAlive: true });
  const answers: Promise<Answer>[] = [];
  const startMs = performance.now();
  while (performance.now() < startMs + seconds * 1000) {
    const due = Math.floor(((performance.now() - startMs) * perSecond) / 1000);
    while (answers.length < due) answers.push(timed(node, `/surge/${name}`, agent, startMs));
    await pause(1);
  }
  const all = await Promise.all(answers);
  const endMs = performance.now();
  const nodeCpuMs = ((await node.metric("process_cpu_seconds_total")) - cpuBefore) * 1000;
  const zeroMs = await watch.untilZero();
  agent.destroy();
  const good = all.filter(({ status }) => status === 200);
  print({
    measure: `0 to ${perSecond} calls/s, ${name}`,
    seconds,
    answered: good.length,
    refused: all.length - good.length,
    firstMs: round(all[0]?.tookMs ?? Number.NaN),
    p99SteadyAfterMs: steadyAfterMs(good),
    p50Ms: round(percentile(tookOf(good), 50)),
    p99Ms: round(percentile(tookOf(good), 99)),
    nodeCpuMsPerCall: round(nodeCpuMs / all.length),
    instances: watch.changes(startMs),
    zeroAfterLastAnswerMs: Math.round(zeroMs - endMs),
  });
}

/** So many calls at the same moment, none of which has anything to do but to wait. */
async function crowd(node: NodeProcess): Promise<void> {
  const watch = new InstanceWatch(node, "crowd");
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
  const startMs = performance.now();
  const all = await Promise.all(Array.from({ length: CROWD }, () => timed(node, "/surge/crowd", agent, startMs)));
  const tookMs = performance.now() - startMs;
  agent.destroy();
  const good = all.filter(({ status }) => status === 200);
  print({
    measure: `0 to ${CROWD} calls in flight that wait for 1 s`,
    answered: good.length,
    refused: all.length - good.length,
    allAnsweredMs: Math.round(tookMs),
    p50Ms: round(percentile(tookOf(good), 50)),
    p99Ms: round(percentile(tookOf(good), 99)),
    instances: watch.changes(startMs),
    mostInstances: watch.most,
  });
  await watch.untilZero();
}

/** From when on no window's p99 was more than twice the usual one of the second half; null: to the end it was. */
function steadyAfterMs(answers: readonly Answer[]): number | null {
  const windows: number[][] = [];
  for (const { leftMs, tookMs } of answers) (windows[Math.floor(leftMs / WINDOW_MS)] ??= []).push(tookMs);
  const p99s = Array.from(windows, (window) => (window === undefined ? Infinity : percentile(window, 99)));
  const usualMs = median(p99s.slice(Math.floor(p99s.length / 2)));
  const last = p99s.findLastIndex((p99) => p99 > 2 * usualMs);
  // A queue that grows to the end is not steady, however smoothly it does.
  const grows = (p99s.at(-1) ?? 0) > 1.5 * (p99s[Math.floor(p99s.length / 2)] ?? 0) && usualMs > 200;
  return grows || last === p99s.length - 1 ? null : (last + 1) * WINDOW_MS;
}

/** Looks at a function's instances every 50 ms. */
class InstanceWatch {
  most = 0;
  private readonly node: NodeProcess;
  private readonly name: string;
  private readonly seen: { readonly atMs: number; readonly instances: number }[] = [];
  private readonly watching: Promise<void>;
  private stopAtZero = false;

  constructor(node: NodeProcess, name: string) {
    this.node = node;
    this.name = name;
    this.watching = this.watch();
  }

  /** When they had all gone. */
  async untilZero(): Promise<number> {
    this.stopAtZero = true;
    await this.watching;
    return this.seen.at(-1)?.atMs ?? 0;
  }

  /** `[ms since the start, instances]` at each change. */
  changes(startMs: number): readonly (readonly [number, number])[] {
    return this.seen.map(({ atMs, instances }) => [Math.round(atMs - startMs), instances] as const);
  }

  private async watch(): Promise<void> {
    for (;;) {
      const instances = await this.node.metric(`millrace_function_instances{function="${this.name}"}`);
      this.most = Math.max(this.most, instances);
      if (instances !== (this.seen.at(-1)?.instances ?? 0)) this.seen.push({ atMs: performance.now(), instances });
      if (this.stopAtZero && instances === 0) return;
      await pause(50);
    }
  }
}

async function timed(node: NodeProcess, path: string, agent: Agent, startMs: number): Promise<Answer> {
  const leftMs = performance.now();
  const status = await get(node, path, agent);
  return { leftMs: leftMs - startMs, tookMs: performance.now() - leftMs, status };
}

function get({ port }: NodeProcess, path: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request({ host: "127.0.0.1", port, path, agent }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode ?? 0));
      answer.on("error", reject);
    });
    call.on("error", reject);
    call.end();
  });
}

function tookOf(answers: readonly Answer[]): number[] {
  return answers.map(({ tookMs }) => tookMs);
}
