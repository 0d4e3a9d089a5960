import { collectorFlags } from "../../core/collector.ts";
import type { InstanceClass } from "../spawn.ts";

/**
 * Node's own walls. Beyond the permission model: node:sqlite opens any file on disk in spite of it (Node 26.10), so it is off;
 * and SIGUSR1 must not open an inspector.
 */
export function nodeFlags(
  { memoryBytes, allow, network }: InstanceClass,
  directory: string,
  runtimeFile: string,
  known: ReadonlySet<string> = process.allowedNodeEnvironmentFlags,
): string[] {
  const mebibytes = Math.max(16, Math.floor(memoryBytes / 2 ** 20));
  const flags = [
    "--permission",
    `--allow-fs-read=${directory}`,
    `--allow-fs-read=${runtimeFile}`,
    `--allow-fs-write=${directory}/tmp`,
    "--no-experimental-sqlite",
    "--disable-sigusr1",
    "--no-warnings",
    // One event loop among many on the same cores: V8's four helper threads stood in each other's way, at 7 to 10 % of all processor time.
    "--v8-pool-size=1",
    // Modules that are compiled and linked before they are run: sandbox/bundle-modules.ts.
    "--experimental-vm-modules",
    `--${known.has("--max-heap-size") ? "max-heap-size" : "max-old-space-size"}=${mebibytes}`,
    // With a limit to the heap V8 makes its nursery a 128th of it: what dozens of calls need at once was copied into the old generation all
    // the time, and half of an instance's work was collecting. It grows only where that happens.
    `--max-semi-space-size=${Math.min(16, Math.floor(mebibytes / 16))}`,
    ...collectorFlags(),
  ];
  if (allow.includes("child_process")) flags.push("--allow-child-process");
  if (allow.includes("worker")) flags.push("--allow-worker");
  if (allow.includes("addons")) flags.push("--allow-addons");
  // Before Node 25 the permission model knows no network: it is open there, unless a jail closes it.
  if (network && known.has("--allow-net")) flags.push("--allow-net");
  return flags;
}
