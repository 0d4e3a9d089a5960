import { describe, expect, it } from "vitest";
import {
  aMember,
  anEvent,
  append,
  committed,
  DAY_MS,
  deliver,
  HOUR_MS,
  readySeqs,
  retainAll,
  settle,
  settlement,
  stateOf,
  T0,
  to,
} from "./builders.ts";
import type { Harness } from "./harness.ts";
import { begin, beginning, ending, entry, make, parking, seqsOf, waitFor } from "./run-builders.ts";

/** Callers and called runs, copies, what people see of runs, and when they are gone. */
export function runFamilyRules(harness: Harness): void {
  familyRules(harness);
  copyRules(harness);
  viewRules(harness);
  goneRules(harness);
}

const childEnd = (command: string, ok: boolean, state: string, value: string | null): object => ({
  kind: "child",
  command,
  value: JSON.stringify({ ok, state, value }),
});

function familyRules(harness: Harness): void {
  describe("callers and called runs", () => {
    it("S45: the end of a called run arrives at its caller, which is woken", async () => {
      const { store, lease } = harness;
      const parent = await begin(store);
      const child = await begin(store, { parent: { run: parent, command: "call pay 1" } });
      const failing = await begin(store, { parent: { run: parent, command: "call pay 2" } });
      expect(await store.ownedRun(child)).toMatchObject({ parent: { run: parent, command: "call pay 1" } });
      await make(store, lease, parent, { move: parking() });
      const done = await make(store, lease, child, { move: ending({ value: `{"a":1}` }) });
      expect(done.arrivals).toMatchObject([{ run: parent, ...childEnd("call pay 1", true, "done", `{"a":1}`) }]);
      expect(seqsOf(done.woken)).toEqual([parent]);
      const failed = await make(store, lease, failing, { move: ending({ state: "failed", value: "{}" }) });
      expect(failed.arrivals).toMatchObject([{ run: parent, ...childEnd("call pay 2", false, "failed", "{}") }]);
    });

    it("S45: a called function's end arrives with its settlement", async () => {
      const { store, lease } = harness;
      const parent = await begin(store);
      await make(store, lease, parent, { move: parking() });
      const child = await begin(store, { kind: "fn", parent: { run: parent, command: "call f 1" } }, to("f"));
      const run = { run: child, epoch: lease.epoch, entries: [], move: ending({ value: "1" }) };
      const result = await committed(store.commit({ ...settlement(lease, child, { kind: "done" }), run }));
      expect(result.arrivals).toMatchObject([{ run: parent, ...childEnd("call f 1", true, "done", "1") }]);
      expect(seqsOf(result.woken)).toEqual([parent]);
    });

    it("S45: the live children of a run that ends are sent a cancel, and no others", async () => {
      const { store, lease } = harness;
      const parent = await begin(store);
      const called = (n: number) => ({ parent: { run: parent, command: `call c ${n}` } });
      const [parked, fresh, ended] = [await begin(store, called(1)), await begin(store, called(2)), await begin(store, called(3))];
      const started = await begin(store);
      await make(store, lease, parked, { move: parking({ dueMs: T0 + DAY_MS }) });
      await make(store, lease, ended, { move: ending() });
      const result = await make(store, lease, parent, { move: ending({ state: "failed", value: "{}" }) });
      const cancel = { kind: "cancel", command: "", value: JSON.stringify({ rollback: true, reason: "its caller ended" }) };
      expect(result.arrivals).toMatchObject([
        { run: parked, ...cancel },
        { run: fresh, ...cancel },
      ]);
      expect(seqsOf(result.woken)).toEqual([parked]);
      expect((await store.ownedRun(started))?.arrivals).toEqual([]);
    });

    it("S45: a child that ends after its caller tells nobody", async () => {
      const { store, lease } = harness;
      const parent = await begin(store);
      const child = await begin(store, { parent: { run: parent, command: "call c 1" } });
      await make(store, lease, parent, { move: ending() });
      expect((await make(store, lease, child, { move: ending({ state: "cancelled", value: null }) })).arrivals).toBeUndefined();
    });

    it("S45: what had come for a run is gone with its end, of a called function too", async () => {
      const { store, lease } = harness;
      const parent = await begin(store);
      const flow = await begin(store, { parent: { run: parent, command: "call c 1" } });
      const fn = await begin(store, { kind: "fn", parent: { run: parent, command: "call f 1" } }, to("f"));
      await make(store, lease, parent, { move: ending() });
      const end = { run: fn, epoch: lease.epoch, entries: [], move: ending() };
      await committed(store.commit({ ...settlement(lease, fn, { kind: "done" }), run: end }));
      await make(store, lease, flow, { move: ending() });
      expect(await Promise.all([flow, fn].map((run) => store.ownedRun(run)))).toEqual([null, null]);
      expect(await retainAll(store, T0 + 1, T0 + 1)).toEqual({ events: 3, deliveries: 3 });
    });

    it("S45: a run that ends lets its lane go on and its children know, in one member", async () => {
      const { store, lease } = harness;
      const parent = await begin(store, {}, to("flow", "k"));
      const next = await begin(store, {}, to("flow", "k"));
      const child = await begin(store, { parent: { run: parent, command: "call c 1" } }, to("child"));
      await make(store, lease, child, { move: parking() });
      const result = await make(store, lease, parent, { move: ending() });
      expect([seqsOf(result.promoted), seqsOf(result.woken)]).toEqual([[next], [child]]);
    });
  });
}

