import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { MillraceError } from "../core/index.ts";

const SOURCE = /\.(?:ts|tsx|js|mjs)$/;
const NO_SOURCE = /\.test\.[a-z]+$|\.d\.ts$/;

/** The files whose exports are deployed, relative to the app, in one order everywhere. */
export async function findFunctions(appDirectory: string): Promise<string[]> {
  const found = await findIn(appDirectory, "functions").catch((error: unknown) => {
    throw new MillraceError("app_not_found", `there is no app in ${appDirectory}: it has no readable folder "functions"`, { cause: error });
  });
  return found.sort();
}

async function findIn(appDirectory: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(appDirectory, folder), { withFileTypes: true });
  const found = await Promise.all(entries.map((entry) => visit(appDirectory, `${folder}/${entry.name}`, entry)));
  return found.flat();
}

async function visit(appDirectory: string, path: string, entry: Dirent): Promise<string[]> {
  if (entry.name.startsWith(".") || entry.name === "node_modules") return [];
  if (entry.isDirectory()) return findIn(appDirectory, path);
  return SOURCE.test(entry.name) && !NO_SOURCE.test(entry.name) ? [path] : [];
}
