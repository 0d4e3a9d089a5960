import { execFileSync } from "node:child_process";
import { cpus, totalmem } from "node:os";

export interface BenchOptions {
  readonly seconds: number | undefined;
  readonly runs: number | undefined;
  readonly backlog: number | undefined;
  /** Which contenders, where a benchmark has some. */
  readonly only: readonly string[] | undefined;
}

/** The first line of every benchmark: what it ran on. */
export function printFacts(bench: string, durability: string): void {
  const cores = cpus();
  print({
    bench,
    at: new Date().toISOString().slice(0, 10),
    commit: execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim(),
    cpu: cores[0]?.model ?? "unknown",
    cores: cores.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    durability,
  });
}

export function print(line: object): void {
  console.log(JSON.stringify(line));
}

export function percentile(samples: readonly number[], p: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((p / 100) * sorted.length))] ?? Number.NaN;
}

export function median(samples: readonly number[]): number {
  return percentile(samples, 50);
}

export function round(value: number, digits = 2): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
