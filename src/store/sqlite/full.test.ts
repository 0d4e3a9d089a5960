import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { aMember, anEvent, append, committed, dead, deliver, set, settle, T0, to } from "../testing-support/contract/builders.ts";
import type { Member, Store } from "../store.ts";
import { openSqliteStore } from "./index.ts";
import { testDirectory } from "./testing-support/directories.ts";

const root = testDirectory();

const large = (n: number): Member =>
  aMember({
    nowMs: T0 + n,
    events: [anEvent({ id: `large-${n}`, dedupe: true, json: JSON.stringify({ n, text: "x".repeat(20_000) }) })],
    kv: [set(`k/${n}`, n)],
  });

/** Commits until the disk is full; returns how many went in and how it ended. */
async function fillUp(store: Store): Promise<{ kept: number; error: unknown }> {
  for (let kept = 0; ; kept++) {
    try {
      await store.commit(large(kept));
    } catch (error) {
      return { kept, error };
    }
  }
}

/** After a refusal: everything acknowledged is there, nothing of what was refused is. */
async function expectOnlyKept(store: Store, kept: number): Promise<void> {
  const events = await store.events({ after: 0, limit: 1000 });
  expect(events.map((event) => event.id).filter((id) => id.startsWith("large-"))).toEqual(
    Array.from({ length: kept }, (_, n) => `large-${n}`),
  );
  expect((await store.kvList({ prefix: "k/", after: null, limit: 1000 }, T0)).entries).toHaveLength(kept);
}

describe("a full disk", () => {
  it("S35: refuses what does not fit, and takes it when there is room, without a restart", async () => {
    const store = await openSqliteStore({ directory: join(root, "ceiling"), maxPages: 300 });
    const lease = await store.acquire("n");
    const { kept, error } = await fillUp(store);
    expect(kept).toBeGreaterThan(5);
    expect(error).toMatchObject({ code: "disk_full" });
    expect(store.health()).toMatchObject({ state: "failing", error: { code: "disk_full" }, sinceMs: T0 + kept });
    await expectOnlyKept(store, kept);
    // Several at once: each of them is told.
    const outcomes = await Promise.allSettled([store.commit(large(kept)), store.commit(large(kept + 1))]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(["rejected", "rejected"]);
    // Retention makes room within the file.
    await retainSome(store);
    await committed(store.commit(large(kept)));
    expect(store.health()).toEqual({ state: "ok" });
    expect(await store.events({ id: `large-${kept}`, limit: 1 })).toHaveLength(1);
    const seq = await deliver(store, to("f"));
    await settle(store, lease, seq, dead());
    expect(await store.counts()).toEqual([{ fn: "f", ready: 0, blocked: 0, parked: 0, dead: 1, held: 0 }]);
    // What was refused is not remembered as seen.
    expect(await append(store, [anEvent({ id: `large-${kept + 1}`, dedupe: true })])).toMatchObject([{ duplicate: false }]);
    await store.close();
  });

  const mounted = mountSmall();
  it.runIf(mounted !== null)("S35: the same on a real file system of 4 MiB", async () => {
    const directory = join(mounted ?? "", "data");
    const store = await openSqliteStore({ directory });
    await store.acquire("n");
    const ballast = join(mounted ?? "", "ballast");
    writeFileSync(ballast, Buffer.alloc(2 * 1024 * 1024));
    const { kept, error } = await fillUp(store);
    expect(error).toMatchObject({ code: "disk_full" });
    expect(store.health()).toMatchObject({ state: "failing", error: { code: "disk_full" } });
    await expect(store.commit(large(kept))).rejects.toMatchObject({ code: "disk_full" });
    await expectOnlyKept(store, kept);
    rmSync(ballast);
    await committed(store.commit(large(kept)));
    expect(store.health()).toEqual({ state: "ok" });
    await expectOnlyKept(store, kept + 1);
    await store.close();
    const again = await openSqliteStore({ directory });
    await expectOnlyKept(again, kept + 1);
    await again.close();
  });
});

/** Half of what is there, by the time at which it came. */
async function retainSome(store: Store): Promise<void> {
  const [newest] = await store.events({ limit: 1 });
  const beforeMs = T0 + ((newest?.receivedMs ?? T0) - T0) / 2;
  while ((await store.retain(beforeMs, beforeMs, 2)).more) continue;
}

/** A file system of its own, where that is allowed (it takes root); elsewhere the ceiling stands in for it, and the run says so. */
function mountSmall(): string | null {
  const directory = join(root, "small");
  mkdirSync(directory);
  const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", directory]);
  if (status !== 0) {
    process.stderr.write("no file system can be mounted here: the full disk is tested by a ceiling of pages only\n");
    return null;
  }
  afterAll(() => spawnSync("umount", [directory]));
  return directory;
}
