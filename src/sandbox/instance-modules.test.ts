import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { codeCacheFile } from "../protocol/code-cache.ts";
import { FRAME, type Frame } from "../protocol/frame.ts";
import { type Instance, load, Workshop } from "./testing-support/instance.ts";

const STEPPABLE = ["--experimental-vm-modules", "--no-warnings"];
const ENTRY = "functions/app.mjs";

let workshop: Workshop;
beforeAll(async () => {
  workshop = await Workshop.open();
});
afterAll(() => workshop.close());

/** An app whose call throws what `answer` evaluates to, as JSON; `before` is its top-level code. */
function app(answer: string, before = ""): string {
  return `import { event, fn } from "millrace";\n${before}
    export const f = fn({ on: event("test") }, async () => { throw new Error(JSON.stringify(${answer})); });`;
}

async function answerOf(instance: Instance): Promise<unknown> {
  const { error } = (await instance.event(1, {})).head as { error: { message: string } };
  return JSON.parse(error.message);
}

/** Has the caches of these files made and laid beside them, as the pool does. */
async function cache(directory: string, files: readonly string[] = [ENTRY], flags: readonly string[] = []): Promise<Frame> {
  const compiler = workshop.start([...STEPPABLE, ...flags]);
  compiler.send(FRAME.compile, 0, { directory, files, out: workshop.folder });
  const compiled = await compiler.frame(FRAME.compiled);
  for (const [place, file] of files.entries()) await rename(join(workshop.folder, String(place)), codeCacheFile(join(directory, file)));
  return compiled;
}

