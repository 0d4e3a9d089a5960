import { describe, expect, it } from "vitest";
import { type Arrival, CURSOR_START, type NewArrival } from "../../store.ts";
import { aMember, anEvent, append, committed, DAY_MS, HOUR_MS, readyOf, readySeqs, T0, to } from "./builders.ts";
import type { Harness } from "./harness.ts";
import { begin, beginning, ending, entry, make, parcelEvent, parcelKey, parking, retrying, seqsOf, waitFor } from "./run-builders.ts";

const PLENTY = { count: 100, bytes: 1 << 20 };

const order = (run: number, parts: Partial<NewArrival> = {}): NewArrival => ({ run, kind: "cancel", command: "", value: "{}", ...parts });

const commandsOf = (arrivals: readonly Arrival[] | undefined): string[] => (arrivals ?? []).map(({ command }) => command);

export function runArrivalRules(harness: Harness): void {
  arrivalRules(harness);
  waitRules(harness);
  lookingBackRules(harness);
  callbackRules(harness);
}

function arrivalRules(harness: Harness): void {
  describe("arrivals", () => {
    it("S47: what arrives is returned and kept for the owner, in its order, until it is taken", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      const arrivals = [order(run, { kind: "signal", command: "one", value: `"ü"` }), order(run, { kind: "resume", command: "two" })];
      const result = await committed(store.commit(aMember({ arrivals, nowMs: T0 + 4 })));
      expect(result.arrivals).toMatchObject(arrivals.map((arrival) => ({ ...arrival, atMs: T0 + 4 })));
      expect((await store.ownedRun(run))?.arrivals).toEqual(result.arrivals);
      const [one, two] = result.arrivals ?? [];
      expect(two?.id).toBeGreaterThan(one?.id ?? Infinity);
      await make(store, lease, run, { entries: [entry(1)], taken: [one?.id ?? -1] });
      const again = await harness.reopen();
      expect(commandsOf((await again.ownedRun(run))?.arrivals)).toEqual(["two"]);
    });

    it("S47: every kind of arrival is kept", async () => {
      const { store } = harness;
      const run = await begin(store);
      const kinds = ["event", "answer", "child", "cancel", "resume", "signal", "move"] as const;
      await committed(store.commit(aMember({ arrivals: kinds.map((kind) => order(run, { kind })) })));
      expect((await store.ownedRun(run))?.arrivals.map(({ kind }) => kind)).toEqual(kinds);
    });

    it("S47: a run takes only what came for it", async () => {
      const { store, lease } = harness;
      const [mine, other] = [await begin(store), await begin(store)];
      const { arrivals } = await committed(store.commit(aMember({ arrivals: [order(other)] })));
      await make(store, lease, mine, { taken: [arrivals?.[0]?.id ?? -1] });
      expect((await store.ownedRun(other))?.arrivals).toHaveLength(1);
    });

    it("S47: a parked run falls due by it, behind every cursor, and is handed to its owner with its event", async () => {
      const { store, lease } = harness;
      const json = `{"n":1}`;
      const [begun] = await append(store, [{ ...beginning({}, to("flow", "k")), type: "order.paid", json, hops: 2, origin: "function" }]);
      const run = begun?.deliveries[0]?.seq ?? -1;
      await make(store, lease, run, { move: parking() });
      const early = await begin(store);
      const cursor = (await readyOf(store, "flow", T0 + 70)).at(-1)?.ready ?? CURSOR_START;
      const { woken } = await committed(store.commit(aMember({ arrivals: [order(run)], nowMs: T0 + 60 })));
      const event = { seq: begun?.seq, json, type: "order.paid", hops: 2, origin: "function", receivedMs: T0 };
      expect(woken).toMatchObject([{ seq: run, fn: "flow", key: "k", partition: 7, attempt: 0, run: "flow", event }]);
      const page = await store.ready("flow", cursor, T0 + 70, PLENTY);
      expect(page.deliveries).toEqual(woken);
      expect(await readySeqs(store, "flow", T0 + 70)).toEqual([early, run]);
      expect(await store.run(run)).toMatchObject({ state: "waiting" });
    });

    it("S47: many arrivals of one member wake a run once", async () => {
      const { store, lease } = harness;
      const [a, b] = [await begin(store), await begin(store)];
      for (const run of [a, b]) await make(store, lease, run, { move: parking({ dueMs: T0 + DAY_MS }) });
      const result = await committed(store.commit(aMember({ arrivals: [order(a), order(b), order(a)] })));
      expect(result.arrivals).toHaveLength(3);
      expect(seqsOf(result.woken)).toEqual([a, b]);
    });

    it("S47: a run that is at work, or waits to be tried again, gets the arrival and is not woken", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      const first = await committed(store.commit(aMember({ arrivals: [order(run)] })));
      expect(first.arrivals).toHaveLength(1);
      expect(first.woken).toBeUndefined();
      await make(store, lease, run, { move: retrying(0, T0 + HOUR_MS) });
      expect((await committed(store.commit(aMember({ arrivals: [order(run)] })))).woken).toBeUndefined();
      expect(await store.ready("flow", CURSOR_START, T0, PLENTY)).toMatchObject({ deliveries: [], nextDueMs: T0 + HOUR_MS });
    });

    it("S47: a blocked run keeps its arrivals and its place", async () => {
      const { store, lease } = harness;
      const first = await begin(store, {}, to("flow", "k"));
      const blocked = await begin(store, {}, to("flow", "k"));
      expect((await committed(store.commit(aMember({ arrivals: [order(blocked)] })))).woken).toBeUndefined();
      expect(seqsOf((await make(store, lease, first, { move: ending() })).promoted)).toEqual([blocked]);
      expect((await store.ownedRun(blocked))?.arrivals).toHaveLength(1);
    });

    it("S47: for a run that has ended, and for none, nothing is kept", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      await make(store, lease, run, { move: ending() });
      const result = await committed(store.commit(aMember({ arrivals: [order(run), order(999_999)] })));
      expect([result.arrivals, result.woken]).toEqual([undefined, undefined]);
    });

    it("S43: a run that parks while something is there for it is due at once and woken", async () => {
      const { store, lease } = harness;
      for (const state of ["waiting", "sleeping", "paused", "stuck"] as const) {
        const run = await begin(store);
        const { arrivals } = await committed(store.commit(aMember({ arrivals: [order(run), order(run)] })));
        const [first, second] = arrivals?.map(({ id }) => id) ?? [];
        const result = await make(store, lease, run, { taken: [first ?? -1], move: parking({ state, dueMs: T0 + DAY_MS }) });
        expect(seqsOf(result.woken)).toEqual([run]);
        expect(result.arrivals).toBeUndefined();
        expect(await store.run(run)).toMatchObject({ state, dueMs: T0 });
        const rest = await make(store, lease, run, { taken: [second ?? -1], move: parking({ state, dueMs: T0 + DAY_MS }) });
        expect(rest.woken).toBeUndefined();
        expect(await store.run(run)).toMatchObject({ state, dueMs: T0 + DAY_MS });
      }
    });
  });
}

