/** Commits as fast as it can until it is killed, and says of each commit that it was acknowledged. */
import type { Member } from "../../store.ts";
import { openSqliteStore } from "../index.ts";
import { say } from "./say.ts";

const [directory = "", first = "0"] = process.argv.slice(2);
const KEYS = 3;
const AT_ONCE = 20;

const store = await openSqliteStore({ directory });
const lease = await store.acquire("child");
let n = Number(first);

/** An event with two deliveries and a kv write: all of it or nothing. */
function member(n: number): Member {
  const id = `e${n}`;
  const lane = { fn: "lane", key: `k${n % KEYS}`, partition: 0, width: 1 };
  const free = { fn: "free", key: null, partition: 0, width: 1 };
  const event = { id, source: "/crash", type: "t", json: JSON.stringify({ id }), hops: 0, cause: null, deliveries: [lane, free] };
  return {
    id,
    nowMs: n,
    events: [{ ...event, origin: "outside", dedupe: true }],
    kv: [{ op: "set", key: `n/${String(n).padStart(8, "0")}`, value: { kind: "json", json: String(n) }, expiresMs: null }],
  };
}

async function settle(delivery: number): Promise<void> {
  const outcome = { kind: "done" } as const;
  const result = await store.commit({
    id: `s${delivery}`,
    nowMs: n,
    settle: { delivery, attempt: 0, epoch: lease.epoch, invocation: "i", startedMs: n, outcome },
  });
  if (result.kind === "committed") say(`settled ${delivery}`);
}

async function work(): Promise<never> {
  for (;;) {
    const mine = n++;
    const result = await store.commit(member(mine));
    if (result.kind !== "committed") throw new Error(`a commit was ${result.kind}`);
    say(`committed ${mine}`);
    for (const delivery of result.events[0]?.deliveries ?? []) if (delivery.ready !== null) await settle(delivery.seq);
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, work));