describe("modules in steps", () => {
  it("L1: what is prepared is compiled, and nothing of it has run before `load`", async () => {
    const directory = await workshop.bundle({
      "functions/app.ts": app("before", "const before = process.env.NAME ?? null;"),
      "functions/never.ts": `throw new Error("ran"); export {};`,
    });
    const instance = workshop.start(STEPPABLE);
    instance.send(FRAME.prepare, 0, { directory, entries: [ENTRY, "functions/never.mjs"], mostBytes: 2 ** 20 });
    const loaded = await load(instance, { directory, env: { NAME: "x" } });
    expect(loaded.head).toEqual({ modules: { cached: 0, rejected: 0, source: 2 } });
    expect(await answerOf(instance)).toBe("x");
  });

  it("L1: no more than `mostBytes` are compiled ahead; a function beyond them loads all the same", async () => {
    const directory = await workshop.bundle({ "functions/app.ts": app("1"), "functions/first.ts": app("2") });
    const instance = workshop.start(STEPPABLE);
    instance.send(FRAME.prepare, 0, { directory, entries: ["functions/first.mjs", ENTRY], mostBytes: 1 });
    // The first, the chunk that both share, and then the function's own file.
    expect((await load(instance, { directory })).head).toEqual({ modules: { cached: 0, rejected: 0, source: 3 } });
    expect(await answerOf(instance)).toBe(1);
  });

  it("L2: V8 takes the cache, also in an instance of another memory limit", async () => {
    const directory = await workshop.bundle({ "functions/app.ts": app("21 * 2") });
    expect((await cache(directory, [ENTRY], ["--max-heap-size=256"])).head).toEqual({ files: 1 });
    const instance = workshop.start([...STEPPABLE, "--max-heap-size=64"]);
    expect((await load(instance, { directory })).head).toEqual({ modules: { cached: 1, rejected: 0, source: 0 } });
    expect(await answerOf(instance)).toBe(42);
  });

  it.each([
    ["damaged", async (file: string) => writeFile(file, "not V8's")],
    ["empty", async (file: string) => writeFile(file, "")],
    [
      "of another version",
      async (file: string) => {
        const bytes = await readFile(file);
        bytes.writeUInt8(bytes.readUInt8(4) ^ 1, 4);
        await writeFile(file, bytes);
      },
    ],
  ])("L2: a cache that is %s is not used, and that is no error", async (_, spoil) => {
    const directory = await workshop.bundle({ "functions/app.ts": app(`"fine"`) });
    await cache(directory);
    await spoil(codeCacheFile(join(directory, ENTRY)));
    const instance = workshop.start(STEPPABLE);
    expect((await load(instance, { directory })).head).toEqual({ modules: { cached: 0, rejected: 1, source: 0 } });
    expect(await answerOf(instance)).toBe("fine");
  });

  it("L3: to make a cache runs nothing of the code", async () => {
    const directory = await workshop.bundle({ "functions/app.ts": app("1", `process.exit(3);`) });
    expect((await cache(directory)).head).toEqual({ files: 1 });
  });

  it.each([
    ["in steps", STEPPABLE],
    ["by Node's own import", []],
  ])("L4: a file runs once, whoever imports it (%s)", async (_, flags) => {
    const directory = await workshop.bundle({
      "functions/app.ts": app(
        `[runs(), (await import("../lib/late.ts")).seen, (await import("../lib/late.ts")) === (await import("../lib/late.ts"))]`,
        `import { runs } from "../lib/count.ts";`,
      ),
      "functions/other.ts": `import { runs } from "../lib/count.ts"; export const seen = runs();`,
      "lib/count.ts": `let count = 0; export const runs = () => count; count++; globalThis.counted = (globalThis.counted ?? 0) + 1; if (globalThis.counted > 1) throw new Error("ran twice");`,
      "lib/late.ts": `import { runs } from "./count.ts"; export const seen = runs() + 10;`,
    });
    const instance = workshop.start(flags);
    await load(instance, { directory });
    expect(await answerOf(instance)).toEqual([1, 11, true]);
  });

  it.each([
    ["a module of Node that is none", `import "node:nonsense";`, "No such built-in module: node:nonsense"],
    ["a name that a module of Node has not", `import { nonsense } from "node:path"; console.log(nonsense);`, "nonsense"],
  ])("L5: %s is told in Node's words", async (_, before, words) => {
    const directory = await workshop.bundle({ "functions/app.ts": app("1", before) });
    const [steps, plain] = [workshop.start(STEPPABLE), workshop.start()];
    const [inSteps, plainly] = await Promise.all([load(steps, { directory }), load(plain, { directory })]);
    expect(inSteps.head).toMatchObject({ error: { message: expect.stringContaining(words) } });
    expect(inSteps.head).toEqual(plainly.head);
  });

  it("L5: without the flag everything is imported, caches or not, and none are made", async () => {
    const directory = await workshop.bundle({ "functions/app.ts": app(`"plain"`) });
    const compiler = workshop.start();
    compiler.send(FRAME.compile, 0, { directory, files: [ENTRY], out: workshop.folder });
    expect((await compiler.frame(FRAME.compiled)).head).toEqual({ files: 0 });
    const instance = workshop.start();
    instance.send(FRAME.prepare, 0, { directory, entries: [ENTRY], mostBytes: 2 ** 20 });
    expect((await load(instance, { directory })).head).toEqual({ modules: { cached: 0, rejected: 0, source: 0 } });
    expect(await answerOf(instance)).toBe("plain");
  });

  it.each([
    ["top-level await", `const found = await Promise.resolve("late");`, "found", "late"],
    ["a module of Node by both names", `import { join } from "path"; import * as again from "node:path";`, "join === again.join", true],
    ["its place", "", `import.meta.url.startsWith("file:///") && import.meta.filename.endsWith("functions/app.mjs")`, true],
    ["its folder", "", "import.meta.dirname === import.meta.filename.slice(0, -8)", true],
    ["what lies beside it", "", `import.meta.resolve("./x.mjs") === import.meta.url.replace("app.mjs", "x.mjs")`, true],
    ["code by address", "", `(await import("data:text/javascript,export default 7")).default`, 7],
    ["a module of Node, late", "", `(await import("node:" + "path")).sep`, "/"],
  ])("L6: a module finds %s", async (_, before, answer, expected) => {
    const directory = await workshop.bundle({ "functions/app.ts": app(answer, before) });
    const instance = workshop.start(STEPPABLE);
    await load(instance, { directory });
    expect(await answerOf(instance)).toEqual(expected);
  });

  it("B3, L6: what a file throws at import comes back with the lines of the source", async () => {
    const directory = await workshop.bundle({ "functions/app.ts": app("1", `\n\nthrow new RangeError("no good");`) });
    const instance = workshop.start(STEPPABLE);
    const { head } = await load(instance, { directory });
    expect(head).toMatchObject({ error: { name: "RangeError", stack: expect.stringContaining("functions/app.ts:4:") } });
  });
});
