import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { CURSOR_START, type Store } from "../store.ts";
import { aMember, append, committed, HOUR_MS, readyOf, retainAll, settle, stateOf, T0, to } from "../testing-support/contract/builders.ts";
import { begin, ending, make, parcelEvent, parking, seqsOf, waitFor } from "../testing-support/contract/run-builders.ts";
import { openSqliteStore } from "./index.ts";
import { migrate, STEPS } from "./schema.ts";
import { testDirectory } from "./testing-support/directories.ts";

const root = testDirectory();

/** Of version 1: ready 0, held 1, blocked 2, dead 3, done 4. */
const DELIVERIES = [
  { seq: 2, event: 1, fn: "f", state: 0, due: T0, key: null, settled: null },
  { seq: 3, event: 1, fn: "g", state: 0, due: T0, key: "k", settled: null },
  { seq: 5, event: 4, fn: "g", state: 2, due: T0, key: "k", settled: null },
  { seq: 6, event: 4, fn: "f", state: 0, due: T0 + HOUR_MS, key: null, settled: null },
  { seq: 8, event: 7, fn: "h", state: 1, due: T0, key: "k", settled: T0 },
  { seq: 9, event: 7, fn: "h", state: 3, due: T0, key: null, settled: T0 },
  { seq: 11, event: 10, fn: "f", state: 4, due: T0, key: null, settled: T0 + 1 },
] as const;
const EVENTS = [
  { seq: 1, fanout: 2 },
  { seq: 4, fanout: 2 },
  { seq: 7, fanout: 2 },
  { seq: 10, fanout: 1 },
] as const;
const NAMES = ["f", "g", "h", "order.placed"] as const;

const idOf = (name: string): number => NAMES.findIndex((known) => known === name) + 1;

/** A file as version 1 left it: deliveries in every state, a kv entry, a timer, an answer, errors, log lines. */
function versionOne(directory: string): void {
  const file = join(directory, "millrace.db");
  const database = new DatabaseSync(file);
  database.exec("PRAGMA journal_mode = WAL");
  migrate(database, file, STEPS.slice(0, 1));
  const put = (sql: string, ...values: (string | number | null)[]): void => void database.prepare(sql).run(...values);
  NAMES.forEach((name, i) => put("INSERT INTO names VALUES (?, ?)", i + 1, name));
  for (const { seq, fanout } of EVENTS)
    put(
      "INSERT INTO events VALUES (?, ?, ?, ?, 0, 1, 0, ?, '/test', NULL, ?)",
      seq,
      fanout,
      T0,
      idOf("order.placed"),
      `e${seq}`,
      `{"data":{"parcel":${seq}}}`,
    );
  for (const { seq, event, fn, state, due, key, settled } of DELIVERIES) {
    put("INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, ?, 0, 7, 1, ?, ?)", seq, event, idOf(fn), state, due, seq, settled, key);
    if (state === 1 || state === 3) put("INSERT INTO dead VALUES (?, ?, ?, ?)", seq, idOf(fn), idOf("order.placed"), state === 1 ? 1 : 0);
  }
  put("INSERT INTO attempts VALUES (1, 9, 1, ?, ?, 'inv', 'Error', 'boom', NULL)", T0, T0);
  put("INSERT INTO kv VALUES ('a', 11, NULL, '1')");
  put("INSERT INTO timers VALUES (1, 't', 'delayed', 3, ?, '{}')", T0 + 5);
  put("INSERT INTO answers VALUES ('key', ?, 'print', x'01')", T0 + HOUR_MS);
  put("INSERT INTO logs VALUES (1, ?, 1, 1, 'inv', 'a line')", T0);
  put("UPDATE state SET seq = 11, now_ms = ?, epoch = 3", T0);
  database.close();
}

/** The file, brought forward by opening it. */
async function brought(name: string): Promise<Store> {
  const directory = join(root, name);
  mkdirSync(directory);
  versionOne(directory);
  return openSqliteStore({ directory, durability: "off" });
}

