import type { Wall } from "../pool/index.ts";
import { fail, type Finding, ok, warn } from "./finding.ts";

/** What stands between a function and this machine, and why it is not more. */
export function examineWall(wall: Wall, hasMemoryGroups: boolean): Finding[] {
  return [nameOf(wall), networkOf(wall), limitsOf(wall), memoryOf(wall, hasMemoryGroups)];
}

function nameOf({ name, lack }: Wall): Finding {
  switch (name) {
    case "process":
      return fail("wall", "process: only a process apart; this Node.js has no permission model", "Install Node.js 24 or newer.");
    case "permission": {
      const says = `permission: functions are denied files, processes and addons by Node.js itself${lack === null ? "" : `; no jail: ${lack.why}`}`;
      // What this system cannot have is no fault of it.
      return lack === null || lack.cure === null ? ok("wall", says) : warn("wall", says, lack.cure);
    }
    case "jail":
      return ok("wall", "jail: namespaces and a filter of system calls around Node's permission model");
    default:
      return name satisfies never;
  }
}

function networkOf({ name, machine }: Wall): Finding {
  const denies = machine.nodeFlags.has("--allow-net");
  if (name === "jail") return ok("network", `\`network: false\` is held by the jail${denies ? " and by Node.js" : ""}`);
  if (denies) return ok("network", "`network: false` is held by Node.js, but not for processes and addons that are granted");
  return warn(
    "network",
    "`network: false` is not held: this Node.js cannot deny it",
    "Use Node.js 25 or newer, or a machine with the jail.",
  );
}

function limitsOf({ machine, idleDataBytes }: Wall): Finding {
  if (machine.platform !== "linux") return ok("limits", "processor time is not limited besides wall time, on this system");
  if (machine.prlimit === null || idleDataBytes === null) {
    const cure = "Install prlimit and setpriv (Debian: apt install util-linux).";
    return warn("limits", "processor time is watched; open files and core dumps are not limited", cure);
  }
  return ok("limits", "open files, file sizes and core dumps are limited by the kernel; processor time is watched");
}

function memoryOf({ machine, idleDataBytes }: Wall, hasGroups: boolean): Finding {
  if (machine.platform !== "linux") return ok("memory", "the heap is limited by V8; what else functions use is not, on this system");
  const kernel = [...(hasGroups ? ["a control group"] : []), ...(idleDataBytes === null ? [] : ["the size of its data"])];
  return ok(
    "memory",
    kernel.length === 0 ? "the heap is limited by V8; all of it is watched" : `limited by the kernel (${kernel.join(", ")}), and watched`,
  );
}
