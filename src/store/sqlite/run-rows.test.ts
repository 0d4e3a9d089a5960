import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { aMember, BOOM, committed, retainAll, settlement, T0, to } from "../testing-support/contract/builders.ts";
import { begin, ending, entry, make, parking, retrying, waitFor } from "../testing-support/contract/run-builders.ts";
import { openSqliteStore } from "./index.ts";
import { testDirectory } from "./testing-support/directories.ts";

const root = testDirectory();
const TABLES = ["runs", "journal", "waits", "callbacks", "arrivals", "attempts", "deliveries", "events"] as const;

function rowsOf(directory: string): Record<string, number> {
  const database = new DatabaseSync(join(directory, "millrace.db"), { readOnly: true });
  const rows = TABLES.map((table) => [table, Number(database.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.["count"])]);
  database.close();
  return Object.fromEntries(rows) as Record<string, number>;
}

describe("the rows of runs", () => {
  it("S45 S55: an end leaves neither waits nor arrivals, of a called function neither; retention leaves nothing", async () => {
    const directory = join(root, "rows");
    const store = await openSqliteStore({ directory, durability: "off" });
    const lease = await store.acquire("n");
    const caller = await begin(store, { waits: [waitFor("cancelled", 1)] });
    const called = await begin(store, { parent: { run: caller, command: "call c 1" }, waits: [waitFor("cancelled", 2)] });
    const fn = await begin(store, { kind: "fn", parent: { run: caller, command: "call f 1" } }, to("f"));
    await make(store, lease, caller, { entries: [entry(1)], move: retrying(0, T0) });
    await make(store, lease, caller, {
      entries: [entry(2)],
      waits: [waitFor("arrived", 1)],
      callbacks: [
        { tokenHash: "a", command: "answer a 1" },
        { tokenHash: "b", command: "answer b 1" },
      ],
      move: parking(),
    });
    await committed(store.commit(aMember({ callback: { tokenHash: "a", value: "1" } })));
    await make(store, lease, caller, { move: ending() });
    await make(store, lease, called, { move: ending({ state: "cancelled" }) });
    const retry = { kind: "retry", dueMs: T0, error: BOOM } as const;
    await committed(store.commit(settlement(lease, fn, retry)));
    const end = { run: fn, epoch: lease.epoch, entries: [], move: ending() };
    await committed(store.commit({ ...settlement(lease, fn, { kind: "done" }, 1), run: end }));
    expect(rowsOf(directory)).toEqual({
      runs: 3,
      journal: 2,
      waits: 0,
      callbacks: 2,
      arrivals: 0,
      attempts: 2,
      deliveries: 3,
      events: 3,
    });
    await retainAll(store, T0 + 1, T0 + 1);
    expect(rowsOf(directory)).toEqual(Object.fromEntries(TABLES.map((table) => [table, 0])));
    await store.close();
  });
});
