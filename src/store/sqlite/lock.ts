import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { MillraceError } from "../../core/index.ts";

export interface DirectoryLock {
  release(): void;
}

/**
 * One node a directory. The lock is an exclusive transaction on a file of its own: the kernel releases it when the process dies, however
 * it dies, and SQLite refuses a second one from within the same process too (plain fcntl locks would not).
 */
export function lockDirectory(directory: string): DirectoryLock {
  const pidFile = join(directory, "node.pid");
  const database = new DatabaseSync(join(directory, "lock.db"), { timeout: 0 });
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (!isBusy(error)) throw error;
    throw new MillraceError("data_locked", `${directory} is in use by another node${holder(pidFile)}`, { cause: error });
  }
  writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
  return { release: () => database.close() };
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number" && (error.errcode & 0xff) === 5;
}

function holder(pidFile: string): string {
  try {
    return ` (process ${readFileSync(pidFile, "utf8").trim()})`;
  } catch {
    return "";
  }
}
