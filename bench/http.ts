import { join } from "node:path";
import { download, type Moved, upload } from "../test/process/large-bodies.ts";
import { NodeProcess } from "../test/process/node-process.ts";
import { BARE, type Contender, RIVALS_RECIPES, startContender } from "./http/contenders.ts";
import { cpuMs, ownCpuMs } from "./http/cpu-time.ts";
import { type Served, wrk } from "./http/wrk.ts";
import { type BenchOptions, median, print, round } from "./report.ts";

const APP = join(import.meta.dirname, "app");
const BODIES_APP = join(import.meta.dirname, "../test/process/bodies-app");
const CONNECTIONS = 64;
const WAITING_CONNECTIONS = 1000;
const GIB = 1024 ** 3;

/**
 * The HTTP path: hello through gateway and sandbox against bare `node:http` and the rivals, in turns on the same two cores as wrk; a handler
 * that waits; bodies of a GiB. Beside requests per second stands the processor time of a request, which other tenants of the machine
 * move less. Not measured: functions that touch the store, connections without keep-alive.
 */
export async function http(options: BenchOptions): Promise<void> {
  const seconds = options.seconds ?? 8;
  const node = await NodeProcess.start(APP);
  try {
    await hello(node, seconds, options.runs ?? 5);
    await waiting(node, seconds);
  } finally {
    await node.stop();
  }
  await largeBodies();
}

interface Round extends Served {
  readonly cpuUs: number;
}

async function hello(node: NodeProcess, seconds: number, runs: number): Promise<void> {
  const contenders: Contender[] = [];
  const ours = { pid: node.pid, stop: () => {} };
  contenders.push({ ...ours, name: "millrace", url: `${node.gateway}/hello` });
  contenders.push({ ...ours, name: "millrace, concurrency 64", url: `${node.gateway}/hello/wide` });
  for (const recipe of [BARE, ...RIVALS_RECIPES]) {
    const started = await startContender(recipe);
    if ("absent" in started) print({ measure: "hello", absent: recipe.name, because: started.absent });
    else contenders.push(started);
  }
  try {
    for (const { url } of contenders) await wrk(url, { connections: CONNECTIONS, seconds: Math.min(3, seconds) });
    const rounds = new Map<string, Round[]>(contenders.map(({ name }) => [name, []]));
    for (let run = 0; run < runs; run++) {
      for (const contender of contenders) {
        const result = await roundOf(contender, seconds);
        rounds.get(contender.name)?.push(result);
        print({ measure: "hello", run, of: contender.name, ...result });
      }
    }
    const bare = rounds.get(BARE.name) ?? [];
    for (const [of, results] of rounds) {
      print({
        measure: "hello, medians",
        of,
        perSecond: median(results.map(({ perSecond }) => perSecond)),
        p99Ms: median(results.map(({ p99Ms }) => p99Ms)),
        cpuUs: median(results.map(({ cpuUs }) => cpuUs)),
        ofBare: round(median(results.map(({ perSecond }, run) => perSecond / (bare[run]?.perSecond ?? Number.NaN)))),
      });
    }
  } finally {
    for (const { stop } of contenders) stop();
  }
}

async function roundOf({ url, pid }: Contender, seconds: number): Promise<Round> {
  const before = cpuMs(pid);
  const served = await wrk(url, { connections: CONNECTIONS, seconds });
  return { ...served, cpuUs: round(((cpuMs(pid) - before) * 1000) / served.requests, 1) };
}

/** A handler that awaits 50 ms: 20,000 calls a second could be answered if nothing but waiting took time. */
async function waiting(node: NodeProcess, seconds: number): Promise<void> {
  const url = `${node.gateway}/wait/50`;
  const load = { connections: WAITING_CONNECTIONS, seconds };
  await wrk(url, { ...load, seconds: 3 });
  const before = { node: ownCpuMs(node.pid), all: cpuMs(node.pid) };
  const { perSecond, p50Ms, p99Ms, requests } = await wrk(url, load);
  const instances = await instancesOf(node, "wait");
  const nodeUs = ((ownCpuMs(node.pid) - before.node) * 1000) / requests;
  const allUs = ((cpuMs(node.pid) - before.all) * 1000) / requests;
  print({
    measure: "a handler that awaits 50 ms",
    connections: WAITING_CONNECTIONS,
    perSecond,
    p50Ms,
    p99Ms,
    instances,
    nodeUs: round(nodeUs, 1),
    instancesUs: round(allUs - nodeUs, 1),
  });
}

/** Of the function that waits, as the control API shows them. */
async function instancesOf(node: NodeProcess, fn: string): Promise<number> {
  const { functions } = (await node.controlJson("/v1/functions")) as { functions: { name: string; instances: number }[] };
  return functions.find(({ name }) => name === fn)?.instances ?? 0;
}

async function largeBodies(): Promise<void> {
  const node = await NodeProcess.start(BODIES_APP, { args: ["--max-body", "2gb"] });
  try {
    await upload(node, GIB / 16);
    await download(node, GIB / 16);
    print({ measure: "1 GiB up", ...shown(await upload(node, GIB)) });
    print({ measure: "1 GiB down", ...shown(await download(node, GIB)) });
  } finally {
    await node.stop();
  }
}

function shown({ bytes, seconds, nodeBytes, instanceBytes }: Moved): object {
  const mib = (size: number): number => Math.round(size / 1024 ** 2);
  return {
    mib: mib(bytes),
    mibPerSecond: Math.round(mib(bytes) / seconds),
    nodeRoseMib: mib(nodeBytes),
    instanceRoseMib: mib(instanceBytes),
  };
}
