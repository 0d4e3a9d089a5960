import { describe, expect, it } from "vitest";
import type { LogLine, Store, StoredLogLine } from "../../store.ts";
import { aMember, anEvent, append, BOOM, committed, dead, deliver, readyOf, readySeqs, settle, stateOf, T0, to } from "./builders.ts";
import type { Harness } from "./harness.ts";

const line = (text: string, parts: Partial<LogLine> = {}): LogLine => ({
  atMs: T0,
  fn: "f",
  invocation: "i1",
  level: "info",
  text,
  ...parts,
});
const texts = (lines: readonly StoredLogLine[]): string[] => lines.map((line) => line.text);

async function deadOf(
  store: Store,
  epoch: { epoch: number; owner: string; partitions: { from: number; to: number } },
  fn: string,
  type: string,
  key: string | null = null,
  hold = false,
): Promise<number> {
  const [event] = await append(store, [anEvent({ type, deliveries: [to(fn, key)] })]);
  const seq = event?.deliveries[0]?.seq ?? -1;
  await settle(store, epoch, seq, dead(hold));
  return seq;
}

export function peopleRules(harness: Harness): void {
  describe("events for people", () => {
    it("S25: newest first with their deliveries, paged by `before`; oldest first by `after`", async () => {
      const { store } = harness;
      const appended = await append(
        store,
        ["a", "b", "c"].map((id) => anEvent({ id, deliveries: [to("f")] })),
      );
      const [a = 0, b = 0, c = 0] = appended.map((event) => event.seq);
      expect((await store.events({ limit: 2 })).map((event) => event.seq)).toEqual([c, b]);
      expect((await store.events({ limit: 2, before: b })).map((event) => event.seq)).toEqual([a]);
      expect((await store.events({ limit: 2, after: a })).map((event) => event.seq)).toEqual([b, c]);
      expect((await store.events({ limit: 9, after: c })).map((event) => event.seq)).toEqual([]);
    });

    it("S25: an event shows everything that is known of it", async () => {
      const { store, lease } = harness;
      const event = anEvent({
        id: "x",
        source: "/s",
        type: "t",
        cause: "inv-9",
        origin: "function",
        hops: 4,
        deliveries: [to("f", "k"), to("g")],
      });
      const [appended] = await append(store, [event], T0 + 1);
      const [f = 0, g = 0] = appended?.deliveries.map((delivery) => delivery.seq) ?? [];
      await settle(store, lease, f, { kind: "retry", dueMs: T0 + 900, error: BOOM }, 0, T0 + 2);
      const [view] = await store.events({ id: "x", limit: 5 });
      expect(view).toMatchObject({
        seq: appended?.seq,
        id: "x",
        source: "/s",
        type: "t",
        json: event.json,
        cause: "inv-9",
        origin: "function",
        hops: 4,
        receivedMs: T0 + 1,
      });
      expect(view?.deliveries).toEqual([
        {
          seq: f,
          event: appended?.seq,
          fn: "f",
          key: "k",
          state: "ready",
          attempt: 1,
          dueMs: T0 + 900,
          settledMs: null,
          errors: [{ attempt: 1, invocation: `inv-${f}-0`, startedMs: T0 - 3, endedMs: T0 + 2, ...BOOM }],
        },
        { seq: g, event: appended?.seq, fn: "g", key: null, state: "ready", attempt: 0, dueMs: T0 + 1, settledMs: null, errors: [] },
      ]);
    });

    it("S25: by type and by id", async () => {
      const { store } = harness;
      await append(store, [
        anEvent({ id: "a", type: "x" }),
        anEvent({ id: "b", type: "y" }),
        anEvent({ id: "c", type: "x" }),
        anEvent({ id: "a", type: "y", source: "/2" }),
      ]);
      const ids = async (query: Parameters<Store["events"]>[0]): Promise<string[]> => (await store.events(query)).map((event) => event.id);
      expect(await ids({ type: "x", limit: 9 })).toEqual(["c", "a"]);
      expect(await ids({ type: "none", limit: 9 })).toEqual([]);
      expect(await ids({ id: "a", limit: 9 })).toEqual(["a", "a"]);
      expect(await ids({ id: "a", type: "y", limit: 9 })).toEqual(["a"]);
      expect(await ids({ id: "none", limit: 9 })).toEqual([]);
    });
  });

  describe("dead deliveries", () => {
    it("S26: listed by number, filtered by function and event type, paged by `after`", async () => {
      const { store, lease } = harness;
      const seqs = [
        await deadOf(store, lease, "f", "x"),
        await deadOf(store, lease, "g", "x"),
        await deadOf(store, lease, "f", "y"),
        await deadOf(store, lease, "f", "x", "k", true),
      ];
      const list = async (query: Parameters<Store["dead"]>[0]): Promise<number[]> => (await store.dead(query)).map((view) => view.seq);
      expect(await list({ limit: 9 })).toEqual(seqs);
      expect(await list({ limit: 2, after: seqs[0] ?? 0 })).toEqual(seqs.slice(1, 3));
      expect(await list({ fn: "f", limit: 9 })).toEqual([seqs[0], seqs[2], seqs[3]]);
      expect(await list({ type: "x", limit: 9 })).toEqual([seqs[0], seqs[1], seqs[3]]);
      expect(await list({ fn: "f", type: "y", limit: 9 })).toEqual([seqs[2]]);
      expect(await store.dead({ fn: "g", limit: 1 })).toMatchObject([{ fn: "g", eventType: "x", state: "dead", errors: [BOOM] }]);
      expect((await store.delivery(seqs[3] ?? 0))?.state).toBe("held");
    });

    it("S26: a delivery that is not there is null", async () => {
      expect(await harness.store.delivery(424_242)).toBeNull();
    });

    it("S27: redriven deliveries are due now, from attempt 0, with their errors kept", async () => {
      const { store, lease } = harness;
      const seq = await deadOf(store, lease, "f", "x");
      expect(await store.redrive({ seqs: [seq, 999_999] }, T0 + 50, 10)).toEqual({ redriven: 1, fns: ["f"] });
      expect(await readyOf(store, "f", T0 + 50)).toMatchObject([{ seq, attempt: 0, ready: { dueMs: T0 + 50 } }]);
      expect(await store.delivery(seq)).toMatchObject({ state: "ready", attempt: 0, settledMs: null, errors: [BOOM] });
      expect(await store.redrive({ seqs: [seq] }, T0 + 50, 10)).toEqual({ redriven: 0, fns: [] });
      await settle(store, lease, seq, dead());
      expect((await store.delivery(seq))?.errors).toHaveLength(2);
    });

    it("S27: redriven by filter, in bounded pieces, up to where the list was seen", async () => {
      const { store, lease } = harness;
      const seqs = [];
      for (const [fn, type] of [
        ["f", "x"],
        ["f", "y"],
        ["g", "x"],
        ["f", "x"],
        ["f", "x"],
      ] as const)
        seqs.push(await deadOf(store, lease, fn, type));
      const selection = { fn: "f", type: "x", upTo: seqs[3] ?? 0 };
      expect(await store.redrive(selection, T0, 1)).toEqual({ redriven: 1, fns: ["f"] });
      expect(await store.redrive(selection, T0, 10)).toEqual({ redriven: 1, fns: ["f"] });
      expect(await store.redrive(selection, T0, 10)).toEqual({ redriven: 0, fns: [] });
      expect(await readySeqs(store, "f")).toEqual([seqs[0], seqs[3]]);
      expect(await store.redrive({ upTo: seqs[4] ?? 0 }, T0, 10)).toEqual({ redriven: 3, fns: ["f", "g"] });
    });

    it("S27: a dead delivery joins the end of its lane", async () => {
      const { store, lease } = harness;
      const first = await deliver(store, to("f", "k"));
      const second = await deliver(store, to("f", "k"));
      const third = await deliver(store, to("f", "k"));
      await settle(store, lease, first, dead());
      await store.redrive({ seqs: [first] }, T0, 10);
      expect(await stateOf(store, first)).toBe("blocked");
      expect((await settle(store, lease, second)).promoted.map((delivery) => delivery.seq)).toEqual([third]);
      expect((await settle(store, lease, third)).promoted.map((delivery) => delivery.seq)).toEqual([first]);
      await settle(store, lease, first);
    });

    it("S28: purged deliveries are gone with their errors; what is not dead stays", async () => {
      const { store, lease } = harness;
      const gone = await deadOf(store, lease, "f", "x");
      const kept = await deliver(store, to("f"));
      expect(await store.purge({ seqs: [gone, kept] }, T0, 10)).toEqual({ purged: 1, fns: ["f"] });
      expect(await store.delivery(gone)).toBeNull();
      expect(await store.dead({ limit: 9 })).toEqual([]);
      expect(await readySeqs(store, "f")).toEqual([kept]);
    });

    it("S29: counts by function, as of the last commit and after a restart", async () => {
      const { store, lease } = harness;
      await deliver(store, to("f"));
      await deliver(store, to("f", "k"));
      await deliver(store, to("f", "k"));
      await deadOf(store, lease, "f", "x");
      await deadOf(store, lease, "g", "x", "k", true);
      await settle(store, lease, await deliver(store, to("h")));
      const counts = [
        { fn: "f", ready: 2, blocked: 1, parked: 0, dead: 1, held: 0 },
        { fn: "g", ready: 0, blocked: 0, parked: 0, dead: 1, held: 1 },
      ];
      expect(await store.counts()).toEqual(counts);
      expect(await (await harness.reopen()).counts()).toEqual(counts);
      await harness.store.redrive({ upTo: Infinity }, T0, 10);
      expect(await harness.store.counts()).toEqual([
        { fn: "f", ready: 3, blocked: 1, parked: 0, dead: 0, held: 0 },
        { fn: "g", ready: 1, blocked: 0, parked: 0, dead: 0, held: 0 },
      ]);
    });
  });

  describe("logs", () => {
    it("S30: lines are there with the next commit, in the order of their writing", async () => {
      const { store } = harness;
      store.log([line("one"), line("two", { level: "error" })]);
      store.log([line("three", { fn: "g", invocation: "i2" })]);
      await committed(store.commit(aMember()));
      const all = await store.logs({ limit: 10 });
      expect(all).toMatchObject([line("one"), line("two", { level: "error" }), line("three", { fn: "g", invocation: "i2" })]);
      expect(texts(await store.logs({ limit: 2 }))).toEqual(["two", "three"]);
      expect(texts(await store.logs({ limit: 1, after: all[0]?.seq ?? 0 }))).toEqual(["two"]);
      expect(texts(await store.logs({ fn: "f", limit: 10 }))).toEqual(["one", "two"]);
      expect(texts(await store.logs({ invocation: "i2", limit: 10 }))).toEqual(["three"]);
    });

    it("S30: a level means this level and above", async () => {
      const { store } = harness;
      store.log((["debug", "info", "warn", "error"] as const).map((level) => line(level, { level })));
      await committed(store.commit(aMember()));
      expect(texts(await store.logs({ level: "warn", limit: 10 }))).toEqual(["warn", "error"]);
      expect(texts(await store.logs({ level: "debug", limit: 10 }))).toHaveLength(4);
      expect(texts(await store.logs({ level: "error", fn: "f", limit: 10 }))).toEqual(["error"]);
    });

    it("S30: what is waiting is written by close", async () => {
      harness.store.log([line("last words")]);
      const store = await harness.reopen();
      expect(texts(await store.logs({ limit: 10 }))).toEqual(["last words"]);
    });

    it("S30: a flood drops the oldest and says how many", async () => {
      const { store } = harness;
      store.log(Array.from({ length: 25_000 }, (_, n) => line(`${n}`)));
      await committed(store.commit(aMember()));
      const lines = await store.logs({ limit: 1 });
      expect(texts(lines)).toEqual(["24999"]);
      const [note, first] = await store.logs({ after: 0, limit: 2 });
      expect(note).toMatchObject({ level: "warn", text: "15000 log lines were dropped: too many at once" });
      expect(first?.text).toBe("15000");
    });
  });
}
