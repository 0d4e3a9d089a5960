/**
 * The package as a user gets it: packed, installed into an empty folder, and used from there: every door can be imported, the types are
 * in place, and `millrace init` makes an app that the installed command serves.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

const CHECKOUT = join(import.meta.dirname, "../..");
const home = mkdtempSync(join(tmpdir(), "millrace-pack-"));

try {
  const tarball = pack();
  await lint(tarball);
  install(tarball);
  importDoors();
  await serve();
  console.log("pack: the packed package installs, imports and serves");
} finally {
  rmSync(home, { recursive: true, force: true });
}

function run(command: string, args: readonly string[], cwd: string): string {
  return execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

function pack(): string {
  run("npm", ["pack", "--ignore-scripts", "--pack-destination", home], CHECKOUT);
  const name = readdirSync(home).find((file) => file.endsWith(".tgz"));
  if (name === undefined) throw new Error("npm pack made no file");
  const files = run("tar", ["-tzf", join(home, name)], home).split("\n");
  const strays = files.filter((file) => /\.test\.|testing-support/.test(file));
  if (strays.length > 0) throw new Error(`the package holds what no user needs: ${strays.slice(0, 5).join(", ")}`);
  return join(home, name);
}

async function lint(tarball: string): Promise<void> {
  const bytes = readFileSync(tarball);
  const { messages, pkg } = await publint({ pack: { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) } });
  for (const message of messages) console.error(`publint: ${formatMessage(message, pkg) ?? message.code}`);
  if (messages.some(({ type }) => type === "error")) throw new Error("publint found errors");
}

function install(tarball: string): void {
  writeFileSync(join(home, "package.json"), JSON.stringify({ private: true, type: "module" }));
  run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", tarball], home);
}

function importDoors(): void {
  const { exports } = JSON.parse(readFileSync(join(CHECKOUT, "package.json"), "utf8")) as { exports: Record<string, unknown> };
  const doors = Object.keys(exports)
    .filter((door) => !door.endsWith(".json"))
    .map((door) => `millrace${door.slice(1)}`);
  const program = doors.map(
    (door) => `if (Object.keys(await import(${JSON.stringify(door)})).length === 0) throw new Error("${door} is empty");`,
  );
  run(process.execPath, ["--input-type=module", "-e", program.join("\n")], home);
}

async function serve(): Promise<void> {
  const cli = join(home, "node_modules/millrace/dist/cli/main.js");
  run(process.execPath, [cli, "init", "app"], home);
  const node = spawn(process.execPath, [cli, "start", "app", "--port", "0", "--data", "data"], {
    cwd: home,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  for (const stream of [node.stdout, node.stderr]) stream.on("data", (bytes: Buffer) => (printed += bytes.toString()));
  try {
    const until = Date.now() + 30_000;
    while (!/ready/.test(printed)) {
      if (node.exitCode !== null || Date.now() > until) throw new Error(`the installed node did not start:\n${printed}`);
      await new Promise((resolve) => {
        setTimeout(resolve, 50);
      });
    }
    const functions = JSON.parse(
      run(process.execPath, [cli, "functions", "--data", "data", "--json"], home).split("\n")[0] ?? "",
    ) as unknown;
    if (typeof functions !== "object" || functions === null) throw new Error("the installed command lists no functions");
  } finally {
    node.kill("SIGTERM");
    await once(node, "exit");
  }
}
