import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rival } from "../rivals.ts";
import type { Contender, OpenContender } from "./contender.ts";
import { answerOfNewcomer, firstAnswer } from "./first-answer.ts";

const HELLO = `export default { fetch() { return new Response("cold"); } };`;

/** Loads a worker that nobody has loaded before for each request, by the binding that workerd has for that. */
const LOADER = `let loaded = 0;
export default {
  fetch(request, env) {
    const worker = env.LOADER.get("worker-" + loaded++, () => ({
      compatibilityDate: "2026-01-01",
      mainModule: "main.js",
      modules: { "main.js": ${JSON.stringify(HELLO)} },
    }));
    return worker.getEntrypoint().fetch(request);
  },
};`;

export const workerdIsolate: Contender = {
  name: "workerd isolate",
  what: "HTTP request to a running workerd, which loads a new isolate for it by its worker loader",
  async open(): Promise<OpenContender> {
    const server = await serve(LOADER, `bindings = [(name = "LOADER", workerLoader = (id = "loader"))],`);
    await answerOfNewcomer(server.port, "/");
    return { once: () => firstAnswer(server.port, "/"), close: server.close };
  },
};

export const workerdProcess: Contender = {
  name: "workerd process",
  what: "a fresh workerd process, from its start to its first answer",
  open: async () => ({
    async once() {
      const startMs = performance.now();
      const server = await serve(HELLO, "");
      await answerOfNewcomer(server.port, "/");
      const tookMs = performance.now() - startMs - server.prepareMs;
      await server.close();
      return tookMs;
    },
    close: async () => {},
  }),
};

interface Server {
  readonly port: number;
  /** What went by before the process was started. */
  readonly prepareMs: number;
  readonly close: () => Promise<void>;
}

async function serve(script: string, bindings: string): Promise<Server> {
  const startMs = performance.now();
  const binary = rival("@cloudflare/workerd-linux-64");
  if (binary === null) throw new Error("workerd is not installed");
  const folder = mkdtempSync(join(tmpdir(), "millrace-bench-workerd-"));
  const port = await freePort();
  writeFileSync(join(folder, "main.js"), script);
  writeFileSync(join(folder, "config.capnp"), config(port, bindings));
  const prepareMs = performance.now() - startMs;
  const child = spawn(join(binary, "bin/workerd"), ["serve", "--experimental", join(folder, "config.capnp")], { stdio: "ignore" });
  return { port, prepareMs, close: () => end(child, folder) };
}

function config(port: number, bindings: string): string {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (modules = [(name = "main.js", esModule = embed "main.js")], ${bindings} compatibilityDate = "2026-01-01"))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
`;
}

async function end(child: ChildProcess, folder: string): Promise<void> {
  const gone = new Promise((resolve) => child.once("exit", resolve));
  if (child.exitCode === null && child.signalCode === null) {
    child.kill("SIGKILL");
    await gone;
  }
  rmSync(folder, { recursive: true, force: true });
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
