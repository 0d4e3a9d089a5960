import { describe, expect, it } from "vitest";
import type { NewTimer } from "../../store.ts";
import { aMember, committed, namesOf, set, T0 } from "./builders.ts";
import type { Harness } from "./harness.ts";

const timer = (name: string, dueMs: number, kind = "delayed"): NewTimer => ({
  name,
  kind,
  partition: 3,
  dueMs,
  payload: `{"of":"${name}"}`,
});

export function timerRules(harness: Harness): void {
  describe("timers and answers", () => {
    it("S22: due timers come earliest first, with the time of the next one", async () => {
      const { store } = harness;
      await committed(store.commit(aMember({ timers: [timer("c", T0 + 30), timer("a", T0 + 10), timer("b", T0 + 20)] })));
      const { timers, nextDueMs } = await store.dueTimers(T0 + 20, 10);
      expect(timers).toEqual([timer("a", T0 + 10), timer("b", T0 + 20)]);
      expect(nextDueMs).toBe(T0 + 30);
      expect(namesOf((await store.dueTimers(T0 + 99, 1)).timers)).toEqual(["a"]);
      expect(await store.dueTimers(T0, 10)).toEqual({ timers: [], nextDueMs: T0 + 10 });
    });

    it("S22: setting a timer again replaces it, cancelling removes it, and they are listed by kind", async () => {
      const { store } = harness;
      await committed(
        store.commit(aMember({ timers: [timer("a", T0 + 10, "schedule"), timer("b", T0 + 20, "schedule"), timer("c", T0 + 5)] })),
      );
      await committed(store.commit(aMember({ timers: [timer("a", T0 + 50, "schedule")], cancelTimers: ["c", "never"] })));
      expect(await store.timers("schedule")).toEqual([timer("b", T0 + 20, "schedule"), timer("a", T0 + 50, "schedule")]);
      expect(await store.dueTimers(T0 + 99, 10)).toMatchObject({ timers: [{ name: "b" }, { name: "a" }], nextDueMs: null });
    });

    it("S22: timers outlive a restart", async () => {
      await committed(harness.store.commit(aMember({ timers: [timer("a", T0 + 10)] })));
      const store = await harness.reopen();
      expect((await store.dueTimers(T0 + 10, 10)).timers).toEqual([timer("a", T0 + 10)]);
    });

    it("S23: a fired timer is gone with its member; it fires once", async () => {
      const { store, lease } = harness;
      await committed(store.commit(aMember({ timers: [timer("a", T0 + 10)] })));
      const fired = { name: "a", dueMs: T0 + 10, epoch: lease.epoch };
      await committed(store.commit(aMember({ fired, kv: [set("ran", 1)] })));
      expect(await store.commit(aMember({ fired, kv: [set("ran", 2)] }))).toEqual({ kind: "fenced" });
      expect((await store.kvGet(["ran"], T0))[0]?.value).toEqual({ kind: "json", json: "1" });
    });

    it("S23: a timer that was replaced meanwhile, or belongs to a newer lease, is fenced", async () => {
      const { store, lease } = harness;
      await committed(store.commit(aMember({ timers: [timer("a", T0 + 10)] })));
      await committed(store.commit(aMember({ timers: [timer("a", T0 + 20)] })));
      expect((await store.commit(aMember({ fired: { name: "a", dueMs: T0 + 10, epoch: lease.epoch } }))).kind).toBe("fenced");
      const next = await store.acquire("node-2");
      expect((await store.commit(aMember({ fired: { name: "a", dueMs: T0 + 20, epoch: lease.epoch } }))).kind).toBe("fenced");
      await committed(store.commit(aMember({ fired: { name: "a", dueMs: T0 + 20, epoch: next.epoch } })));
    });

    it("S23: a fired timer may set itself anew", async () => {
      const { store, lease } = harness;
      await committed(store.commit(aMember({ timers: [timer("a", T0 + 10)] })));
      await committed(store.commit(aMember({ fired: { name: "a", dueMs: T0 + 10, epoch: lease.epoch }, timers: [timer("a", T0 + 60)] })));
      expect(await store.dueTimers(T0 + 10, 10)).toEqual({ timers: [], nextDueMs: T0 + 60 });
    });

    it("S24: the first answer stands until it expires", async () => {
      const { store } = harness;
      const answer = { key: "k", fingerprint: "one", bytes: new Uint8Array([1, 2, 3]), expiresMs: T0 + 100 };
      await committed(store.commit(aMember({ answer })));
      const second = { ...answer, fingerprint: "two", bytes: new Uint8Array([9]) };
      const first = { key: "k", fingerprint: "one", bytes: new Uint8Array([1, 2, 3]) };
      expect(await store.commit(aMember({ answer: second, kv: [set("a", 1)] }))).toEqual({ kind: "answered", answer: first });
      expect(await store.kvGet(["a"], T0)).toEqual([null]);
      expect(await store.answer("k", T0 + 99)).toEqual(first);
      expect(await store.answer("k", T0 + 100)).toBeNull();
      expect(await store.answer("other", T0)).toBeNull();
      await committed(store.commit(aMember({ answer: { ...second, expiresMs: T0 + 300 }, nowMs: T0 + 100 })));
      expect((await store.answer("k", T0 + 200))?.fingerprint).toBe("two");
    });
  });
}
