import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { VirtualClock } from "../core/clock.ts";
import { silentObserver } from "../core/observer.ts";
import { canonicalJson, type CloudEvent } from "../events/index.ts";
import { openSqliteStore } from "../store/index.ts";
import { DeliveryEngine } from "./engine.ts";
import { functionOf, releaseOf } from "./testing-support/manifests.ts";
import { ScriptedPool } from "./testing-support/scripted-pool.ts";

const event: CloudEvent = { specversion: "1.0", id: "late", source: "/test", type: "order.late" };
const json = canonicalJson(event) ?? "";

it("D26, D29: a delayed event that is due when the node starts waits for the release and wakes its functions", async () => {
  const directory = await mkdtemp(join(tmpdir(), "millrace-delivery-"));
  const store = await openSqliteStore({ directory, durability: "off" });
  const clock = new VirtualClock();
  const release = releaseOf([functionOf("late", { triggers: [{ kind: "event", type: "order.late", where: null, sql: null }] })]);
  const pool = new ScriptedPool(() => Promise.resolve({ kind: "returned", effects: { emits: [], kv: [] }, response: null, ranMs: 1 }));
  const begin = (): DeliveryEngine => new DeliveryEngine({ store, pool, clock, observer: silentObserver, log: () => {}, owner: "test" });

  const before = begin();
  await before.start();
  await before.use(release);
  await before.ingest([{ event, json, atMs: clock.now() + 1000 }]);
  await before.stop();
  await clock.advanceTo(clock.now() + 5000, () => Promise.resolve());

  const after = begin();
  await after.start();
  expect(await after.ingest([{ event: { ...event, id: "early" }, json }])).toMatchObject({
    kind: "refused",
    error: { code: "overloaded" },
  });
  // As long as the loading of an app takes: whatever looks for timers would have found this one.
  for (let turn = 0; turn < 5; turn++) expect((await store.dueTimers(clock.now(), 10)).timers).toHaveLength(1);
  await after.use(release);
  await after.settled();
  expect(pool.calls.map(({ fn }) => fn)).toEqual(["late"]);

  await after.stop();
  await store.close();
  await rm(directory, { recursive: true });
});
