import { readdirSync, readFileSync } from "node:fs";

const PAGE_BYTES = 4096;
/** The unit of /proc's processor times: USER_HZ, the same on all machines that Node runs on. */
const TICK_MS = 10;

/** What a process, and with `whole` those below it, has in memory and has used of the processor. */
export interface Usage {
  /** Its own pages: resident less shared. */
  readonly memoryBytes: number;
  readonly cpuMs: number;
  readonly processes: number;
}

/** About 30 µs a process. null: it has just ended, or this is not Linux, where nobody tells. */
export function readUsage(pid: number, whole = false): Usage | null {
  const own = readOne(pid);
  if (own === null || !whole) return own;
  let { memoryBytes, cpuMs, processes } = own;
  for (const child of childrenOf(pid)) {
    const usage = readUsage(child, true);
    if (usage === null) continue;
    memoryBytes += usage.memoryBytes;
    cpuMs += usage.cpuMs;
    processes += usage.processes;
  }
  return { memoryBytes, cpuMs, processes };
}

/** The process that stands `depth` wrappers below, each of which has one child. */
export function onlyDescendant(pid: number, depth: number): number | null {
  if (depth === 0) return pid;
  const [child] = childrenOf(pid);
  return child === undefined ? null : onlyDescendant(child, depth - 1);
}

function readOne(pid: number): Usage | null {
  const statm = read(`/proc/${pid}/statm`);
  const stat = read(`/proc/${pid}/stat`);
  if (statm === null || stat === null) return null;
  const [, resident = "0", shared = "0"] = statm.split(" ");
  // The name in brackets may hold anything; what follows it is numbers: utime, stime and those of the children that ended.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at] ?? 0), 0);
  return { memoryBytes: (Number(resident) - Number(shared)) * PAGE_BYTES, cpuMs: ticks * TICK_MS, processes: 1 };
}

/** Each thread has a list of the processes that it started. */
function childrenOf(pid: number): number[] {
  const threads = list(`/proc/${pid}/task`);
  return threads.flatMap((thread) => numbers(read(`/proc/${pid}/task/${thread}/children`) ?? ""));
}

function numbers(text: string): number[] {
  return text.split(" ").filter(Boolean).map(Number);
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return null;
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
