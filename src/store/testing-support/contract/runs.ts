import { describe, expect, it } from "vitest";
import { CURSOR_START, type JournalEntry, type Store } from "../../store.ts";
import {
  aMember,
  anEvent,
  append,
  BOOM,
  committed,
  DAY_MS,
  deliver,
  HOUR_MS,
  readyOf,
  readySeqs,
  retainAll,
  set,
  settle,
  settlement,
  stateOf,
  T0,
  to,
} from "./builders.ts";
import type { Harness } from "./harness.ts";
import { aRun, begin, beginning, change, ending, entry, make, parcelEvent, parking, retrying, seqsOf, waitFor } from "./run-builders.ts";

const PLENTY = { count: 100, bytes: 1 << 20 };

export function runRules(harness: Harness): void {
  beginningRules(harness);
  changeRules(harness);
  journalRules(harness);
  moveRules(harness);
}

function beginningRules(harness: Harness): void {
  describe("runs begun", () => {
    it("S39: a run begins with its delivery, and has its number", async () => {
      const { store } = harness;
      const run = aRun({ id: "a", release: "r7", seed: "s", deadlineMs: T0 + HOUR_MS });
      const [event] = await append(store, [anEvent({ deliveries: [to("plain"), { ...to("flow", "k"), run }] })], T0 + 3);
      const seq = event?.deliveries[1]?.seq ?? -1;
      expect(event?.deliveries[1]?.ready).toEqual({ dueMs: T0 + 3, pos: seq });
      expect(await store.ownedRun(seq)).toEqual({
        seq,
        fn: "flow",
        id: "a",
        kind: "flow",
        release: "r7",
        seed: "s",
        state: "ready",
        startedMs: T0 + 3,
        deadlineMs: T0 + HOUR_MS,
        parent: null,
        arrivals: [],
        journal: { entries: [], more: false },
      });
      expect(await store.journal(seq, 0, 1000)).toEqual({ entries: [], more: false });
      expect(await store.ownedRun(event?.deliveries[0]?.seq ?? -1)).toBeNull();
    });

    it("S39: what is ready says which kind of run is behind it, and nothing where there is none", async () => {
      const { store, lease } = harness;
      await begin(store, { kind: "flow" }, to("f"));
      await begin(store, { kind: "fn" }, to("f"));
      const first = await deliver(store, to("f", "k"));
      expect((await readyOf(store, "f")).map((delivery) => delivery.run)).toEqual(["flow", "fn", undefined]);
      await begin(store, { kind: "flow" }, to("f", "k"));
      expect((await settle(store, lease, first)).promoted).toMatchObject([{ run: "flow" }]);
    });

    it("S39: a named id that a run has already is that run: nothing is appended", async () => {
      const { store, lease } = harness;
      const seq = await begin(store, { id: "mine", named: true });
      expect(await append(store, [beginning({ id: "mine", named: true })])).toEqual([
        { seq: 0, duplicate: true, deliveries: [], existing: seq },
      ]);
      expect(await store.events({ limit: 9 })).toHaveLength(1);
      await make(store, lease, seq, { move: ending() });
      const again = await harness.reopen();
      expect(await append(again, [beginning({ id: "mine", named: true }, to("other"))])).toMatchObject([{ existing: seq }]);
    });

    it("S39: a run may begin ended: with its journal and result, done, and nothing of it to be handed out", async () => {
      const { store, lease } = harness;
      const run = aRun({ id: "whole", waits: [waitFor("parcel", "7")] });
      const ended = {
        atMs: T0 + 9,
        entries: [
          { ...entry(1), atMs: T0 + 4 },
          { ...entry(2), atMs: T0 + 8 },
        ],
        state: "done",
        value: '"result"',
      } as const;
      const result = await committed(
        store.commit(
          aMember({
            nowMs: T0 + 3,
            events: [anEvent({ deliveries: [{ ...to("flow"), run, ended }] }), anEvent({ deliveries: [to("heard")] })],
            kv: [set("a", 1)],
          }),
        ),
      );
      const seq = result.events[0]?.deliveries[0]?.seq ?? -1;
      expect(result.events).toMatchObject([{ deliveries: [{ ready: null }] }, { deliveries: [{ ready: {} }] }]);
      expect(result.atSeq).toBeUndefined();
      const look = async (store: Store): Promise<void> => {
        expect(await store.run("whole")).toMatchObject({
          seq,
          state: "done",
          startedMs: T0 + 3,
          endedMs: T0 + 9,
          value: '"result"',
          entries: 2,
          dueMs: null,
        });
        expect((await store.journal(seq, 0, 1000)).entries.map(({ pos, atMs, value }) => [pos, atMs, value])).toEqual([
          [1, T0 + 4, '"1"'],
          [2, T0 + 8, '"2"'],
        ]);
        expect(await stateOf(store, seq)).toBe("done");
        expect(await readySeqs(store, "flow", T0 + HOUR_MS)).toEqual([]);
        expect(await readySeqs(store, "heard", T0 + HOUR_MS)).toHaveLength(1);
        expect((await store.counts()).map(({ fn }) => fn)).toEqual(["heard"]);
      };
      await look(store);
      // It waits for nothing, and nothing can be done to it.
      expect((await append(store, [parcelEvent("parcel", "7")]))[0]).toMatchObject({ duplicate: false });
      expect(await store.commit(change(lease, seq, { entries: [entry(3)] }))).toEqual({ kind: "fenced" });
      await look(await harness.reopen());
    });

    it("S39: what an ended run did may be copied, and goes with the rest when its time is over", async () => {
      const { store } = harness;
      const ended = { atMs: T0, entries: [{ ...entry(1), atMs: T0 }], state: "done", value: null } as const;
      const [event] = await append(store, [anEvent({ deliveries: [{ ...to("flow"), run: aRun({ id: "whole", seed: "drawn" }), ended }] })]);
      const seq = event?.deliveries[0]?.seq ?? -1;
      const fork = await begin(store, { id: "fork", copies: { from: seq, beforePos: 2 } });
      expect(await store.ownedRun(fork)).toMatchObject({ seed: "drawn", journal: { entries: [{ pos: 1 }] } });
      await retainAll(store, T0 + DAY_MS, T0 + DAY_MS);
      expect(await store.run("whole")).toBeNull();
      expect(await store.run("fork")).not.toBeNull();
    });

    it("S39: two of one name in a member are one run, beside what else the member brings", async () => {
      const { store } = harness;
      const named = { id: "mine", named: true };
      const [first, second, third] = await append(store, [beginning(named), beginning(named), beginning({ id: "other", named: true })]);
      expect(second).toEqual({ seq: 0, duplicate: true, deliveries: [], existing: first?.deliveries[0]?.seq });
      expect(third).toMatchObject({ duplicate: false, deliveries: [{}] });
      expect((await store.runs({ limit: 9 })).map((run) => run.id)).toEqual(["other", "mine"]);
    });

    it("S39: an id that is not named and exists already is refused, alone", async () => {
      const { store } = harness;
      await begin(store, { id: "made" });
      const twice = store.commit(aMember({ events: [beginning({ id: "made" })] }));
      const beside = store.commit(aMember({ kv: [set("a", 1)] }));
      await expect(twice).rejects.toMatchObject({ code: "internal" });
      expect((await beside).kind).toBe("committed");
      expect(await store.runs({ limit: 9 })).toHaveLength(1);
    });
  });
}

