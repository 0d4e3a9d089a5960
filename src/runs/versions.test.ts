import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { VirtualClock } from "../core/index.ts";
import { createNode, type MillraceNode, resolveSettings } from "../server/index.ts";
import type { RunView } from "../store/store.ts";
import type { RunCheck, RunNote } from "./runs.ts";

/** An app whose one flow is as each test writes it, anew for each release. */
let folder: string;
let node: MillraceNode;
let clock: VirtualClock;

const flowOf = (body: string): string => `import { flow } from "millrace";

export const job = flow({ retry: { attempts: 1 } }, async (e, flow) => {
${body}
});
`;

const FIRST = `  await flow.step("one", (tx) => tx.kv.set("one", "first"));
  await flow.sleep("a day", "1d");
  return await flow.step("two", () => "of the first");`;

async function release(body: string): Promise<string> {
  await writeFile(join(folder, "app/functions/job.ts"), flowOf(body));
  return (await node.reload()).release.id;
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-versions-"));
  await mkdir(join(folder, "app/functions"), { recursive: true });
  clock = new VirtualClock();
  const settings = resolveSettings({ port: "0", controlPort: "0", data: join(folder, "data") }, {});
  node = await createNode({ appDirectory: join(folder, "app"), settings, clock, durability: "off", reloads: true });
  await node.start();
});

afterEach(async () => {
  await node.stop();
  await rm(folder, { recursive: true, force: true });
});

async function begin(): Promise<string> {
  const { id } = await node.runs.begin({ flow: "job", input: "null", id: null });
  await node.delivery.settled();
  return id;
}

async function view(id: string): Promise<RunView> {
  await node.delivery.settled();
  return (await node.runs.show(id)).run;
}

async function passes(ms: number): Promise<void> {
  await clock.advanceTo(clock.now() + ms, () => node.delivery.settled());
}

async function checks(release: string, only: { readonly flow?: string } = {}): Promise<RunCheck[]> {
  const all: RunCheck[] = [];
  for await (const one of node.runs.check(release, only, new AbortController().signal)) all.push(one);
  return all;
}

const DAY = 24 * 3_600_000;

describe("code that changes", () => {
  it("N19: a check of a flow that there is not fails, else a slip would pass", { timeout: 60_000 }, async () => {
    await release(FIRST);
    expect(await checks("live", { flow: "job" })).toEqual([]);
    await expect(checks("live", { flow: "jbo" })).rejects.toMatchObject({ code: "not_found" });
  });

  it("N17: a run stays on the release it began on, and a list says which runs hold which", { timeout: 60_000 }, async () => {
    const first = await release(FIRST);
    const id = await begin();
    const second = await release(FIRST.replace("of the first", "of the second"));
    const other = await begin();
    expect(await node.runs.releases()).toEqual(
      expect.arrayContaining([
        { release: first, live: false, present: true, flows: [{ flow: "job", runs: 1 }] },
        { release: second, live: true, present: true, flows: [{ flow: "job", runs: 1 }] },
      ]),
    );
    await passes(DAY);
    expect([(await view(id)).value, (await view(other)).value]).toEqual(['"of the first"', '"of the second"']);
  });

  it("N17: a flow that the live release has no more goes on where it began", { timeout: 60_000 }, async () => {
    await release(FIRST);
    const id = await begin();
    await writeFile(
      join(folder, "app/functions/job.ts"),
      `import { fn, every } from "millrace";\nexport const other = fn({ on: every("30d") }, () => {});\n`,
    );
    await node.reload();
    await passes(DAY);
    expect(await view(id)).toMatchObject({ state: "done", value: '"of the first"' });
  });

  it(
    "N18: a run moved to code that does not fit is paused, with the difference; back on its own it goes on",
    { timeout: 60_000 },
    async () => {
      const first = await release(FIRST);
      const id = await begin();
      await release(FIRST.replace('"one"', '"uno"'));
      await node.runs.resume(id, { release: "live" });
      const paused = await view(id);
      expect(paused.state).toBe("paused");
      const note = JSON.parse(paused.note ?? "null") as Extract<RunNote, { why: "mismatch" }>;
      expect(note).toEqual({
        why: "mismatch",
        mismatch: { pos: 1, recorded: 'step "one" #1', attempted: [{ command: 'step "uno" #1', at: "functions/job.ts:4" }] },
      });
      await node.runs.resume(id, { release: first });
      await passes(DAY);
      expect(await view(id)).toMatchObject({ state: "done", value: '"of the first"' });
    },
  );

  it("N18: a sleep that is gone, and a handler that ends too early, are differences too", { timeout: 60_000 }, async () => {
    await release(FIRST);
    const ids = [await begin(), await begin()];
    await release(FIRST.replace('flow.sleep("a day", "1d")', 'flow.sleep("two days", "2d")'));
    await node.runs.resume(ids[0] ?? "", { release: "live" });
    expect(JSON.parse((await view(ids[0] ?? "")).note ?? "null")).toMatchObject({
      mismatch: { recorded: 'sleep "a day" #1', attempted: [{ command: 'sleep "two days" #1', at: "functions/job.ts:5" }] },
    });
    await release(`  await flow.step("one", () => "");`);
    await node.runs.resume(ids[1] ?? "", { release: "live" });
    expect(JSON.parse((await view(ids[1] ?? "")).note ?? "null")).toMatchObject({
      mismatch: { recorded: 'sleep "a day" #1', attempted: [] },
    });
  });

  it("N19: a check says who would break, and begins nothing", { timeout: 60_000 }, async () => {
    const first = await release(FIRST);
    const id = await begin();
    const fitting = await release(FIRST.replace("of the first", "of the second"));
    const breaking = await release(FIRST.replace('"one"', '"uno"'));
    const before = await node.runs.show(id);
    expect(await checks(first)).toEqual([{ id, flow: "job", fits: true, mismatch: null, error: null }]);
    expect(await checks(fitting)).toEqual([{ id, flow: "job", fits: true, mismatch: null, error: null }]);
    expect(await checks(breaking)).toMatchObject([{ id, fits: false, mismatch: { recorded: 'step "one" #1' } }]);
    await writeFile(join(folder, "app/functions/job.ts"), flowOf(FIRST.replace('"one"', '"eins"')));
    expect(await checks(`app:${join(folder, "app")}`)).toMatchObject([
      { fits: false, mismatch: { attempted: [{ command: 'step "eins" #1' }] } },
    ]);
    expect(await node.runs.show(id)).toEqual(before);
  });

  it(
    "N20: a fork copies what was before a step, on its own release or the live one; a rerun begins anew",
    { timeout: 60_000 },
    async () => {
      await release(FIRST);
      const id = await begin();
      await passes(DAY);
      expect((await view(id)).state).toBe("done");
      await release(FIRST.replace("of the first", "of the second").replace('"first"', '"rerun"'));
      const live = await node.runs.fork(id, { from: "two", release: "live" });
      const same = await node.runs.fork(id, { from: "two", release: "same" });
      expect([(await view(live.id)).value, (await view(same.id)).value]).toEqual(['"of the second"', '"of the first"']);
      expect((await node.store.kvGet(["one"], 0))[0]?.value).toEqual({ kind: "json", json: '"first"' });
      await expect(node.runs.fork(id, { from: "three", release: "live" })).rejects.toThrow(/has no "three"/);
      const again = await node.runs.rerun(id);
      expect((await view(again.id)).state).toBe("sleeping");
      expect((await node.store.kvGet(["one"], 0))[0]?.value).toEqual({ kind: "json", json: '"rerun"' });
    },
  );
});
