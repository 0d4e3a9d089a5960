import type { DatabaseSync } from "node:sqlite";
import type { FunctionCounts } from "../store.ts";
import type { Names } from "./names.ts";
import { STATE } from "./schema.ts";

/**
 * How many deliveries of each function wait or are dead. Kept in memory beside the file: counting a million rows at every scrape of
 * the metrics took 40 ms, counting once at open is bearable.
 */
export class Tally {
  private readonly counts = new Map<number, number[]>();
  /** What the open transaction changed: function, state, how many. */
  private pending: number[] = [];

  constructor(database: DatabaseSync) {
    // One walk through the ready index as it stands: grouping by state as well would sort it.
    const falling = database
      .prepare(
        `SELECT fn, sum(state = ${STATE.ready}) AS ready, sum(state = ${STATE.parked}) AS parked FROM deliveries WHERE state <= 0 GROUP BY fn`,
      )
      .all();
    for (const row of falling) {
      this.apply(Number(row["fn"]), STATE.ready, Number(row["ready"]));
      this.apply(Number(row["fn"]), STATE.parked, Number(row["parked"]));
    }
    const blocked = database
      .prepare(`SELECT fn, count(*) AS count FROM deliveries WHERE key IS NOT NULL AND state <= 2 AND state = ${STATE.blocked} GROUP BY fn`)
      .all();
    for (const row of blocked) this.apply(Number(row["fn"]), STATE.blocked, Number(row["count"]));
    const dead = database.prepare("SELECT fn, held, count(*) AS count FROM dead GROUP BY fn, held").all();
    for (const row of dead) this.apply(Number(row["fn"]), row["held"] === 1 ? STATE.held : STATE.dead, Number(row["count"]));
  }

  add(fn: number, state: number, by: 1 | -1): void {
    this.pending.push(fn, state, by);
  }

  commit(): void {
    const { pending } = this;
    for (let i = 0; i < pending.length; i += 3) this.apply(pending[i] ?? 0, pending[i + 1] ?? 0, pending[i + 2] ?? 0);
    this.pending = [];
  }

  rollback(): void {
    this.pending = [];
  }

  view(names: Names): FunctionCounts[] {
    const views: FunctionCounts[] = [];
    for (const [fn, counts] of this.counts) {
      const [ready = 0, held = 0, blocked = 0, dead = 0, , parked = 0] = counts;
      if (ready + held + blocked + dead + parked > 0) views.push({ fn: names.name(fn), ready, blocked, parked, dead: dead + held, held });
    }
    return views.sort((a, b) => (a.fn < b.fn ? -1 : 1));
  }

  private apply(fn: number, state: number, by: number): void {
    let counts = this.counts.get(fn);
    if (counts === undefined) this.counts.set(fn, (counts = [0, 0, 0, 0, 0, 0]));
    // `parked` is below all others: it stands last here.
    const place = state < 0 ? STATE.done + 1 : state;
    counts[place] = (counts[place] ?? 0) + by;
  }
}
