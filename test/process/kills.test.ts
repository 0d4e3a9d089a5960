import { describe, expect, it } from "vitest";
import { killInstances, killNodes, type RunReport, seedFrom, summary } from "./driver.ts";

/**
 * P1 and P2 under SIGKILL. A seed that was printed is run again with MILLRACE_SEED; longer runs: `npm run verify:kills -- --kills 500`.
 */
const seed = seedFrom(process.env["MILLRACE_SEED"]);
const kills = Number(process.env["MILLRACE_KILLS"] ?? 50);
const limitMs = 60_000 + kills * 3000;

function judge(what: string, report: RunReport): void {
  process.stdout.write(summary(what, report));
  expect(report.faults.slice(0, 20), `seed ${report.seed}`).toEqual([]);
  expect(report.tally.acknowledged).toBeGreaterThan(kills);
  expect(report.tally.duplicates).toBeGreaterThan(0);
}

describe("P1, P2: nothing accepted is lost, nothing is done twice", () => {
  it(`the node is killed ${kills} times under load`, { timeout: limitMs }, async () => {
    const report = await killNodes({ seed, kills });
    judge("nodes killed", report);
    expect(report.tally.broken).toBeGreaterThan(0);
  });

  it(`instances are killed ${kills} times under load`, { timeout: limitMs }, async () => {
    judge("instances killed", await killInstances({ seed, kills }));
  });
});
