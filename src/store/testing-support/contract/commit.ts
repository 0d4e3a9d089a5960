import { describe, expect, it } from "vitest";
import { CURSOR_START } from "../../store.ts";
import { aMember, anEvent, append, committed, deliver, readySeqs, set, settlement, T0, to } from "./builders.ts";
import type { Harness } from "./harness.ts";

export function commitRules(harness: Harness): void {
  describe("commit", () => {
    it("S1: what was committed is there for reads at once, and after the store was opened again", async () => {
      const seq = await deliver(harness.store, to("f"));
      expect(await readySeqs(harness.store, "f")).toEqual([seq]);
      const store = await harness.reopen();
      expect(await readySeqs(store, "f")).toEqual([seq]);
    });

    it("S2: a member that is refused leaves nothing behind", async () => {
      const { store, lease } = harness;
      const seq = await deliver(store, to("f"));
      const refused = { ...settlement(lease, seq, { kind: "done" }, 3), events: [anEvent({ deliveries: [to("g")] })], kv: [set("a", 1)] };
      expect(await store.commit(refused)).toEqual({ kind: "fenced" });
      expect(await readySeqs(store, "f")).toEqual([seq]);
      expect(await readySeqs(store, "g")).toEqual([]);
      expect(await store.kvGet(["a"], T0)).toEqual([null]);
    });

    it("S3: calls of one moment see each other in their order", async () => {
      const { store } = harness;
      const reads = { keys: new Map([["a", 0]]), ranges: [] };
      const results = await Promise.all([
        store.commit(aMember({ reads, kv: [set("a", 1)] })),
        store.commit(aMember({ reads, kv: [set("a", 2)] })),
      ]);
      expect(results.map((result) => result.kind)).toEqual(["committed", "conflict"]);
      expect((await store.kvGet(["a"], T0))[0]?.value).toEqual({ kind: "json", json: "1" });
    });

    it("S3: a request that writes comes after the commits that were called before it", async () => {
      const { store, lease } = harness;
      const seq = await deliver(store, to("f"));
      const before = store.commit(settlement(lease, seq, { kind: "done" }));
      const next = store.acquire("node-2");
      expect((await before).kind).toBe("committed");
      expect((await next).epoch).toBeGreaterThan(lease.epoch);
    });

    it("S4: deliveries are numbered behind their event, in order", async () => {
      const [first, second] = await append(harness.store, [anEvent({ deliveries: [to("f"), to("g"), to("h")] }), anEvent()]);
      const seq = first?.seq ?? 0;
      expect(first?.deliveries.map((delivery) => delivery.seq)).toEqual([seq + 1, seq + 2, seq + 3]);
      expect(second?.seq).toBeGreaterThan(seq + 3);
    });

    it("S4: numbers go on after the store was opened again, even when the rows are gone", async () => {
      const [before] = await append(harness.store, [anEvent()]);
      while ((await harness.store.retain(T0 + 1, T0 + 1, 100)).more) continue;
      const store = await harness.reopen();
      const [after] = await append(store, [anEvent()]);
      expect(after?.seq).toBeGreaterThan(before?.seq ?? 0);
    });

    it("S5: fenced comes before answered, answered before conflict, conflict before clash", async () => {
      const { store, lease } = harness;
      const answer = { key: "k", fingerprint: "f", bytes: new Uint8Array([1]), expiresMs: T0 + 1000 };
      await committed(store.commit(aMember({ answer, events: [anEvent({ id: "same", dedupe: true })], kv: [set("a", 1)] })));
      const clash = { events: [anEvent({ id: "same", dedupe: true, json: "{}" })] };
      const conflict = { ...clash, reads: { keys: new Map([["a", 0]]), ranges: [] } };
      const answered = { ...conflict, answer };
      const fenced = { ...answered, fired: { name: "none", dueMs: 1, epoch: lease.epoch } };
      const kinds = await Promise.all([fenced, answered, conflict, clash].map(async (parts) => (await store.commit(aMember(parts))).kind));
      expect(kinds).toEqual(["fenced", "answered", "conflict", "clash"]);
    });

    it("S6: a member that cannot be written rejects alone", async () => {
      const { store } = harness;
      const broken = aMember({ events: [anEvent({ hops: Number.NaN })] });
      const [first, second, third] = await Promise.allSettled([
        store.commit(aMember({ kv: [set("a", 1)] })),
        store.commit(broken),
        store.commit(aMember({ kv: [set("b", 1)] })),
      ]);
      expect(first).toMatchObject({ status: "fulfilled", value: { kind: "committed" } });
      expect(second).toMatchObject({ status: "rejected", reason: { code: "internal" } });
      expect(third).toMatchObject({ status: "fulfilled", value: { kind: "committed" } });
      expect((await store.kvGet(["a", "b"], T0)).map((entry) => entry?.key)).toEqual(["a", "b"]);
    });

    it("S4: a large batch of one tick is taken whole and in order", async () => {
      const { store } = harness;
      const results = await Promise.all(
        Array.from({ length: 2500 }, (_, n) =>
          committed(store.commit(aMember({ events: [anEvent({ id: `e${n}`, deliveries: [to("f")] })] }))),
        ),
      );
      const seqs = results.map((result) => result.events[0]?.deliveries[0]?.seq ?? 0);
      expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
      const page = await store.ready("f", CURSOR_START, T0, { count: 5000, bytes: 1 << 24 });
      expect(page.deliveries.map((delivery) => delivery.seq)).toEqual(seqs);
    });

    it("S37: after close everything is refused, and closing again is harmless", async () => {
      const { store } = harness;
      const last = store.commit(aMember({ kv: [set("last", 1)] }));
      await store.close();
      expect((await last).kind).toBe("committed");
      await expect(store.commit(aMember())).rejects.toMatchObject({ code: "stopping" });
      await expect(store.kvGet(["last"], T0)).rejects.toMatchObject({ code: "stopping" });
      await store.close();
      const reopened = await harness.reopen();
      expect((await reopened.kvGet(["last"], T0))[0]?.key).toBe("last");
    });
  });
}
