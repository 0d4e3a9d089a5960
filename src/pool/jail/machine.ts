import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** What walls are made of on this machine: facts, found once. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  /** Node's binary, and the shared libraries it was started with. */
  readonly node: string;
  readonly libraries: readonly string[];
  readonly nodeFlags: ReadonlySet<string>;
  readonly timeZone: string;
  /** Tools by their path; null: not there. */
  readonly bwrap: string | null;
  readonly prlimit: string | null;
  readonly setpriv: string | null;
}

export function readMachine(): Machine {
  const linux = process.platform === "linux";
  return {
    platform: process.platform,
    arch: process.arch,
    node: process.execPath,
    libraries: linux ? loadedLibraries() : [],
    nodeFlags: process.allowedNodeEnvironmentFlags,
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    bwrap: linux ? findTool("bwrap") : null,
    prlimit: linux ? findTool("prlimit") : null,
    setpriv: linux ? findTool("setpriv") : null,
  };
}

/** By the names under which they were asked for (`libc.so.6`), which is how the loader will look for them again. */
function loadedLibraries(): string[] {
  // The types do not know that option yet.
  const report: NodeJS.ProcessReport & { excludeNetwork?: boolean } = process.report;
  const before = report.excludeNetwork ?? false;
  // Without this the report looks up the names of all connections.
  report.excludeNetwork = true;
  const { sharedObjects } = report.getReport() as { readonly sharedObjects?: readonly string[] };
  report.excludeNetwork = before;
  return (sharedObjects ?? []).filter((path) => path.startsWith("/") && !path.endsWith(".node"));
}

function findTool(name: string): string | null {
  for (const folder of [...(process.env["PATH"] ?? "").split(delimiter), "/usr/bin", "/bin"]) {
    const path = join(folder, name);
    if (folder.startsWith("/") && isExecutable(path)) return path;
  }
  return null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
