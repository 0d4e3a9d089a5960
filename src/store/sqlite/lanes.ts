import type { DatabaseSync, StatementSync } from "node:sqlite";
import { STATE } from "./schema.ts";

/** A blocked delivery that may become ready now. */
export interface Waiting {
  readonly seq: number;
  readonly event: number;
  readonly partition: number;
  readonly attempt: number;
  readonly run: number;
}

/**
 * A lane is the deliveries of one function and key. Those that are ready or held occupy it; the others wait in the order of their
 * `pos`, and the first of them may go when fewer than its own width are occupied.
 */
export class Lanes {
  private readonly end: StatementSync;
  private readonly occupied: StatementSync;
  private readonly first: StatementSync;

  constructor(database: DatabaseSync) {
    // `state <= 2` is repeated in each, word for word: SQLite takes a partial index only for a condition that names its own.
    const lane = "FROM deliveries WHERE fn = ? AND key = ? AND state <= 2";
    this.end = database.prepare(`SELECT state ${lane} ORDER BY state DESC LIMIT ?`);
    this.occupied = database.prepare(`SELECT count(*) AS count FROM (SELECT 1 ${lane} AND state < ${STATE.blocked} LIMIT ?)`);
    this.first = database.prepare(
      `SELECT seq, event, partition, attempt, width, run ${lane} AND state = ${STATE.blocked} ORDER BY pos LIMIT 1`,
    );
    this.end.setReturnArrays(true);
    this.occupied.setReturnArrays(true);
    this.first.setReturnArrays(true);
  }

  /** Whether one more delivery of this width may be ready at once: nobody waits, and there is room. */
  hasRoom(fn: number, key: string, width: number): boolean {
    let occupied = 0;
    for (const [state] of rows(this.end.all(fn, key, width))) {
      if (state === STATE.blocked) return false;
      occupied++;
    }
    return occupied < width;
  }

  /** The first that waits, if it may go. */
  next(fn: number, key: string): Waiting | null {
    const row = firstRow(this.first.get(fn, key));
    if (row === null) return null;
    const [seq = 0, event = 0, partition = 0, attempt = 0, width = 1, run = 0] = row;
    const occupied = firstRow(this.occupied.get(fn, key, width))?.[0] ?? 0;
    return occupied < width ? { seq, event, partition, attempt, run } : null;
  }
}

/** setReturnArrays is not known to the types of get() and all(). */
function firstRow(row: unknown): number[] | null {
  return Array.isArray(row) ? row : null;
}

function rows(all: unknown): number[][] {
  return Array.isArray(all) ? all : [];
}
