import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { CURSOR_START, type RunView, type Store } from "../store.ts";
import { openSqliteStore } from "./index.ts";
import { StoreChild } from "./testing-support/child.ts";
import { testDirectory } from "./testing-support/directories.ts";

const KILLS = 4;
const LINES_BEFORE_KILL = 500;
/** Behind all that the children live through: their time is a count of runs. */
const LATER_MS = 1_000_000_000;
const root = testDirectory();

/** What the child was told is on disk: the numbers of runs, and `run.position`. */
interface Acknowledged {
  readonly begun: Set<string>;
  readonly entry: Set<string>;
  readonly ended: Set<string>;
}

async function runAndKill(directory: string, first: number, lines: number, acknowledged: Acknowledged): Promise<void> {
  const child = new StoreChild("run-crash-child", directory, String(first));
  const note = (line: string): void => {
    const [, what, which] = /^(begun|entry|ended) (\d+(?:\.\d+)?)$/.exec(line) ?? [];
    if (what !== undefined && which !== undefined) acknowledged[what as keyof Acknowledged].add(which);
  };
  for (let i = 0; i < lines; i++) {
    const line = await child.line();
    if (line === null) throw new Error("the child ended by itself");
    note(line);
  }
  await child.kill();
  // What it wrote before it died was acknowledged too.
  for (let line = await child.line(); line !== null; line = await child.line()) note(line);
}

async function allRuns(store: Store): Promise<RunView[]> {
  const runs: RunView[] = [];
  for (;;) {
    const page = await store.runs({ after: runs.at(-1)?.seq ?? 0, limit: 1000 });
    if (page.length === 0) return runs;
    runs.push(...page);
  }
}

async function allKeys(store: Store): Promise<string[]> {
  const keys: string[] = [];
  for (;;) {
    const page = await store.kvList({ prefix: "j/", after: keys.at(-1) ?? null, limit: 1000 }, 0);
    if (page.entries.length === 0) return keys;
    keys.push(...page.entries.map((entry) => entry.key));
  }
}

/** The parts of one run say the same of it. */
async function expectAgreement(store: Store, run: RunView, due: ReadonlySet<number>): Promise<void> {
  const { entries } = await store.journal(run.seq, 0, 1 << 20);
  const names = entries.map(({ name }) => name);
  const delivery = await store.delivery(run.seq);
  const owned = await store.ownedRun(run.seq);
  // Positions without a gap: each was committed after the one before.
  expect(entries.map(({ pos }) => pos)).toEqual(entries.map((_, i) => i + 1));
  expect(run.entries).toBe(entries.length);
  const state = run.state === "ready" ? "ready" : run.state === "done" ? "done" : "parked";
  expect([run.id, delivery?.state]).toEqual([run.id, state]);
  if (run.state === "done") {
    expect(owned).toBeNull();
    expect([run.value, run.endedMs !== null]).toEqual([`"${run.id}"`, true]);
    expect(names.filter((name) => name !== "step").sort()).toEqual(["answer", "order", "wait"]);
    return;
  }
  const waiting = owned?.arrivals.map(({ command }) => command) ?? [];
  // An arrival is there or in the journal, never both; and no run sleeps over one.
  expect(waiting.filter((command) => names.includes(command))).toEqual([]);
  if (run.state === "waiting" && waiting.length > 0) expect([run.id, due.has(run.seq)]).toEqual([run.id, true]);
}

/** What only the file shows: nothing is left of runs that have ended. */
function expectNothingLeft(directory: string): void {
  const database = new DatabaseSync(join(directory, "millrace.db"), { readOnly: true });
  for (const table of ["waits", "arrivals"]) {
    const sql = `SELECT count(*) AS count FROM ${table} LEFT JOIN runs ON runs.seq = ${table}.run WHERE runs.ended_ms IS NOT NULL OR runs.seq IS NULL`;
    expect([table, database.prepare(sql).get()?.["count"]]).toEqual([table, 0]);
  }
  database.close();
}

async function dueRuns(store: Store): Promise<Set<number>> {
  const due = new Set<number>();
  for (let cursor = CURSOR_START, more = true; more;) {
    const page = await store.ready("flow", cursor, LATER_MS, { count: 500, bytes: 1 << 20 });
    for (const { seq } of page.deliveries) due.add(seq);
    cursor = page.deliveries.at(-1)?.ready ?? cursor;
    more = page.more;
  }
  return due;
}

describe("a process that is killed while its runs go on", () => {
  it("S38: keeps what was acknowledged, and journal, row, delivery and arrivals agree", async () => {
    const directory = join(root, "crash");
    const acknowledged: Acknowledged = { begun: new Set(), entry: new Set(), ended: new Set() };
    let ended = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      await runAndKill(directory, kill * 1_000_000, LINES_BEFORE_KILL + kill * 333, acknowledged);
      const store = await openSqliteStore({ directory });
      const runs = await allRuns(store);
      const found = new Map(runs.map((run) => [String(run.seq), run]));
      expect([...acknowledged.begun].filter((seq) => !found.has(seq))).toEqual([]);
      expect([...acknowledged.ended].filter((seq) => found.get(seq)?.state !== "done")).toEqual([]);
      expect(
        [...acknowledged.entry].filter((which) => {
          const [seq = "", pos = ""] = which.split(".");
          return (found.get(seq)?.entries ?? 0) < Number(pos);
        }),
      ).toEqual([]);
      // A run's entries and the kv writes of the same members.
      const keys = Map.groupBy(await allKeys(store), (key) => String(Number(key.split("/")[1])));
      expect(runs.filter((run) => run.entries !== (keys.get(String(run.seq))?.length ?? 0))).toEqual([]);
      const due = await dueRuns(store);
      for (const run of runs) await expectAgreement(store, run, due);
      const parked = runs.filter((run) => run.state === "waiting").length;
      const ready = runs.filter((run) => run.state === "ready").length;
      expect(await store.counts()).toMatchObject(parked + ready === 0 ? [] : [{ fn: "flow", parked, ready }]);
      ended = runs.filter((run) => run.state === "done").length;
      await store.close();
      expectNothingLeft(directory);
    }
    expect(ended).toBeGreaterThan(KILLS);
  }, 120_000);
});
