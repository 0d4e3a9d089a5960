import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { toError } from "../src/core/index.ts";

/** The folder from which the rivals are found by their names. */
export const RIVALS = join(import.meta.dirname, "rivals");

/** Where a rival lies, fetched if it is not there yet. Null, with the reason on stderr, where it cannot be had. */
export function rival(name: string): string | null {
  const folder = join(RIVALS, "node_modules", name);
  if (isInstalled(name)) return folder;
  console.error("bench: installing the rivals into bench/rivals (720 MB on disk; once)");
  try {
    execFileSync("npm", ["ci", "--prefix", RIVALS, "--no-audit", "--no-fund"], { stdio: ["ignore", "ignore", "inherit"] });
  } catch (error) {
    console.error(`bench: the rivals could not be installed: ${toError(error).message}`);
  }
  return isInstalled(name) ? folder : null;
}

/** Null where it is not installed. */
export function rivalVersion(name: string): string | null {
  const file = join(RIVALS, "node_modules", name, "package.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version : null;
}

/** As the lock has it: folders left by an older lock lack what it has since named, or hold it in another version. */
function isInstalled(name: string): boolean {
  const { packages } = JSON.parse(readFileSync(join(RIVALS, "package-lock.json"), "utf8")) as Lock;
  const version = rivalVersion(name);
  return version !== null && packages[`node_modules/${name}`]?.version === version;
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version: string }>>;
}
