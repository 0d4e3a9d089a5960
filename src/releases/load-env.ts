import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { MillraceError, toError } from "../core/index.ts";

const ENV_FILES = [".env", ".env.local"] as const;

/** The app's variables; `.env.local` has the last word. Neither file need exist. */
export async function loadEnv(appDirectory: string): Promise<Record<string, string>> {
  const texts = await Promise.all(ENV_FILES.map((name) => readIfThere(join(appDirectory, name))));
  const variables = texts.flatMap((text) => Object.entries(parseEnv(text)));
  return Object.fromEntries(variables.filter((pair): pair is [string, string] => pair[1] !== undefined));
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw new MillraceError("load_failed", `${file}: the file of variables cannot be read: ${toError(error).message}`, {
      cause: error,
      cure: "Make it a file that this user can read, or remove it.",
    });
  }
}
