/**
 * Lives the lives of runs as fast as it can until it is killed, and says of each step that it was acknowledged: begun, parked with a wait
 * and a callback, woken by an event, an answer and an order of another run, each taken into the journal, and ended.
 */
import { topicOf, waitValue } from "../../../core/wait-key.ts";
import type { Arrival, Member, MemberResult, NewEntry, NewEvent, RunChange } from "../../store.ts";
import { openSqliteStore } from "../index.ts";
import { say } from "./say.ts";

const [directory = "", first = "0"] = process.argv.slice(2);
const AT_ONCE = 12;
const TOPIC = topicOf("arrived", ["data.parcel"]);

const store = await openSqliteStore({ directory });
const lease = await store.acquire("child");
let n = Number(first);

type Committed = Extract<MemberResult, { kind: "committed" }>;

async function commit(parts: Partial<Member>): Promise<Committed> {
  const result = await store.commit({ id: "", nowMs: n, ...parts });
  if (result.kind !== "committed") throw new Error(`a commit was ${result.kind}`);
  return result;
}

function event(id: string, parts: Partial<NewEvent>): NewEvent {
  const json = JSON.stringify({ id, data: { parcel: id } });
  const from = { id, source: "/crash", type: "t", json, origin: "platform", hops: 0, cause: null, dedupe: false } as const;
  return { ...from, deliveries: [], ...parts };
}

/** One run: every change is one member with an entry and a kv write of its own. */
class Life {
  private readonly name: string;
  private run = -1;
  private pos = 0;

  constructor(name: string) {
    this.name = name;
  }

  async live(): Promise<void> {
    const run = { id: this.name, named: true, kind: "flow", release: "r", seed: "s", parent: null, deadlineMs: null, waits: [] } as const;
    const { events } = await commit({
      events: [event(`b-${this.name}`, { deliveries: [{ fn: "flow", key: null, partition: 0, width: 1, run }] })],
    });
    this.run = events[0]?.deliveries[0]?.seq ?? -1;
    say(`begun ${this.run}`);
    const waits = [{ command: "wait", topic: TOPIC, value: waitValue([this.name]), guarded: false, sinceSeq: null }];
    await this.change({ waits, callbacks: [{ tokenHash: this.name, command: "answer" }] });
    await this.park();
    const sent = await commit({
      events: [event(this.name, { type: "arrived", waitKeys: [{ topic: TOPIC, value: waitValue([this.name]) }] })],
    });
    await this.take(sent.arrivals);
    await this.park();
    // Both at once: the one finds the run parked, the other perhaps not any more.
    const [answered, ordered] = await Promise.all([
      commit({ callback: { tokenHash: this.name, value: "1" } }),
      commit({ arrivals: [{ run: this.run, kind: "signal", command: "order", value: "2" }] }),
    ]);
    await this.take(answered.arrivals);
    await this.park();
    await this.take(ordered.arrivals);
    await this.change({ move: { kind: "end", state: "done", value: `"${this.name}"` } });
    say(`ended ${this.run}`);
  }

  private park(): Promise<void> {
    return this.change({ move: { kind: "park", state: "waiting", dueMs: null, note: null } });
  }

  /** Taken and written down in one commit: an arrival is either there or in the journal. */
  private async take(arrivals: readonly Arrival[] | undefined): Promise<void> {
    if (arrivals?.length !== 1) throw new Error("it did not arrive");
    for (const { id, command } of arrivals) await this.change({ taken: [id] }, command);
  }

  private async change(parts: Partial<RunChange>, name = "step"): Promise<void> {
    const pos = ++this.pos;
    const entry: NewEntry = { pos, verb: "step", name, number: 1, phase: "done", attempt: 1, ranMs: 1, value: null };
    const key = `j/${String(this.run).padStart(12, "0")}/${String(pos).padStart(3, "0")}`;
    await commit({
      run: { run: this.run, epoch: lease.epoch, entries: [entry], ...parts },
      kv: [{ op: "set", key, value: { kind: "json", json: "1" }, expiresMs: null }],
    });
    say(`entry ${this.run}.${pos}`);
  }
}

async function work(): Promise<never> {
  for (;;) await new Life(`run-${n++}`).live();
}

await Promise.all(Array.from({ length: AT_ONCE }, work));
