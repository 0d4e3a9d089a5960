import { describe, expect, it } from "vitest";
import { VirtualClock } from "../core/clock.ts";
import type { Cursor, ReadyDelivery, ReadyPage, Store } from "../store/store.ts";
import { FunctionQueue } from "./function-queue.ts";
import { MemoryBudget } from "./memory-budget.ts";

/** A ready index that answers late, in any order with the commits' own answers: the races that the queue must bear. */
class Index {
  readonly rows = new Map<number, Cursor>();
  private counter = 0;
  private newestMs = 0;
  private readonly waiting: (() => void)[] = [];
  pageReads = 0;

  add(nowMs: number, dueMs = nowMs): { seq: number; ready: Cursor } {
    const seq = ++this.counter;
    return { seq, ready: this.place(seq, nowMs, dueMs) };
  }

  place(seq: number, nowMs: number, dueMs: number): Cursor {
    this.newestMs = Math.max(this.newestMs, nowMs);
    const ready = { dueMs: Math.max(dueMs, this.newestMs), pos: ++this.counter };
    this.rows.set(seq, ready);
    return ready;
  }

  ready(after: Cursor, nowMs: number, count: number): Promise<ReadyPage> {
    this.pageReads++;
    const inOrder = [...this.rows].sort(([, a], [, b]) => a.dueMs - b.dueMs || a.pos - b.pos);
    const behind = inOrder.filter(([, { dueMs, pos }]) => dueMs > after.dueMs || (dueMs === after.dueMs && pos > after.pos));
    const due = behind.filter(([, { dueMs }]) => dueMs <= nowMs);
    const page: ReadyPage = {
      deliveries: due.slice(0, count).map(([seq, ready]) => entryOf(seq, ready)),
      more: due.length > count,
      nextDueMs: behind.find(([, { dueMs }]) => dueMs > nowMs)?.[1].dueMs ?? null,
    };
    return new Promise((resolve) => this.waiting.push(() => resolve(page)));
  }

  get reading(): boolean {
    return this.waiting.length > 0;
  }

  answerOne(): void {
    this.waiting.shift()?.();
  }
}

function entryOf(seq: number, ready: Cursor): ReadyDelivery {
  const event = { seq, json: "{}", type: "t", origin: "outside", hops: 0, receivedMs: 0 } as const;
  return { seq, fn: "f", key: null, partition: 0, attempt: 0, ready, event };
}

function largeEntry(seq: number): ReadyDelivery {
  const entry = entryOf(seq, { dueMs: 1, pos: seq });
  return { ...entry, event: { ...entry.event, json: "x".repeat(100_000) } };
}

function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface World {
  readonly index: Index;
  readonly clock: VirtualClock;
  readonly queue: FunctionQueue;
  readonly running: ReadyDelivery[];
  readonly begun: number[];
  readonly dispatch: () => void;
}

function world(most: () => number): World {
  const index = new Index();
  const clock = new VirtualClock(1_000_000);
  const running: ReadyDelivery[] = [];
  const begun: number[] = [];
  const store: Pick<Store, "ready"> = { ready: (_fn, after, nowMs, { count }) => index.ready(after, nowMs, Math.min(count, 4)) };
  const queue = new FunctionQueue("f", {
    store,
    clock,
    budget: new MemoryBudget(64 * 1024 * 1024),
    onWork: () => dispatch(),
    onLoadFailure: (error) => {
      throw error;
    },
  });
  const dispatch = (): void => {
    while (queue.running < most()) {
      const entry = queue.take();
      if (entry === undefined) break;
      expect(running.some(({ seq }) => seq === entry.seq)).toBe(false);
      running.push(entry);
      begun.push(entry.seq);
    }
    queue.fill();
  };
  queue.fill();
  return { index, clock, queue, running, begun, dispatch };
}