function copyRules(harness: Harness): void {
  describe("copies", () => {
    it("S52: a copy begins with the completed commands before a position, with their times and the other's seed", async () => {
      const { store, lease } = harness;
      const first = await begin(store, { seed: "the first's" });
      await make(store, lease, first, { entries: [entry(1, { name: "a", phase: "attempt" }), entry(2, { name: "a" })] }, T0 + 1);
      await make(
        store,
        lease,
        first,
        {
          entries: [
            entry(3, { verb: "sleep", name: "open", phase: "opened" }),
            entry(4, { name: "b", number: 1, phase: "failed" }),
            entry(5, { name: "b", number: 2, phase: "attempt" }),
            entry(6, { verb: "wait", name: "a", phase: "opened" }),
            entry(7, { name: "c", phase: "attempt" }),
            entry(8, { name: "c" }),
            entry(9, { name: "b", number: 2 }),
          ],
        },
        T0 + 2,
      );
      const copied = (await store.journal(first, 0, 1 << 20)).entries.filter(({ pos }) => [1, 2, 4].includes(pos));
      const second = await begin(store, { seed: "another", copies: { from: first, beforePos: 8 } }, to("flow"), T0 + HOUR_MS);
      expect((await store.journal(second, 0, 1 << 20)).entries).toEqual(copied);
      expect(await store.ownedRun(second)).toMatchObject({ seed: "the first's", state: "ready", startedMs: T0 + HOUR_MS });
      await make(store, lease, second, { entries: [entry(5)] });
      expect((await store.journal(first, 0, 1 << 20)).entries).toHaveLength(9);
    });

    it("S52: of a run that has ended, and of a long journal", async () => {
      const { store, lease } = harness;
      const first = await begin(store);
      const entries = Array.from({ length: 6000 }, (_, i) => entry(i + 1, { name: `s${i >> 1}`, phase: i % 2 === 0 ? "attempt" : "done" }));
      await make(store, lease, first, { entries, move: ending() });
      const second = await begin(store, { copies: { from: first, beforePos: 6000 } });
      // The last command's completion lies at the position, so its attempt stays behind too.
      expect(await store.run(second)).toMatchObject({ entries: 5998 });
    });

    it("S52: of a run that is not kept any more there is nothing to copy", async () => {
      const run = await begin(harness.store, { seed: "own", copies: { from: 999_999, beforePos: 5 } });
      expect(await harness.store.run(run)).toMatchObject({ entries: 0 });
      expect(await harness.store.ownedRun(run)).toMatchObject({ seed: "own" });
    });
  });
}

