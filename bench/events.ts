import { join } from "node:path";
import { EventSender, postBatches } from "./load.ts";
import { NodeProcess, pause } from "../test/process/node-process.ts";
import { type BenchOptions, percentile, print, round } from "./report.ts";

const APP = join(import.meta.dirname, "app");
const BATCH = 100;

/**
 * One event in, one function, settled. Not measured: large events, functions that read or write, more than one function an event.
 * The load comes from this process, so it shares the two cores.
 */
export async function events(options: BenchOptions): Promise<void> {
  const seconds = options.seconds ?? 30;
  await latency();
  const empty = await throughput("empty", seconds, 0);
  const backlog = options.backlog ?? 1_000_000;
  if (backlog === 0) return;
  const full = await throughput("with a backlog", seconds, backlog);
  print({ measure: "throughput with a backlog / without", ratio: round(full / empty) });
}

async function throughput(measure: string, seconds: number, backlog: number): Promise<number> {
  const node = await NodeProcess.start(APP);
  try {
    if (backlog > 0) await postBatches(node.port, { type: "bench.backlog", batch: 1000, connections: 2, count: backlog });
    const before = backlog === 0 ? 0 : await node.metric("millrace_deliveries_waiting");
    // Warm up: the first second compiles.
    await postBatches(node.port, { type: "bench.work", batch: BATCH, connections: 8, seconds: 2 });
    await waitingDownTo(node, before);
    const startMs = performance.now();
    let mostRss = 0;
    const watch = setInterval(() => (mostRss = Math.max(mostRss, node.rssBytes())), 250);
    const sent = await postBatches(node.port, { type: "bench.work", batch: BATCH, connections: 8, seconds });
    await waitingDownTo(node, before);
    const tookS = (performance.now() - startMs) / 1000;
    clearInterval(watch);
    const perSecond = sent / tookS;
    print({
      measure: `events/s, ${measure}`,
      eventsPerSecond: Math.round(perSecond),
      events: sent,
      seconds: round(tookS),
      waitingBefore: before,
      nodeRssMiB: Math.round(mostRss / 2 ** 20),
    });
    return perSecond;
  } finally {
    await node.stop();
  }
}

async function waitingDownTo(node: NodeProcess, most: number): Promise<void> {
  const until = Date.now() + 300_000;
  while ((await node.metric("millrace_deliveries_waiting")) > most) {
    if (Date.now() > until) throw new Error("not settled after 300 s");
    await pause(20);
  }
}

/** Low load: 50 events a second, one at a time. */
async function latency(): Promise<void> {
  const node = await NodeProcess.start(APP);
  try {
    const samples = 600;
    const sender = new EventSender(node.port);
    for (let i = 0; i < samples + 50; i++) {
      await sender.send(
        `{"specversion":"1.0","id":"l${i}","source":"/bench","type":"bench.latency","data":{"sentMs":${performance.timeOrigin + performance.now()}}}`,
      );
      await pause(18);
    }
    sender.close();
    await node.settled();
    await pause(200);
    const { lines } = (await node.controlJson(`/v1/logs?fn=latency&limit=${samples}`)) as { lines: { text: string }[] };
    const tookMs = lines.map(({ text }) => Number(text));
    print({
      measure: "request to handler start, 50 events/s",
      samples: tookMs.length,
      p50Ms: round(percentile(tookMs, 50)),
      p99Ms: round(percentile(tookMs, 99)),
    });
  } finally {
    await node.stop();
  }
}
