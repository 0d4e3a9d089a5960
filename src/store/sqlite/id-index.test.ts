import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { aMember, anEvent, append, committed, DAY_MS, HOUR_MS, retainAll, T0 } from "../testing-support/contract/builders.ts";
import type { NewEvent, Store } from "../store.ts";
import { packRun, visitChunk } from "./id-chunk.ts";
import { IdFilter } from "./id-filter.ts";
import { hashId } from "./id-hash.ts";
import { openSqliteStore } from "./index.ts";
import { testDirectory } from "./testing-support/directories.ts";

const root = testDirectory();
const BATCH = 1000;
/** Two runs and a bit: the memory for the newest ids overflows twice. */
const EVENTS = 70_000;

const fromOutside = (n: number): NewEvent => anEvent({ id: `order-${n}`, dedupe: true, json: `{"n":${n}}` });

async function fill(store: Store, count: number): Promise<void> {
  const batches = Array.from({ length: count / BATCH }, (_, batch) =>
    committed(store.commit(aMember({ events: Array.from({ length: BATCH }, (_, i) => fromOutside(batch * BATCH + i)) }))),
  );
  await Promise.all(batches);
}

const duplicates = async (store: Store, ns: readonly number[], nowMs = T0): Promise<boolean[]> =>
  (await append(store, ns.map(fromOutside), nowMs)).map((event) => event.duplicate);

describe("the index of ids", () => {
  it("S16 S17 S25: finds what has left its memory, after a restart too, by source and id and by id alone", async () => {
    const directory = join(root, "many");
    let store = await openSqliteStore({ directory, durability: "off" });
    await store.acquire("n");
    await fill(store, EVENTS);
    const sample = [0, 1, 31_000, 32_767, 32_768, 65_535, 65_536, EVENTS - 1];
    for (let round = 0; round < 2; round++) {
      expect(await duplicates(store, sample)).toEqual(sample.map(() => true));
      expect(await store.commit(aMember({ events: [{ ...fromOutside(5), json: "{}" }] }))).toEqual({ kind: "clash", indexes: [0] });
      for (const n of [3, 40_000, EVENTS - 2])
        expect(await store.events({ id: `order-${n}`, limit: 2 })).toMatchObject([{ json: `{"n":${n}}` }]);
      await store.close();
      store = await openSqliteStore({ directory, durability: "off" });
      await store.acquire("n");
    }
    expect(await duplicates(store, [EVENTS + 1, EVENTS + 2])).toEqual([false, false]);
    // A day later they are forgotten, and retention drops what remembered them.
    expect(await duplicates(store, [7], T0 + DAY_MS + HOUR_MS)).toEqual([false]);
    expect((await retainAll(store, T0 + DAY_MS, T0 + 2 * DAY_MS + 3 * HOUR_MS, 20_000)).events).toBe(EVENTS + 2);
    expect(await store.events({ id: "order-3", limit: 1 })).toEqual([]);
    await store.close();
  });

  it("S16: a chunk gives back what was packed", () => {
    const entries = Array.from({ length: 1000 }, (_, n) => ({
      ...hashId("/s", `id-${n}`, 42),
      seq: 5_000_000_000 + 3 * n,
      dedupe: n % 3 > 0,
    }));
    const found: typeof entries = [];
    for (const bytes of packRun(entries).values()) {
      visitChunk(bytes, (high, low, seq, dedupe) => found.push({ high, low, seq, dedupe }));
    }
    expect(found.sort((a, b) => a.seq - b.seq)).toEqual(entries);
  });

  it("S16: a filter knows everything that was added, and little else", () => {
    const filter = IdFilter.for(32_768);
    const hash = (n: number): { high: number; low: number } => hashId("/s", `id-${n}`, 7);
    for (let n = 0; n < 32_768; n++) filter.add(hash(n).high, hash(n).low);
    let wrong = 0;
    for (let n = 0; n < 32_768; n++) {
      if (!filter.mayHave(hash(n))) throw new Error(`id-${n} was lost`);
      if (filter.mayHave(hash(n + 32_768))) wrong++;
    }
    expect(wrong).toBeLessThan(32_768 / 300);
  });
});
