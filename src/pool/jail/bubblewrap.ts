import { dirname } from "node:path";
import type { InstanceClass } from "../spawn.ts";
import { tmpLimitBytes } from "./limits.ts";
import type { Machine } from "./machine.ts";

/** The descriptor from which bubblewrap reads the filter of system calls. 3 is the frames'. */
export const FILTER_FD = 4;

/** What name look-ups, and programs that check certificates, read. */
const NETWORK_FILES = ["/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services", "/etc/ssl"];
const DEVICES = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];
const NAMESPACES = ["user", "pid", "ipc", "uts", "cgroup-try"];
const LIBRARY_FOLDERS = ["/usr/lib", "/lib", "/lib64"];
const PROGRAM_FOLDERS = ["/usr", "/bin", "/sbin", "/lib", "/lib64"];

type Option = readonly string[];

/**
 * The jail, as bubblewrap's arguments (SPEC W8): an empty tree in which there is what the instance reads, and nothing else, at the paths
 * that it has outside; so the permission model's flags and the paths in errors are the same with and without it.
 */
export function jailArguments(
  machine: Machine,
  instanceClass: InstanceClass,
  { directory, runtimeFile }: { readonly directory: string; readonly runtimeFile: string },
): string[] {
  const { network } = instanceClass;
  const tmp = `${directory}/tmp`;
  const options: Option[] = [
    ...NAMESPACES.map((name): Option => [`--unshare-${name}`]),
    ...(network ? NETWORK_FILES.map(optional) : [["--unshare-net"]]),
    ["--hostname", "instance"],
    ["--die-with-parent"],
    ["--new-session"],
    ["--cap-drop", "ALL"],
    ...system(machine, instanceClass),
    ["--proc", "/proc"],
    ...DEVICES.map((path): Option => ["--dev-bind-try", path, path]),
    ["--symlink", "/proc/self/fd", "/dev/fd"],
    ["--symlink", `/usr/share/zoneinfo/${machine.timeZone}`, "/etc/localtime"],
    readable(machine.node),
    readable(runtimeFile),
    // Bundles come into the folder later, by links, and are seen through this.
    readable(directory),
    ["--size", String(tmpLimitBytes(instanceClass))],
    ["--tmpfs", tmp],
    ...(isBelow("/tmp", directory, runtimeFile, machine.node) ? [] : [["--symlink", tmp, "/tmp"]]),
    // The tree itself is memory without a limit of size: nobody writes there.
    ["--remount-ro", "/"],
    ["--seccomp", String(FILTER_FD)],
    ["--chdir", directory],
  ];
  return [...options.flat(), "--"];
}

/** Programs for one who may start them, libraries for one who may load native code, else what Node itself needs. */
function system({ libraries }: Machine, { allow }: InstanceClass): Option[] {
  if (allow.includes("child_process")) return PROGRAM_FOLDERS.map(optional);
  if (!allow.includes("addons")) return libraries.map(readable);
  return [...new Set([...LIBRARY_FOLDERS, ...libraries.map((path) => dirname(path))])].map(optional);
}

function readable(path: string): Option {
  return ["--ro-bind", path, path];
}

function optional(path: string): Option {
  return ["--ro-bind-try", path, path];
}

function isBelow(folder: string, ...paths: readonly string[]): boolean {
  return paths.some((path) => path.startsWith(`${folder}/`));
}
