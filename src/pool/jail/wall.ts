import { MillraceError } from "../../core/index.ts";
import type { Machine } from "./machine.ts";

/** From the weakest to the strongest: a process apart, in it Node's permission model, around it a jail of Linux namespaces. */
export type WallName = "process" | "permission" | "jail";

/** Why there is nothing stronger here, and what would change that. */
export interface Lack {
  readonly why: string;
  /** null: nothing would, on this system. */
  readonly cure: string | null;
}

/** The wall that instances of this node stand behind. */
export interface Wall {
  readonly name: WallName;
  readonly machine: Machine;
  /** null: it is the strongest there is. */
  readonly lack: Lack | null;
  /** What the kernel's data limit counts of an idle Node; null: not known, so not limited. */
  readonly idleDataBytes: number | null;
}

/** Whoever wants a jail is not to have less without noticing. */
export function insistOn(wanted: WallName | undefined, wall: Wall): Wall {
  if (wanted !== "jail" || wall.name === "jail") return wall;
  const { why, cure } = wall.lack ?? { why: "it was not tried", cure: null };
  const message = `the setting \`wall\` asks for a jail, and none stands here: ${why}`;
  throw new MillraceError("bad_config", message, { cure: cure ?? "Take the setting back, or use a machine with Linux." });
}

/** What is wrong before anything is tried. null: the jail is worth trying. */
export function jailLack({ platform, arch, bwrap }: Machine): Lack | null {
  if (platform !== "linux") return { why: `the jail needs Linux, this is ${platform}`, cure: null };
  if (arch !== "x64" && arch !== "arm64") return { why: `its filter of system calls is not written for ${arch}`, cure: null };
  if (bwrap === null) return { why: "bubblewrap is not installed", cure: "Install bubblewrap (Debian: apt install bubblewrap)." };
  return null;
}

/** What bubblewrap said when it was tried. */
export function refusedJail(said: string): Lack {
  const why = said === "" ? "bubblewrap could not set it up" : said.replace(/^bwrap: /, "bubblewrap says: ");
  return { why, cure: cureOf(said) };
}

function cureOf(said: string): string {
  if (/user namespace|No permissions to create|uid map/i.test(said))
    return "Allow user namespaces to this user: sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces above 0, and no AppArmor rule against them (kernel.apparmor_restrict_unprivileged_userns=0).";
  if (/proc|mount|pivot_root/i.test(said))
    return "Run the node outside of a container, or in one that may mount (Docker: --security-opt seccomp=unconfined --security-opt systempaths=unconfined).";
  return "Try `bwrap --unshare-all --ro-bind / / true` as the node's user: it must succeed.";
}
