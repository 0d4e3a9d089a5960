import { describe, expect, it } from "vitest";
import type { KvPage, Member, ReadSet, Store } from "../../store.ts";
import { aMember, committed, set, T0 } from "./builders.ts";
import type { Harness } from "./harness.ts";

const write = (store: Store, ...kv: NonNullable<Member["kv"]>): Promise<unknown> => committed(store.commit(aMember({ kv })));
const list = (store: Store, prefix: string, after: string | null = null, limit = 1000, nowMs = T0): Promise<KvPage> =>
  store.kvList({ prefix, after, limit }, nowMs);
const keysOf = (page: KvPage): string[] => page.entries.map((entry) => entry.key);
const ranges = (...pages: KvPage[]): ReadSet => ({ keys: new Map(), ranges: pages.map((page) => page.read) });

export function kvRules(harness: Harness): void {
  describe("key-value", () => {
    it("S19: values come back as they were, text of any script and bytes of any value", async () => {
      const { store } = harness;
      const bytes = Uint8Array.from({ length: 256 }, (_, n) => n);
      const view = new Uint8Array(new ArrayBuffer(1000), 500, 256);
      view.set(bytes);
      await write(store, set("json", { text: "ü€😀\u0000" }), {
        op: "set",
        key: "bytes",
        value: { kind: "bytes", bytes: view },
        expiresMs: null,
      });
      await write(store, { op: "set", key: "empty", value: { kind: "bytes", bytes: new Uint8Array() }, expiresMs: null });
      const [json, raw, empty] = await store.kvGet(["json", "bytes", "empty"], T0);
      expect(json?.value).toEqual({ kind: "json", json: JSON.stringify({ text: "ü€😀\u0000" }) });
      expect(raw?.value).toEqual({ kind: "bytes", bytes });
      expect(empty?.value).toEqual({ kind: "bytes", bytes: new Uint8Array() });
    });

    it("S19: every write gives a new version; absent, deleted and expired keys read as null", async () => {
      const { store } = harness;
      await write(store, set("a", 1), set("t", 1, T0 + 10));
      const [first] = await store.kvGet(["a"], T0);
      await write(store, set("a", 1));
      const [second] = await store.kvGet(["a"], T0);
      expect(second?.version).toBeGreaterThan(first?.version ?? Infinity);
      await write(store, { op: "delete", key: "a" }, { op: "delete", key: "never" });
      expect(await store.kvGet(["a", "never"], T0)).toEqual([null, null]);
      expect((await store.kvGet(["t"], T0 + 9))[0]?.key).toBe("t");
      expect(await store.kvGet(["t"], T0 + 10)).toEqual([null]);
      await write(store, set("a", 2));
      expect((await store.kvGet(["a"], T0))[0]?.version).toBeGreaterThan(second?.version ?? Infinity);
    });

    it("S20: lists in the byte order of UTF-8, within a prefix, behind `after`, to a limit", async () => {
      const { store } = harness;
      const keys = ["p/", "p/a", "p/b", "p/é", "p/\uFFFD", "p/😀", "p/\u{10FFFF}", "p0", "p"];
      await write(store, ...keys.map((key) => set(key, 1)));
      const all = ["p/", "p/a", "p/b", "p/é", "p/\uFFFD", "p/😀", "p/\u{10FFFF}"];
      expect(keysOf(await list(store, "p/"))).toEqual(all);
      expect(keysOf(await list(store, "p/", "p/b"))).toEqual(all.slice(3));
      expect(keysOf(await list(store, "p/", null, 2))).toEqual(all.slice(0, 2));
      expect(keysOf(await list(store, "p/\u{10FFFF}"))).toEqual(["p/\u{10FFFF}"]);
      expect(keysOf(await list(store, "", null, 1))).toEqual(["p"]);
      expect(keysOf(await list(store, "q"))).toEqual([]);
    });

    it("S20: a prefix is not a pattern, and keys with a NUL are keys", async () => {
      const { store } = harness;
      await write(store, set("a%b", 1), set("a_b", 1), set("axb", 1), set("n\u0000a", 1), set("n\u0000b", 1));
      expect(keysOf(await list(store, "a%"))).toEqual(["a%b"]);
      expect(keysOf(await list(store, "n\u0000"))).toEqual(["n\u0000a", "n\u0000b"]);
    });

    it("S20: never more than 1,000, and the read says how far it looked", async () => {
      const { store } = harness;
      await write(store, ...Array.from({ length: 1001 }, (_, n) => set(`k/${String(n).padStart(4, "0")}`, n)));
      const page = await list(store, "k/", null, 5000);
      expect(page.entries).toHaveLength(1000);
      expect(page.read).toMatchObject({ prefix: "k/", after: null, to: "k/0999" });
      expect((await list(store, "k/", "k/0999")).read).toMatchObject({ after: "k/0999", to: null });
    });

    it("S20: expired keys are not listed", async () => {
      const { store } = harness;
      await write(store, set("k/a", 1, T0 + 5), set("k/b", 1));
      expect(keysOf(await list(store, "k/", null, 10, T0 + 5))).toEqual(["k/b"]);
    });

    it("S21: a stale key is a conflict that names it; a fresh one is not", async () => {
      const { store } = harness;
      await write(store, set("a", 1), set("b", 1));
      const [a, b] = await store.kvGet(["a", "b"], T0);
      const keys = new Map([
        ["a", a?.version ?? 0],
        ["b", b?.version ?? 0],
        ["c", 0],
      ]);
      expect((await store.commit(aMember({ reads: { keys, ranges: [] } }))).kind).toBe("committed");
      await write(store, set("a", 1), set("c", 1));
      expect(await store.commit(aMember({ reads: { keys, ranges: [] }, kv: [set("b", 9)] }))).toEqual({
        kind: "conflict",
        keys: ["a", "c"],
      });
      expect((await store.kvGet(["b"], T0))[0]?.version).toBe(b?.version);
    });

    it("S21: a key that was deleted and written again is another one, and one that expired is gone", async () => {
      const { store } = harness;
      await write(store, set("a", 1), set("t", 1, T0 + 10));
      const [a, t] = await store.kvGet(["a", "t"], T0);
      await write(store, { op: "delete", key: "a" });
      await write(store, set("a", 1));
      const stale = { keys: new Map([["a", a?.version ?? 0]]), ranges: [] };
      expect((await store.commit(aMember({ reads: stale }))).kind).toBe("conflict");
      const timed = { keys: new Map([["t", t?.version ?? 0]]), ranges: [] };
      expect((await store.commit(aMember({ reads: timed, nowMs: T0 + 9 }))).kind).toBe("committed");
      expect(await store.commit(aMember({ reads: timed, nowMs: T0 + 10 }))).toEqual({ kind: "conflict", keys: ["t"] });
      expect((await store.commit(aMember({ reads: { keys: new Map([["t", 0]]), ranges: [] }, nowMs: T0 + 10 }))).kind).toBe("committed");
    });

    it("S21: a range breaks by a key added, changed, removed or expired in it, and by nothing outside it", async () => {
      const { store } = harness;
      const fill = (): Promise<unknown> => write(store, set("k/a", 1), set("k/c", 1), set("k/t", 1, T0 + 10), set("l", 1));
      const verdict = async (page: KvPage, nowMs = T0): Promise<string> =>
        (await store.commit(aMember({ reads: ranges(page), nowMs }))).kind;
      for (const change of [set("k/b", 1), set("k/a", 2), { op: "delete", key: "k/c" } as const]) {
        await fill();
        const page = await list(store, "k/");
        await write(store, set("l", 2), set("j", 2));
        expect(await verdict(page)).toBe("committed");
        await write(store, change);
        expect(await store.commit(aMember({ reads: ranges(page) }))).toEqual({ kind: "conflict", keys: ["k/*"] });
      }
      await fill();
      const page = await list(store, "k/");
      expect(await verdict(page, T0 + 9)).toBe("committed");
      expect(await verdict(page, T0 + 10)).toBe("conflict");
    });

    it("S21: a list that was cut off rests on no key behind its last one", async () => {
      const { store } = harness;
      await write(store, set("k/a", 1), set("k/b", 1), set("k/d", 1));
      const page = await list(store, "k/", null, 2);
      await write(store, set("k/c", 1), { op: "delete", key: "k/d" });
      expect((await store.commit(aMember({ reads: ranges(page) }))).kind).toBe("committed");
      await write(store, set("k/aa", 1));
      expect((await store.commit(aMember({ reads: ranges(page) }))).kind).toBe("conflict");
    });

    it("S21: a list is broken by so many new keys that it would no longer fit", async () => {
      const { store } = harness;
      await write(store, set("k/", 0));
      const page = await list(store, "k/");
      await write(store, ...Array.from({ length: 1500 }, (_, n) => set(`k/${n}`, n)));
      expect(await store.commit(aMember({ reads: ranges(page) }))).toEqual({ kind: "conflict", keys: ["k/*"] });
    });

    it("S21: an empty list is broken by the first key", async () => {
      const { store } = harness;
      const page = await list(store, "k/");
      await write(store, set("k/a", 1));
      expect((await store.commit(aMember({ reads: ranges(page) }))).kind).toBe("conflict");
    });

    it("S21: of many members that rest on one counter, one a moment wins", async () => {
      const { store } = harness;
      await write(store, set("n", 0));
      const [entry] = await store.kvGet(["n"], T0);
      const reads = { keys: new Map([["n", entry?.version ?? 0]]), ranges: [] };
      const results = await Promise.all(Array.from({ length: 10 }, () => store.commit(aMember({ reads, kv: [set("n", 1)] }))));
      expect(results.filter((result) => result.kind === "committed")).toHaveLength(1);
    });
  });
}
