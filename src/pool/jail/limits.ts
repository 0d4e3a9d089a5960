import type { InstanceClass } from "../spawn.ts";

/** What the kernel itself holds a process to (setrlimit). null: not limited beyond what the node is. */
export interface Limits {
  readonly coreBytes: number;
  readonly openFiles: number;
  readonly fileBytes: number;
  readonly dataBytes: number | null;
}

/** Sockets count; a thousand calls with three connections each fit. */
const OPEN_FILES = 4096;
/** Native heaps, stacks of threads and compiled code of a process that works. The watch (SPEC B3) ends it at 64 MiB; this is what it cannot outrun. */
const HEADROOM_BYTES = 128 * 2 ** 20;
/** A process without user code: V8's own structures, code, stacks. */
export const OVERHEAD_BYTES = 64 * 2 ** 20;

/** How much a function may keep in its tmp: as much as in memory, where the jail's tmp is. */
export function tmpLimitBytes({ memoryBytes }: InstanceClass): number {
  return memoryBytes;
}

/** What its control group may have: the memory at which the watch ends it too, and its tmp, which in a jail is memory. */
export function groupLimitBytes(instanceClass: InstanceClass): number {
  return instanceClass.memoryBytes + OVERHEAD_BYTES + tmpLimitBytes(instanceClass);
}

/**
 * `idleDataBytes`: what RLIMIT_DATA counts of an idle Node: V8 reserves address space, some 600 MB of it, that the limit counts too.
 * Each worker thread reserves as much again, and how many there will be is not known: so there the watch stands alone.
 */
export function limitsOf(instanceClass: InstanceClass, idleDataBytes: number | null): Limits {
  const { memoryBytes, allow } = instanceClass;
  const counted = idleDataBytes !== null && !allow.includes("worker");
  return {
    coreBytes: 0,
    openFiles: OPEN_FILES,
    fileBytes: tmpLimitBytes(instanceClass),
    dataBytes: counted ? idleDataBytes + memoryBytes + HEADROOM_BYTES : null,
  };
}

/** The command that starts another with these limits (util-linux). */
export function limitedBy(prlimit: string, { coreBytes, openFiles, fileBytes, dataBytes }: Limits): string[] {
  const command = [prlimit, `--core=${coreBytes}`, `--nofile=${openFiles}`, `--fsize=${fileBytes}`];
  if (dataBytes !== null) command.push(`--data=${dataBytes}`);
  return [...command, "--"];
}
