import { median, print, round } from "../report.ts";
import type { Hits } from "./scale-events.ts";
import { medianRate, type Rate, ratios, type Rounds } from "./rounds.ts";
import { ScaleProcess } from "./scale-process.ts";

/** With the speed wanted relative to the first, and the time to load. */
const SIZES: readonly { readonly rules: number; readonly wantedSpeed?: number; readonly wantedLoadS?: number }[] = [
  { rules: 10 },
  { rules: 1000 },
  { rules: 100_000, wantedSpeed: 0.86 },
  { rules: 1_000_000, wantedSpeed: 0.5, wantedLoadS: 10 },
];
const HITS: readonly Hits[] = ["a tenth", "all"];

/**
 * Exact rules on one field, `properties.MAPBLKLOT`, from ten to a million. Each matcher lives in a process of its own, so that no heap
 * weighs on another's collector; all of them stay alive and are measured in turns.
 */
export async function scale(rounds: Rounds): Promise<void> {
  const processes: ScaleProcess[] = [];
  try {
    for (const { rules, wantedLoadS = null } of SIZES) {
      const process = new ScaleProcess(rules);
      processes.push(process);
      print({ measure: "exact rules on one field, loaded", rules, ...(await process.load()), wantedLoadS });
    }
    for (const hits of HITS) await speed(processes, hits, rounds);
  } finally {
    for (const process of processes) process.end();
  }
}

async function speed(processes: readonly ScaleProcess[], hits: Hits, { rounds, seconds }: Rounds): Promise<void> {
  const rates = processes.map((): Rate[] => []);
  const checked: number[] = [];
  for (const process of processes) checked.push(await process.check(hits));
  for (let round = 0; round <= rounds; round++) {
    for (const [i, process] of processes.entries()) {
      const rate = await process.measure(hits, seconds * 1000);
      if (round > 0) rates[i]?.push(rate);
    }
  }
  const [few = []] = rates;
  for (const [i, { rules, wantedSpeed = null }] of SIZES.entries()) {
    const mine = rates[i] ?? [];
    const relative = ratios(mine, few);
    print({
      measure: "exact rules on one field, events/s from bytes",
      rules,
      eventsThatHit: hits,
      eventsPerSecond: round(medianRate(mine), 1),
      relativeToTenRules: round(median(relative), 4),
      lowest: round(Math.min(...relative), 4),
      highest: round(Math.max(...relative), 4),
      relativeByCpu: round(median(ratios(mine, few, "perCpuSecond")), 4),
      wanted: wantedSpeed,
      eventsChecked: checked[i],
    });
  }
}
