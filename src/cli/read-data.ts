import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { MillraceError } from "../core/errors.ts";
import { UsageError } from "./command.ts";
import type { Io } from "./io.ts";

/** DATA of a command line, or another argument: JSON as it stands, `@file`, or `-` for standard input. */
export async function readData(given: string | undefined, command: string, io: Io, name = "DATA"): Promise<unknown> {
  if (given === undefined) return undefined;
  const { text, where } = await source(given, io);
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    if (where === undefined)
      throw new UsageError(`${name} is no JSON: ${why}; put it in single quotes, so that the shell leaves it whole`, command);
    throw new MillraceError("bad_json", `${where} is no JSON: ${why}`, { cause: error });
  }
}

interface Source {
  readonly text: string;
  /** What it was read from; undefined where it stood on the line. */
  readonly where: string | undefined;
}

/** An argument that is no JSON: as it stands, `@file`, or `-` for standard input. */
export async function readText(given: string, io: Io): Promise<string> {
  return (await source(given, io)).text;
}

async function source(given: string, io: Io): Promise<Source> {
  if (given === "-") return { text: await io.readInput(), where: "standard input" };
  if (!given.startsWith("@")) return { text: given, where: undefined };
  const path = resolve(io.cwd, given.slice(1));
  try {
    return { text: await readFile(path, "utf8"), where: path };
  } catch (error) {
    throw new MillraceError("not_found", `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
      cure: "Name a file that exists after the @.",
    });
  }
}