describe("a function's queue", () => {
  it("D18, D24, D33: whatever the order of pages, commits and settlings, every ready row runs, none twice at once, none is forgotten", async () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = seeded(seed);
      const { index, clock, queue, running, dispatch } = world(() => 3);
      const answers: (() => void)[] = [];
      const succeeded = new Set<number>();
      let made = 0;
      for (let step = 0; step < 400; step++) {
        const dice = random();
        if (dice < 0.35 && made < 60) {
          const delayMs = random() < 0.2 ? Math.floor(random() * 50) : 0;
          const added = index.add(clock.now() - Math.floor(random() * 2), clock.now() + delayMs);
          made++;
          const isEarly = delayMs === 0 && random() < 0.2;
          answers.push(() => {
            const entry = entryOf(added.seq, added.ready);
            if (isEarly && queue.admit(entry)) running.push(entry);
            else queue.offer(entry);
            dispatch();
          });
        } else if (dice < 0.5 && answers.length > 0) {
          answers.shift()?.();
        } else if (dice < 0.65) {
          index.answerOne();
        } else if (dice < 0.9 && running.length > 0) {
          const [entry] = running.splice(Math.floor(random() * running.length), 1);
          if (entry !== undefined) settleOne(entry, random);
        } else {
          await clock.advanceTo(clock.now() + Math.floor(random() * 5), turn);
        }
        await turn();
      }
      // Then everything comes to rest.
      for (let round = 0; round < 2000 && index.rows.size > 0; round++) {
        answers.shift()?.();
        index.answerOne();
        const entry = running.shift();
        if (entry !== undefined) settleOne(entry, () => 1);
        if (running.length === 0 && !index.reading) await clock.advanceTo(clock.now() + 20, turn);
        await turn();
      }
      expect({ seed, left: [...index.rows.keys()], succeeded: succeeded.size }).toEqual({ seed, left: [], succeeded: made });

      function settleOne(entry: ReadyDelivery, random: () => number): void {
        if (random() < 0.2) {
          const dueMs = clock.now() + 1 + Math.floor(random() * 20);
          index.place(entry.seq, clock.now(), dueMs);
          queue.release(entry);
          queue.leaveOnDisk({ dueMs, pos: 0 });
        } else if (random() < 0.1) {
          queue.putBack(entry);
          queue.pause(clock.now() + 3);
        } else {
          index.rows.delete(entry.seq);
          succeeded.add(entry.seq);
          queue.release(entry);
        }
        dispatch();
      }
    }
  });

  it("D18: queues share their memory, each may have a little, and what is taken out is given back", async () => {
    const budget = new MemoryBudget(1024 * 1024);
    const clock = new VirtualClock(1_000_000);
    const nothing: Pick<Store, "ready"> = { ready: async () => ({ deliveries: [], more: false, nextDueMs: null }) };
    const [greedy, modest] = ["greedy", "modest"].map(
      (fn) => new FunctionQueue(fn, { store: nothing, clock, budget, onWork: () => {}, onLoadFailure: () => {} }),
    );
    if (greedy === undefined || modest === undefined) throw new Error("two were made");
    greedy.fill();
    modest.fill();
    await turn();
    for (let seq = 1; seq <= 50; seq++) greedy.offer(largeEntry(seq));
    // Once something stays on disk everything behind it does.
    expect(greedy.length).toBe(11);
    expect(budget.leftBytes).toBe(0);
    for (let seq = 101; seq <= 150; seq++) modest.offer(largeEntry(seq));
    expect(modest.length).toBe(3);
    for (let entry = greedy.take(); entry !== undefined; entry = greedy.take()) greedy.release(entry);
    modest.stop();
    expect(budget.leftBytes).toBe(1024 * 1024);
  });

  it("D19: rows that are simply ready start in the order in which they committed", async () => {
    const { index, clock, queue, running, begun, dispatch } = world(() => 2);
    const expected: number[] = [];
    for (let i = 0; i < 100; i++) {
      const added = index.add(clock.now());
      expected.push(added.seq);
      queue.offer(entryOf(added.seq, added.ready));
      dispatch();
      if (i % 7 === 0) index.answerOne();
      await turn();
    }
    while (begun.length < 100 || running.length > 0) {
      const entry = running.shift();
      if (entry !== undefined) {
        index.rows.delete(entry.seq);
        queue.release(entry);
        dispatch();
      }
      index.answerOne();
      await clock.advanceTo(clock.now() + 1, turn);
    }
    expect(begun).toEqual(expected);
  });

  it("D18: a run that is given another place while it is held is found there when it is released", async () => {
    const { index, clock, queue, running, begun } = world(() => 1);
    const { seq, ready } = index.add(clock.now());
    const read = async (): Promise<void> => {
      for (queue.fill(); index.reading; await turn()) index.answerOne();
    };
    queue.offer(entryOf(seq, ready));
    await read();
    expect(begun).toEqual([seq]);
    // It parks, and what it waits for arrives before the dispatcher has heard of either.
    const moved = index.place(seq, clock.now(), clock.now());
    queue.offer(entryOf(seq, moved));
    const [entry] = running.splice(0);
    if (entry !== undefined) queue.release(entry);
    await read();
    expect(begun).toEqual([seq, seq]);
  });
});
