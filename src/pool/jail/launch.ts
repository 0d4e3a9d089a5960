import type { InstanceClass } from "../spawn.ts";
import { jailArguments } from "./bubblewrap.ts";
import { limitedBy, limitsOf } from "./limits.ts";
import { nodeFlags } from "./node-flags.ts";
import { isFiltered, systemCallFilter } from "./seccomp.ts";
import type { Wall } from "./wall.ts";

/** How a process is started: data, so that tests read it and nothing else decides. */
export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** To be readable at descriptor 4. */
  readonly filter: Buffer | null;
  /** How many processes stand between the one that is started and Node: they pass its exit on, as codes from 128. */
  readonly wrappers: number;
}

/** bubblewrap itself outside, and the first process of the jail, which reaps. */
const JAIL_WRAPPERS = 2;

export function describeLaunch(wall: Wall, instanceClass: InstanceClass, directory: string, runtimeFile: string): Launch {
  const flags = wall.name === "process" ? [] : nodeFlags(instanceClass, directory, runtimeFile, wall.machine.nodeFlags);
  return wrap(wall, instanceClass, directory, runtimeFile, [wall.machine.node, ...flags, runtimeFile]);
}

/** Any command behind the wall: the probe that tries whether it stands runs another one. */
export function wrap(wall: Wall, instanceClass: InstanceClass, directory: string, runtimeFile: string, command: readonly string[]): Launch {
  const { machine, name } = wall;
  const limited = machine.prlimit === null ? [] : limitedBy(machine.prlimit, limitsOf(instanceClass, wall.idleDataBytes));
  // Nothing of the node's own environment; what the app's variables are comes with the function.
  const env = { TMPDIR: `${directory}/tmp` };
  if (name === "jail" && machine.bwrap !== null && isFiltered(machine.arch)) {
    const jail = [machine.bwrap, ...jailArguments(machine, instanceClass, { directory, runtimeFile })];
    const filter = systemCallFilter(machine.arch, instanceClass.allow.includes("child_process"));
    return launch([...limited, ...jail, ...command], env, filter, JAIL_WRAPPERS);
  }
  return launch([...dyingWithParent(wall), ...limited, ...command], env, null, 0);
}

/**
 * An instance notices by its closed socket that the node was killed, but not while user code blocks its loop. So Linux is asked to kill it
 * with its parent; util-linux's setpriv (part of every Debian) does that, and with prlimit becomes the instance itself, for about 1 ms of start each.
 */
function dyingWithParent({ machine: { setpriv } }: Wall): string[] {
  return setpriv === null ? [] : [setpriv, "--pdeathsig", "KILL", "--no-new-privs", "--"];
}

function launch([program = "", ...args]: readonly string[], env: Launch["env"], filter: Buffer | null, wrappers: number): Launch {
  return { program, args, env, filter, wrappers };
}
