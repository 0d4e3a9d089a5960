import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Launch } from "./launch.ts";

/** Starts what a launch describes; the frames' socket stands at descriptor 3. */
export function startLaunch({ program, args, env, filter }: Launch, directory: string): ChildProcess {
  const filterFd = filter === null ? null : openFilter(filter);
  try {
    return spawn(program, args, {
      stdio: ["ignore", "pipe", "pipe", "pipe", ...(filterFd === null ? [] : [filterFd])],
      env,
      cwd: directory,
      // A group of its own: ended as one, and none of the terminal's Ctrl-C, which is for the node to hear.
      detached: process.platform !== "win32",
    });
  } finally {
    if (filterFd !== null) closeSync(filterFd);
  }
}

/**
 * Ends at once what was started, with all that belongs to it. Killed alone while it builds the jail, bubblewrap leaves a child behind that
 * waits for it for ever and holds the pipes.
 */
export function killLaunch(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(process.platform === "win32" ? child.pid : -child.pid, "SIGKILL");
  } catch {
    // It has just ended.
  }
}

/** Filters as files without a name, by their bytes. There are few: one a set of grants. */
const files = new Map<string, number>();

/** Read from its beginning: descriptors that came from one `open` share their place in the file, so each reader needs an `open` of its own. */
function openFilter(filter: Buffer): number {
  const key = filter.toString("latin1");
  let file = files.get(key);
  if (file === undefined) files.set(key, (file = namelessFile(filter)));
  return openSync(`/proc/self/fd/${file}`, "r");
}

function namelessFile(content: Buffer): number {
  const folder = mkdtempSync(join(tmpdir(), "millrace-filter-"));
  try {
    const path = join(folder, "filter");
    writeFileSync(path, content, { mode: 0o400 });
    return openSync(path, "r");
  } finally {
    rmSync(folder, { recursive: true });
  }
}
