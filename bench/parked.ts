/**
 * The store with many runs that sleep or wait: how long they take to insert, what the file weighs, how soon it is open again, what it costs
 * to look at them and to wake them. Prints one JSON line a figure.
 *
 *   node bench/parked.ts [--runs 1000000] [--topics 20] [--durability full|off] [--dir DIR]
 *
 * Half of the runs sleep, half wait for an event of their own key. `cpuMs` counts all threads, this driver's own work too. Not measured: flows, sandboxes, the engine.
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { newId } from "../src/core/index.ts";
import { topicOf, waitValue } from "../src/core/wait-key.ts";
import { CURSOR_START, type Cursor, type Lease, type Member, openSqliteStore, type Store } from "../src/store/index.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "1000000" },
    topics: { type: "string", default: "20" },
    durability: { type: "string", default: "full" },
    dir: { type: "string", default: tmpdir() },
  },
});
const runs = Number(values.runs);
const topics = Number(values.topics);
const durability = values.durability === "off" ? "off" : "full";

const FN = "fulfil";
const BATCH_RUNS = 100;
const BATCHES_AT_ONCE = 20;
const NOW_MS = Date.UTC(2026, 0, 1);
const SLEEP_MS = 3_600_000;
/** So many of the sleeping ones fall due together. */
const DUE = 10_000;

const topic = (n: number): string => topicOf(`parcel.arrived.${n % topics}`, ["data.parcel"]);
const value = (n: number): string => waitValue([`parcel-${n}`]);

function begin(first: number): Member {
  const events = Array.from({ length: BATCH_RUNS }, (_, i) => {
    const id = newId();
    const json = JSON.stringify({ specversion: "1.0", id, source: "/shop", type: "order.paid", data: { id: `o-${first + i}`, qty: 1 } });
    const run = {
      id: newId(),
      named: false,
      kind: "flow",
      release: "r1",
      seed: "AAAAAAAAAAAAAAAAAAAAAA",
      parent: null,
      deadlineMs: null,
      waits: [],
    } as const;
    const delivery = { fn: FN, key: null, partition: (first + i) % 256, width: 1, run };
    const from = { id, source: "/shop", type: "order.paid", json, origin: "outside", hops: 0, cause: null } as const;
    return { ...from, dedupe: false, deliveries: [delivery] };
  });
  return { id: newId(), nowMs: NOW_MS, events };
}

/** A step that is done, and then a sleep or a wait. */
function park(run: number, n: number, lease: Lease): Member {
  const step = { verb: "step", name: "pack", number: 1, phase: "done", attempt: 1, ranMs: 3.5, value: `{"parcel":"parcel-${n}"}` } as const;
  const opened = { name: "later", number: 1, phase: "opened", attempt: 0, ranMs: 0, value: "{}" } as const;
  const common = { run, epoch: lease.epoch };
  if (n % 2 === 0) {
    const dueMs = NOW_MS + SLEEP_MS + (n < 2 * DUE ? 0 : n);
    const entries = [
      { ...step, pos: 1 },
      { ...opened, pos: 2, verb: "sleep" },
    ] as const;
    return { id: "", nowMs: NOW_MS, run: { ...common, entries, move: { kind: "park", state: "sleeping", dueMs, note: null } } };
  }
  const entries = [
    { ...step, pos: 1 },
    { ...opened, pos: 2, verb: "wait" },
  ] as const;
  const waits = [{ command: "wait later 1", topic: topic(n), value: value(n), guarded: false, sinceSeq: null }];
  return { id: "", nowMs: NOW_MS, run: { ...common, entries, waits, move: { kind: "park", state: "waiting", dueMs: null, note: null } } };
}

