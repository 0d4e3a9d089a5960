import type { DatabaseSync } from "node:sqlite";
import type { MillraceError } from "../../core/index.ts";
import type { FunctionCounts } from "../store.ts";
import { type ConnectionOptions, openWriter, setSynchronous } from "./connection.ts";
import { storeError } from "./errors.ts";
import { Ledger } from "./ledger.ts";
import { migrate } from "./schema.ts";
import { Tally } from "./tally.ts";

/**
 * The connection and the ledger over it, replaced together when a transaction fails: what the ledger holds in memory must never run
 * ahead of the file. So a full disk or a broken one is tried again with every commit, and the store goes on by itself.
 */
export class Ledgers {
  private readonly options: ConnectionOptions;
  private database: DatabaseSync | null = null;
  private ledger: Ledger | null = null;
  private tally: Tally | null = null;
  /** Times seen while there was no ledger to tell. */
  private seenMs = 0;

  constructor(options: ConnectionOptions) {
    this.options = options;
  }

  get highMs(): number {
    return Math.max(this.seenMs, this.ledger?.highMs ?? 0);
  }

  open(): void {
    this.use();
  }

  see(nowMs: number): void {
    this.seenMs = Math.max(this.seenMs, nowMs);
    this.ledger?.see(nowMs);
  }

  counts(): FunctionCounts[] {
    const { ledger } = this.use();
    return ledger.tally.view(ledger.names);
  }

  error(thrown: unknown): MillraceError {
    return storeError(thrown, this.options.file);
  }

  transact<Value>(body: (ledger: Ledger, database: DatabaseSync) => Value): Value {
    const { database, ledger } = this.use();
    try {
      database.exec("BEGIN IMMEDIATE");
      const value = body(ledger, database);
      ledger.saveState();
      database.exec("COMMIT");
      ledger.tally.commit();
      return value;
    } catch (error) {
      this.seenMs = this.highMs;
      this.abandon(database);
      throw error;
    }
  }

  /** The log file takes it without a sync; the next synced commit carries it along. */
  transactUnsynced(body: (ledger: Ledger, database: DatabaseSync) => void): void {
    const { database } = this.use();
    if (this.options.durability === "off") return this.transact(body);
    setSynchronous(database, "NORMAL");
    try {
      this.transact(body);
    } finally {
      if (this.database === database) setSynchronous(database, "FULL");
    }
  }

  close(): void {
    const { database } = this;
    this.database = null;
    this.ledger = null;
    if (database === null) return;
    try {
      database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } finally {
      database.close();
    }
  }

  private use(): { database: DatabaseSync; ledger: Ledger } {
    if (this.database !== null && this.ledger !== null) return { database: this.database, ledger: this.ledger };
    const database = openWriter(this.options);
    try {
      migrate(database, this.options.file);
      this.tally ??= new Tally(database);
      const ledger = new Ledger(database, this.tally);
      ledger.see(this.seenMs);
      this.database = database;
      this.ledger = ledger;
      return { database, ledger };
    } catch (error) {
      database.close();
      throw error;
    }
  }

  private abandon(database: DatabaseSync): void {
    this.database = null;
    this.ledger = null;
    this.tally?.rollback();
    // Closing rolls back whatever is open.
    database.close();
  }
}
