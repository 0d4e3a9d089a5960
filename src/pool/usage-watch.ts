import type { Beyond } from "./blame.ts";
import { OVERHEAD_BYTES, tmpLimitBytes } from "./jail/index.ts";
import { isFuller } from "./folder-size.ts";
import { readUsage, type Usage } from "./process-usage.ts";
import type { InstanceClass } from "./spawn.ts";

/** Of a function that may start processes. */
const MOST_PROCESSES = 64;
/** What an instance may use of the processor while it has no call: collecting garbage is no offence, a loop in a timer is. */
const IDLE_CPU_MS = 2000;
/** Less than that between two looks, and an idle instance is left alone. */
const CALM_MS = 50;

export interface Watched {
  readonly pid: number;
  readonly instanceClass: InstanceClass;
  /** Of its calls that run, the one whose time began first; null: it has none. */
  readonly oldest: Oldest | null;
  /** A folder that nothing else keeps small; null: there is none. */
  readonly watchedTmp: string | null;
  exceeded(beyond: Beyond): void;
}

export interface Oldest {
  /** A run's time begins anew with each of its frames. */
  readonly sinceMs: number;
  readonly allowedMs: number;
}

/** Beyond a call's time: a loop that blocks is found by the clock first (T2), whose words say more. */
const CPU_GRACE_MS = 500;

/** Since when processor time counts: the beginning of a call's time, as nearly as the looks show it, or that of idleness. */
export interface Mark {
  readonly sinceMs: number | null;
  readonly fromCpuMs: number;
  readonly lastCpuMs: number;
  /** Without a call, and it did nothing since the look before. */
  readonly calm: boolean;
}

/**
 * V8 holds the heap to its limit and the kernel what prlimit names. The rest is looked at now and then: a busy instance's pages, its
 * processor time, the processes below it, its tmp. Elsewhere than on Linux only the heap is limited.
 */
export class UsageWatch {
  private readonly marks = new WeakMap<Watched, Mark>();
  private readonly read: typeof readUsage;

  constructor(read: typeof readUsage = readUsage) {
    this.read = read;
  }

  /** Ends who is beyond a limit. Returns whether another look is worth it: something runs, or works though it has no call. */
  look(instances: Iterable<Watched>): boolean {
    let again = false;
    for (const instance of instances) {
      const before = this.marks.get(instance);
      if (instance.oldest === null && (before === undefined || before.calm)) continue;
      again = true;
      const usage = this.read(instance.pid, instance.instanceClass.allow.includes("child_process"));
      if (usage === null) continue;
      const mark = nextMark(before, instance.oldest?.sinceMs ?? null, usage.cpuMs);
      this.marks.set(instance, mark);
      const beyond = beyondLimit(instance, usage, mark);
      if (beyond !== null) instance.exceeded(beyond);
    }
    return again;
  }
}

export function nextMark(before: Mark | undefined, sinceMs: number | null, cpuMs: number): Mark {
  if (before === undefined || before.sinceMs !== sinceMs) return { sinceMs, fromCpuMs: cpuMs, lastCpuMs: cpuMs, calm: false };
  return { sinceMs, fromCpuMs: before.fromCpuMs, lastCpuMs: cpuMs, calm: sinceMs === null && cpuMs - before.lastCpuMs < CALM_MS };
}

export function beyondLimit(instance: Omit<Watched, "exceeded" | "pid">, usage: Usage, { fromCpuMs }: Mark): Beyond | null {
  const { instanceClass, oldest, watchedTmp } = instance;
  if (usage.memoryBytes > instanceClass.memoryBytes + OVERHEAD_BYTES) return { limit: "memory", usedBytes: usage.memoryBytes };
  const cpuMs = usage.cpuMs - fromCpuMs;
  if (cpuMs > (oldest === null ? IDLE_CPU_MS : oldest.allowedMs + CPU_GRACE_MS)) return { limit: "cpu", cpuMs };
  if (usage.processes > MOST_PROCESSES) return { limit: "processes", count: usage.processes };
  if (watchedTmp !== null && isFuller(watchedTmp, tmpLimitBytes(instanceClass)))
    return { limit: "tmp", limitBytes: tmpLimitBytes(instanceClass) };
  return null;
}
