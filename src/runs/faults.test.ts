import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fromValueText } from "../protocol/value-text.ts";
import { bundleRuntime } from "../sandbox/bundle-runtime.ts";
import { MillraceNode } from "../server/node.ts";
import { resolveSettings } from "../server/index.ts";
import { openSqliteStore } from "../store/index.ts";
import type { RunView, Store } from "../store/store.ts";
import { type Fault, trialId, TrialStore } from "./testing-support/trial-store.ts";

const APP = fileURLToPath(new URL("testing-support/app", import.meta.url));
const FAULTS: readonly Fault[] = ["before", "after", "slow", "overtaken", "fenced"];

let folder: string;
/** What the test itself looks at. */
let plain: Store;
let trials: TrialStore;
let node: MillraceNode;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-faults-"));
  const dataDirectory = join(folder, "data");
  plain = await openSqliteStore({ directory: dataDirectory, durability: "off" });
  trials = new TrialStore(plain);
  const runtimeFile = join(dataDirectory, "runtime", "runtime.cjs");
  await mkdir(join(dataDirectory, "runtime"), { recursive: true });
  await bundleRuntime(runtimeFile);
  const settings = resolveSettings({ port: "0", controlPort: "0", data: dataDirectory }, {});
  node = new MillraceNode(
    { appDirectory: APP, settings },
    { store: trials.store, runtimeFile, controlToken: "token", runSecret: "secret", dataDirectory },
  );
  await node.start();
  await node.reload();
}, 60_000);

