import { didYouMean } from "../core/near-miss.ts";
import { type Command, UsageError } from "./command.ts";
import { commandHelp, generalHelp } from "./help.ts";
import type { Io } from "./io.ts";
import { parseArguments } from "./parse-arguments.ts";
import { reportError } from "./report-error.ts";

/** Runs one command line; resolves to the exit code and never rejects. */
export async function run(argv: readonly string[], commands: readonly Command[], version: string, io: Io): Promise<number> {
  const debug = argv.includes("--debug");
  try {
    return await dispatch(argv, commands, version, io);
  } catch (error) {
    const code = reportError(error, debug, io);
    return findCommand(argv, commands)?.command.failureCode ?? code;
  }
}

async function dispatch(argv: readonly string[], commands: readonly Command[], version: string, io: Io): Promise<number> {
  const [first] = argv;
  if (first === undefined || first === "--help" || first === "-h" || first === "help") return help(argv.slice(1), commands, version, io);
  if (first === "--version" || first === "-v") {
    io.out(`${version}\n`);
    return 0;
  }
  const found = findCommand(argv, commands);
  if (found === undefined) return unknown(argv, commands, io);
  const { command, rest } = found;
  const { help: wantsHelp, args, values } = parseArguments(command, rest);
  if (wantsHelp) {
    io.out(commandHelp(command, io.outColors));
    return 0;
  }
  return await command.execute(args, values, io);
}

/** `millrace help`, and `millrace help dead list`. */
function help(words: readonly string[], commands: readonly Command[], version: string, io: Io): number {
  const found = findCommand(words, commands);
  io.out(found === undefined ? generalHelp(commands, version, io.outColors) : commandHelp(found.command, io.outColors));
  return 0;
}

/** The longest name that the line begins with: `events show` before `events`. */
function findCommand(argv: readonly string[], commands: readonly Command[]): { command: Command; rest: readonly string[] } | undefined {
  for (const length of [2, 1]) {
    const name = argv.slice(0, length).join(" ");
    const command = commands.find((each) => each.name === name);
    if (command !== undefined) return { command, rest: argv.slice(length) };
  }
  return undefined;
}

function unknown(argv: readonly string[], commands: readonly Command[], io: Io): number {
  const [first = "", second] = argv;
  const group = commands.filter(({ name }) => name.startsWith(`${first} `));
  if (group.length === 0) {
    if (first.startsWith("-")) throw new UsageError(`the command comes first, before ${first}`);
    const names = new Set(commands.map(({ name }) => name.split(" ")[0] ?? name));
    throw new UsageError(`there is no command "${first}"${didYouMean(first, names)}`);
  }
  const verbs = group.map(({ name }) => name.slice(first.length + 1));
  if (second === "--help" || second === "-h") {
    io.out(group.map((command) => commandHelp(command, io.outColors)).join("\n"));
    return 0;
  }
  const given = second === undefined || second.startsWith("-") ? "" : `, not "${second}"${didYouMean(second, verbs)}`;
  throw new UsageError(`${first} wants one of ${verbs.join(", ")}${given}`, first);
}
