import { type ChildProcess, spawn } from "node:child_process";
import { toError } from "../../src/core/index.ts";
import { pause } from "../../test/process/node-process.ts";

const START_MS = 30_000;

/** A process of a contender's. What it printed last is kept: it is the reason when it does not serve. */
export class Child {
  private readonly process: ChildProcess;
  private readonly gone: Promise<void>;
  private printed = "";
  private stopping = false;

  constructor(
    [program = "", ...args]: readonly string[],
    options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
  ) {
    const env = { ...process.env, ...options.env };
    this.process = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], cwd: options.cwd, env });
    for (const stream of [this.process.stdout, this.process.stderr])
      stream?.on("data", (bytes: Buffer) => (this.printed = (this.printed + bytes.toString()).slice(-2000)));
    this.gone = new Promise((resolve) => {
      this.process.once("exit", (code, signal) => {
        if (!this.stopping) console.error(`bench: ${program} ended (${code ?? signal}): ${this.printed}`);
        resolve();
      });
      this.process.once("error", (error) => {
        this.printed += error.message;
        resolve();
      });
    });
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  /** Tries until it goes well. Rejects when the process has ended or the time is up. */
  async until(attempt: () => Promise<unknown>): Promise<void> {
    const untilMs = performance.now() + START_MS;
    for (;;) {
      try {
        await attempt();
        return;
      } catch (error) {
        if (!this.isRunning) throw new Error(`it ended: ${this.printed}`, { cause: error });
        if (performance.now() > untilMs)
          throw new Error(`${toError(error).message} after ${START_MS} ms: ${this.printed}`, { cause: error });
      }
      await pause(50);
    }
  }

  /** Nothing that it holds is wanted any more. */
  async stop(): Promise<void> {
    this.stopping = true;
    if (this.isRunning) this.process.kill("SIGKILL");
    await this.gone;
  }

  private get isRunning(): boolean {
    return this.process.pid !== undefined && this.process.exitCode === null && this.process.signalCode === null;
  }
}
