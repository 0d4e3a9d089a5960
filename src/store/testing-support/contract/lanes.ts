import { describe, expect, it } from "vitest";
import { aMember, anEvent, append, BOOM, committed, dead, deliver, readySeqs, settle, settlement, stateOf, T0, to } from "./builders.ts";
import type { Harness } from "./harness.ts";

export function laneRules(harness: Harness): void {
  describe("lanes", () => {
    it("S10: of one function and key only `width` are ready; other keys and functions are not held back", async () => {
      const { store } = harness;
      const first = await deliver(store, to("f", "k"));
      const second = await deliver(store, to("f", "k"));
      const otherKey = await deliver(store, to("f", "l"));
      const otherFn = await deliver(store, to("g", "k"));
      expect(await readySeqs(store, "f")).toEqual([first, otherKey]);
      expect(await readySeqs(store, "g")).toEqual([otherFn]);
      expect(await stateOf(store, second)).toBe("blocked");
    });

    it("S10: the answer says which deliveries are ready, within one member too", async () => {
      const [one, two] = await append(harness.store, [
        anEvent({ deliveries: [to("f", "k"), to("g")] }),
        anEvent({ deliveries: [to("f", "k")] }),
      ]);
      expect(one?.deliveries.map((delivery) => delivery.ready !== null)).toEqual([true, true]);
      expect(two?.deliveries.map((delivery) => delivery.ready)).toEqual([null]);
    });

    it("S10: the empty key is a key", async () => {
      const { store } = harness;
      const first = await deliver(store, to("f", ""));
      await deliver(store, to("f", ""));
      expect(await readySeqs(store, "f")).toEqual([first]);
    });

    it("S10: a width of two lets two go at once, and a wider one does not overtake who waits", async () => {
      const { store } = harness;
      const seqs = [await deliver(store, to("f", "k", 2)), await deliver(store, to("f", "k", 2)), await deliver(store, to("f", "k", 2))];
      await deliver(store, to("f", "k", 9));
      expect(await readySeqs(store, "f")).toEqual(seqs.slice(0, 2));
    });

    it("S11: settling promotes the next of the lane, with its event", async () => {
      const { store, lease } = harness;
      const first = await deliver(store, to("f", "k"));
      const [event] = await append(store, [
        anEvent({ id: "next", type: "t", json: `{"n":2}`, hops: 3, origin: "function", deliveries: [to("f", "k")] }),
      ]);
      const third = await deliver(store, to("f", "k"));
      const { promoted } = await settle(store, lease, first, { kind: "done" }, 0, T0 + 5);
      const seq = event?.deliveries[0]?.seq;
      expect(promoted).toMatchObject([
        {
          seq,
          fn: "f",
          key: "k",
          partition: 7,
          attempt: 0,
          ready: { dueMs: T0 + 5 },
          event: { seq: event?.seq, json: `{"n":2}`, type: "t", hops: 3, origin: "function", receivedMs: T0 },
        },
      ]);
      expect(await readySeqs(store, "f", T0 + 5)).toEqual([seq]);
      expect(await stateOf(store, third)).toBe("blocked");
    });

    it("S11: an event emitted by the settling member stands behind those that wait", async () => {
      const { store, lease } = harness;
      const first = await deliver(store, to("f", "k"));
      const second = await deliver(store, to("f", "k"));
      const emitted = { ...settlement(lease, first, { kind: "done" }), events: [anEvent({ deliveries: [to("f", "k")] })] };
      const result = await committed(store.commit(emitted));
      expect(result.promoted.map((delivery) => delivery.seq)).toEqual([second]);
      expect(result.events[0]?.deliveries[0]?.ready).toBeNull();
    });

    it("S11: when the lane has become wider, a free place lets several go", async () => {
      const { store, lease } = harness;
      const first = await deliver(store, to("f", "k", 1));
      const waiting = [];
      for (const width of [1, 2, 2]) waiting.push(await deliver(store, to("f", "k", width)));
      const { promoted } = await settle(store, lease, first);
      expect(promoted.map((delivery) => delivery.seq)).toEqual(waiting.slice(0, 2));
    });

    it("S11: a dead delivery lets its key go on", async () => {
      const { store, lease } = harness;
      const first = await deliver(store, to("f", "k"));
      const second = await deliver(store, to("f", "k"));
      const { promoted } = await settle(store, lease, first, dead());
      expect(promoted.map((delivery) => delivery.seq)).toEqual([second]);
    });

    it("S12: a retry and a postponement hold their own key back and no other", async () => {
      const { store, lease } = harness;
      const first = await deliver(store, to("f", "k"));
      const second = await deliver(store, to("f", "k"));
      const other = await deliver(store, to("f", "l"));
      expect((await settle(store, lease, first, { kind: "retry", dueMs: T0 + 1000, error: BOOM })).promoted).toEqual([]);
      expect(await readySeqs(store, "f")).toEqual([other]);
      expect((await settle(store, lease, first, { kind: "postpone", dueMs: T0 + 2000 }, 1)).promoted).toEqual([]);
      expect(await stateOf(store, second)).toBe("blocked");
      expect(await readySeqs(store, "f", T0 + 2000)).toEqual([other, first]);
      const { promoted } = await settle(store, lease, first, { kind: "done" }, 1, T0 + 2000);
      expect(promoted.map((delivery) => delivery.seq)).toEqual([second]);
    });

    it("S13: a held delivery keeps its key until it is redriven", async () => {
      const { store, lease } = harness;
      const first = await deliver(store, to("f", "k"));
      const second = await deliver(store, to("f", "k"));
      expect((await settle(store, lease, first, dead(true))).promoted).toEqual([]);
      expect(await stateOf(store, first)).toBe("held");
      expect(await readySeqs(store, "f")).toEqual([]);
      expect(await store.redrive({ seqs: [first] }, T0, 10)).toEqual({ redriven: 1, fns: ["f"] });
      expect(await readySeqs(store, "f")).toEqual([first]);
      expect((await settle(store, lease, first)).promoted.map((delivery) => delivery.seq)).toEqual([second]);
    });

    it("S13: purging a held delivery lets its key go on", async () => {
      const { store, lease } = harness;
      const first = await deliver(store, to("f", "k"));
      const second = await deliver(store, to("f", "k"));
      await settle(store, lease, first, dead(true));
      expect(await store.purge({ fn: "f", upTo: first }, T0, 10)).toEqual({ purged: 1, fns: ["f"] });
      expect(await readySeqs(store, "f")).toEqual([second]);
    });

    it("S11: lanes stand as they stood after the store was opened again", async () => {
      const first = await deliver(harness.store, to("f", "k"));
      const second = await deliver(harness.store, to("f", "k"));
      const store = await harness.reopen();
      expect(await readySeqs(store, "f")).toEqual([first]);
      const result = await committed(store.commit(aMember({ events: [anEvent({ deliveries: [to("f", "k")] })] })));
      expect(result.events[0]?.deliveries[0]?.ready).toBeNull();
      expect((await settle(store, harness.lease, first)).promoted.map((delivery) => delivery.seq)).toEqual([second]);
    });
  });
}
