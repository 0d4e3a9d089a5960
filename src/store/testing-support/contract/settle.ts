import { describe, expect, it } from "vitest";
import { BOOM, dead, deliver, readyOf, readySeqs, settle, settlement, stateOf, T0, to } from "./builders.ts";
import type { Harness } from "./harness.ts";

export function settleRules(harness: Harness): void {
  describe("leases and settling", () => {
    it("S7: each lease has a higher epoch, across restarts too", async () => {
      const first = harness.lease.epoch;
      const second = (await harness.store.acquire("node-1")).epoch;
      expect(second).toBeGreaterThan(first);
      await harness.reopen();
      expect(harness.lease.epoch).toBeGreaterThan(second);
      expect(harness.lease).toMatchObject({ owner: "node-1", partitions: { from: 0, to: 255 } });
    });

    it("S7: a settlement under an older lease is fenced", async () => {
      const { store, lease } = harness;
      const seq = await deliver(store, to("f"));
      const next = await store.acquire("node-2");
      expect(await store.commit(settlement(lease, seq, { kind: "done" }))).toEqual({ kind: "fenced" });
      await settle(store, next, seq);
    });

    it("S8: a settlement of another attempt, a second one, and one of a delivery that is not there are fenced", async () => {
      const { store, lease } = harness;
      const seq = await deliver(store, to("f"));
      expect(await store.commit(settlement(lease, seq, { kind: "done" }, 1))).toEqual({ kind: "fenced" });
      await settle(store, lease, seq);
      expect(await store.commit(settlement(lease, seq, { kind: "done" }))).toEqual({ kind: "fenced" });
      expect(await store.commit(settlement(lease, 999_999, { kind: "done" }))).toEqual({ kind: "fenced" });
    });

    it("S8: a blocked delivery cannot be settled", async () => {
      const { store, lease } = harness;
      await deliver(store, to("f", "k"));
      const blocked = await deliver(store, to("f", "k"));
      expect(await store.commit(settlement(lease, blocked, { kind: "done" }))).toEqual({ kind: "fenced" });
    });

    it("S9: done ends a delivery", async () => {
      const { store, lease } = harness;
      const seq = await deliver(store, to("f"));
      await settle(store, lease, seq, { kind: "done" }, 0, T0 + 9);
      expect(await store.delivery(seq)).toMatchObject({ state: "done", attempt: 0, settledMs: T0 + 9, errors: [] });
      expect(await readySeqs(store, "f", T0 + 9)).toEqual([]);
    });

    it("S9: retry counts an attempt, keeps the error and is due when it says", async () => {
      const { store, lease } = harness;
      const seq = await deliver(store, to("f"));
      await settle(store, lease, seq, { kind: "retry", dueMs: T0 + 500, error: BOOM });
      expect(await readySeqs(store, "f", T0 + 499)).toEqual([]);
      expect(await readyOf(store, "f", T0 + 500)).toMatchObject([{ seq, attempt: 1 }]);
      expect((await store.delivery(seq))?.errors).toEqual([
        { attempt: 1, invocation: `inv-${seq}-0`, startedMs: T0 - 5, endedMs: T0, ...BOOM },
      ]);
    });

    it("S9: postpone counts nothing", async () => {
      const { store, lease } = harness;
      const seq = await deliver(store, to("f"));
      await settle(store, lease, seq, { kind: "postpone", dueMs: T0 + 500 });
      expect(await readyOf(store, "f", T0 + 500)).toMatchObject([{ seq, attempt: 0 }]);
      expect((await store.delivery(seq))?.errors).toEqual([]);
    });

    it("S9: dead keeps every attempt's error, and none larger than 16 KiB", async () => {
      const { store, lease } = harness;
      const seq = await deliver(store, to("f"));
      await settle(store, lease, seq, { kind: "retry", dueMs: T0, error: BOOM });
      const large = { name: "E", message: "m".repeat(100_000), stack: "s".repeat(100_000) };
      await settle(store, lease, seq, { kind: "dead", hold: false, error: large }, 1);
      const view = await store.delivery(seq);
      expect(view).toMatchObject({ state: "dead", attempt: 2, errors: [{ attempt: 1 }, { attempt: 2, name: "E" }] });
      expect(JSON.stringify(view?.errors[1]).length).toBeLessThan(16 * 1024);
    });

    it("S13: hold without a key is plain dead", async () => {
      const { store, lease } = harness;
      const seq = await deliver(store, to("f"));
      await settle(store, lease, seq, dead(true));
      expect(await stateOf(store, seq)).toBe("dead");
    });
  });
}
