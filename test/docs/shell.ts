import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { COMMANDS } from "../../src/cli/commands/all.ts";
import { run } from "../../src/cli/run.ts";
import { ScriptedIo } from "../../src/cli/testing-support/scripted-io.ts";
import { newId } from "../../src/core/index.ts";
import { VERSION } from "../../src/server/version.ts";
import type { PageApp } from "./page-app.ts";

export interface Ran {
  readonly command: string;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const CLI = /^(?:npm run -s millrace --|npx millrace|millrace) /;

/** One command a line; a line that ends in a backslash goes on, and so does one inside quotes. */
export function commandsOf(text: string): string[] {
  const commands: string[] = [];
  let open = "";
  for (const line of text.replaceAll(/\\\n\s*/g, " ").split("\n")) {
    open = open === "" ? line.trim() : `${open}\n${line}`;
    if ((open.split("'").length - 1) % 2 === 1) continue;
    if (open !== "" && !open.startsWith("#")) commands.push(open);
    open = "";
  }
  return commands;
}

/**
 * Runs one command of a page against its app: Millrace's own in this process, curl in a shell. What happens at `localhost:4800`
 * on the page happens at the app's own doors. A person reads on when the app has come to rest, so each command waits for that.
 */
export async function runCommand(command: string, app: PageApp): Promise<Ran> {
  const node = await app.liveNode();
  await node.delivery.settled();
  node.logs.flush();
  // Log lines are written with the next commit, else some moments later: no time for a person, but much for a test.
  await node.store.commit({ id: newId(), nowMs: Date.now() });
  const found = CLI.exec(command);
  if (found !== null) return await runMillrace(command, wordsOf(command.slice(found[0].length)), app);
  if (!command.startsWith("curl ")) throw new Error(`the docs test cannot run "${command}"`);
  const { gateway, control } = node.addresses;
  const here = command
    .replaceAll(/(?:http:\/\/)?(?:localhost|127\.0\.0\.1):4800/g, gateway)
    .replaceAll(/(?:http:\/\/)?(?:localhost|127\.0\.0\.1):4801/g, control);
  return await runShell(command, here, app.cwd);
}

async function runMillrace(command: string, argv: readonly string[], app: PageApp): Promise<Ran> {
  const io = new ScriptedIo(app.cwd);
  io.env["MILLRACE_DATA"] = app.data;
  io.nowMs = Date.now();
  const code = await run(argv, COMMANDS, VERSION, io);
  return { command, code, stdout: io.stdout, stderr: io.stderr };
}

function runShell(command: string, line: string, cwd: string): Promise<Ran> {
  mkdirSync(cwd, { recursive: true });
  return new Promise((resolve) => {
    execFile("bash", ["-c", line], { cwd, timeout: 20_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
      // A progress meter is for people only.
      resolve({ command, code, stdout, stderr: code === 0 ? "" : stderr });
    });
  });
}

/** The words of a line as a shell takes them: quotes, and comments at the end. */
export function wordsOf(line: string): string[] {
  const words: string[] = [];
  for (const [token] of line.matchAll(/#.*$|(?:'[^']*'|"[^"]*"|[^\s'"#])(?:'[^']*'|"[^"]*"|[^\s'"])*/g)) {
    if (token.startsWith("#")) break;
    words.push(
      token.replaceAll(/'([^']*)'|"([^"]*)"/g, (_, single: string | undefined, double: string | undefined) => single ?? double ?? ""),
    );
  }
  return words;
}
