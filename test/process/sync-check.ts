import type { SystemCall } from "./syscall-trace.ts";

/**
 * P1 to the letter: before the acknowledgement of a marked request leaves, a sync of the file has ended that had begun after the write of
 * that marker into that file had ended.
 */
export interface SyncReport {
  /** Markers that were acknowledged. */
  readonly acknowledged: readonly string[];
  readonly syncs: number;
  readonly faults: readonly string[];
}

const MARKER = /mk\d{6}/g;
const READS = new Set(["read", "readv", "recvfrom", "recvmsg"]);
const SENDS = new Set(["write", "writev", "sendto", "sendmsg"]);
const FILE_WRITES = new Set(["pwrite64", "pwritev", "write", "writev"]);
const SYNCS = new Set(["fsync", "fdatasync"]);

export function checkSyncs(calls: readonly SystemCall[], logSuffix = "-wal"): SyncReport {
  const written = firstWrites(calls, logSuffix);
  const syncs = calls.filter(({ name, ok }) => SYNCS.has(name) && ok);
  const acknowledged: string[] = [];
  const faults: string[] = [];
  for (const { marker, leavesAt } of acknowledgements(calls)) {
    acknowledged.push(marker);
    const write = written.get(marker);
    if (write === undefined || write.endedAt >= leavesAt)
      faults.push(`${marker}: acknowledged (line ${leavesAt + 1}) before it was written`);
    else if (!syncs.some((sync) => sync.target === write.target && sync.beganAt > write.endedAt && sync.endedAt < leavesAt)) {
      faults.push(
        `${marker}: written at line ${write.endedAt + 1}, acknowledged at line ${leavesAt + 1}, no sync of ${write.target} between`,
      );
    }
  }
  return { acknowledged, syncs: syncs.length, faults };
}

/** A page is written again and again with what came later; the first write of a marker is the one that made it. */
function firstWrites(calls: readonly SystemCall[], logSuffix: string): Map<string, SystemCall> {
  const written = new Map<string, SystemCall>();
  for (const call of calls) {
    if (!FILE_WRITES.has(call.name) || !call.target.endsWith(logSuffix) || !call.ok) continue;
    for (const [marker] of call.text.matchAll(MARKER)) if (!written.has(marker)) written.set(marker, call);
  }
  return written;
}

interface Acknowledgement {
  readonly marker: string;
  readonly leavesAt: number;
}

/** What a connection has brought since its last answer is what its next 202 stands for: the test sends one request at a time on each. */
function acknowledgements(calls: readonly SystemCall[]): Acknowledgement[] {
  const asked = new Map<string, Set<string>>();
  const found: Acknowledgement[] = [];
  for (const { name, target, text, beganAt } of calls) {
    if (!target.startsWith("TCP:")) continue;
    if (READS.has(name)) {
      const markers = asked.get(target) ?? new Set();
      asked.set(target, markers);
      for (const [marker] of text.matchAll(MARKER)) markers.add(marker);
    } else if (SENDS.has(name) && text.includes("HTTP/1.1 ")) {
      const markers = asked.get(target) ?? [];
      if (text.includes("HTTP/1.1 202 ")) for (const marker of markers) found.push({ marker, leavesAt: beganAt });
      asked.delete(target);
    }
  }
  return found;
}
