import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A control group of the kernel: what runs in it, and whatever that starts, has so much memory together and no more. */
export interface MemoryGroup {
  /** Moves a process in, with all its threads. What it had before is not counted. */
  admit(pid: number): void;
  /** Whether the kernel has killed somebody in there for want of memory. */
  readonly ranOut: boolean;
  /** To be called when all that was in there is gone. */
  remove(): void;
}

/** How the two versions of the kernel's interface call the same things. */
interface Dialect {
  readonly limit: string;
  /** Memory and swap together (1), swap alone (2): set where it is there. */
  readonly swap: (bytes: number) => readonly [file: string, value: number];
  readonly events: string;
}

const DIALECTS = {
  cgroup: { limit: "memory.limit_in_bytes", swap: (bytes) => ["memory.memsw.limit_in_bytes", bytes], events: "memory.oom_control" },
  cgroup2: { limit: "memory.max", swap: () => ["memory.swap.max", 0], events: "memory.events" },
} as const satisfies Record<string, Dialect>;

type Version = keyof typeof DIALECTS;

const PREFIX = "millrace-";
/** Pools of this process: each has a group that bears its own. */
let opened = 0;
/** A process that was killed takes a moment until its group may go. */
const REMOVAL = { tries: 20, everyMs: 50 };

/** Where groups may be made on this machine: found by making one. */
export class MemoryGroups {
  private readonly root: string;
  private readonly dialect: Dialect;
  private next = 0;

  private constructor(root: string, dialect: Dialect) {
    this.root = root;
    this.dialect = dialect;
  }

  /** null: not on Linux, no controller of memory, or this user may not. Removes what nodes that were killed have left. */
  static open(readText: (path: string) => string = readOrEmpty): MemoryGroups | null {
    for (const { folder, version } of placesIn(readText("/proc/self/mounts"), readText("/proc/self/cgroup"))) {
      sweep(folder);
      const root = join(folder, `${PREFIX}${process.pid}-${++opened}`);
      const groups = new MemoryGroups(root, DIALECTS[version]);
      try {
        mkdirSync(root);
        // In version 2 what is below has a limit only if its parent says so.
        if (version === "cgroup2") writeFileSync(join(root, "cgroup.subtree_control"), "+memory");
        const tried = groups.make(2 ** 30);
        if (tried === null) throw new Error("a group without a limit");
        tried.remove();
        return groups;
      } catch {
        groups.close();
      }
    }
    return null;
  }

  /** null: there can be no more of them, or somebody took the rights away; the watch goes on. */
  make(bytes: number): MemoryGroup | null {
    const { dialect } = this;
    const folder = join(this.root, String(this.next++));
    try {
      mkdirSync(folder);
      writeFileSync(join(folder, dialect.limit), String(bytes));
      const [swap, value] = dialect.swap(bytes);
      if (existsSync(join(folder, swap))) writeFileSync(join(folder, swap), String(value));
    } catch {
      removeNow(folder);
      return null;
    }
    return {
      admit: (pid) => writeFileSync(join(folder, "cgroup.procs"), String(pid)),
      get ranOut() {
        return Number(/^oom_kill (\d+)$/m.exec(readOrEmpty(join(folder, dialect.events)))?.[1] ?? 0) > 0;
      },
      remove: () => removeSoon(folder, REMOVAL.tries),
    };
  }

  /** Nothing is in there any more. */
  close(): void {
    sweepOne(this.root);
  }
}

/** Whether instances of a node of this user would be held by control groups. */
export function hasMemoryGroups(): boolean {
  const groups = MemoryGroups.open();
  groups?.close();
  return groups !== null;
}

/** The groups of this process, as far as they may bear others: itself, or in version 2, where one with processes bears none, its parent. */
export function placesIn(mounts: string, groups: string): { folder: string; version: Version }[] {
  const places: { folder: string; version: Version }[] = [];
  for (const line of mounts.split("\n")) {
    const [, mount = "", type = "", options = ""] = line.split(" ");
    if (type === "cgroup" && options.split(",").includes("memory")) {
      const path = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(groups)?.[1] ?? "/";
      // A container may see its own group as the root, and be told its path from outside.
      places.push({ folder: existsSync(mount + path) ? join(mount, path) : mount, version: "cgroup" });
    }
    if (type === "cgroup2") {
      const path = /^0::(.*)$/m.exec(groups)?.[1] ?? "/";
      const own = path === "/" ? mount : join(mount, path);
      places.push({ folder: own, version: "cgroup2" });
      if (path !== "/") places.push({ folder: dirname(own), version: "cgroup2" });
    }
  }
  return places;
}

/** Groups of nodes that are no more. One that still has processes stays. */
function sweep(folder: string): void {
  for (const name of listOrNone(folder)) {
    const [, pid] = /^millrace-(\d+)-\d+$/.exec(name) ?? [];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) sweepOne(join(folder, name));
  }
}

function sweepOne(root: string): void {
  for (const name of listOrNone(root)) if (/^\d+$/.test(name)) removeNow(join(root, name));
  removeNow(root);
}

/** A group is no folder: what is in it is the kernel's and goes with it. */
function removeNow(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return !existsSync(folder);
  }
}

function removeSoon(folder: string, tries: number): void {
  if (removeNow(folder) || tries === 0) return;
  setTimeout(() => removeSoon(folder, tries - 1), REMOVAL.everyMs).unref();
}

function listOrNone(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
