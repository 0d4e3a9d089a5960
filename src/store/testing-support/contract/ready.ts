import { describe, expect, it } from "vitest";
import { CURSOR_START } from "../../store.ts";
import { aMember, anEvent, append, BOOM, committed, deliver, readyOf, readySeqs, settle, T0, to } from "./builders.ts";
import type { Harness } from "./harness.ts";

const PLENTY = { count: 100, bytes: 1 << 20 };

export function readyRules(harness: Harness): void {
  describe("the ready index", () => {
    it("S14: pages by count, says when more is due, and goes on behind the cursor", async () => {
      const { store } = harness;
      const seqs = [];
      for (let i = 0; i < 5; i++) seqs.push(await deliver(store, to("f")));
      const first = await store.ready("f", CURSOR_START, T0, { count: 3, bytes: 1 << 20 });
      expect(first.deliveries.map((delivery) => delivery.seq)).toEqual(seqs.slice(0, 3));
      expect(first.more).toBe(true);
      const second = await store.ready("f", first.deliveries[2]?.ready ?? CURSOR_START, T0, { count: 3, bytes: 1 << 20 });
      expect(second.deliveries.map((delivery) => delivery.seq)).toEqual(seqs.slice(3));
      expect(second).toMatchObject({ more: false, nextDueMs: null });
    });

    it("S14: pages by bytes, but always returns one", async () => {
      const { store } = harness;
      const json = JSON.stringify({ text: "x".repeat(1000) });
      await append(store, [
        anEvent({ json, deliveries: [to("f")] }),
        anEvent({ json, deliveries: [to("f")] }),
        anEvent({ json, deliveries: [to("f")] }),
      ]);
      expect(await store.ready("f", CURSOR_START, T0, { count: 10, bytes: 2100 })).toMatchObject({ deliveries: [{}, {}], more: true });
      expect(await store.ready("f", CURSOR_START, T0, { count: 10, bytes: 10 })).toMatchObject({ deliveries: [{}], more: true });
    });

    it("S14: carries what is needed to run it", async () => {
      const { store } = harness;
      const [event] = await append(
        store,
        [anEvent({ type: "t", json: `{"a":"ü€😀"}`, hops: 2, origin: "outside", deliveries: [to("f", "k")] })],
        T0 + 3,
      );
      expect(await readyOf(store, "f", T0 + 3)).toEqual([
        {
          seq: event?.deliveries[0]?.seq,
          fn: "f",
          key: "k",
          partition: 7,
          attempt: 0,
          ready: event?.deliveries[0]?.ready,
          event: { seq: event?.seq, json: `{"a":"ü€😀"}`, type: "t", origin: "outside", hops: 2, receivedMs: T0 + 3 },
        },
      ]);
    });

    it("S14: nextDueMs says when the first later one falls due", async () => {
      const { store, lease } = harness;
      const early = await deliver(store, to("f"));
      const late = await deliver(store, to("f"));
      await settle(store, lease, late, { kind: "postpone", dueMs: T0 + 700 });
      await settle(store, lease, early, { kind: "postpone", dueMs: T0 + 300 });
      expect(await store.ready("f", CURSOR_START, T0, PLENTY)).toEqual({ deliveries: [], more: false, nextDueMs: T0 + 300 });
      expect(await store.ready("f", CURSOR_START, T0 + 400, PLENTY)).toMatchObject({ deliveries: [{ seq: early }], nextDueMs: T0 + 700 });
    });

    it("S14: a function that nothing was ever delivered to has nothing", async () => {
      expect(await harness.store.ready("nobody", CURSOR_START, T0, PLENTY)).toEqual({ deliveries: [], more: false, nextDueMs: null });
    });

    it("S15: what becomes ready later stands behind the cursor, even when its clock is behind", async () => {
      const { store, lease } = harness;
      const retried = await deliver(store, to("f"));
      await settle(store, lease, retried, { kind: "postpone", dueMs: T0 + 1000 });
      const page = await store.ready("f", CURSOR_START, T0 + 1000, PLENTY);
      const cursor = page.deliveries[0]?.ready ?? CURSOR_START;
      expect(page.deliveries.map((delivery) => delivery.seq)).toEqual([retried]);
      // This member's clock was read before that page was.
      const later = await deliver(store, to("f"), T0 + 999);
      expect(await store.ready("f", cursor, T0 + 1000, PLENTY)).toMatchObject({
        deliveries: [{ seq: later, ready: { dueMs: T0 + 1000 } }],
      });
    });

    it("S15: a page read while commits of an earlier clock are under way misses none of them", async () => {
      const { store, lease } = harness;
      const retried = await deliver(store, to("f"));
      await settle(store, lease, retried, { kind: "postpone", dueMs: T0 + 1000 });
      const commits = Array.from({ length: 50 }, () =>
        committed(store.commit(aMember({ nowMs: T0 + 1, events: [anEvent({ deliveries: [to("f")] })] }))),
      );
      const seen: number[] = [];
      let cursor = CURSOR_START;
      const read = async (): Promise<void> => {
        const page = await store.ready("f", cursor, T0 + 1000, PLENTY);
        for (const delivery of page.deliveries) {
          seen.push(delivery.seq);
          cursor = delivery.ready;
        }
      };
      await read();
      const seqs = (await Promise.all(commits)).map((result) => result.events[0]?.deliveries[0]?.seq ?? 0);
      await read();
      expect(seen.toSorted((a, b) => a - b)).toEqual([retried, ...seqs]);
    });

    it("S15: a clock that was set back holds nothing up", async () => {
      const seq = await deliver(harness.store, to("f"), T0 + 60_000);
      expect(await readySeqs(harness.store, "f", T0)).toEqual([seq]);
      const store = await harness.reopen();
      const later = await deliver(store, to("f"), T0);
      expect(await readySeqs(store, "f", T0)).toEqual([seq, later]);
    });

    it("S15: a retry that is due at once still stands behind the cursor", async () => {
      const { store, lease } = harness;
      const first = await deliver(store, to("f"));
      const second = await deliver(store, to("f"));
      const page = await store.ready("f", CURSOR_START, T0, PLENTY);
      const cursor = page.deliveries.at(-1)?.ready ?? CURSOR_START;
      await settle(store, lease, first, { kind: "retry", dueMs: 0, error: BOOM });
      await settle(store, lease, second);
      expect(await store.ready("f", cursor, T0, PLENTY)).toMatchObject({ deliveries: [{ seq: first, attempt: 1 }] });
    });
  });
}
