import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toError } from "../../src/core/index.ts";
import { freePort, pause } from "../../test/process/node-process.ts";

/** A server that answers `hello` to every GET of `/hello`. */
export interface Contender {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  readonly stop: () => void;
}

const RIVALS = join(import.meta.dirname, "../rivals");
/** The program itself: what npm puts in .bin starts it and, killed, leaves it running. */
const WORKERD = join(
  RIVALS,
  `node_modules/@cloudflare/workerd-${process.platform}-${process.arch === "x64" ? "64" : process.arch}/bin/workerd`,
);
const START_MS = 20_000;

/** What a rival is started with: files that it wants, and a command. */
interface Recipe {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly command: (folder: string, port: number) => readonly string[];
}

const nodeScript = (script: string): Recipe["command"] => {
  return (folder, port) => [process.execPath, "--input-type=module", "-e", script, folder, String(port)];
};

/** Node's own server, with nothing around it. */
export const BARE: Recipe = {
  name: "node:http",
  files: {},
  command: nodeScript(`
    import { createServer } from "node:http";
    createServer((request, response) => {
      response.writeHead(200, { "content-type": "text/plain;charset=utf-8", "content-length": 5 });
      response.end("hello");
    }).listen(Number(process.argv[2]), "127.0.0.1");
  `),
};

export const RIVALS_RECIPES: readonly Recipe[] = [
  {
    name: "workerd",
    files: {
      "worker.js": `export default { fetch: () => new Response("hello") };`,
      "config.capnp": `using Workerd = import "/workerd/workerd.capnp";
        const config :Workerd.Config = (
          services = [(name = "main", worker = (
            modules = [(name = "worker", esModule = embed "worker.js")], compatibilityDate = "2026-01-01"))],
          sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]);`,
    },
    command: (folder, port) => [WORKERD, "serve", join(folder, "config.capnp"), `--socket-addr=http=127.0.0.1:${port}`],
  },
  {
    name: "functions-framework",
    files: { "index.js": `exports.hello = (request, response) => response.send("hello");`, "package.json": `{ "main": "index.js" }` },
    command: (folder, port) => [
      process.execPath,
      join(RIVALS, "node_modules/@google-cloud/functions-framework/build/src/main.js"),
      `--source=${folder}`,
      "--target=hello",
      `--port=${port}`,
    ],
  },
  {
    // Its class as the Serverless Framework would drive it, the handler in its own process: its fastest way.
    name: "serverless-offline, in-process",
    files: { "hello.js": `exports.hello = async () => ({ statusCode: 200, body: "hello" });`, "package.json": "{}" },
    command: nodeScript(`
      import ServerlessOffline from "serverless-offline";
      const [folder, port] = process.argv.slice(1);
      const hello = { name: "hello", handler: "hello.hello", events: [{ httpApi: { method: "get", path: "/hello" } }] };
      const service = {
        service: "bench", custom: {}, resources: {}, functions: { hello },
        provider: { name: "aws", region: "us-east-1", stage: "dev", runtime: "nodejs22.x" },
        getAllFunctions: () => ["hello"], getFunction: () => hello, getAllEventsInFunction: () => hello.events,
      };
      const quiet = () => {};
      const log = Object.assign(() => {}, { debug: quiet, error: console.error, info: quiet, notice: quiet, warning: quiet, verbose: quiet, success: quiet });
      const options = { httpPort: Number(port), lambdaPort: Number(port) + 1, useInProcess: true, noPrependStageInUrl: true, noSponsor: true };
      await new ServerlessOffline({ service, serviceDir: folder, config: { servicePath: folder } }, options, { log }).start();
    `),
  },
  {
    name: "hono on node-server (no platform)",
    files: {},
    command: nodeScript(`
      import { serve } from "@hono/node-server";
      import { Hono } from "hono";
      serve({ fetch: new Hono().get("/hello", (c) => c.text("hello")).fetch, port: Number(process.argv[2]), hostname: "127.0.0.1" });
    `),
  },
];

/** The contender, serving; or why there is none. */
export async function startContender(recipe: Recipe): Promise<Contender | { readonly absent: string }> {
  if (recipe !== BARE && !installed()) return { absent: "the rivals could not be installed into bench/rivals" };
  const folder = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  for (const [name, text] of Object.entries(recipe.files)) writeFileSync(join(folder, name), text);
  const port = await freePort();
  const [program = "", ...args] = recipe.command(folder, port);
  // The folder of the rivals is where its packages are found.
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"], cwd: existsSync(RIVALS) ? RIVALS : folder });
  const stop = (): void => {
    child.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}/hello`;
  const fault = await whyNotServing(child, url);
  if (fault === null) return { name: recipe.name, url, pid: child.pid ?? 0, stop };
  stop();
  return { absent: fault };
}

async function whyNotServing(child: ChildProcess, url: string): Promise<string | null> {
  let printed = "";
  const ended: { why?: string } = {};
  child.stderr?.on("data", (text: Buffer) => (printed = (printed + text.toString()).slice(-500)));
  child.on("error", (error) => (ended.why = error.message));
  child.on("exit", (code, signal) => (ended.why = `it ended (${code ?? signal}): ${printed}`));
  const untilMs = Date.now() + START_MS;
  for (;;) {
    if (ended.why !== undefined) return ended.why;
    const text = await fetch(url).then(
      (answer) => answer.text(),
      () => "",
    );
    if (text === "hello") return null;
    if (Date.now() > untilMs) return `it answers ${JSON.stringify(text)}, not hello, after ${START_MS} ms: ${printed}`;
    await pause(50);
  }
}

function installed(): boolean {
  if (existsSync(WORKERD)) return true;
  console.error("bench: installing the rivals into bench/rivals (once)");
  try {
    execFileSync("npm", ["ci", "--prefix", RIVALS, "--no-audit", "--no-fund"], { stdio: ["ignore", "ignore", "inherit"] });
    return true;
  } catch (error) {
    console.error(`bench: ${toError(error).message}`);
    return false;
  }
}