async function fill(store: Store, lease: Lease): Promise<void> {
  let n = 0;
  const worker = async (): Promise<void> => {
    while (n < runs) {
      const first = n;
      n += BATCH_RUNS;
      const begun = await store.commit(begin(first));
      if (begun.kind !== "committed") throw new Error(`a beginning was ${begun.kind}`);
      const seqs = begun.events.map((event) => event.deliveries[0]?.seq ?? 0);
      const parked = await Promise.all(seqs.map((seq, i) => store.commit(park(seq, first + i, lease))));
      for (const { kind } of parked) if (kind !== "committed") throw new Error(`a park was ${kind}`);
    }
  };
  await Promise.all(Array.from({ length: BATCHES_AT_ONCE }, worker));
}

async function pageDue(store: Store): Promise<number> {
  let seen = 0;
  for (let cursor: Cursor = CURSOR_START, more = true; more;) {
    const page = await store.ready(FN, cursor, NOW_MS + SLEEP_MS, { count: 500, bytes: 1 << 20 });
    seen += page.deliveries.length;
    cursor = page.deliveries.at(-1)?.ready ?? cursor;
    more = page.more;
  }
  return seen;
}

/** One event that one run waits for: the answer holds that run. */
async function wake(store: Store, n: number): Promise<void> {
  const id = newId();
  const type = `parcel.arrived.${n % topics}`;
  const json = JSON.stringify({ specversion: "1.0", id, source: "/shop", type, data: { parcel: `parcel-${n}` } });
  const waitKeys = [{ topic: topic(n), value: value(n) }];
  const event = {
    id,
    source: "/shop",
    type,
    json,
    origin: "outside",
    hops: 0,
    cause: null,
    dedupe: false,
    deliveries: [],
    waitKeys,
  } as const;
  const result = await store.commit({ id, nowMs: NOW_MS + SLEEP_MS, events: [event] });
  if (result.kind !== "committed" || result.woken?.length !== 1) throw new Error(`nothing was woken for ${n}`);
}

async function timed(fact: string, act: () => Promise<object | void>): Promise<void> {
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  const figures = await act();
  const tookMs = Math.round((performance.now() - startMs) * 10) / 10;
  const cpu = process.cpuUsage(startCpu);
  const cpuMs = Math.round((cpu.user + cpu.system) / 100) / 10;
  console.log(JSON.stringify({ fact, runs, durability, tookMs, cpuMs, rssMb: Math.round(process.memoryUsage().rss / 1e6), ...figures }));
}

const directory = mkdtempSync(join(values.dir, "millrace-parked-"));
const file = join(directory, "millrace.db");
let store = await openSqliteStore({ directory, durability });
let lease = await store.acquire("bench");

await timed("runs begun and parked, half asleep, half waiting", () => fill(store, lease));
await store.close();
console.log(JSON.stringify({ fact: "file", runs, fileMb: Math.round(statSync(file).size / 1e6) }));
await timed("opened", async () => {
  store = await openSqliteStore({ directory, durability });
  lease = await store.acquire("bench");
});
await timed("counts", async () => ({ counts: await store.counts() }));
await timed("the due ones paged", async () => ({ paged: await pageDue(store) }));
await timed("waitTopics", async () => ({ topics: (await store.waitTopics()).length }));
await timed("runReleases", async () => ({ releases: await store.runReleases() }));
await timed("runs, newest", async () => ({ found: (await store.runs({ limit: 100 })).length }));
await timed("runs, of two states", async () => ({ found: (await store.runs({ states: ["sleeping", "waiting"], limit: 100 })).length }));
await timed("runs, of a function and a rare state", async () => ({
  found: (await store.runs({ fn: FN, states: ["paused", "stuck"], limit: 100 })).length,
}));
await timed("1,000 events, each waking one", async () => {
  await Promise.all(Array.from({ length: 1000 }, (_, i) => wake(store, Math.floor((i * runs) / 2000) * 2 + 1)));
});
await timed("one sweep of retention", async () => {
  let swept = 0;
  for (let more = true; more; swept++) ({ more } = await store.retain(NOW_MS + 1, NOW_MS + 1, 1000));
  return { pieces: swept };
});
await store.close();
rmSync(directory, { recursive: true });
