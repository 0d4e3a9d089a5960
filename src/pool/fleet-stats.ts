import type { ColdStarts } from "./cold-starts.ts";
import type { Fleet } from "./fleet.ts";
import type { FunctionPoolStats } from "./pool.ts";

/** What stands under a function's name: its live fleet, and those of earlier releases that runs are on. */
export function fleetStats(fleets: readonly Fleet[], coldStarts: ColdStarts): FunctionPoolStats[] {
  const stats = new Map<string, FunctionPoolStats>();
  for (const { fn, instances, running, waiting, startFailure } of fleets) {
    const before = stats.get(fn.name);
    stats.set(fn.name, {
      fn: fn.name,
      instances: instances.length + (before?.instances ?? 0),
      running: running + (before?.running ?? 0),
      waiting: waiting + (before?.waiting ?? 0),
      coldStarts: before?.coldStarts ?? coldStarts.stats(fn.name),
      startFailure: before?.startFailure ?? startFailure,
    });
  }
  return [...stats.values()];
}
