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
      detached: false,
    });
  } finally {
    if (filterFd !== null) closeSync(filterFd);
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
