import { rmSync } from "node:fs";
import { toError } from "../src/core/index.ts";
import { writeApp } from "./cold/big-app.ts";
import type { Contender, OpenContender } from "./cold/contender.ts";
import { functionsFramework } from "./cold/functions-framework.ts";
import { ours } from "./cold/ours.ts";
import { serverlessOffline } from "./cold/serverless-offline.ts";
import { workerdIsolate, workerdProcess } from "./cold/workerd.ts";
import { type BenchOptions, percentile, print, round } from "./report.ts";

/** Of each contender, before what counts. */
const WARM_UP = 3;

interface Entrant {
  readonly contender: Contender;
  readonly opened: OpenContender;
  readonly tookMs: number[];
}

/** First answers, ours and others', one of each after the other: what else the machine does then hits all alike. */
export async function cold(options: BenchOptions): Promise<void> {
  const rounds = options.runs ?? 100;
  const app = writeApp();
  const entrants: Entrant[] = [];
  try {
    for (const contender of contenders(app)) {
      const entrant = await enter(contender);
      if (entrant !== null) entrants.push(entrant);
    }
    for (let round = 0; round < rounds + WARM_UP; round++) {
      for (const { opened, tookMs } of entrants) {
        const ms = await opened.once();
        if (round >= WARM_UP) tookMs.push(ms);
      }
    }
    for (const entrant of entrants) await report(entrant);
  } finally {
    for (const { opened } of entrants) await opened.close();
    rmSync(app, { recursive: true, force: true });
  }
}

function contenders(app: string): Contender[] {
  return [
    ours(app, { fn: "small", spare: true, cache: true }),
    ours(app, { fn: "big", spare: true, cache: true }),
    ours(app, { fn: "small", spare: false, cache: true }),
    ours(app, { fn: "big", spare: false, cache: true }),
    ours(app, { fn: "big", spare: false, cache: false }),
    workerdIsolate,
    workerdProcess,
    functionsFramework,
    serverlessOffline,
  ];
}

async function enter(contender: Contender): Promise<Entrant | null> {
  try {
    const opened = await contender.open();
    await opened.once().catch(async (error: unknown) => {
      await opened.close();
      throw error;
    });
    return { contender, opened, tookMs: [] };
  } catch (error) {
    print({ contender: contender.name, absent: toError(error).message });
    return null;
  }
}

async function report({ contender, opened, tookMs }: Entrant): Promise<void> {
  print({
    contender: contender.name,
    what: contender.what,
    samples: tookMs.length,
    p10Ms: round(percentile(tookMs, 10)),
    p50Ms: round(percentile(tookMs, 50)),
    p99Ms: round(percentile(tookMs, 99)),
    ...(await opened.facts?.()),
  });
}