function waitRules(harness: Harness): void {
  describe("waits", () => {
    it("S48: an event resolves the waits for its topic and value, and no others", async () => {
      const { store, lease } = harness;
      const waits = [
        waitFor("arrived", 1),
        waitFor("arrived", "1"),
        waitFor("arrived", 2),
        waitFor("lost", 1),
        waitFor("arrived", undefined),
        waitFor("arrived", null),
      ];
      const runs: number[] = [];
      for (const wait of waits) {
        const run = await begin(store);
        await make(store, lease, run, { entries: [entry(1)], waits: [wait], move: parking() });
        runs.push(run);
      }
      const sent = parcelEvent("arrived", 1);
      const result = await committed(store.commit(aMember({ events: [sent], nowMs: T0 + 3 })));
      const value = JSON.stringify({ seq: result.events[0]?.seq, json: sent.json });
      expect(result.arrivals).toMatchObject([{ run: runs[0], kind: "event", command: "wait later 1", value, atMs: T0 + 3 }]);
      expect(seqsOf(result.woken)).toEqual([runs[0]]);
      expect(await readySeqs(store, "flow", T0 + 3)).toEqual([runs[0]]);
    });

    it("S48: one event resolves every wait for it, by each of its keys, in the order in which they were registered", async () => {
      const { store, lease } = harness;
      const [a, b] = [await begin(store), await begin(store)];
      await make(store, lease, b, {
        waits: [waitFor("arrived", 1, { command: "b1" }), waitFor("arrived", 1, { command: "b2" })],
        move: parking(),
      });
      await make(store, lease, a, { waits: [waitFor("moved", 1, { command: "a1" })], move: parking() });
      const waitKeys = [parcelKey("arrived", 1), parcelKey("moved", 1), parcelKey("nobody's", 1)];
      const result = await committed(store.commit(aMember({ events: [parcelEvent("arrived", 1, { waitKeys })] })));
      expect(commandsOf(result.arrivals)).toEqual(["b1", "b2", "a1"]);
      expect(seqsOf(result.woken)).toEqual([b, a]);
    });

    it("S48: an unguarded wait ends with its first event, a guarded one stays for every one", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      const waits = [waitFor("arrived", 1, { command: "first" }), waitFor("arrived", 1, { command: "each", guarded: true })];
      await make(store, lease, run, { waits, move: parking() });
      const send = async (): Promise<string[]> =>
        commandsOf((await committed(store.commit(aMember({ events: [parcelEvent("arrived", 1)] })))).arrivals);
      expect(await send()).toEqual(["first", "each"]);
      expect(await send()).toEqual(["each"]);
      await make(store, lease, run, { closed: ["each"] });
      expect(await send()).toEqual([]);
    });

    it("S48: two events of one member: the first resolves, the second finds nobody", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      await make(store, lease, run, { waits: [waitFor("arrived", 1)], move: parking() });
      const events = [parcelEvent("arrived", 1, { id: "first" }), parcelEvent("arrived", 1, { id: "second" })];
      const { arrivals } = await committed(store.commit(aMember({ events })));
      expect(arrivals).toHaveLength(1);
      expect(arrivals?.[0]?.value).toContain("first");
    });

    it("S48: an event that is a duplicate resolves nothing", async () => {
      const { store, lease } = harness;
      const sent = parcelEvent("arrived", 1, { id: "same", dedupe: true });
      await append(store, [sent]);
      const run = await begin(store);
      await make(store, lease, run, { waits: [waitFor("arrived", 1)], move: parking() });
      const result = await committed(store.commit(aMember({ events: [sent] })));
      expect(result).toMatchObject({ events: [{ duplicate: true }] });
      expect(result.arrivals).toBeUndefined();
      expect(await store.waitTopics()).toHaveLength(1);
    });

    it("S48: a run sees the events of the member that registers its wait", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      const member = {
        ...aMember({ events: [parcelEvent("arrived", 1)] }),
        run: { run, epoch: lease.epoch, entries: [], waits: [waitFor("arrived", 1)] },
      };
      expect((await committed(store.commit(member))).arrivals).toMatchObject([{ run, kind: "event" }]);
    });

    it("S48: what cancels a run counts from the event after the one that it began with", async () => {
      const { store, lease } = harness;
      const waits = [waitFor("ordered", 1, { command: "cancelOn 0 rollback" })];
      const begins = { ...beginning({ waits }), ...parcelEvent("ordered", 1, { deliveries: beginning({ waits }).deliveries }) };
      const first = await committed(store.commit(aMember({ events: [begins] })));
      expect(first.arrivals).toBeUndefined();
      const run = first.events[0]?.deliveries[0]?.seq ?? -1;
      await make(store, lease, run, { move: parking() });
      const second = await committed(store.commit(aMember({ events: [parcelEvent("ordered", 1)] })));
      expect(second.arrivals).toMatchObject([{ run, command: "cancelOn 0 rollback" }]);
      expect(seqsOf(second.woken)).toEqual([run]);
    });

    it("S48: waits outlive a restart, and end with their run", async () => {
      const { store, lease } = harness;
      const [kept, ended] = [await begin(store), await begin(store)];
      for (const run of [kept, ended]) await make(store, lease, run, { waits: [waitFor("arrived", 1)], move: parking() });
      await make(store, lease, ended, { move: ending() });
      const again = await harness.reopen();
      const { arrivals } = await committed(again.commit(aMember({ events: [parcelEvent("arrived", 1)] })));
      expect(arrivals).toMatchObject([{ run: kept }]);
    });

    it("S50: closed commands wait for nothing more; those of other commands and runs do", async () => {
      const { store, lease } = harness;
      const [a, b] = [await begin(store), await begin(store)];
      await make(store, lease, a, { waits: [waitFor("arrived", 1, { command: "x" }), waitFor("arrived", 1, { command: "y" })] });
      await make(store, lease, b, { waits: [waitFor("arrived", 1, { command: "x" })] });
      await make(store, lease, a, { closed: ["x", "never"] });
      const { arrivals } = await committed(store.commit(aMember({ events: [parcelEvent("arrived", 1)] })));
      expect(arrivals?.map(({ run, command }) => [run, command])).toEqual([
        [a, "y"],
        [b, "x"],
      ]);
    });

    it("S50: waitTopics are the topics of all live waits, each once", async () => {
      const { store, lease } = harness;
      expect(await store.waitTopics()).toEqual([]);
      const [a, b] = [await begin(store, { waits: [waitFor("cancelled", 1)] }), await begin(store)];
      await make(store, lease, a, { waits: [waitFor("arrived", 1), waitFor("arrived", 2)] });
      await make(store, lease, b, { waits: [waitFor("arrived", 1), waitFor("lost", 1)] });
      const topics = async (): Promise<string[]> => [...(await store.waitTopics())].sort();
      const topic = (type: string): string => parcelKey(type, 1).topic;
      expect(await topics()).toEqual([topic("arrived"), topic("cancelled"), topic("lost")]);
      await make(store, lease, b, { move: ending() });
      expect(await topics()).toEqual([topic("arrived"), topic("cancelled")]);
      await make(store, lease, a, { move: ending() });
      expect(await topics()).toEqual([]);
    });
  });
}

