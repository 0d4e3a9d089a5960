import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Worker } from "node:worker_threads";
import { toError } from "../../core/index.ts";
import type { Store } from "../store.ts";
import type { Durability } from "./connection.ts";
import { storeError, unpackError } from "./errors.ts";
import { lockDirectory } from "./lock.ts";
import type { Opened, WorkerData } from "./requests.ts";
import { SqliteStore } from "./sqlite-store.ts";
import { startThread } from "./threads.ts";

export interface SqliteStoreOptions {
  /** Made when it is not there, for this user alone. One node uses a directory at a time. */
  readonly directory: string;
  /** `full`: a commit is on disk when it resolves. `off` is for tests: it survives the process, not the power. */
  readonly durability?: Durability;
  /** A ceiling for the file in pages of 4 KiB, so that a test can fill it up. */
  readonly maxPages?: number;
}

/**
 * Opens the store in a directory. Rejects with `data_locked`, `data_unwritable`, `data_corrupt`, `data_newer` or `disk_full`.
 *
 * @example
 * const store = await openSqliteStore({ directory: ".millrace" });
 * const lease = await store.acquire("node-1");
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const directory = resolve(options.directory);
  const file = join(directory, "millrace.db");
  const lock = prepare(directory, file);
  const data: WorkerData = { file, durability: options.durability ?? "full", maxPages: options.maxPages ?? null };
  const writer = startThread("writer", data);
  const reader = startThread("reader", data);
  try {
    const highMs = await opened(writer, reader);
    return new SqliteStore(writer, reader, lock, highMs);
  } catch (thrown) {
    await Promise.all([writer.terminate(), reader.terminate()]);
    lock.release();
    throw storeError(thrown, file);
  }
}

function prepare(directory: string, file: string): { release(): void } {
  try {
    makeDirectory(directory);
    const lockFile = join(directory, "lock.db");
    for (const path of [lockFile, file]) makePrivate(path);
    syncDirectory(directory);
    return lockDirectory(directory);
  } catch (thrown) {
    throw storeError(thrown, file);
  }
}

/** Not mkdir's own `recursive`: below /proc, where nothing can be made, that never returns. */
function makeDirectory(directory: string): void {
  if (existsSync(directory)) return;
  makeDirectory(dirname(directory));
  mkdirSync(directory, { mode: 0o700 });
  syncDirectory(dirname(directory));
}

/** A new entry is on disk only when its directory is. */
function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * SQLite gives its side files the mode of the file itself. A file that exists is not opened here: closing it again would drop every
 * lock that this process holds on it (fcntl locks belong to the process, not to the descriptor).
 */
function makePrivate(path: string): void {
  if (!existsSync(path)) closeSync(openSync(path, "wx", 0o600));
  chmodSync(path, 0o600);
}

/** Resolves with the store's time once the writer has the file open. */
function opened(writer: Worker, reader: Worker): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: unknown): void => reject(toError(error));
    const ended = (): void => reject(new Error("a thread of the store ended while it was opened"));
    writer.once("message", (message: Opened) => {
      for (const thread of [writer, reader]) thread.off("error", failed).off("exit", ended);
      if (message.opened) resolve(message.highMs);
      else reject(unpackError(message.error));
    });
    for (const thread of [writer, reader]) thread.once("error", failed).once("exit", ended);
  });
}
