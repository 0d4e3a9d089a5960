import { describe, expect, it } from "vitest";
import {
  aMember,
  anEvent,
  append,
  committed,
  DAY_MS,
  dead,
  deliver,
  HOUR_MS,
  readySeqs,
  retainAll,
  set,
  settle,
  stateOf,
  T0,
  to,
} from "./builders.ts";
import type { Harness } from "./harness.ts";

export function retentionRules(harness: Harness): void {
  describe("retention", () => {
    it("S31: takes settled deliveries and their events, and leaves what is younger", async () => {
      const { store, lease } = harness;
      const old = await deliver(store, to("f"));
      await append(store, [anEvent({ id: "nobody's" })]);
      const young = await deliver(store, to("f"), T0 + HOUR_MS);
      await settle(store, lease, old, { kind: "done" }, 0, T0 + 1);
      await settle(store, lease, young, { kind: "done" }, 0, T0 + HOUR_MS);
      expect(await retainAll(store, T0 + HOUR_MS, T0 + DAY_MS)).toEqual({ events: 2, deliveries: 1 });
      expect(await store.delivery(old)).toBeNull();
      expect((await store.events({ limit: 9 })).map((event) => event.deliveries[0]?.seq)).toEqual([young]);
    });

    it("S31: what waits, is blocked, dead or was settled later stays, and its event with it", async () => {
      const { store, lease } = harness;
      const [event] = await append(store, [anEvent({ deliveries: [to("f"), to("f", "k"), to("f", "k"), to("g"), to("h"), to("i")] })]);
      const [waiting = 0, , blocked = 0, dying = 0, late = 0, early = 0] = event?.deliveries.map((delivery) => delivery.seq) ?? [];
      await settle(store, lease, dying, dead());
      await settle(store, lease, early, { kind: "done" }, 0, T0 + 1);
      await settle(store, lease, late, { kind: "done" }, 0, T0 + DAY_MS);
      expect(await retainAll(store, T0 + HOUR_MS, T0 + DAY_MS)).toEqual({ events: 0, deliveries: 1 });
      const states = await Promise.all([waiting, blocked, dying, late, early].map((seq) => stateOf(store, seq)));
      expect(states).toEqual(["ready", "blocked", "dead", "done", undefined]);
      expect(await store.events({ limit: 9 })).toHaveLength(1);
    });

    it("S31: a later sweep comes back to what an earlier one had to leave", async () => {
      const { store, lease } = harness;
      const seq = await deliver(store, to("f"));
      const dying = await deliver(store, to("g"));
      await settle(store, lease, dying, dead());
      expect(await retainAll(store, T0 + HOUR_MS, T0 + DAY_MS)).toEqual({ events: 0, deliveries: 0 });
      await settle(store, lease, seq, { kind: "done" }, 0, T0 + DAY_MS);
      await store.purge({ seqs: [dying] }, T0 + DAY_MS, 10);
      expect(await retainAll(store, T0 + 2 * DAY_MS, T0 + 3 * DAY_MS)).toEqual({ events: 2, deliveries: 1 });
    });

    it("S31: one call takes a bounded piece and asks for more", async () => {
      const { store } = harness;
      await append(
        store,
        Array.from({ length: 25 }, () => anEvent()),
      );
      expect(await store.retain(T0 + 1, T0 + 1, 10)).toEqual({ events: 10, deliveries: 0, more: true });
      expect(await store.retain(T0 + 1, T0 + 1, 10)).toEqual({ events: 10, deliveries: 0, more: true });
      expect(await store.retain(T0 + 1, T0 + 1, 10)).toMatchObject({ events: 5, more: false });
      await append(store, [anEvent()]);
      expect(await store.retain(T0 + 1, T0 + 1, 10)).toMatchObject({ events: 1 });
    });

    it("S31: takes old log lines, expired kv and expired answers", async () => {
      const { store } = harness;
      store.log([{ atMs: T0, fn: "f", invocation: "i", level: "info", text: "old" }]);
      store.log([{ atMs: T0 + DAY_MS, fn: "f", invocation: "i", level: "info", text: "young" }]);
      const answer = { key: "k", fingerprint: "f", bytes: new Uint8Array(), expiresMs: T0 + 10 };
      await committed(store.commit(aMember({ kv: [set("gone", 1, T0 + 10), set("kept", 1, T0 + 2 * DAY_MS), set("ever", 1)], answer })));
      await retainAll(store, T0 + HOUR_MS, T0 + DAY_MS, 1);
      expect((await store.logs({ limit: 9 })).map((line) => line.text)).toEqual(["young"]);
      // A clock before the expiry would still see what is only marked as expired.
      expect((await store.kvGet(["gone", "kept", "ever"], T0)).map((entry) => entry?.key)).toEqual([undefined, "kept", "ever"]);
      expect(await store.answer("k", T0)).toBeNull();
    });

    it("S31: a lane goes on after its past is gone", async () => {
      const { store, lease } = harness;
      const first = await deliver(store, to("f", "k"));
      const second = await deliver(store, to("f", "k"));
      await settle(store, lease, first, { kind: "done" }, 0, T0 + 1);
      await retainAll(store, T0 + HOUR_MS, T0 + DAY_MS);
      expect(await readySeqs(store, "f")).toEqual([second]);
      await settle(store, lease, second);
    });
  });
}
