import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { toError } from "../src/core/index.ts";

const FOLDER = join(import.meta.dirname, "rivals");

/** Where a rival lies, fetched if it is not there yet. Null, with the reason on stderr, where it cannot be had. */
export function rival(name: string): string | null {
  const folder = join(FOLDER, "node_modules", name);
  if (existsSync(folder)) return folder;
  console.error("bench: installing the rivals into bench/rivals (500 MB on disk; once)");
  try {
    execFileSync("npm", ["ci", "--prefix", FOLDER, "--no-audit", "--no-fund"], { stdio: ["ignore", "ignore", "inherit"] });
  } catch (error) {
    console.error(`bench: the rivals could not be installed: ${toError(error).message}`);
  }
  return existsSync(folder) ? folder : null;
}
