import { describe, expect, it } from "vitest";
import { STOCK } from "./app/fates.ts";
import { killInstances, killNodes, seedFrom, told } from "./driver.ts";

/**
 * P1 and P2 under SIGKILL. A seed that was printed is run again with MILLRACE_SEED; longer runs: `npm run verify:kills -- --kills 500`.
 */
const seed = seedFrom(process.env["MILLRACE_SEED"]);
const kills = Number(process.env["MILLRACE_KILLS"] ?? 8);
// On a machine with time to spare a kill takes a second; a run that hangs need not be told from a slow one any sooner.
const limitMs = 60_000 + kills * 12_000;

describe("P1, P2: nothing accepted is lost, nothing is done twice", () => {
  it(`the node is killed ${kills} times under load`, { timeout: limitMs }, async () => {
    const { faults, tally, sold } = told("nodes killed", await killNodes({ seed, kills }));
    expect(faults.slice(0, 20), `seed ${seed}`).toEqual([]);
    expect(sold).toBe(STOCK);
    expect(tally.broken).toBeGreaterThan(0);
    expect(tally.duplicates).toBeGreaterThan(0);
  });

  it(`instances are killed ${kills} times under load`, { timeout: limitMs }, async () => {
    const { faults, tally, sold } = told("instances killed", await killInstances({ seed, kills }));
    expect(faults.slice(0, 20), `seed ${seed}`).toEqual([]);
    expect(sold).toBe(STOCK);
    expect(tally.broken).toBe(0);
  });
});