function lookingBackRules(harness: Harness): void {
  describe("waits that look back", () => {
    it("S49: the first event behind `sinceSeq` that fits ends an unguarded wait at once", async () => {
      const { store, lease } = harness;
      const sent = await append(store, [
        parcelEvent("arrived", 1, { id: "before" }),
        parcelEvent("arrived", 2, { id: "another's" }),
        parcelEvent("lost", 1, { id: "another type" }),
        parcelEvent("arrived", 1, { id: "first" }),
        parcelEvent("arrived", 1, { id: "second" }),
      ]);
      const run = await begin(store);
      const result = await make(store, lease, run, { waits: [waitFor("arrived", 1, { sinceSeq: sent[0]?.seq ?? -1 })], move: parking() });
      expect(result.arrivals?.map(({ value }) => JSON.parse(value) as object)).toMatchObject([{ seq: sent[3]?.seq }]);
      expect(seqsOf(result.woken)).toEqual([run]);
      expect(await store.waitTopics()).toEqual([]);
      expect(await store.run(run)).toMatchObject({ dueMs: T0 });
    });

    it("S49: a guarded wait gets every one that fits, and stays", async () => {
      const { store, lease } = harness;
      await append(store, [parcelEvent("arrived", 1, { id: "one" }), parcelEvent("arrived", 2), parcelEvent("arrived", 1, { id: "two" })]);
      const run = await begin(store);
      const { arrivals } = await make(store, lease, run, { waits: [waitFor("arrived", 1, { guarded: true, sinceSeq: 0 })] });
      expect(arrivals?.map(({ value }) => (JSON.parse((JSON.parse(value) as { json: string }).json) as { id: string }).id)).toEqual([
        "one",
        "two",
      ]);
      expect((await committed(store.commit(aMember({ events: [parcelEvent("arrived", 1)] })))).arrivals).toHaveLength(1);
    });

    it("S49: when nothing fits the wait stays for what comes; null looks at nothing that is there", async () => {
      const { store, lease } = harness;
      await append(store, [parcelEvent("arrived", 2)]);
      const [since, fromNow] = [await begin(store), await begin(store)];
      await make(store, lease, since, { waits: [waitFor("arrived", 1, { sinceSeq: 0 })], move: parking() });
      await make(store, lease, fromNow, { waits: [waitFor("arrived", 2)], move: parking() });
      expect(await readySeqs(store, "flow")).toEqual([]);
      const { arrivals } = await committed(store.commit(aMember({ events: [parcelEvent("arrived", 1), parcelEvent("arrived", 2)] })));
      expect(arrivals?.map(({ run }) => run)).toEqual([since, fromNow]);
    });

    it("S49: a topic without paths takes any event of its type", async () => {
      const { store, lease } = harness;
      await append(store, [anEvent({ type: "tick", json: "not looked at" })]);
      const run = await begin(store);
      const wait = { command: "w", topic: `["tick"]`, value: "[]", guarded: false, sinceSeq: 0 };
      expect((await make(store, lease, run, { waits: [wait] })).arrivals).toHaveLength(1);
    });

    it("S49: an entry's atSeq is where a wait goes on from: nothing is seen twice, nothing is missed", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      await append(store, [parcelEvent("arrived", 1, { id: "before" })]);
      const step = {
        ...aMember({ events: [parcelEvent("arrived", 1, { id: "its own" })] }),
        run: { run, epoch: lease.epoch, entries: [entry(1)] },
      };
      const { atSeq } = await committed(store.commit(step));
      await append(store, [parcelEvent("arrived", 1, { id: "after" })]);
      const { arrivals } = await make(store, lease, run, { waits: [waitFor("arrived", 1, { guarded: true, sinceSeq: atSeq ?? -1 })] });
      expect(arrivals?.map(({ value }) => (JSON.parse((JSON.parse(value) as { json: string }).json) as { id: string }).id)).toEqual([
        "its own",
        "after",
      ]);
    });
  });
}