function viewRules(harness: Harness): void {
  describe("runs for people", () => {
    it("S53: a run by its id and by its number, with all that is known of it", async () => {
      const { store, lease } = harness;
      const parent = await begin(store, { id: "p" });
      const [event] = await append(
        store,
        [beginning({ id: "c", release: "r2", deadlineMs: T0 + DAY_MS, parent: { run: parent, command: "call c 1" } }, to("child"))],
        T0 + 1,
      );
      const seq = event?.deliveries[0]?.seq ?? -1;
      await make(store, lease, seq, { entries: [entry(1), entry(2)], move: parking({ state: "stuck", note: "{}" }) }, T0 + 2);
      const view = {
        seq,
        id: "c",
        fn: "child",
        kind: "flow",
        release: "r2",
        state: "stuck",
        event: event?.seq,
        startedMs: T0 + 1,
        endedMs: null,
        dueMs: null,
        deadlineMs: T0 + DAY_MS,
        parent,
        parentId: "p",
        entries: 2,
        note: "{}",
        value: null,
        attempt: 0,
        errors: [],
      };
      expect(await store.run("c")).toEqual(view);
      expect(await store.run(seq)).toEqual(view);
      expect(await store.runs({ parent, limit: 9 })).toEqual([view]);
    });

    it("S53: what is no run is null; an id that looks like a number is an id", async () => {
      const { store } = harness;
      const run = await begin(store, { id: "7" });
      const plain = await deliver(store, to("f"));
      expect(await Promise.all(["none", plain, 999_999, 7].map((which) => store.run(which)))).toEqual([null, null, null, null]);
      expect(await store.run(String(run))).toBeNull();
      expect((await store.run("7"))?.seq).toBe(run);
    });

    it("S53: newest first, by function, state, release and caller, paged by `before`; oldest first by `after`", async () => {
      const { store, lease } = harness;
      const a = await begin(store, { id: "a", release: "r1" }, to("f"));
      await begin(store, { id: "b", release: "r2", parent: { run: a, command: "x" } }, to("g"));
      const c = await begin(store, { id: "c", release: "r1" }, to("f"));
      const d = await begin(store, { id: "d", release: "r1", parent: { run: a, command: "y" } }, to("f"));
      await begin(store, { id: "e", release: "r2" }, to("f"));
      await make(store, lease, c, { move: parking({ state: "paused" }) });
      await make(store, lease, d, { move: ending() });
      const ids = async (query: Omit<Parameters<typeof store.runs>[0], "limit">, limit = 9): Promise<string> =>
        (await store.runs({ ...query, limit })).map(({ id }) => id).join("");
      expect(await ids({})).toBe("edcba");
      expect(await ids({}, 2)).toBe("ed");
      expect(await ids({ before: c })).toBe("ba");
      expect(await ids({ after: a }, 2)).toBe("bc");
      expect(await ids({ fn: "f" })).toBe("edca");
      expect(await ids({ fn: "f", before: d }, 1)).toBe("c");
      expect(await ids({ fn: "f", after: a })).toBe("cde");
      expect(await ids({ fn: "none" })).toBe("");
      expect(await ids({ states: ["paused", "done", "paused"] })).toBe("dc");
      expect(await ids({ states: ["ready", "paused"], after: 0 }, 3)).toBe("abc");
      expect(await ids({ states: [] })).toBe("");
      expect(await ids({ fn: "g", states: ["ready"] })).toBe("b");
      expect(await ids({ release: "r1" })).toBe("dca");
      expect(await ids({ release: "r1", fn: "f", states: ["ready", "done"] })).toBe("da");
      expect(await ids({ release: "none" })).toBe("");
      expect(await ids({ parent: a })).toBe("db");
      expect(await ids({ parent: a, states: ["ready"], after: 0 })).toBe("b");
      expect(await ids({ parent: a, fn: "f", release: "r1" })).toBe("d");
      expect(await ids({}, 0)).toBe("");
    });

    it("S53: every state is found by itself", async () => {
      const { store, lease } = harness;
      const parked = ["waiting", "sleeping", "paused", "rolling-back", "stuck"] as const;
      for (const state of parked) await make(store, lease, await begin(store), { move: parking({ state }) });
      const ended = ["done", "failed", "cancelled"] as const;
      for (const state of ended) await make(store, lease, await begin(store), { move: ending({ state }) });
      await begin(store);
      for (const state of ["ready", ...parked, ...ended] as const)
        expect((await store.runs({ states: [state], limit: 9 })).map((run) => run.state)).toEqual([state]);
    });

    it("S53: runReleases counts the runs that live, by release and function", async () => {
      const { store, lease } = harness;
      const ended = await begin(store, { release: "r1" }, to("f"));
      await make(store, lease, await begin(store, { release: "r1" }, to("f")), { move: parking() });
      await begin(store, { release: "r1" }, to("g"));
      await begin(store, { release: "r2" }, to("f"));
      await make(store, lease, ended, { move: ending() });
      const sorted = [...(await store.runReleases())].sort((a, b) => `${a.release}${a.fn}`.localeCompare(`${b.release}${b.fn}`));
      expect(sorted).toEqual([
        { release: "r1", fn: "f", runs: 1 },
        { release: "r1", fn: "g", runs: 1 },
        { release: "r2", fn: "f", runs: 1 },
      ]);
      expect(await store.runReleases("r1")).toEqual([{ release: "r2", fn: "f", runs: 1 }]);
      expect(await store.runReleases("never there")).toHaveLength(3);
    });

    it("S53: an event and its deliveries show that they are parked", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      await make(store, lease, run, { move: parking({ dueMs: T0 + 5 }) });
      expect(await store.delivery(run)).toMatchObject({ state: "parked", dueMs: T0 + 5 });
      expect(await store.events({ limit: 1 })).toMatchObject([{ deliveries: [{ seq: run, state: "parked" }] }]);
    });

    it("S54: eventsOfType gives the events of one type behind a place, oldest first", async () => {
      const { store } = harness;
      const sent = await append(
        store,
        ["x", "y", "x", "x"].map((type, i) => anEvent({ id: `e${i}`, type, json: `{"n":${i}}`, origin: "outside", hops: i })),
      );
      const [first = 0, , third = 0, fourth = 0] = sent.map(({ seq }) => seq);
      expect(await store.eventsOfType("x", first, 9)).toEqual([
        { seq: third, json: `{"n":2}`, type: "x", origin: "outside", hops: 2, receivedMs: T0 },
        { seq: fourth, json: `{"n":3}`, type: "x", origin: "outside", hops: 3, receivedMs: T0 },
      ]);
      expect((await store.eventsOfType("x", 0, 2)).map(({ seq }) => seq)).toEqual([first, third]);
      expect(await store.eventsOfType("none", 0, 9)).toEqual([]);
    });
  });
}

