import { cpuMs } from "../http/cpu-time.ts";
import { percentile, round } from "../report.ts";
import type { Contender, Steps } from "./contender.ts";
import type { Figures } from "./figures.ts";

const IN_FLIGHT = 64;
/** However long they take. */
const LEAST_ALONE = 10;

export async function roundOf(contender: Contender, steps: Steps, seconds: number): Promise<Figures> {
  return { ...(await alone(contender, steps, seconds)), ...(await inFlight(contender, steps, seconds)) };
}

export async function warmUp(contender: Contender, steps: Steps, seconds: number): Promise<void> {
  await inFlight(contender, steps, seconds);
}

type Alone = Pick<Figures, "aloneRuns" | "aloneP50Ms" | "aloneP99Ms">;

async function alone(contender: Contender, steps: Steps, seconds: number): Promise<Alone> {
  const tookMs: number[] = [];
  const untilMs = performance.now() + seconds * 1000;
  while (performance.now() < untilMs || tookMs.length < LEAST_ALONE) {
    const startMs = performance.now();
    await contender.run(steps);
    tookMs.push(performance.now() - startMs);
  }
  return { aloneRuns: tookMs.length, aloneP50Ms: round(percentile(tookMs, 50)), aloneP99Ms: round(percentile(tookMs, 99)) };
}

/** Each of them begins anew as soon as it has ended. The clock stops when the last has: a contender that ends them in bursts gains nothing by that. */
async function inFlight(contender: Contender, steps: Steps, seconds: number): Promise<Omit<Figures, keyof Alone>> {
  let runs = 0;
  const startMs = performance.now();
  const cpuBefore = cpuOf(contender);
  const clientBefore = process.cpuUsage();
  const worker = async (): Promise<void> => {
    while (performance.now() < startMs + seconds * 1000) {
      await contender.run(steps);
      runs++;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  const tookS = (performance.now() - startMs) / 1000;
  const client = process.cpuUsage(clientBefore);
  return {
    runsPerSecond: round(runs / tookS, 1),
    stepsPerSecond: Math.round((runs * steps) / tookS),
    cpuUsPerStep: round(((cpuOf(contender) - cpuBefore) * 1000) / (runs * steps), 1),
    clientUsPerRun: round((client.user + client.system) / runs, 1),
  };
}

function cpuOf(contender: Contender): number {
  return contender.pids().reduce((sum, pid) => sum + cpuMs(pid), 0);
}
