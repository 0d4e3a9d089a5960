import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { VirtualClock } from "../core/clock.ts";
import { silentObserver } from "../core/observer.ts";
import { canonicalJson, type CloudEvent } from "../events/index.ts";
import type { Outcome } from "../pool/pool.ts";
import { openSqliteStore } from "../store/index.ts";
import { DeliveryEngine } from "./engine.ts";
import { functionOf, releaseOf } from "./testing-support/manifests.ts";
import { ScriptedPool } from "./testing-support/scripted-pool.ts";

const ROOM = 8;
const failed: Outcome = {
  kind: "not-run",
  reason: "load-failed",
  error: { name: "LoadFailed", message: "killed while it loaded", stack: null },
};
const done: Outcome = { kind: "returned", effects: { emits: [], kv: [] }, response: null, ranMs: 1 };

it("D21: however many calls one failed start takes with it, the function pauses for half a second, and twice that the next time", async () => {
  const directory = await mkdtemp(join(tmpdir(), "millrace-delivery-"));
  const store = await openSqliteStore({ directory, durability: "off" });
  const clock = new VirtualClock();
  const pool: ScriptedPool = new ScriptedPool(() => Promise.resolve(pool.calls.length <= 2 * ROOM ? failed : done), ROOM);
  const engine = new DeliveryEngine({ store, pool, clock, observer: silentObserver, log: () => {}, owner: "test" });
  await engine.start();
  await engine.use(releaseOf([functionOf("slow-start", { triggers: [{ kind: "event", type: "order", where: null, sql: null }] })]));

  const events = Array.from({ length: ROOM }, (_, n): CloudEvent => ({ specversion: "1.0", id: `e${n}`, source: "/test", type: "order" }));
  await engine.ingest(events.map((event) => ({ event, json: canonicalJson(event) ?? "" })));
  const callsAfter = async (waitMs: number): Promise<number> => {
    await clock.advanceTo(clock.now() + waitMs, () => engine.settled());
    return pool.calls.length;
  };
  expect(await callsAfter(0)).toBe(ROOM);
  expect(await callsAfter(499)).toBe(ROOM);
  expect(await callsAfter(1)).toBe(2 * ROOM);
  expect(await callsAfter(999)).toBe(2 * ROOM);
  expect(await callsAfter(1)).toBe(3 * ROOM);
  expect(engine.stats()).toMatchObject({ waiting: 0, dead: 0 });

  await engine.stop();
  await store.close();
  await rm(directory, { recursive: true });
});
