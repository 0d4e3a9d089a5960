import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { percentile, round } from "../report.ts";

const SYNCS = 300;

/** What the disk below all contenders takes for 4 KiB appended and synced, at this moment: the floor of everything durable. */
export function syncCost(): object {
  const folder = mkdtempSync(join(tmpdir(), "millrace-bench-sync-"));
  const file = openSync(join(folder, "appended"), "w");
  const page = Buffer.alloc(4096, 1);
  const tookMs: number[] = [];
  for (let i = 0; i < SYNCS; i++) {
    const startMs = performance.now();
    writeSync(file, page);
    fdatasyncSync(file);
    tookMs.push(performance.now() - startMs);
  }
  closeSync(file);
  rmSync(folder, { recursive: true });
  const meanMs = tookMs.reduce((sum, ms) => sum + ms, 0) / SYNCS;
  return { meanMs: round(meanMs), p50Ms: round(percentile(tookMs, 50)), p99Ms: round(percentile(tookMs, 99)) };
}
