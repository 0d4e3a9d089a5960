/**
 * The store alone: no HTTP, no functions, no sandboxes. Batches of 100 events with one delivery each are committed and then settled,
 * each delivery by a commit of its own. Next to that, members of one delivery's settlement and members of one journal entry, in turns over
 * the same store. Prints one JSON line a figure.
 *
 *   node bench/store.ts [--seconds 5] [--waiting 1000000] [--durability full|off] [--dir DIR]
 *
 * Not measured: routing, dispatch (`ready` is read in one of the cases only), delivery over a network.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { newId } from "../src/core/index.ts";
import { openSqliteStore } from "../src/store/index.ts";
import { CURSOR_START, type Cursor, type Lease, type Member, type NewEvent, type NewRun, type Store } from "../src/store/index.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "5" },
    waiting: { type: "string", default: "1000000" },
    durability: { type: "string", default: "full" },
    dir: { type: "string", default: tmpdir() },
  },
});
const runMs = Number(values.seconds) * 1000;
const durability = values.durability === "off" ? "off" : "full";

const BATCH_EVENTS = 100;
const SENDERS = 16;
const FUNCTIONS = 5;
const KEYS = 5000;

interface Kind {
  readonly name: string;
  readonly keyed: boolean;
  readonly dedupe: boolean;
}

const KINDS: readonly Kind[] = [
  { name: "plain", keyed: false, dedupe: false },
  { name: "deduped", keyed: false, dedupe: true },
  { name: "keyed", keyed: true, dedupe: false },
  { name: "keyed and deduped", keyed: true, dedupe: true },
];

let made = 0;

function event(kind: Kind): NewEvent {
  const n = made++;
  const id = kind.dedupe ? `order-${n}` : newId();
  const data = { id: `o-${n}`, sku: `sku-${n % KEYS}`, qty: 1, note: "a line of text that an order carries along with it" };
  const type = "order.placed";
  return {
    id,
    source: "/shop",
    type,
    json: JSON.stringify({ specversion: "1.0", id, source: "/shop", type, time: "2026-01-01T00:00:00Z", data }),
    origin: "outside",
    hops: 0,
    cause: null,
    dedupe: kind.dedupe,
    deliveries: [{ fn: `fn-${n % FUNCTIONS}`, key: kind.keyed ? data.sku : null, partition: n % 256, width: 1 }],
  };
}

function batch(kind: Kind): Member {
  return { id: newId(), nowMs: Date.now(), events: Array.from({ length: BATCH_EVENTS }, () => event(kind)) };
}

function settlement(delivery: number, lease: Lease): Member {
  const nowMs = Date.now();
  return {
    id: "",
    nowMs,
    settle: { delivery, attempt: 0, epoch: lease.epoch, invocation: newId(nowMs), startedMs: nowMs, outcome: { kind: "done" } },
  };
}

/** Sends batches and settles what became ready by them, promoted ones too, until the time is over. */
async function sender(store: Store, lease: Lease, kind: Kind, untilMs: number): Promise<number> {
  let settled = 0;
  const settle = async (delivery: number): Promise<void> => {
    const result = await store.commit(settlement(delivery, lease));
    if (result.kind !== "committed") throw new Error(`a settlement was ${result.kind}`);
    settled++;
    await Promise.all(result.promoted.map((promoted) => settle(promoted.seq)));
  };
  while (performance.now() < untilMs) {
    const result = await store.commit(batch(kind));
    if (result.kind !== "committed") throw new Error(`a batch was ${result.kind}`);
    const ready = result.events.flatMap((event) => event.deliveries).filter((delivery) => delivery.ready !== null);
    await Promise.all(ready.map((delivery) => settle(delivery.seq)));
  }
  return settled;
}

interface Figures {
  readonly [name: string]: number;
}

/** `cpuUsPerEvent` counts all threads, this driver's own work too; unlike the rate it hardly depends on what else the machine does. */
async function measured(run: (untilMs: number) => Promise<number>): Promise<Figures> {
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  const events = await run(startMs + runMs);
  const cpu = process.cpuUsage(startCpu);
  const tookS = (performance.now() - startMs) / 1000;
  return { eventsPerS: events / tookS, cpuUsPerEvent: (cpu.user + cpu.system) / events };
}

function throughput(store: Store, lease: Lease, kind: Kind): Promise<Figures> {
  return measured(async (untilMs) => {
    const counts = await Promise.all(Array.from({ length: SENDERS }, () => sender(store, lease, kind, untilMs)));
    return counts.reduce((sum, count) => sum + count, 0);
  });
}

/** Settles what `ready` hands out while batches come in: the backlog is worked off from its old end. */
function backlogThroughput(store: Store, lease: Lease, kind: Kind): Promise<Figures> {
  return measured(async (untilMs) => {
    let settled = 0;
    const worker = async (fn: string): Promise<void> => {
      let cursor: Cursor = CURSOR_START;
      while (performance.now() < untilMs) {
        const page = await store.ready(fn, cursor, Date.now(), { count: 200, bytes: 1 << 20 });
        cursor = page.deliveries.at(-1)?.ready ?? cursor;
        const members = page.deliveries.map((delivery) => settlement(delivery.seq, lease));
        members.push(batch(kind), batch(kind));
        await Promise.all(members.map((member) => store.commit(member)));
        settled += page.deliveries.length;
      }
    };
    await Promise.all(Array.from({ length: FUNCTIONS }, (_, n) => worker(`fn-${n}`)));
    return settled;
  });
}