function changeRules(harness: Harness): void {
  describe("changes to runs", () => {
    it("S40: under an older lease a change is fenced", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      const next = await store.acquire("node-2");
      expect(await store.commit(change(lease, run, { entries: [entry(1)] }))).toEqual({ kind: "fenced" });
      await make(store, next, run, { entries: [entry(1)] });
    });

    it("S40: a position that is taken, or lies before one that is, fences the whole member", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      await make(store, lease, run, { entries: [entry(1), entry(5)] });
      for (const pos of [1, 3, 5]) {
        const late = { ...change(lease, run, { entries: [entry(pos)], move: parking() }), events: [anEvent()], kv: [set("a", pos)] };
        expect(await store.commit(late)).toEqual({ kind: "fenced" });
      }
      expect(await stateOf(store, run)).toBe("ready");
      expect(await store.kvGet(["a"], T0)).toEqual([null]);
      await make(store, lease, run, { entries: [entry(6)] });
      expect((await store.journal(run, 0, 1 << 20)).entries.map(({ pos }) => pos)).toEqual([1, 5, 6]);
    });

    it("S40: a change without an entry holds only while the journal ends where its owner takes it to end", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      await make(store, lease, run, { entries: [entry(1), entry(2)] });
      for (const from of [1, 2]) {
        const late = { ...change(lease, run, { from, taken: [1], move: parking() }), kv: [set("a", from)] };
        expect(await store.commit(late)).toEqual({ kind: "fenced" });
      }
      expect(await store.kvGet(["a"], T0)).toEqual([null]);
      await make(store, lease, run, { from: 3, move: parking() });
      expect(await stateOf(store, run)).toBe("parked");
    });

    it("S40: a change after an entry holds only if that very entry was committed", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      await make(store, lease, run, { entries: [entry(1)] }, T0 + 5);
      for (const after of [
        { pos: 2, atMs: T0 + 5 },
        { pos: 1, atMs: T0 + 6 },
      ])
        expect(await store.commit(change(lease, run, { after, move: parking() }))).toEqual({ kind: "fenced" });
      expect(await stateOf(store, run)).toBe("ready");
      await make(store, lease, run, { after: { pos: 1, atMs: T0 + 5 }, move: parking() });
      expect(await stateOf(store, run)).toBe("parked");
    });

    it("S40: a run that has ended, and one that is not there, cannot be changed", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      const plain = await deliver(store, to("f"));
      await make(store, lease, run, { move: ending() });
      for (const parts of [{ entries: [entry(9)] }, { move: parking() }, { move: ending({ state: "failed" }) }])
        expect(await store.commit(change(lease, run, parts))).toEqual({ kind: "fenced" });
      for (const seq of [plain, 999_999])
        expect(await store.commit(change(lease, seq, { entries: [entry(1)] }))).toEqual({ kind: "fenced" });
      expect(await store.run(run)).toMatchObject({ state: "done", entries: 0 });
      expect(await store.ownedRun(run)).toBeNull();
    });

    it("S40: a retry of another attempt is fenced", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      expect(await store.commit(change(lease, run, { move: retrying(1, T0) }))).toEqual({ kind: "fenced" });
      await make(store, lease, run, { move: retrying(0, T0) });
      expect(await store.commit(change(lease, run, { move: retrying(0, T0) }))).toEqual({ kind: "fenced" });
      await make(store, lease, run, { move: retrying(1, T0) });
    });

    it("S5: a fenced change comes before a conflict, and what conflicts writes nothing of the run", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      await committed(store.commit(aMember({ kv: [set("a", 1)] })));
      const reads = { keys: new Map([["a", 0]]), ranges: [] };
      expect(await store.commit({ ...change(lease, run, { entries: [entry(1)], move: parking() }), reads })).toMatchObject({
        kind: "conflict",
      });
      expect((await store.journal(run, 0, 1000)).entries).toEqual([]);
      expect(await stateOf(store, run)).toBe("ready");
      await make(store, lease, run, { entries: [entry(1)] });
      expect(await store.commit({ ...change(lease, run, { entries: [entry(1)] }), reads })).toEqual({ kind: "fenced" });
    });

    it("S40: calls of one moment see each other: the second with the same position is fenced", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      const results = await Promise.all([1, 2, 2, 3].map((pos) => store.commit(change(lease, run, { entries: [entry(pos)] }))));
      expect(results.map(({ kind }) => kind)).toEqual(["committed", "committed", "fenced", "committed"]);
    });

    it("S41: a change of the release is kept", async () => {
      const { store, lease } = harness;
      const run = await begin(store, { release: "r1" });
      await make(store, lease, run, { release: "r2" });
      expect((await store.ownedRun(run))?.release).toBe("r2");
      expect(await store.runReleases()).toEqual([{ release: "r2", fn: "flow", runs: 1 }]);
    });
  });
}

