import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { onLeave } from "./on-leave.ts";

const CLI = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const FLAGS = ["--disable-warning=ExperimentalWarning", "--conditions=millrace/source"];
const READY_WITHIN_MS = 60_000;
const KEPT_WORDS = 8_192;

/** A node of its own for one example, with a data directory that goes away with it. */
export class OwnNode implements AsyncDisposable {
  readonly url: string;
  readonly data: string;
  private readonly app: string;
  private readonly port: number;
  private child: ChildProcess;
  private readonly stays: () => void;
  /** The last that it said: told when it does not start, since a process that is killed says odd things. */
  private words = "";

  private constructor(app: string, data: string, port: number) {
    this.url = `http://127.0.0.1:${port}`;
    this.data = data;
    this.app = app;
    this.port = port;
    this.child = this.spawn();
    this.stays = onLeave(() => {
      this.child.kill("SIGKILL");
      rmSync(this.data, { recursive: true, force: true });
    });
  }

  /** Resolves once it serves. `app` is a folder. */
  static async start(app: string): Promise<OwnNode> {
    const node = new OwnNode(app, await mkdtemp(join(tmpdir(), "millrace-example-")), await freePort());
    try {
      await node.ready();
    } catch (error) {
      await node.stop();
      throw error;
    }
    return node;
  }

  /** Pulls the plug (SIGKILL: no handler runs, nothing is flushed), and starts it again on what is on disk. */
  async crash(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.ended();
    this.child = this.spawn();
    await this.ready();
  }

  async stop(): Promise<void> {
    this.child.kill("SIGTERM");
    await this.ended();
    this.stays();
    await rm(this.data, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  private spawn(): ChildProcess {
    const doors = ["--port", String(this.port), "--control-port", String(this.port + 1)];
    const child = spawn(process.execPath, [...FLAGS, CLI, "start", this.app, "--data", this.data, ...doors], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    child.stderr.on("data", (bytes: Buffer) => (this.words = (this.words + bytes.toString()).slice(-KEPT_WORDS)));
    return child;
  }

  private get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  private async ended(): Promise<void> {
    if (this.running) await once(this.child, "exit");
  }

  private async ready(): Promise<void> {
    const until = Date.now() + READY_WITHIN_MS;
    while (this.running && Date.now() < until) {
      const ready = await fetch(`http://127.0.0.1:${this.port + 1}/readyz`).then(
        (response) => response.ok,
        () => false,
      );
      if (ready) return;
      await sleep(50);
    }
    const why = this.running ? `the node was not ready within ${READY_WITHIN_MS / 1_000} s` : "the node ended before it was ready";
    throw new Error(`${why}\n${this.words}`);
  }
}

/** The command line, from this checkout: what to spawn, and with which arguments. */
export function cliCommand(args: readonly string[]): readonly [string, readonly string[]] {
  return [process.execPath, [...FLAGS, CLI, ...args]];
}

/**
 * Free together with the next one. Below the ports that the kernel gives to outgoing connections: a client that tries such a port while
 * the node is down may be connected to itself, and the node finds its own port taken.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + 2 * Math.floor(Math.random() * 10_000);
    if ((await isFree(port)) && (await isFree(port + 1))) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
