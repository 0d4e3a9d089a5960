import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const CHECKOUT = join(import.meta.dirname, "..");

/** A real node of its own, in a temporary data directory, as `millrace start` makes one. */
export class NodeProcess {
  readonly gateway: string;
  readonly control: string;
  readonly port: number;
  readonly data: string;
  private readonly child: ChildProcess;
  private output = "";

  private constructor(child: ChildProcess, port: number, data: string) {
    this.child = child;
    this.port = port;
    this.data = data;
    this.gateway = `http://127.0.0.1:${port}`;
    this.control = `http://127.0.0.1:${port + 1}`;
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (bytes: Buffer) => (this.output = (this.output + bytes.toString()).slice(-8192)));
  }

  static async start(app: string, options: { data?: string } = {}): Promise<NodeProcess> {
    const port = await freePort();
    const data = options.data ?? mkdtempSync(join(tmpdir(), "millrace-bench-"));
    const command = ["--disable-warning=ExperimentalWarning", "--conditions=millrace/source", join(CHECKOUT, "src/cli/main.ts")];
    const args = ["start", app, "--data", data, "--port", String(port)];
    const child = spawn(process.execPath, [...command, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    const node = new NodeProcess(child, port, data);
    await node.ready();
    return node;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Resident memory of the node's own process. */
  rssBytes(): number {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  }

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

  async stop(options: { keepData?: boolean } = {}): Promise<void> {
    if (this.child.exitCode === null) {
      this.child.kill("SIGTERM");
      await once(this.child, "exit");
    }
    if (options.keepData !== true) rmSync(this.data, { recursive: true, force: true });
  }

  private async ready(): Promise<void> {
    const until = Date.now() + 30_000;
    for (;;) {
      if (this.child.exitCode !== null || Date.now() > until) throw new Error(`the node did not start:\n${this.output}`);
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

/** A port that is free together with the next one (the control door's). */
async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    server.close();
    await once(server, "close");
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const next = createServer().listen(port + 1, "127.0.0.1");
    const free = await Promise.race([once(next, "listening").then(() => true), once(next, "error").then(() => false)]);
    next.close();
    if (free) return port;
  }
}
