import { describe, expect, it } from "vitest";
import type { NewEvent } from "../../store.ts";
import { aMember, anEvent, append, committed, DAY_MS, HOUR_MS, readySeqs, retainAll, T0, to } from "./builders.ts";
import type { Harness } from "./harness.ts";

const fromOutside = (id: string, parts: Partial<NewEvent> = {}): NewEvent =>
  anEvent({ id, origin: "outside", dedupe: true, deliveries: [to("f")], ...parts });

export function dedupeRules(harness: Harness): void {
  describe("de-duplication", () => {
    it("S16: a repeated event is answered with the first one's number and wakes nobody", async () => {
      const { store } = harness;
      const [first] = await append(store, [fromOutside("a")]);
      const [again] = await append(store, [fromOutside("a")], T0 + HOUR_MS);
      expect(again).toEqual({ seq: first?.seq, duplicate: true, deliveries: [] });
      expect(await readySeqs(store, "f", T0 + HOUR_MS)).toHaveLength(1);
      expect(await store.events({ limit: 10 })).toHaveLength(1);
    });

    it("S16: each source has ids of its own", async () => {
      const results = await append(harness.store, [fromOutside("a", { source: "/x" }), fromOutside("a", { source: "/y" })]);
      expect(results.map((result) => result.duplicate)).toEqual([false, false]);
    });

    it("S16: two alike in one member are one", async () => {
      const [first, second, third] = await append(harness.store, [fromOutside("a"), fromOutside("b"), fromOutside("a")]);
      expect(third).toEqual({ seq: first?.seq, duplicate: true, deliveries: [] });
      expect(second?.duplicate).toBe(false);
    });

    it("S16: two alike in members of one moment are one", async () => {
      const { store } = harness;
      const results = await Promise.all(Array.from({ length: 3 }, () => committed(store.commit(aMember({ events: [fromOutside("a")] })))));
      expect(results.map((result) => result.events[0]?.duplicate)).toEqual([false, true, true]);
    });

    it("S16: remembered across a restart, and forgotten after a day", async () => {
      const [first] = await append(harness.store, [fromOutside("a")]);
      const store = await harness.reopen();
      expect(await append(store, [fromOutside("a")], T0 + DAY_MS - 1)).toMatchObject([{ duplicate: true, seq: first?.seq }]);
      const [later] = await append(store, [fromOutside("a", { json: `{"other":1}` })], T0 + DAY_MS);
      expect(later?.duplicate).toBe(false);
      expect(await append(store, [fromOutside("a", { json: `{"other":1}` })], T0 + DAY_MS + 1)).toMatchObject([
        { duplicate: true, seq: later?.seq },
      ]);
    });

    it("S16: remembered when retention has taken the first one, and after a restart then", async () => {
      await append(harness.store, [anEvent({ id: "a", dedupe: true })]);
      expect(await retainAll(harness.store, T0 + 1, T0 + 1)).toMatchObject({ events: 1 });
      expect(await append(harness.store, [fromOutside("a")], T0 + 2)).toMatchObject([{ duplicate: true }]);
      const store = await harness.reopen();
      expect(await append(store, [fromOutside("a")], T0 + 3)).toMatchObject([{ duplicate: true }]);
      expect(await append(store, [fromOutside("a")], T0 + DAY_MS + 2 * HOUR_MS)).toMatchObject([{ duplicate: false }]);
    });

    it("S17: the same id with other content is a clash that names every such event, and writes nothing", async () => {
      const { store } = harness;
      await append(store, [fromOutside("a"), fromOutside("b")]);
      const other = (id: string): NewEvent => fromOutside(id, { json: `{"other":true}` });
      const result = await store.commit(aMember({ events: [other("a"), fromOutside("c"), other("b"), other("c")] }));
      expect(result).toEqual({ kind: "clash", indexes: [0, 2, 3] });
      expect(await append(store, [fromOutside("c")])).toMatchObject([{ duplicate: false }]);
    });

    it("S18: the platform's own events neither look nor are found", async () => {
      const { store } = harness;
      const own = anEvent({ id: "a" });
      expect(await append(store, [own, own])).toMatchObject([{ duplicate: false }, { duplicate: false }]);
      expect(await append(store, [fromOutside("a")])).toMatchObject([{ duplicate: false }]);
      expect(await append(store, [own])).toMatchObject([{ duplicate: false }]);
    });
  });
}