function callbackRules(harness: Harness): void {
  describe("callbacks", () => {
    const answer = (tokenHash: string, value = `{"ok":true}`) => ({ tokenHash, value });

    it("S51: the first answer is taken and arrives; the same again is repeated, another one late", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      await make(store, lease, run, { callbacks: [{ tokenHash: "h", command: "answer approve 1" }], move: parking() });
      const taken = await committed(store.commit(aMember({ callback: answer("h"), nowMs: T0 + 2 })));
      expect(taken.callback).toBe("taken");
      expect(taken.arrivals).toMatchObject([{ run, kind: "answer", command: "answer approve 1", value: `{"ok":true}`, atMs: T0 + 2 }]);
      expect(seqsOf(taken.woken)).toEqual([run]);
      const repeated = await committed(store.commit(aMember({ callback: answer("h") })));
      const late = await committed(store.commit(aMember({ callback: answer("h", "{}") })));
      expect([repeated.callback, late.callback]).toEqual(["repeated", "late"]);
      expect([repeated.arrivals, late.arrivals]).toEqual([undefined, undefined]);
      const again = await harness.reopen();
      expect(await committed(again.commit(aMember({ callback: answer("h") })))).toMatchObject({ callback: "repeated" });
    });

    it("S51: two answers of one moment: one is taken", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      await make(store, lease, run, { callbacks: [{ tokenHash: "h", command: "c" }] });
      const results = await Promise.all(["1", "2", "1"].map((value) => committed(store.commit(aMember({ callback: answer("h", value) })))));
      expect(results.map(({ callback }) => callback)).toEqual(["taken", "late", "repeated"]);
      expect((await store.ownedRun(run))?.arrivals).toMatchObject([{ value: "1" }]);
    });

    it("S51: unknown tokens are unknown; closed ones and those of ended runs are over", async () => {
      const { store, lease } = harness;
      const [closing, ending_] = [await begin(store), await begin(store)];
      await make(store, lease, closing, {
        callbacks: [
          { tokenHash: "a", command: "x" },
          { tokenHash: "b", command: "y" },
        ],
      });
      await make(store, lease, ending_, {
        callbacks: [
          { tokenHash: "c", command: "x" },
          { tokenHash: "d", command: "y" },
        ],
      });
      await committed(store.commit(aMember({ callback: answer("d") })));
      await make(store, lease, closing, { closed: ["x"] });
      await make(store, lease, ending_, { move: ending() });
      const ends: (string | undefined)[] = [];
      for (const hash of ["none", "a", "b", "c", "d"])
        ends.push((await committed(store.commit(aMember({ callback: answer(hash) })))).callback);
      // What was answered while its run lived stays answered.
      expect(ends).toEqual(["unknown", "over", "taken", "over", "repeated"]);
    });

    it("S51: an answered callback stays answered when its command is closed", async () => {
      const { store, lease } = harness;
      const run = await begin(store);
      await make(store, lease, run, { callbacks: [{ tokenHash: "h", command: "x" }] });
      await committed(store.commit(aMember({ callback: answer("h") })));
      await make(store, lease, run, { entries: [entry(1)], closed: ["x"] });
      const ends = [answer("h"), answer("h", "{}")].map(
        async (callback) => (await committed(store.commit(aMember({ callback })))).callback,
      );
      expect(await Promise.all(ends)).toEqual(["repeated", "late"]);
    });

    it("S51: a member without a callback says nothing of one", async () => {
      expect(Object.keys(await committed(harness.store.commit(aMember())))).toEqual(["kind", "events", "promoted"]);
    });
  });
}