describe("a file of schema version 1", () => {
  it("S33: keeps everything that it had", async () => {
    const store = await brought("kept");
    expect(await readyOf(store, "f")).toMatchObject([{ seq: 2, attempt: 0, event: { seq: 1, type: "order.placed" } }]);
    expect((await readyOf(store, "f")).every((delivery) => !("run" in delivery))).toBe(true);
    expect(await store.ready("f", CURSOR_START, T0, { count: 9, bytes: 9999 })).toMatchObject({ nextDueMs: T0 + HOUR_MS });
    expect(await Promise.all(DELIVERIES.map(({ seq }) => stateOf(store, seq)))).toEqual([
      "ready",
      "ready",
      "blocked",
      "ready",
      "held",
      "dead",
      "done",
    ]);
    expect(await store.counts()).toEqual([
      { fn: "f", ready: 2, blocked: 0, parked: 0, dead: 0, held: 0 },
      { fn: "g", ready: 1, blocked: 1, parked: 0, dead: 0, held: 0 },
      { fn: "h", ready: 0, blocked: 0, parked: 0, dead: 2, held: 1 },
    ]);
    expect((await store.events({ after: 0, limit: 9 })).map(({ id, deliveries }) => [id, deliveries.length])).toEqual([
      ["e1", 2],
      ["e4", 2],
      ["e7", 2],
      ["e10", 1],
    ]);
    expect(await store.dead({ limit: 9 })).toMatchObject([{ seq: 8 }, { seq: 9, errors: [{ message: "boom" }] }]);
    expect((await store.kvGet(["a"], T0))[0]).toMatchObject({ version: 11 });
    expect(await store.dueTimers(T0 + 5, 9)).toMatchObject({ timers: [{ name: "t" }] });
    expect((await store.answer("key", T0))?.fingerprint).toBe("print");
    expect(await store.logs({ limit: 9 })).toMatchObject([{ fn: "f", text: "a line" }]);
    expect(await store.runs({ limit: 9 })).toEqual([]);
    await store.close();
  });

  it("S33: goes on from there: lanes, epochs, numbers, ids, retention", async () => {
    const store = await brought("goes-on");
    const lease = await store.acquire("n");
    expect(lease.epoch).toBe(4);
    expect(seqsOf((await settle(store, lease, 3)).promoted)).toEqual([5]);
    expect(await append(store, [parcelEvent("order.placed", 1, { id: "e1", dedupe: true, json: `{"data":{"parcel":1}}` })])).toMatchObject([
      { duplicate: true, seq: 1 },
    ]);
    expect(await store.redrive({ seqs: [8, 9] }, T0, 9)).toEqual({ redriven: 2, fns: ["h"] });
    const [later] = await append(store, [parcelEvent("order.placed", 5, { deliveries: [to("f")] })]);
    expect(later?.seq).toBeGreaterThan(11);
    expect(await retainAll(store, T0 + 2, T0 + HOUR_MS)).toEqual({ events: 1, deliveries: 2 });
    await store.close();
  });

  it("S33: takes runs from then on, also in lanes and looking back at what was there", async () => {
    const store = await brought("runs");
    const lease = await store.acquire("n");
    const blocked = await begin(store, {}, to("g", "k"));
    const run = await begin(store);
    const result = await make(store, lease, run, { waits: [waitFor("order.placed", 4, { sinceSeq: 0 })], move: parking() });
    expect(seqsOf(result.woken)).toEqual([run]);
    await settle(store, lease, 3);
    expect(seqsOf((await settle(store, lease, 5)).promoted)).toEqual([blocked]);
    await make(store, lease, run, { move: ending() });
    expect(await committed(store.commit(aMember()))).toEqual({ kind: "committed", events: [], promoted: [] });
    await store.close();
  });
});

describe("a file of schema version 2", () => {
  it("S33: has the indexes of a new one, and its runs are found by them", async () => {
    const directory = join(root, "version-two");
    mkdirSync(directory);
    const file = join(directory, "millrace.db");
    const old = new DatabaseSync(file);
    old.exec("PRAGMA journal_mode = WAL");
    migrate(old, file, STEPS.slice(0, 2));
    old.exec("INSERT INTO names VALUES (1, 'flow'), (2, 'r1')");
    for (const seq of [1, 2])
      old.exec(`INSERT INTO runs VALUES (${seq}, 'run-${seq}', 1, 0, 2, 0, ${T0}, NULL, NULL, NULL, NULL, 's', NULL, NULL)`);
    old.close();
    const store = await openSqliteStore({ directory, durability: "off" });
    expect((await store.runs({ fn: "flow", limit: 9 })).map(({ id }) => id)).toEqual(["run-2", "run-1"]);
    expect(await store.runReleases()).toEqual([{ release: "r1", fn: "flow", runs: 2 }]);
    await store.close();
    expect(indexesOfRuns(file)).toEqual(indexesOfRuns(await newFile()));
  });
});

async function newFile(): Promise<string> {
  const directory = join(root, "new");
  await (await openSqliteStore({ directory, durability: "off" })).close();
  return join(directory, "millrace.db");
}

function indexesOfRuns(file: string): unknown[] {
  const database = new DatabaseSync(file, { readOnly: true });
  const rows = database.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'runs' ORDER BY name").all();
  database.close();
  return rows.map(({ name, sql }) => [name, sql]);
}
