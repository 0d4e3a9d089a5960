import { request } from "node:http";
import { join } from "node:path";
import { NodeProcess, pause } from "../test/process/node-process.ts";
import { type BenchOptions, percentile, print, round } from "./report.ts";

const APP = join(import.meta.dirname, "app");

/**
 * An HTTP request to a function that has no instance, answer in hand. The function's instance goes after a millisecond of idleness,
 * so that every request of the run is a cold one; the node tells how many were.
 */
export async function cold(options: BenchOptions): Promise<void> {
  const samples = options.runs ?? 100;
  const node = await NodeProcess.start(APP);
  try {
    const tookMs: number[] = [];
    const before = await node.metric("millrace_cold_starts_total");
    for (let i = 0; i < samples + 5; i++) {
      const startMs = performance.now();
      await get(node.port, "/cold/0");
      if (i >= 5) tookMs.push(performance.now() - startMs);
      // Until the instance is gone and a spare stands ready again.
      await pause(250);
    }
    const cold = (await node.metric("millrace_cold_starts_total")) - before;
    print({
      measure: "first request to a function at zero",
      samples,
      coldStarts: cold,
      p50Ms: round(percentile(tookMs, 50)),
      p99Ms: round(percentile(tookMs, 99)),
    });
  } finally {
    await node.stop();
  }
}

function get(port: number, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request({ port, path, host: "127.0.0.1", agent: false }, (answer) => {
      answer.resume();
      answer.on("end", () => (answer.statusCode === 200 ? resolve() : reject(new Error(`${path} answered ${answer.statusCode}`))));
    });
    call.on("error", reject);
    call.end();
  });
}
