import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A second process with a store of its own, which a test may kill. */
export class StoreChild {
  private readonly process: ChildProcess;
  private readonly lines: AsyncIterator<string>;

  constructor(script: "crash-child" | "lock-child" | "run-crash-child", ...args: string[]) {
    const file = fileURLToPath(new URL(`./${script}.ts`, import.meta.url));
    this.process = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", file, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (this.process.stdout === null) throw new Error("the child has no output");
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** The next line it writes, or null when it has ended. */
  async line(): Promise<string | null> {
    const next = await this.lines.next();
    return next.done === true ? null : next.value;
  }

  async kill(): Promise<void> {
    const ended = once(this.process, "exit");
    this.process.kill("SIGKILL");
    await ended;
  }
}
