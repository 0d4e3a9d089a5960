import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InstanceClass } from "../spawn.ts";
import { type Launch, wrap } from "./launch.ts";
import { type Machine, readMachine } from "./machine.ts";
import { killLaunch, startLaunch } from "./start.ts";
import { jailLack, type Lack, refusedJail, type Wall } from "./wall.ts";

/** The walls are tried with the least that a function can have. */
const TRIAL: InstanceClass = { memoryBytes: 128 * 2 ** 20, allow: [], network: false };
/** What the kernel says of a process, from within. */
const STATUS = `process.stdout.write(require("fs").readFileSync("/proc/self/status", "utf8"))`;
const TRIAL_MS = 10_000;

const raised = new Map<string, Promise<Wall>>();

/** Finds the strongest wall that stands on this machine, by trying it; once for a process. `strongest`: no stronger one than this is tried. */
export function raiseWall(strongest: "permission" | "jail" = "jail"): Promise<Wall> {
  let wall = raised.get(strongest);
  if (wall === undefined) raised.set(strongest, (wall = tryWalls(readMachine(), strongest)));
  return wall;
}

export async function tryWalls(machine: Machine, strongest: "permission" | "jail"): Promise<Wall> {
  const lack = strongest === "jail" ? jailLack(machine) : { why: "a weaker one was asked for", cure: null };
  const withoutTools = { ...machine, prlimit: null, setpriv: null };
  if (machine.platform !== "linux") return { name: "permission", machine: withoutTools, lack, idleDataBytes: null };
  const directory = await realpath(await mkdtemp(join(tmpdir(), "millrace-wall-")));
  try {
    await mkdir(join(directory, "tmp"));
    const jail = lack === null ? await firstThatStands("jail", toolsOf(machine), null, directory) : "";
    if (typeof jail !== "string") return jail;
    const without = lack ?? refusedJail(jail);
    const permission = await firstThatStands("permission", toolsOf(machine), without, directory);
    return typeof permission === "string" ? { name: "permission", machine: withoutTools, lack: without, idleDataBytes: null } : permission;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A setpriv or prlimit that is not util-linux's (BusyBox's) does not know the options: then it goes without that one. */
function toolsOf(machine: Machine): Machine[] {
  return [machine, { ...machine, setpriv: null }, { ...machine, prlimit: null }, { ...machine, prlimit: null, setpriv: null }];
}

/** Or what was said when the first of them did not. */
async function firstThatStands(
  name: Wall["name"],
  machines: readonly Machine[],
  lack: Lack | null,
  directory: string,
): Promise<Wall | string> {
  let said: string | null = null;
  for (const machine of machines) {
    const tried = await attempt({ name, machine, lack, idleDataBytes: null }, directory);
    if (typeof tried !== "string") return tried;
    said ??= tried;
  }
  return said ?? "";
}

/** The wall as it stood, or what was said when it did not. */
async function attempt(wall: Wall, directory: string): Promise<Wall | string> {
  const { node } = wall.machine;
  const { said, status } = await run(wrap(wall, TRIAL, directory, node, [node, "-e", STATUS]), directory);
  if (status === null) return said;
  const field = (name: string): string => new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1] ?? "";
  if (wall.name === "jail" && (field("Seccomp") !== "2" || /[1-9a-f]/.test(field("CapEff")))) return "it stood without its filter";
  const dataKb = Number(field("VmData"));
  return { ...wall, idleDataBytes: dataKb > 0 ? dataKb * 1024 : null };
}

function run(launch: Launch, directory: string): Promise<{ said: string; status: string | null }> {
  const { promise, resolve } = Promise.withResolvers<{ said: string; status: string | null }>();
  const child = startLaunch(launch, directory);
  const timer = setTimeout(() => killLaunch(child), TRIAL_MS);
  let said = "";
  let status = "";
  child.stdout?.on("data", (piece: Buffer) => (status += piece.toString("latin1")));
  child.stderr?.on("data", (piece: Buffer) => (said += piece.toString("utf8")));
  child.on("error", (error) => (said = error.message));
  child.on("close", (code) => {
    clearTimeout(timer);
    resolve({ said: said.trim().split("\n")[0] ?? "", status: code === 0 && status !== "" ? status : null });
  });
  return promise;
}