function journalRules(harness: Harness): void {
  describe("the journal", () => {
    it("S41: entries are kept as they were given, with the time of their member", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      const entries = [
        entry(1, { verb: "sleep", name: "ü€😀", number: 3, phase: "opened", attempt: 0, ranMs: 0, value: `{"dueMs":5}` }),
        entry(2, { verb: "rollback", phase: "failed", attempt: 4, ranMs: 12.25, value: null }),
        entry(4, { verb: "run", phase: "resumed", value: "" }),
      ];
      const { atSeq } = await make(store, lease, run, { entries }, T0 + 7);
      const kept: JournalEntry[] = entries.map((one) => ({ ...one, atMs: T0 + 7, atSeq: atSeq ?? -1 }));
      expect(await store.journal(run, 0, 1 << 20)).toEqual({ entries: kept, more: false });
      const store2 = await harness.reopen();
      expect(await store2.journal(run, 0, 1 << 20)).toEqual({ entries: kept, more: false });
    });

    it("S41: every verb and every phase is kept", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      const verbs = ["step", "sleep", "wait", "callback", "answer", "call", "start", "map", "rollback", "run"] as const;
      const phases = ["opened", "attempt", "resumed", "done", "failed"] as const;
      const entries = verbs.flatMap((verb, v) => phases.map((phase, p) => entry(v * phases.length + p + 1, { verb, phase })));
      await make(store, lease, run, { entries });
      const { entries: kept } = await store.journal(run, 0, 1 << 20);
      expect(kept.map(({ verb, phase }) => `${verb} ${phase}`)).toEqual(entries.map(({ verb, phase }) => `${verb} ${phase}`));
    });

    it("S41: what is appended after an entry, by its own member too, has a higher number than the entry's atSeq", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      const before = await deliver(store, to("f"));
      const result = await committed(store.commit({ ...change(lease, run, { entries: [entry(1)] }), events: [anEvent()] }));
      const [kept] = (await store.journal(run, 0, 1000)).entries;
      expect(kept?.atSeq).toBe(result.atSeq);
      expect(kept?.atSeq).toBeGreaterThanOrEqual(before);
      expect(result.events[0]?.seq).toBeGreaterThan(kept?.atSeq ?? Infinity);
    });

    it("S42: pages are bounded by bytes, hold one entry at least, and go on behind the last one", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      const value = JSON.stringify("x".repeat(1000));
      await make(store, lease, run, { entries: Array.from({ length: 10 }, (_, i) => entry(i + 1, { value })) });
      const other = await begin(store);
      await make(store, lease, other, { entries: [entry(1)] });
      const seen: number[][] = [];
      for (let after = 0, more = true; more;) {
        const page = await store.journal(run, after, 3500);
        expect(page.entries.reduce((sum, one) => sum + (one.value?.length ?? 0), 0)).toBeLessThanOrEqual(3500);
        seen.push(page.entries.map(({ pos }) => pos));
        after = page.entries.at(-1)?.pos ?? after;
        more = page.more;
      }
      expect(seen.flat()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      expect(seen.length).toBeGreaterThan(2);
      expect(await store.journal(run, 0, 1)).toMatchObject({ entries: [{ pos: 1 }], more: true });
      expect(await store.journal(run, 9, 1)).toMatchObject({ entries: [{ pos: 10 }], more: false });
      expect(await store.journal(run, 10, 1000)).toEqual({ entries: [], more: false });
    });

    it("S42: a long journal of small entries comes whole, in pages", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      const count = 12_000;
      for (let from = 1; from <= count; from += 3000)
        await make(store, lease, run, { entries: Array.from({ length: 3000 }, (_, i) => entry(from + i, { value: null })) });
      let seen = 0;
      for (let more = true; more;) {
        const page = await store.journal(run, seen, 1 << 30);
        expect(page.entries[0]?.pos).toBe(seen + 1);
        seen = page.entries.at(-1)?.pos ?? -1;
        more = page.more;
      }
      expect(seen).toBe(count);
    });
  });
}

