import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FRAME, type FunctionManifest, type Release } from "../protocol/index.ts";
import type { InstancePoolOptions } from "./instance-pool.ts";
import { functionManifest, httpCall, releaseOf, runCall, type ScriptedInstance, SILENT } from "./testing-support/scripted-instance.ts";
import { kindOf, one, type Rig, rig } from "./testing-support/scripted-rig.ts";

interface Shipped extends Rig {
  /** Another release of these functions, in a folder of its own. */
  readonly ship: (id: string, functions: readonly FunctionManifest[]) => Release;
}

async function shipped(functions: readonly FunctionManifest[], options: Partial<InstancePoolOptions> = {}): Promise<Shipped> {
  const built = await rig(SILENT, functions, options);
  const ship = (id: string, others: readonly FunctionManifest[]): Release => {
    const directory = join(built.directory, id);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, `${id}.mjs`), "export {};");
    return releaseOf(
      directory,
      others.map((fn) => ({ ...fn, entry: `${id}.mjs` })),
      id,
    );
  };
  return { ...built, ship };
}

/** The instance has the code of this entry. */
const runs = (instance: ScriptedInstance | undefined): unknown => instance?.has(FRAME.load)?.head["entry"];
const ids = (instance: ScriptedInstance | undefined): unknown => instance?.calls().map(({ head }) => head["id"]);