function goneRules(harness: Harness): void {
  describe("the retention of runs", () => {
    it("S55: a run that ended goes with its delivery, with its journal and its callbacks; its id is free again", async () => {
      const { store, lease } = harness;
      const run = await begin(store, { id: "mine", named: true });
      const callbacks = [{ tokenHash: "h", command: "x" }];
      await make(store, lease, run, { entries: [entry(1), entry(2)], callbacks, waits: [waitFor("a", 1)] });
      await make(store, lease, run, { move: ending() }, T0 + 5);
      expect(await retainAll(store, T0 + 5, T0 + HOUR_MS)).toEqual({ events: 0, deliveries: 0 });
      expect(await store.run("mine")).toMatchObject({ entries: 2 });
      expect(await retainAll(store, T0 + 6, T0 + HOUR_MS)).toEqual({ events: 1, deliveries: 1 });
      expect(await store.run("mine")).toBeNull();
      expect(await store.journal(run, 0, 1000)).toEqual({ entries: [], more: false });
      const callback = { tokenHash: "h", value: "1" };
      expect(await committed(store.commit(aMember({ callback })))).toMatchObject({ callback: "unknown" });
      expect(await begin(store, { id: "mine", named: true })).toBeGreaterThan(run);
    });

    it("S55: a run that lives stays, whatever its age, with its event and what came for it", async () => {
      const { store, lease } = harness;
      const [fresh, parked, retried] = [await begin(store), await begin(store), await begin(store, {}, to("flow", "k"))];
      const blocked = await begin(store, {}, to("flow", "k"));
      await make(store, lease, parked, { entries: [entry(1)], waits: [waitFor("a", 1)], move: parking() });
      await committed(store.commit(aMember({ arrivals: [{ run: parked, kind: "signal", command: "s", value: "1" }] })));
      const later = T0 + 400 * DAY_MS;
      expect(await retainAll(store, later, later)).toEqual({ events: 0, deliveries: 0 });
      expect(await store.ownedRun(parked)).toMatchObject({ arrivals: [{ command: "s" }] });
      expect(await Promise.all([fresh, parked, retried, blocked].map((run) => stateOf(store, run)))).toEqual([
        "ready",
        "parked",
        "ready",
        "blocked",
      ]);
      expect((await store.journal(parked, 0, 1000)).entries).toHaveLength(1);
      expect(await store.waitTopics()).toHaveLength(1);
      expect(await readySeqs(store, "flow", later)).toEqual([fresh, retried, parked]);
    });

    it("S55: a caller that is gone leaves its children without a name for it", async () => {
      const { store, lease } = harness;
      const parent = await begin(store, { id: "p" });
      const child = await begin(store, { parent: { run: parent, command: "x" } }, to("child"), T0 + HOUR_MS);
      await make(store, lease, parent, { move: ending() }, T0 + 1);
      expect(await retainAll(store, T0 + 2, T0 + DAY_MS)).toEqual({ events: 1, deliveries: 1 });
      expect(await store.run(child)).toMatchObject({ parent, parentId: null });
      await make(store, lease, child, { move: ending() }, T0 + DAY_MS);
    });

    it("S55: long journals go in pieces", async () => {
      const { store, lease } = harness;
      const count = 6;
      for (let n = 0; n < count; n++) {
        const run = await begin(store);
        await make(store, lease, run, { entries: Array.from({ length: 400 }, (_, i) => entry(i + 1)), move: ending() }, T0 + 1);
      }
      const pieces: number[] = [];
      for (let more = true; more;) {
        const piece = await store.retain(T0 + 2, T0 + 2, 100);
        pieces.push(piece.deliveries);
        more = piece.more;
      }
      expect(pieces.reduce((sum, piece) => sum + piece, 0)).toBe(count);
      expect(Math.max(...pieces)).toBeLessThan(count);
      expect(await store.runs({ limit: 9 })).toEqual([]);
    });

    it("S55: a settled call to a function goes like any delivery", async () => {
      const { store, lease } = harness;
      const plain = await deliver(store, to("f"));
      const fn = await begin(store, { id: "c", kind: "fn" }, to("f"));
      await settle(store, lease, plain);
      const run = { run: fn, epoch: lease.epoch, entries: [], move: ending() };
      await committed(store.commit({ ...settlement(lease, fn, { kind: "done" }), run }));
      expect(await retainAll(store, T0 + 1, T0 + 1)).toEqual({ events: 2, deliveries: 2 });
      expect(await store.run("c")).toBeNull();
    });
  });
}
