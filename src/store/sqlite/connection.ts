import { DatabaseSync } from "node:sqlite";

export type Durability = "full" | "off";

export interface ConnectionOptions {
  readonly file: string;
  readonly durability: Durability;
  /** A ceiling for the file, so that a test can fill it up. */
  readonly maxPages: number | null;
}

const PAGE_BYTES = 4096;
const WRITER_CACHE_KIB = 16 * 1024;
const READER_CACHE_KIB = 4 * 1024;
/** A checkpoint copies the log into the file. 16 MiB: hot pages are copied once for many commits, and a checkpoint stays short. */
const CHECKPOINT_PAGES = 4096;
const JOURNAL_LIMIT_BYTES = 64 * 1024 * 1024;
/** Only a checkpoint or a recovery of the other connection ever makes one wait. */
const BUSY_MS = 10_000;

export function openWriter(options: ConnectionOptions): DatabaseSync {
  const database = new DatabaseSync(options.file, { timeout: BUSY_MS, enableForeignKeyConstraints: false });
  try {
    database.exec(`
      PRAGMA page_size = ${PAGE_BYTES};
      PRAGMA journal_mode = WAL;
      PRAGMA cache_size = -${WRITER_CACHE_KIB};
      PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
      PRAGMA journal_size_limit = ${JOURNAL_LIMIT_BYTES};
      PRAGMA temp_store = MEMORY;
    `);
    setSynchronous(database, options.durability === "full" ? "FULL" : "OFF");
    if (options.maxPages !== null) database.exec(`PRAGMA max_page_count = ${options.maxPages}`);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

export function openReader(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: BUSY_MS, readOnly: true });
  database.exec(`PRAGMA cache_size = -${READER_CACHE_KIB}; PRAGMA temp_store = MEMORY;`);
  return database;
}

export function setSynchronous(database: DatabaseSync, mode: "FULL" | "NORMAL" | "OFF"): void {
  database.exec(`PRAGMA synchronous = ${mode}`);
}