function moveRules(harness: Harness): void {
  describe("moves of runs", () => {
    it("S43: a parked run is ready when it falls due, is handed out as parked, and tells when that will be", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      await make(store, lease, run, { entries: [entry(1)], move: parking({ state: "sleeping", dueMs: T0 + 500 }) });
      expect(await store.ready("flow", CURSOR_START, T0 + 499, PLENTY)).toEqual({ deliveries: [], more: false, nextDueMs: T0 + 500 });
      expect(await store.ready("flow", CURSOR_START, T0 + 500, PLENTY)).toMatchObject({
        deliveries: [{ seq: run, run: "flow", attempt: 0, ready: { dueMs: T0 + 500 } }],
        nextDueMs: null,
      });
      expect(await stateOf(store, run)).toBe("parked");
      expect(await store.ownedRun(run)).toMatchObject({ state: "sleeping" });
      expect(await store.run(run)).toMatchObject({ state: "sleeping", dueMs: T0 + 500, entries: 1 });
    });

    it("S43: a run without a time is never due, and says of no time", async () => {
      const { store, lease } = harness;
      const endless = await begin(store);
      await make(store, lease, endless, { move: parking() });
      expect(await store.ready("flow", CURSOR_START, T0 + 1000 * HOUR_MS, PLENTY)).toEqual({
        deliveries: [],
        more: false,
        nextDueMs: null,
      });
      expect(await store.run(endless)).toMatchObject({ state: "waiting", dueMs: null });
      const due = await begin(store);
      await make(store, lease, due, { move: parking({ dueMs: T0 + 2000 * HOUR_MS }) });
      expect(await store.ready("flow", CURSOR_START, T0 + 1000 * HOUR_MS, PLENTY)).toMatchObject({ nextDueMs: T0 + 2000 * HOUR_MS });
    });

    it("S43: pages hold parked and ready ones in the order in which they fell due", async () => {
      const { store, lease } = harness;
      const runs: number[] = [];
      for (let i = 0; i < 5; i++) runs.push(await begin(store));
      const [a = 0, b = 0, c = 0, d = 0, e = 0] = runs;
      await make(store, lease, a, { move: parking({ dueMs: T0 + 300 }) });
      await make(store, lease, b, { move: parking() });
      await make(store, lease, c, { move: parking({ dueMs: T0 + 100 }) });
      await make(store, lease, d, { move: retrying(0, T0 + 200) });
      const first = await store.ready("flow", CURSOR_START, T0 + 300, { count: 2, bytes: 1 << 20 });
      expect(seqsOf(first.deliveries)).toEqual([e, c]);
      expect(first.more).toBe(true);
      const cursor = first.deliveries.at(-1)?.ready ?? CURSOR_START;
      const second = await store.ready("flow", cursor, T0 + 300, PLENTY);
      expect(seqsOf(second.deliveries)).toEqual([d, a]);
      expect(second).toMatchObject({ more: false, nextDueMs: null });
    });

    it("S43: a time that has passed is now: the run stands behind every cursor", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      const cursor = (await readyOf(store, "flow", T0 + 50))[0]?.ready ?? CURSOR_START;
      await make(store, lease, run, { move: parking({ dueMs: T0 - HOUR_MS }) }, T0 + 50);
      expect(await store.ready("flow", cursor, T0 + 50, PLENTY)).toMatchObject({ deliveries: [{ seq: run, ready: { dueMs: T0 + 50 } }] });
    });

    it("S43: parking again moves it, and begins its attempts anew", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      await make(store, lease, run, { move: retrying(0, T0) });
      await make(store, lease, run, { move: parking({ state: "sleeping", dueMs: T0 + 100 }) });
      expect(await readyOf(store, "flow", T0 + 100)).toMatchObject([{ seq: run, attempt: 0 }]);
      const note = `{"why":"failing"}`;
      await make(store, lease, run, { move: parking({ state: "paused", note }) });
      expect(await readySeqs(store, "flow", T0 + 100)).toEqual([]);
      expect(await store.run(run)).toMatchObject({ state: "paused", note, attempt: 0, errors: [BOOM] });
    });

    it("S43: parked runs are parked after a restart too", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      await make(store, lease, run, { move: parking({ state: "rolling-back", dueMs: T0 + 10 }) });
      const again = await harness.reopen();
      expect(await again.ownedRun(run)).toMatchObject({ state: "rolling-back" });
      expect(await readySeqs(again, "flow", T0 + 10)).toEqual([run]);
      await make(again, harness.lease, run, { move: ending() });
    });

    it("S44: retry counts an attempt, keeps its error and makes the run ready when it says", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      await make(store, lease, run, { move: parking({ dueMs: T0 }) });
      await make(store, lease, run, { move: retrying(0, T0 + 500) }, T0 + 9);
      expect(await store.ready("flow", CURSOR_START, T0 + 9, PLENTY)).toMatchObject({ deliveries: [], nextDueMs: T0 + 500 });
      expect(await readyOf(store, "flow", T0 + 500)).toMatchObject([{ seq: run, attempt: 1 }]);
      expect(await stateOf(store, run)).toBe("ready");
      expect(await store.run(run)).toMatchObject({ state: "ready", attempt: 1, dueMs: T0 + 500, note: null });
      expect((await store.run(run))?.errors).toEqual([{ attempt: 1, invocation: "inv-0", startedMs: T0 - 5, endedMs: T0 + 9, ...BOOM }]);
    });

    it("S45: end ends the run and its delivery", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      const cancelled = await begin(store);
      await make(store, lease, run, { entries: [entry(1)], move: ending({ value: `{"a":1}` }) }, T0 + 8);
      await make(store, lease, cancelled, { move: parking({ state: "paused", note: "{}" }) });
      await make(store, lease, cancelled, { move: ending({ state: "cancelled", value: null }) });
      expect(await store.delivery(run)).toMatchObject({ state: "done", settledMs: T0 + 8 });
      expect(await store.run(run)).toMatchObject({ state: "done", endedMs: T0 + 8, dueMs: null, value: `{"a":1}`, entries: 1 });
      expect(await store.run(cancelled)).toMatchObject({ state: "cancelled", value: null, note: null });
      expect((await store.journal(run, 0, 1000)).entries).toHaveLength(1);
      expect(await readySeqs(store, "flow", T0 + HOUR_MS)).toEqual([]);
    });

    it("S45: in a member that settles, the settlement decides about the delivery", async () => {
      const { store, lease } = harness;
      const run = await begin(store, { kind: "fn" }, to("f", "k"));
      const next = await deliver(store, to("f", "k"));
      const end = { run, epoch: lease.epoch, entries: [], move: ending({ state: "failed", value: "{}" }) };
      const result = await committed(store.commit({ ...settlement(lease, run, { kind: "done" }), run: end }));
      expect(seqsOf(result.promoted)).toEqual([next]);
      expect(await store.run(run)).toMatchObject({ kind: "fn", state: "failed", endedMs: T0 });
      expect(await stateOf(store, run)).toBe("done");
      expect(await store.counts()).toEqual([{ fn: "f", ready: 1, blocked: 0, parked: 0, dead: 0, held: 0 }]);
    });

    it("S45: a settlement that is fenced leaves the run as it is, and the other way round", async () => {
      const { store, lease } = harness;
      const run = await begin(store, { kind: "fn" }, to("f"));
      const end = { run, epoch: lease.epoch, entries: [], move: ending() };
      expect(await store.commit({ ...settlement(lease, run, { kind: "done" }, 3), run: end })).toEqual({ kind: "fenced" });
      expect(await store.commit({ ...settlement(lease, run, { kind: "done" }), run: { ...end, epoch: 0 } })).toEqual({ kind: "fenced" });
      expect(await stateOf(store, run)).toBe("ready");
      expect(await store.run(run)).toMatchObject({ state: "ready" });
    });

    it("S45: what a run waits for in the change that ends it is nothing", async () => {
      const { store, lease } = harness;
      await append(store, [parcelEvent("arrived", 1)]);
      const run = await begin(store);
      const waits = [waitFor("arrived", 1, { sinceSeq: 0 }), waitFor("arrived", 2, { command: "wait other 1" })];
      const result = await make(store, lease, run, { waits, move: ending() });
      expect([result.arrivals, result.woken]).toEqual([undefined, undefined]);
      expect(await store.waitTopics()).toEqual([]);
    });

    it("S46: a run occupies its lane until it ends, parked or not", async () => {
      const { store, lease } = harness;
      const first = await begin(store, {}, to("flow", "k"));
      const second = await begin(store, {}, to("flow", "k"));
      const other = await begin(store, {}, to("flow", "l"));
      expect(await stateOf(store, second)).toBe("blocked");
      for (const move of [parking({ dueMs: T0 + 100 }), parking({ state: "paused" }), retrying(0, T0)]) {
        expect((await make(store, lease, first, { move })).promoted).toEqual([]);
        expect(await stateOf(store, second)).toBe("blocked");
      }
      const third = await begin(store, {}, to("flow", "k"));
      const { promoted } = await make(store, lease, first, { move: ending() }, T0 + 5);
      expect(promoted).toMatchObject([{ seq: second, run: "flow", key: "k", ready: { dueMs: T0 + 5 } }]);
      expect(await stateOf(store, third)).toBe("blocked");
      expect(await readySeqs(store, "flow", T0 + 5)).toEqual([other, second]);
    });

    it("S46: with a width of two, two run and the third waits, while one of them is parked", async () => {
      const { store, lease } = harness;
      const delivery = to("flow", "k", 2);
      const [a, b] = [await begin(store, {}, delivery), await begin(store, {}, delivery)];
      await make(store, lease, a, { move: parking() });
      const third = await begin(store, {}, delivery);
      expect(await stateOf(store, third)).toBe("blocked");
      expect(seqsOf((await make(store, lease, b, { move: ending() })).promoted)).toEqual([third]);
    });

    it("S29: parked runs are counted apart, through every move and after a restart", async () => {
      const { store, lease } = harness;
      const counts = async (): Promise<object[]> =>
        (await harness.store.counts()).map(({ ready, blocked, parked }) => ({ ready, blocked, parked }));
      const run = await begin(store, {}, to("flow", "k"));
      await begin(store, {}, to("flow", "k"));
      expect(await counts()).toEqual([{ ready: 1, blocked: 1, parked: 0 }]);
      await make(store, lease, run, { move: parking() });
      expect(await counts()).toEqual([{ ready: 0, blocked: 1, parked: 1 }]);
      await make(store, lease, run, { move: parking({ state: "sleeping", dueMs: T0 }) });
      expect(await counts()).toEqual([{ ready: 0, blocked: 1, parked: 1 }]);
      const again = await harness.reopen();
      expect(await counts()).toEqual([{ ready: 0, blocked: 1, parked: 1 }]);
      await make(again, harness.lease, run, { move: retrying(0, T0) });
      expect(await counts()).toEqual([{ ready: 1, blocked: 1, parked: 0 }]);
      await make(again, harness.lease, run, { move: parking() });
      await make(again, harness.lease, run, { move: ending() });
      expect(await counts()).toEqual([{ ready: 1, blocked: 0, parked: 0 }]);
    });
  });
}
