import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { EventView, Store } from "../store.ts";
import { openSqliteStore } from "./index.ts";
import { StoreChild } from "./testing-support/child.ts";
import { testDirectory } from "./testing-support/directories.ts";

const KILLS = 4;
/** Killed after this many lines of the child, a little more each time. */
const LINES_BEFORE_KILL = 700;
const root = testDirectory();

interface Acknowledged {
  readonly committed: Set<number>;
  readonly settled: Set<number>;
}

/** Lets the child commit for a while and kills it in the middle of its commits. */
async function runAndKill(directory: string, first: number, lines: number, acknowledged: Acknowledged): Promise<void> {
  const child = new StoreChild("crash-child", directory, String(first));
  const note = (line: string): void => {
    const [what, n] = line.split(" ");
    (what === "committed" ? acknowledged.committed : acknowledged.settled).add(Number(n));
  };
  for (let i = 0; i < lines; i++) {
    const line = await child.line();
    if (line === null) throw new Error("the child ended by itself");
    note(line);
  }
  await child.kill();
  // What it wrote before it died was acknowledged too.
  for (let line = await child.line(); line !== null; line = await child.line()) if (/^\w+ \d+$/.test(line)) note(line);
}

async function allEvents(store: Store): Promise<EventView[]> {
  const events: EventView[] = [];
  for (;;) {
    const page = await store.events({ after: events.at(-1)?.seq ?? 0, limit: 1000 });
    if (page.length === 0) return events;
    events.push(...page);
  }
}

async function allKeys(store: Store): Promise<string[]> {
  const keys: string[] = [];
  for (;;) {
    const page = await store.kvList({ prefix: "n/", after: keys.at(-1) ?? null, limit: 1000 }, 0);
    if (page.entries.length === 0) return keys;
    keys.push(...page.entries.map((entry) => entry.key));
  }
}

/** In every lane: the settled ones first, then at most one that is ready, then the blocked ones; and none waits behind nobody. */
function expectLanesInOrder(events: readonly EventView[]): void {
  const lanes = Map.groupBy(
    events.flatMap((event) => event.deliveries).filter((delivery) => delivery.key !== null),
    (delivery) => delivery.key,
  );
  for (const lane of lanes.values()) {
    const text = lane.map((delivery) => delivery.state[0]).join("");
    expect(text).toMatch(/^d*(?:rb*)?$/);
  }
}

describe("a process that is killed", () => {
  it("S38: keeps what was acknowledged, and nothing by half", async () => {
    const directory = join(root, "crash");
    const acknowledged: Acknowledged = { committed: new Set(), settled: new Set() };
    for (let kill = 0; kill < KILLS; kill++) {
      await runAndKill(directory, Math.max(-1, ...acknowledged.committed) + 100, LINES_BEFORE_KILL + kill * 333, acknowledged);
      const store = await openSqliteStore({ directory });
      const events = await allEvents(store);
      const ids = events.map((event) => event.id);
      const found = new Set(ids);
      expect(ids).toHaveLength(found.size);
      expect([...acknowledged.committed].filter((n) => !found.has(`e${n}`))).toEqual([]);
      expect(events.filter((event) => event.deliveries.length !== 2)).toEqual([]);
      expect((await allKeys(store)).map((key) => Number(key.slice(2)))).toEqual(
        ids.map((id) => Number(id.slice(1))).toSorted((a, b) => a - b),
      );
      const done = new Set(events.flatMap((event) => event.deliveries).flatMap(({ seq, state }) => (state === "done" ? [seq] : [])));
      expect([...acknowledged.settled].filter((seq) => !done.has(seq))).toEqual([]);
      expectLanesInOrder(events);
      await store.close();
    }
  }, 60_000);
});
