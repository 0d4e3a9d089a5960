import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

export const STRACE_MISSING = "strace is not installed (Debian: apt-get install strace)";

/** Whether strace is there and allowed to trace. */
export function canTrace(): boolean {
  return spawnSync("strace", ["-o", "/dev/null", "true"]).status === 0;
}

/** What a disk says when it takes nothing. */
export type Refusal = "ENOSPC" | "EROFS";

/** Every call by which SQLite changes a file; sockets are written with others. */
const CHANGES = "pwrite64,ftruncate,fallocate";

/**
 * Makes every write to a file fail in a process that runs, until `end`: strace puts the error in the place of the system call. It is the only
 * way to a read-only disk under an open file (the kernel does not remount read-only while a file is open for writing, though it does so itself
 * when a disk fails), and the way to a full one where mounting is not allowed.
 */
export class WriteFaults {
  private readonly strace: ChildProcess;

  private constructor(strace: ChildProcess) {
    this.strace = strace;
  }

  static async begin(pid: number, refusal: Refusal): Promise<WriteFaults> {
    const args = ["-f", "-qq", "-o", "/dev/null", "-p", String(pid), "-e", `trace=${CHANGES}`, "-e", `inject=${CHANGES}:error=${refusal}`];
    const strace = spawn("strace", args, { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    strace.stderr?.on("data", (bytes: Buffer) => (said += bytes.toString()));
    await Promise.race([
      once(strace, "spawn"),
      once(strace, "exit").then(() => Promise.reject(new Error(`strace could not be attached: ${said}`))),
    ]);
    return new WriteFaults(strace);
  }

  /** strace lets go; the process goes on, unless it has ended, and strace with it. */
  async end(): Promise<void> {
    if (this.strace.exitCode !== null || this.strace.signalCode !== null) return;
    this.strace.kill("SIGTERM");
    await once(this.strace, "exit");
  }
}
