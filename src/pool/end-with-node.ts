import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** util-linux, which every Debian, Fedora and Arch has; BusyBox has no such option. */
const SETPRIV = ["/usr/bin/setpriv", "/bin/setpriv"];

let found: readonly string[] | undefined;

/**
 * What to put before a command so that the kernel kills it when this process dies, however it dies (PR_SET_PDEATHSIG; Node cannot ask for it
 * itself). An instance ends by itself when its socket closes, but one that blocks its loop would never see that, and burn a core for ever.
 * It is the same process: setpriv becomes the command, 1 ms later. Empty where there is no such program.
 */
export function endWithNode(): readonly string[] {
  return (found ??=
    SETPRIV.filter((path) => existsSync(path))
      .map((path) => [path, "--pdeathsig", "KILL", "--"])
      .find(([program = "", ...args]) => spawnSync(program, [...args, "true"], { stdio: "ignore" }).status === 0) ?? []);
}
