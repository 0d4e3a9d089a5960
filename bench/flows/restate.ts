import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../test/process/node-process.ts";
import { rival, RIVALS, rivalVersion } from "../rivals.ts";
import { Child } from "./child.ts";
import { checkResult, type Contender, type Steps } from "./contender.ts";
import { KeepAlive } from "./keep-alive.ts";

const SERVER = `@restatedev/restate-server-${process.platform}-${process.arch}`;
const SDK = "@restatedev/restate-sdk";

/** The user's code, in a process of its own: over HTTP/2, so that a run is one stream both ways and no step costs a request. */
const SERVICE = `
  import { createServer } from "node:http2";
  import { createEndpointHandler, service } from "@restatedev/restate-sdk";
  const run = async (context, steps) => {
    let done = 0;
    for (let i = 0; i < steps; i++) {
      const { ok } = await context.run("step", () => ({ ok: true }));
      if (ok) done++;
    }
    return { done };
  };
  const services = [service({ name: "chain", handlers: { run } })];
  createServer(createEndpointHandler({ services })).listen(Number(process.argv[1]), "127.0.0.1");
`;

/**
 * A single restate-server with its defaults, called through its HTTP ingress. By default (`default-provider = "replicated"`,
 * `log-server.rocksdb-disable-wal-fsync = false`) what is appended to its log is answered after an fdatasync of the log store's write-ahead
 * log, shared by appends that wait together; strace sees at least one a step of a run that is alone. Its partition store is not synced: it is
 * made again from the log.
 */
export class Restate implements Contender {
  readonly name = "restate";
  readonly durability = "defaults: replicated loglet on one node, log-server.rocksdb-disable-wal-fsync=false";
  private readonly children: Child[] = [];
  private folder = "";
  private ingress: KeepAlive | null = null;

  get version(): string {
    return `server ${rivalVersion(SERVER)}, sdk ${rivalVersion(SDK)}`;
  }

  async start(): Promise<void> {
    const binary = rival(SERVER);
    if (binary === null || rival(SDK) === null) throw new Error(`${binary === null ? SERVER : SDK} is not installed`);
    this.folder = mkdtempSync(join(tmpdir(), "millrace-bench-restate-"));
    const [ingress, service, fabric] = [await freePort(), await freePort(), await freePort()];
    const admin = ingress + 1;
    const config = join(this.folder, "restate.toml");
    writeFileSync(config, settings(join(this.folder, "data"), { ingress, admin, fabric }));
    const server = this.begin(new Child([join(binary, "bin/restate-server"), "--no-logo", "--config-file", config], { cwd: this.folder }));
    // A line of log for every call would cost more than the call.
    const env = { RESTATE_LOGGING: "ERROR" };
    this.begin(new Child([process.execPath, "--input-type=module", "-e", SERVICE, String(service)], { cwd: RIVALS, env }));
    this.ingress = new KeepAlive(ingress);
    await server.until(() => register(admin, service));
    await server.until(() => this.run(1));
  }

  async run(steps: Steps): Promise<void> {
    checkResult((await this.ingress?.post("/chain/run", String(steps))) ?? "", steps);
  }

  pids(): number[] {
    return this.children.map(({ pid }) => pid);
  }

  async stop(): Promise<void> {
    this.ingress?.close();
    for (const child of this.children) await child.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private begin(child: Child): Child {
    this.children.push(child);
    return child;
  }
}

interface Ports {
  readonly ingress: number;
  readonly admin: number;
  readonly fabric: number;
}

/** Addresses and silence; whatever decides about speed and durability is left as it comes. */
function settings(directory: string, { ingress, admin, fabric }: Ports): string {
  return `base-dir = "${directory}"
listen-mode = "tcp"
bind-address = "127.0.0.1:${fabric}"
advertised-address = "http://127.0.0.1:${fabric}/"
log-filter = "warn"
disable-telemetry = true
[ingress]
bind-address = "127.0.0.1:${ingress}"
[admin]
bind-address = "127.0.0.1:${admin}"
`;
}

async function register(admin: number, service: number): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${admin}/deployments`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ uri: `http://127.0.0.1:${service}` }),
  });
  if (!answer.ok) throw new Error(`Restate did not take the service: ${answer.status} ${await answer.text()}`);
}