describe("earlier releases", () => {
  it("R3: a run goes to an instance of its release, which is made when it is called", async () => {
    const { pool, made, ship } = await shipped([one()]);
    const live = ship("r2", [one()]);
    const old = ship("r0", [one({ instances: { min: 1, max: 1, idleMs: 60_000 } })]);
    pool.use(live);
    pool.keep(old);
    await new Promise(setImmediate);
    expect(made).toHaveLength(0);
    const outcome = pool.run(runCall("f", { release: "r0", id: "old" }));
    await expect.poll(() => [runs(made[0]), ids(made[0])]).toEqual(["r0.mjs", ["old"]]);
    const fresh = pool.run(runCall("f", { release: "r2", id: "new" }));
    await expect.poll(() => [runs(made[1]), ids(made[1])]).toEqual(["r2.mjs", ["new"]]);
    for (const instance of made) instance.send(FRAME.park, 1, {});
    expect((await Promise.all([outcome, fresh])).map(kindOf)).toEqual(["parked", "parked"]);
  });

  it("R3: its instances go when they are idle, `min` or not", async () => {
    const { pool, made, ship } = await shipped([one()]);
    pool.keep(ship("r0", [one({ instances: { min: 1, max: 1, idleMs: 10 } })]));
    const outcome = pool.run(runCall("f", { release: "r0" }));
    await expect.poll(() => ids(made[0])).toEqual(["c"]);
    made[0]?.send(FRAME.park, 1, {});
    await outcome;
    await expect.poll(() => pool.stats().instances).toBe(0);
    expect(made).toHaveLength(1);
  });

  it("R3: what is spare holds the live release's code and is no worse for it", async () => {
    const { pool, made, ship } = await shipped([one()], { spares: { classes: 1, perClass: 1 }, prepareSpares: true });
    await expect.poll(() => made[0]?.has(FRAME.prepare)?.head["entries"]).toEqual(["app.mjs"]);
    pool.keep(ship("r0", [one()]));
    void pool.run(runCall("f", { release: "r0" }));
    await expect.poll(() => ids(made[0])).toEqual(["c"]);
    expect(runs(made[0])).toBe("r0.mjs");
    await expect.poll(() => made[1]?.has(FRAME.prepare)?.head["entries"]).toEqual(["app.mjs"]);
  });

  it("R4: a release that is not here, or has no such function, is named", async () => {
    const { pool, ship } = await shipped([one()]);
    expect(await pool.run(runCall("f", { release: "r9" }))).toMatchObject({
      kind: "not-run",
      reason: "load-failed",
      error: { name: "not_found", message: expect.stringMatching(/^f was to run on the release r9, which is not here\./) },
    });
    pool.keep(ship("r0", []));
    for (const release of ["r0", "r1"])
      expect(await pool.run(runCall("g", { release }))).toMatchObject({
        kind: "not-run",
        error: { message: expect.stringContaining(`the release ${release} has no function g`) },
      });
  });

  it("R5: runs in flight at `use` finish where they are; those that wait, and later ones, stay on their release", async () => {
    const single = one({ concurrency: { instance: 1, function: null, key: 1 } });
    const { pool, made, ship } = await shipped([single]);
    const flying = pool.run(runCall("f", { id: "flying" }));
    await expect.poll(() => ids(made[0])).toEqual(["flying"]);
    const waiting = pool.run(runCall("f", { id: "waits" }));
    const request = pool.call(httpCall("f", { id: "request" }));
    pool.use(ship("r2", [one()]));
    await expect.poll(() => made.length).toBe(3);
    await expect.poll(() => ids(made.find((instance) => runs(instance) === "r2.mjs"))).toEqual(["request"]);
    const second = made.findLast((instance) => runs(instance) === "app.mjs");
    await expect.poll(() => ids(second)).toEqual(["waits"]);
    const later = pool.run(runCall("f", { id: "later" }));
    second?.send(FRAME.park, 1, {});
    await expect.poll(() => ids(second)).toEqual(["waits", "later"]);
    second?.send(FRAME.park, 2, {});
    made[0]?.send(FRAME.result, 1, { state: "done" }, "1");
    made.find((instance) => runs(instance) === "r2.mjs")?.send(FRAME.result, 1, { status: 200 });
    expect((await Promise.all<{ kind: string }>([flying, waiting, request, later])).map(({ kind }) => kind)).toEqual([
      "finished",
      "parked",
      "returned",
      "parked",
    ]);
    await expect.poll(() => made[0]?.has(FRAME.stop)).toBeDefined();
  });

  it("R5: a kept release that is live again: what flies finishes, what waits goes on in its new instances", async () => {
    const single = one({ concurrency: { instance: 1, function: null, key: 1 } });
    const { pool, made, ship } = await shipped([one()]);
    const old = ship("r0", [single]);
    pool.keep(old);
    const flying = pool.run(runCall("f", { release: "r0", id: "flying" }));
    await expect.poll(() => ids(made[0])).toEqual(["flying"]);
    const waiting = pool.run(runCall("f", { release: "r0", id: "waits" }));
    pool.use(old);
    await expect.poll(() => [runs(made[1]), ids(made[1])]).toEqual(["r0.mjs", ["waits"]]);
    for (const instance of made) instance.send(FRAME.park, 1, {});
    expect((await Promise.all([flying, waiting])).map(kindOf)).toEqual(["parked", "parked"]);
    await expect.poll(() => pool.stats().instances).toBe(1);
    // And kept still, when it is replaced once more.
    pool.use(ship("r3", [one()]));
    void pool.run(runCall("f", { release: "r0", id: "again" }));
    await expect.poll(() => [runs(made[2]), ids(made[2])]).toEqual(["r0.mjs", ["again"]]);
  });

  it("R5: one that is kept again with other variables gets instances that have them", async () => {
    const { pool, made, ship } = await shipped([one()]);
    const old = ship("r0", [one({ concurrency: { instance: 1, function: null, key: 1 } })]);
    pool.keep(old);
    void pool.run(runCall("f", { release: "r0", id: "a" }));
    await expect.poll(() => ids(made[0])).toEqual(["a"]);
    void pool.run(runCall("f", { release: "r0", id: "b" }));
    pool.keep({ ...old, env: { ...old.env } });
    expect(pool.stats().waiting).toBe(1);
    pool.keep({ ...old, env: { GREETING: "rotated" } });
    await expect.poll(() => ids(made[1])).toEqual(["b"]);
    expect(made.map((instance) => instance.has(FRAME.load)?.head["env"])).toEqual([{ GREETING: "hello" }, { GREETING: "rotated" }]);
  });

  it("R6: capacity is the live fleet's; of a function that only earlier releases have, theirs together", async () => {
    const { pool, ship } = await shipped([one()]);
    pool.keep(ship("r0", [one({ concurrency: { instance: 7, function: null, key: 1 } }), functionManifest("gone", one({ name: "gone" }))]));
    pool.keep(ship("r-1", [functionManifest("gone", one({ name: "gone" }))]));
    expect(["f", "gone", "never"].map((fn) => pool.capacity(fn))).toEqual([2, 4, 0]);
  });

  it("R7: they are counted under the function's name, and in the totals", async () => {
    const { pool, made, ship } = await shipped([one()]);
    pool.keep(ship("r0", [one(), functionManifest("gone", one({ name: "gone" }))]));
    void pool.run(runCall("f", { release: "r1" }));
    void pool.run(runCall("f", { release: "r0" }));
    void pool.run(runCall("gone", { release: "r0" }));
    await expect.poll(() => made.map((instance) => ids(instance))).toEqual([["c"], ["c"], ["c"]]);
    const { functions, ...totals } = pool.stats();
    expect(totals).toMatchObject({ instances: 3, running: 3, coldStarts: 3 });
    expect(functions).toMatchObject([
      { fn: "f", instances: 2, running: 2, coldStarts: { count: 2 } },
      { fn: "gone", instances: 1, running: 1, coldStarts: { count: 1 } },
    ]);
  });

  it("S7: they live on the same budget as the others", async () => {
    const { pool, made, ship } = await shipped([one({ memoryBytes: 600 })], { budgetBytes: 1000 });
    pool.keep(ship("r0", [one({ memoryBytes: 600 })]));
    void pool.run(runCall("f", { release: "r1" }));
    await expect.poll(() => ids(made[0])).toEqual(["c"]);
    void pool.run(runCall("f", { release: "r0" }));
    await new Promise(setImmediate);
    expect(pool.stats().waiting).toBe(1);
    expect(made).toHaveLength(1);
    made[0]?.send(FRAME.park, 1, {});
    // Idle, it goes for who needs the room.
    await expect.poll(() => [runs(made[1]), ids(made[1])], { timeout: 5000 }).toEqual(["r0.mjs", ["c"]]);
    expect(made[0]?.has(FRAME.stop)).toBeDefined();
  });
});
