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
    ["one", "again", "left", "right", "last"].map((name) => `${id} ${name}`),
    Date.now(),
  );
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
    expect(views.map(({ seq }) => trials.reads.get(seq))).toEqual(ids.map(() => 1));
  });
});

describe("a store that fails", () => {
  it("N6: at every call of a run, in every way: the same outcome, and no step twice", { timeout: 120_000 }, async () => {
    const whole = await run(trialId(0, "slow"));
    expect(whole).toMatchObject({ result: [1, 2, 7, 1, 3, [1, 1], "last"], counts: ["1", "1", "1", "1", "1"] });
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