afterAll(async () => {
  await node.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Runs the flow to its end, answering its callback. */
async function run(
  id: string,
): Promise<{ readonly result: unknown; readonly counts: readonly unknown[]; readonly done: readonly string[] }> {
  const begun = await node.runs.begin({ flow: "everything", input: JSON.stringify({ id }), id });
  for (let url: string | null = null; url === null;) {
    const [entry] = await plain.kvGet([`url ${id}`], Date.now());
    url = entry?.value.kind === "json" ? (JSON.parse(entry.value.json) as string) : null;
    if (url !== null) expect((await fetch(url, { method: "POST", body: "7" })).status).toBe(200);
    else await node.runs.untilEnd(await viewOf(id), 20, null);
  }
  const view = await node.runs.untilEnd(await viewOf(id), 60_000, null);
  const { entries: journal } = await plain.journal(view.seq, 0, 1_000_000);
  const counts = await plain.kvGet(
    ["one", "again", "left", "right", "last", "chained 0", "chained 5"].map((name) => `${id} ${name}`),
    Date.now(),
  );
  const heard = async (): Promise<unknown[]> =>
    (
      await plain.kvGet(
        [0, 1, 2, 3, 4, 5].map((i) => `${id} heard ${i}`),
        Date.now(),
      )
    ).map((entry) => (entry?.value.kind === "json" ? entry.value.json : null));
  await expect.poll(heard, { timeout: 20_000 }).toEqual(["1", "1", "1", "1", "1", "1"]);
  const told =
    view.state === "done" ? [] : journal.map(({ pos, verb, name, phase, atSeq, value }) => [pos, verb, name, phase, atSeq, value]);
  expect({ id, state: view.state, note: view.note, existing: begun.existing, told }).toEqual({
    id,
    state: "done",
    note: null,
    existing: false,
    told: [],
  });
  return {
    result: fromValueText(view.value ?? "~"),
    counts: counts.map((entry) => (entry?.value.kind === "json" ? entry.value.json : null)),
    done: journal.filter(({ phase }) => phase === "done").map(({ verb, name, number }) => `${verb} ${name} ${number}`),
  };
}

async function viewOf(id: string): Promise<RunView> {
  const view = await plain.run(id);
  if (view === null) throw new Error(`there is no run ${id}`);
  return view;
}

describe("a handler that ends with a step", () => {
  it("N2: goes on with what became of it in the end, whatever it had in the meantime", async () => {
    const ends: unknown[] = [];
    for (const depth of [1, 1, 1500, 1]) {
      const { id } = await node.runs.begin({ flow: "deep", input: JSON.stringify({ depth }), id: null });
      const view = await node.runs.untilEnd(await viewOf(id), 60_000, null);
      const { entries } = await plain.journal(view.seq, 0, 1_000_000);
      ends.push([view.state, fromValueText(view.value ?? "~"), entries.map(({ name, phase }) => `${name} ${phase}`)]);
    }
    const sent = ["done", "sent", ["send done"]];
    expect(ends).toEqual([sent, sent, ["done", expect.stringContaining("nested too deeply"), ["send failed"]], sent]);
  });
});

describe("more runs than there is room for", () => {
  it("D32: are made ready once, and wait for it", async () => {
    const until = Date.now() + 700;
    const ids = Array.from({ length: 60 }, (_, i) => `nap-${i}`);
    for (const id of ids) await node.runs.begin({ flow: "naps", input: JSON.stringify({ until }), id });
    const views = await Promise.all(ids.map(async (id) => await node.runs.untilEnd(await viewOf(id), 60_000, null)));
    expect(views.map(({ state }) => state)).toEqual(ids.map(() => "done"));
    // Where instances start slowly some are read to begin, too; refused and read again every 50 ms it would be many times.
    expect(views.filter(({ seq }) => (trials.reads.get(seq) ?? 0) > 2)).toEqual([]);
  });
});

describe("what comes for a run that is ahead of its commits", () => {
  it("N8: a wait sees what came since the step before it, though steps were committed together", async () => {
    for (let i = 0; i < 5; i++) {
      const { id } = await node.runs.begin({ flow: "pings", input: "null", id: null });
      const { value } = await node.runs.untilEnd(await viewOf(id), 10_000, null);
      expect(value).toBe("[true,true]");
    }
  });

  it("N2: is heard where the journal has it: the same when it is read again", async () => {
    const ends: Record<string, number> = {};
    await Promise.all(
      Array.from({ length: 400 }, async (_, i) => {
        const id = `marches-${i}`;
        await node.runs.begin({ flow: "marches", input: JSON.stringify({ id }), id });
        while ((await viewOf(id)).entries < i && (await viewOf(id)).endedMs === null);
        await node.runs.cancel(id, { rollback: true, reason: "halt" }).catch(() => {});
        const { state, note } = await node.runs.untilEnd(await viewOf(id), 5000, null);
        ends[`${state} ${note ?? ""}`] = (ends[`${state} ${note ?? ""}`] ?? 0) + 1;
      }),
    );
    expect(ends["cancelled "]).toBeGreaterThan(100);
    expect((ends["cancelled "] ?? 0) + (ends["done "] ?? 0)).toBe(400);
  });
});

describe("a run that a client waits for, and that nobody named", () => {
  /** What the client is answered. */
  async function post(
    path: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ status: number; id: string; body: unknown }> {
    const response = await fetch(`${node.addresses.gateway}${path}`, { method: "POST", headers, body: "{}" });
    const text = await response.text();
    const id = response.headers.get("millrace-invocation") ?? "";
    return { status: response.status, id, body: text === "" ? null : JSON.parse(text) };
  }

  async function kept(key: string): Promise<unknown> {
    const [entry] = await plain.kvGet([key], Date.now());
    return entry?.value.kind === "json" ? JSON.parse(entry.value.json) : undefined;
  }

  async function journalOf(id: string): Promise<readonly string[]> {
    const { entries } = await plain.journal((await viewOf(id)).seq, 0, 1000);
    return entries.map(({ pos, verb, name, phase }) => `${pos} ${verb} ${name} ${phase}`);
  }

  it("N22: is one commit if it only steps: its beginning, journal, effects and end", async () => {
    // The first runs of an instance may take longer than that, and so may any on a loaded machine.
    for (let i = 0; ; i++) {
      const { status, id, body } = await post(`/whole/a${i}`);
      expect([status, body]).toEqual([200, ["one", "two"]]);
      expect(await viewOf(id)).toMatchObject({ state: "done", fn: "whole", entries: 2, value: '["one","two"]' });
      expect(await journalOf(id)).toEqual(["1 step one done", "2 step two done"]);
      expect(await kept(`early a${i}`)).toBe("two");
      await expect.poll(() => kept(`heard a${i}`)).toEqual(["one", "two"]);
      expect((await node.runs.show(id)).running).toBe(false);
      const [member, ...more] = trials.begun.get(`/whole/a${i}`) ?? [];
      expect(more).toEqual([]);
      const ended = member?.events?.[0]?.deliveries[0]?.ended;
      expect(member?.events).toHaveLength(ended === undefined ? 1 : 3);
      if (ended === undefined && i < 50) continue;
      expect(ended).toMatchObject({ state: "done", value: '["one","two"]' });
      return;
    }
  });

  it("N22: goes on from where it is when it comes to what needs its journal", async () => {
    for (const of of ["b1", "b2"]) {
      const { status, id, body } = await post(`/goes-on/${of}`);
      expect([status, body]).toEqual([200, ["one", "two", "two"]]);
      expect(trials.begun.get(`/goes-on/${of}`)?.map(({ events }) => events?.[0]?.deliveries[0]?.ended)).toEqual([undefined]);
      expect(await journalOf(id)).toEqual([
        "1 step one done",
        "2 step two done",
        "3 sleep nap opened",
        "4 sleep nap done",
        "5 step reads done",
      ]);
      await expect.poll(() => kept(`heard ${of}`)).toEqual(["one", "two"]);
    }
  });

  it("N22: fails, is undone and is told like any other", async () => {
    const { status, id } = await post("/fails");
    expect(status).toBe(500);
    expect(await viewOf(id)).toMatchObject({ state: "failed" });
    expect(await journalOf(id)).toEqual(["1 step one done", "2 step bad attempt", "3 step bad failed", "4 rollback one done"]);
    expect(await kept("early undone")).toBe("one");
  });

  it("N22: code that ends its process before the run is in the store counts no attempt", async () => {
    const { status, body } = await post("/dies", { prefer: "wait=1" });
    expect(status).toBe(202);
    const { id } = body as { id: string };
    await expect.poll(async () => (await viewOf(id)).state, { timeout: 20_000 }).toBe("paused");
    expect(JSON.parse((await viewOf(id)).note ?? "{}")).toMatchObject({ why: "failing", attempts: 2 });
  });

  it("N22: effects that may not be are a failure of their step", async () => {
    for (const [depth, body] of [
      [1, "sent"],
      [1500, expect.stringContaining("nested too deeply")],
      [1, "sent"],
    ] as const) {
      const response = await fetch(`${node.addresses.gateway}/deeper/${depth}`, { method: "POST" });
      expect(await response.text()).toEqual(body);
    }
  });

  it("N22: with a name, or a limit that holds for the whole function, it is in the store before it begins", async () => {
    for (const [path, headers] of [
      ["/whole/named", { "idempotency-key": "mine" }],
      ["/one-by-one/c", {}],
    ] as const) {
      expect((await post(path, headers)).body).toEqual(["one", "two"]);
      expect(trials.begun.get(path)?.[0]?.events?.[0]?.deliveries[0]?.ended).toBeUndefined();
    }
  });

  it("N6: a store that does not take it leaves nothing of it; one that only says so has all of it, once", async () => {
    await post("/tried/first");
    expect((await post("/tried/before")).status).toBe(503);
    expect((await post("/tried/after")).status).toBe(503);
    expect((await post("/tried/slow")).body).toEqual(["one", "two"]);
    await expect.poll(() => kept("heard after")).toEqual(["one", "two"]);
    await expect.poll(() => kept("heard slow")).toEqual(["one", "two"]);
    expect([await kept("early before"), await kept("heard before"), await kept("early after")]).toEqual([undefined, undefined, "two"]);
    const runs = await plain.runs({ fn: "tried", limit: 10 });
    expect(runs.map(({ state, entries }) => [state, entries])).toEqual([
      ["done", 2],
      ["done", 2],
      ["done", 2],
    ]);
  });

  it("N1: what each of its steps sends later is sent", async () => {
    await post("/later");
    await expect.poll(async () => ((await kept("heard later")) as string[] | undefined)?.toSorted()).toEqual(["one", "three", "two"]);
  });

  it("D33: those that have all the room there is are driven past those that wait for it", async () => {
    const all = await Promise.all(Array.from({ length: 60 }, (_, i) => post(`/narrow/n${i}`, { prefer: "wait=20" })));
    expect(all.map(({ body }) => body)).toEqual(all.map(() => ["one", "two", "two"]));
  });

  it("many at once come each to its own end", async () => {
    const all = await Promise.all(Array.from({ length: 150 }, (_, i) => post(i % 3 === 0 ? `/goes-on/m${i}` : `/whole/m${i}`)));
    expect(all.map(({ status }) => status)).toEqual(all.map(() => 200));
    for (let i = 0; i < 150; i++) await expect.poll(() => kept(`heard m${i}`)).toEqual(["one", "two"]);
    expect(new Set(all.map(({ id }) => id)).size).toBe(150);
  });
});

describe("a store that fails", () => {
  it("N6: at every call of a run, in every way: the same outcome, and no step twice", { timeout: 120_000 }, async () => {
    const whole = await run(trialId(0, "slow"));
    expect(whole).toMatchObject({
      result: [1, 2, 7, 1, 3, [1, 1], [0, 1, 2, 3, 4, 5], "last"],
      counts: ["1", "1", "1", "1", "1", "[]", "[0,1,2,3,4]"],
    });
    expect(new Set(whole.done).size).toBe(whole.done.length);
    const calls = trials.calls.get(trialId(0, "slow")) ?? 0;
    expect(calls).toBeGreaterThan(12);
    const ids = FAULTS.flatMap((fault) => Array.from({ length: calls }, (_, i) => trialId(i + 1, fault)));
    const ends = await Promise.all(ids.map((id) => run(id)));
    for (const [i, end] of ends.entries()) {
      expect({ id: ids[i], ...end, done: new Set(end.done).size }).toEqual({
        id: ids[i],
        result: whole.result,
        counts: whole.counts,
        done: new Set(whole.done).size,
      });
      expect(new Set(end.done).size).toBe(end.done.length);
    }
    // Reads cannot be fenced, and side by side two commits may come in one: nearly all of them were put in.
    expect(trials.faults.size).toBeGreaterThan(ids.length * 0.7);
  });
});
