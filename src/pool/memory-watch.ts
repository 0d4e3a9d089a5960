import { readFileSync } from "node:fs";

const PAGE_BYTES = 4096;
/** A process without user code: V8's own structures, code, stacks. */
const OVERHEAD_BYTES = 64 * 2 ** 20;

export interface Watched {
  readonly pid: number;
  readonly running: number;
  readonly instanceClass: { readonly memoryBytes: number };
  exceededMemory(usedBytes: number): void;
}

/**
 * V8 holds the heap to its limit; buffers and native memory lie outside of it. So a busy instance's own pages (resident
 * less shared) are read from /proc, which costs about 15 µs. Elsewhere than on Linux only the heap is limited.
 */
export function checkMemory(instances: Iterable<Watched>, ownBytes: (pid: number) => number = readOwnBytes): void {
  for (const instance of instances) {
    if (instance.running === 0) continue;
    const usedBytes = ownBytes(instance.pid);
    if (usedBytes > instance.instanceClass.memoryBytes + OVERHEAD_BYTES) instance.exceededMemory(usedBytes);
  }
}

function readOwnBytes(pid: number): number {
  try {
    const [, resident = "0", shared = "0"] = readFileSync(`/proc/${pid}/statm`, "latin1").split(" ");
    return (Number(resident) - Number(shared)) * PAGE_BYTES;
  } catch {
    // It has just ended, or this is not Linux.
    return 0;
  }
}
