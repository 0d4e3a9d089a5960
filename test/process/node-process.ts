import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const CHECKOUT = join(import.meta.dirname, "../..");
/** Compiled once by a node that ends well, it halves the start of those that follow. */
const COMPILE_CACHE = join(tmpdir(), `millrace-compile-cache-${process.getuid?.() ?? 0}`);

export interface NodeOptions {
  readonly command?: "start" | "dev";
  readonly data?: string;
  readonly port?: number;
  /** Further options of the command line. */
  readonly args?: readonly string[];
  /** A program that starts the node in its stead and keeps its process id, such as `strace -D`. */
  readonly through?: readonly string[];
}

interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A real node of its own, in a temporary data directory, as `millrace start` makes one. */
export class NodeProcess {
  readonly gateway: string;
  readonly control: string;
  readonly port: number;
  readonly data: string;
  /** Resolves when the process has ended, however it ended. */
  readonly exited: Promise<Exit>;
  private readonly child: ChildProcess;
  private text = "";

  private constructor(child: ChildProcess, port: number, data: string) {
    this.child = child;
    this.port = port;
    this.data = data;
    this.gateway = `http://127.0.0.1:${port}`;
    this.control = `http://127.0.0.1:${port + 1}`;
    this.exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => resolve({ code, signal }));
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (bytes: Buffer) => (this.text = (this.text + bytes.toString()).slice(-8192)));
  }

  /** Resolves once the node serves. */
  static async start(app: string, options: NodeOptions = {}): Promise<NodeProcess> {
    const node = await NodeProcess.launch(app, options);
    await node.ready();
    return node;
  }

  /** The process, whatever becomes of it: ask `ready` or `exited`. */
  static async launch(app: string, options: NodeOptions = {}): Promise<NodeProcess> {
    const port = options.port ?? (await freePort());
    const data = options.data ?? mkdtempSync(join(tmpdir(), "millrace-process-"));
    const cli = ["--disable-warning=ExperimentalWarning", "--conditions=millrace/source", join(CHECKOUT, "src/cli/main.ts")];
    const args = [options.command ?? "start", app, "--data", data, "--port", String(port), ...(options.args ?? [])];
    const [program = "", ...rest] = [...(options.through ?? []), process.execPath, ...cli, ...args];
    const env = { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE };
    return new NodeProcess(spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"], env }), port, data);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** The last of what it printed, on either stream. */
  get output(): string {
    return this.text;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Resident memory of the node's own process. */
  rssBytes(): number {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  }

  /** Its instances: those with a function's code and the spares. */
  instancePids(): number[] {
    const children: number[] = [];
    for (const task of readdirSync(`/proc/${this.pid}/task`)) {
      children.push(...readFileSync(`/proc/${this.pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number));
    }
    return children;
  }

  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.control}/metrics`)).text();
    let sum = 0;
    for (const line of text.split("\n")) {
      if (line === name || line.startsWith(`${name} `) || line.startsWith(`${name}{`)) sum += Number(line.slice(line.lastIndexOf(" ") + 1));
    }
    return sum;
  }

  async settled(limitMs = 300_000): Promise<void> {
    const until = Date.now() + limitMs;
    while ((await this.metric("millrace_deliveries_waiting")) > 0) {
      if (Date.now() > until) throw new Error(`not settled after ${limitMs} ms`);
      await pause(50);
    }
  }

  async controlJson(path: string): Promise<unknown> {
    const token = readFileSync(join(this.data, "control-token"), "utf8").trim();
    const answer = await fetch(`${this.control}${path}`, { headers: { authorization: `Bearer ${token}` } });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  /** SIGKILL: no handler runs, nothing is flushed. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
  }

  async stop(options: { keepData?: boolean } = {}): Promise<void> {
    if (this.running) {
      this.child.kill("SIGTERM");
      await this.exited;
    }
    if (options.keepData !== true) rmSync(this.data, { recursive: true, force: true });
  }

  async ready(): Promise<void> {
    const until = Date.now() + 30_000;
    for (;;) {
      if (!this.running || Date.now() > until) throw new Error(`the node did not start:\n${this.output}`);
      const ok = await fetch(`${this.control}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (ok) return;
      await pause(20);
    }
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Two workers that look at the same moment would both find a port free: each looks in a lane of its own, of so many pairs. */
const LANES = 8;
const LANE_PAIRS = 1250;

/**
 * A port that is free together with the next one (the control door's). Below those that the kernel gives to outgoing connections: a client
 * that tries such a port while the node is down may be connected to itself, and then the node finds its own port taken.
 */
export async function freePort(): Promise<number> {
  const lane = Number(process.env["VITEST_POOL_ID"] ?? 0) % LANES;
  for (;;) {
    const port = 10_000 + 2 * (lane * LANE_PAIRS + Math.floor(Math.random() * LANE_PAIRS));
    if ((await isFree(port)) && (await isFree(port + 1))) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  const free = await Promise.race([
    once(server, "listening").then(() => true),
    once(server, "error").then(
      () => false,
      () => false,
    ),
  ]);
  server.close();
  return free;
}