async function latency(store: Store, kind: Kind): Promise<Figures> {
  const times: number[] = [];
  for (let i = 0; i < 1000; i++) {
    const startMs = performance.now();
    await store.commit({ id: newId(), nowMs: Date.now(), events: [event(kind)] });
    times.push(performance.now() - startMs);
  }
  times.sort((a, b) => a - b);
  return { p50Ms: times[500] ?? 0, p99Ms: times[990] ?? 0 };
}

async function fill(store: Store, kind: Kind, count: number): Promise<void> {
  for (let done = 0; done < count;) {
    const batches = Array.from({ length: 50 }, () => batch(kind));
    await Promise.all(batches.map((member) => store.commit(member)));
    done += batches.length * BATCH_EVENTS;
  }
}

/** What a member of one kind costs when all that it needs is there, many of one tick. */
async function membersOnly(store: Store, members: readonly Member[]): Promise<Figures> {
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  const results = await Promise.all(members.map((member) => store.commit(member)));
  const cpu = process.cpuUsage(startCpu);
  const tookMs = performance.now() - startMs;
  for (const { kind } of results) if (kind !== "committed") throw new Error(`a member was ${kind}`);
  return { usPerMember: (tookMs * 1000) / members.length, cpuUsPerMember: (cpu.user + cpu.system) / members.length };
}

const TURNS = 15;
const MEMBERS_A_TURN = 10_000;

/** Runs of which each gets one entry in every turn, as steps that end side by side do; and deliveries of which each is settled once. */
async function entriesBesideSettlements(store: Store, lease: Lease): Promise<void> {
  const plain = { name: "plain", keyed: false, dedupe: false };
  const began = (member: Member, isRun: boolean): Member => ({
    ...member,
    events: (member.events ?? []).map((event) => ({
      ...event,
      deliveries: event.deliveries.map((delivery) => (isRun ? { ...delivery, run: beginsRun() } : delivery)),
    })),
  });
  const deliver = async (isRun: boolean): Promise<number[]> => {
    const batches = Array.from({ length: MEMBERS_A_TURN / BATCH_EVENTS }, () => store.commit(began(batch(plain), isRun)));
    return (await Promise.all(batches)).flatMap((result) =>
      result.kind === "committed" ? result.events.flatMap((event) => event.deliveries.map(({ seq }) => seq)) : [],
    );
  };
  const runs = await deliver(true);
  const figures = new Map<string, Figures[]>([
    ["settlement", []],
    ["entry", []],
  ]);
  for (let turn = 1; turn <= TURNS; turn++) {
    const deliveries = await deliver(false);
    figures.get("settlement")?.push(
      await membersOnly(
        store,
        deliveries.map((seq) => settlement(seq, lease)),
      ),
    );
    figures.get("entry")?.push(
      await membersOnly(
        store,
        runs.map((run) => entryOf(run, turn, lease)),
      ),
    );
  }
  for (const [member, turns] of figures) print("members of one tick", { member, turns: TURNS, ...medians(turns) });
}

function beginsRun(): NewRun {
  const id = newId();
  return { id, named: false, kind: "flow", release: "r1", seed: id, parent: null, deadlineMs: null, waits: [] };
}

function entryOf(run: number, pos: number, lease: Lease): Member {
  const value = JSON.stringify({ parcel: `p-${run}`, weight: 12.5 });
  const entry = { pos, verb: "step", name: "pack", number: pos, phase: "done", attempt: 1, ranMs: 1.25, value } as const;
  return { id: "", nowMs: Date.now(), run: { run, epoch: lease.epoch, entries: [entry] } };
}

function medians(turns: readonly Figures[]): Figures {
  const middle = (name: string): number => turns.map((turn) => turn[name] ?? 0).sort((a, b) => a - b)[turns.length >> 1] ?? 0;
  return Object.fromEntries(Object.keys(turns[0] ?? {}).map((name) => [name, middle(name)]));
}

function print(fact: string, figures: Record<string, number | string>): void {
  const rounded = Object.entries(figures).map(([name, value]) => [
    name,
    typeof value === "number" ? Math.round(value * 1000) / 1000 : value,
  ]);
  console.log(JSON.stringify({ fact, durability, ...Object.fromEntries(rounded) }));
}

const megabytes = (): number => process.memoryUsage().rss / 1e6;

async function withStore(run: (store: Store, lease: Lease) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(values.dir, "millrace-bench-"));
  const store = await openSqliteStore({ directory, durability });
  try {
    await run(store, await store.acquire("bench"));
  } finally {
    await store.close();
    rmSync(directory, { recursive: true });
  }
}

for (const kind of KINDS) {
  await withStore(async (store, lease) => {
    await throughput(store, lease, kind);
    print("inserted and settled", {
      kind: kind.name,
      ...(await throughput(store, lease, kind)),
      ...(await latency(store, kind)),
      rssMb: megabytes(),
    });
  });
}

await withStore(entriesBesideSettlements);

const waiting = Number(values.waiting);
if (waiting > 0) {
  for (const kind of KINDS.slice(0, 2)) {
    await withStore(async (store, lease) => {
      await fill(store, kind, waiting);
      const figures = await throughput(store, lease, kind);
      print("inserted and settled, many waiting", { kind: kind.name, waiting, ...figures, rssMb: megabytes() });
      print("worked off from the old end while batches come in", {
        kind: kind.name,
        waiting,
        ...(await backlogThroughput(store, lease, kind)),
        ...(await latency(store, kind)),
        rssMb: megabytes(),
      });
    });
  }
}
