import { mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Describe, type LoadedApp, loadRelease, ReleaseLoader, type ReleaseLoaderOptions } from "./release-loader.ts";
import { describeHere, temporaryApp, writeApp } from "./testing-support/temporary-app.ts";

function hello(answer: string): string {
  return `import { fn, http } from "millrace";\nexport const hello = fn({ on: http.get("/hello") }, () => "${answer}");\n`;
}

function loaderFor(app: string, describe: Describe = describeHere, options: ReleaseLoaderOptions = {}): ReleaseLoader {
  const loader = new ReleaseLoader(app, join(app, ".millrace"), describe, options);
  onTestFinished(() => loader.dispose());
  return loader;
}

const releasesOf = (app: string): Promise<string[]> => readdir(join(app, ".millrace/releases")).catch(() => []);

describe("a release", () => {
  it("R7: has the bundle and the manifest in one folder", async () => {
    const app = await temporaryApp({ "functions/hello.ts": hello("hello"), ".env": "A=1" });
    const release = await loadRelease(app, join(app, ".millrace"), describeHere);
    expect(release).toMatchObject({ appDirectory: app, env: { A: "1" }, directory: join(app, ".millrace/releases", release.id) });
    expect(release.id).toMatch(/^[0-9a-f]{16}$/);
    expect(release.manifest.functions).toMatchObject([{ name: "hello", entry: "functions/hello.mjs", file: "functions/hello.ts" }]);
    expect(JSON.parse(await readFile(join(release.directory, "manifest.json"), "utf8"))).toEqual(release.manifest);
    expect((await readdir(join(release.directory, "functions"))).sort()).toEqual(["hello.mjs", "hello.mjs.map"]);
  });

  it("R16: is compiled where it is described, unless it will be loaded again and again; a refused one leaves nothing", async () => {
    const app = await temporaryApp({ "functions/hello.ts": hello("hello") });
    const data = join(app, ".millrace");
    const compile = async (directory: string): Promise<void> => {
      // A turn later: by then a describer that refuses at once has done so.
      await new Promise((resolve) => setImmediate(resolve));
      await writeFile(join(directory, "functions/hello.mjs.v8"), "made");
    };
    const refusing = new ReleaseLoader(app, data, () => Promise.reject(new Error("refused")), { compile });
    await expect(refusing.load()).rejects.toThrow("refused");
    expect(await releasesOf(app)).toEqual([]);
    const reloading = new ReleaseLoader(app, data, describeHere, { compile, reloads: true });
    const once = new ReleaseLoader(app, data, describeHere, { compile });
    const cacheOf = async ({ release }: LoadedApp): Promise<string> =>
      readFile(join(release.directory, "functions/hello.mjs.v8"), "utf8").catch(() => "none");
    expect(await cacheOf(await reloading.load())).toBe("none");
    expect(await cacheOf(await once.load())).toBe("made");
    for (const loader of [refusing, reloading, once]) await loader.dispose();
  });

  it("R17: a file makes a `require` only if it has use for one", async () => {
    const files = {
      "functions/plain.ts": hello("hello"),
      "functions/old.ts": `import old from "../lib/old.cjs";\nexport const seen = old;\n`,
      "lib/old.cjs": `module.exports = require("node:path").sep;`,
    };
    const release = await loadRelease(await temporaryApp(files), join(await temporaryApp({}), "data"), describeHere);
    const textOf = (file: string): Promise<string> => readFile(join(release.directory, file), "utf8");
    expect(await textOf("functions/old.mjs")).toContain("createRequire");
    expect(await textOf("functions/plain.mjs")).toMatch(/^\n/);
    expect(await textOf("functions/plain.mjs")).not.toContain("createRequire");
  });

  it("R5 R6: has the same id wherever the app lies, another for other code or variables", async () => {
    const files = { "functions/hello.ts": hello("hello") };
    const idOf = async (more: Record<string, string> = {}): Promise<string> => {
      const app = await temporaryApp({ ...files, ...more });
      return (await loadRelease(app, join(app, "data"), describeHere)).id;
    };
    const ids = [await idOf(), await idOf(), await idOf({ ".env": "A=1" }), await idOf({ "functions/hello.ts": hello("bye") })];
    expect(ids[0]).toBe(ids[1]);
    expect(new Set(ids).size).toBe(3);
  });

  it("gives the sandbox the variables, and says what it was made from", async () => {
    const app = await temporaryApp({ "functions/hello.ts": hello("hello"), ".env": "A=1" });
    const seen: unknown[] = [];
    const loaded = await loaderFor(app, async (directory, entries, context) => {
      seen.push(context);
      return describeHere(directory, entries);
    }).load();
    expect(seen).toEqual([{ env: { A: "1" }, native: false }]);
    expect(loaded.inputs).toEqual([join(app, "functions/hello.ts")]);
  });

  it("an app without functions is one too", async () => {
    const app = await temporaryApp({ "functions/readme.txt": "" });
    const loader = loaderFor(app);
    const { release } = await loader.load();
    expect(release.manifest).toEqual({ functions: [], events: [] });
    expect((await loader.load()).release.id).toBe(release.id);
  });
});

describe("R7: whole or nothing", () => {
  it.each([
    ["code that does not compile", "const (", "compile_failed"],
    ["code that throws", 'throw new Error("no");', "load_failed"],
    ["an option that does not exist", hello("x").replace("on:", "timout: 1, on:"), "bad_option"],
    ["a route taken twice", `${hello("x")}export const b = fn({ on: http.get("/hello") }, () => 1);`, "duplicate_route"],
    [
      "a pattern that is none",
      'import { event, fn } from "millrace";\nexport const a = fn({ on: event("a", { where: { data: [{ nonsense: 1 }] } }) }, () => 1);',
      "bad_pattern",
    ],
  ])("%s leaves what was there", async (_, source, code) => {
    const app = await temporaryApp({ "functions/hello.ts": hello("hello") });
    const loader = loaderFor(app);
    const { release } = await loader.load();
    await writeApp(app, { "functions/hello.ts": source });
    await expect(loader.load()).rejects.toMatchObject({ code });
    expect(await releasesOf(app)).toEqual([release.id]);
    await writeApp(app, { "functions/hello.ts": hello("hello") });
    expect((await loader.load()).release).toEqual(release);
  });

  it("a folder that a crash left incomplete is made anew", async () => {
    const app = await temporaryApp({ "functions/hello.ts": hello("hello") });
    const loader = loaderFor(app);
    const { release } = await loader.load();
    await writeFile(join(release.directory, "functions/hello.mjs"), "");
    await mkdir(join(app, ".millrace/releases/.new-left-behind"));
    await loader.load();
    expect(await readFile(join(release.directory, "functions/hello.mjs"), "utf8")).toContain("hello");
    expect(await releasesOf(app)).toEqual([release.id]);
  });

  it("a folder that is there already is not touched: instances may run from it", async () => {
    const app = await temporaryApp({ "functions/hello.ts": hello("hello") });
    const loader = loaderFor(app);
    const { release } = await loader.load();
    const old = new Date(0);
    await utimes(join(release.directory, "functions"), old, old);
    await Promise.all([loader.load(), loader.load()]);
    expect((await readdir(release.directory)).sort()).toEqual(["files.json", "functions", "manifest.json"]);
  });
});

describe("R8: old releases", () => {
  it("go when there are more than five, the one in use stays", async () => {
    const app = await temporaryApp({ "functions/hello.ts": hello("0") });
    const loader = loaderFor(app);
    const ids: string[] = [];
    for (let round = 0; round < 7; round++) {
      await writeApp(app, { "functions/hello.ts": hello(String(round)) });
      const { release } = await loader.load();
      ids.push(release.id);
      // Folders of one millisecond have no order of their own.
      await utimes(release.directory, new Date(round * 1000), new Date(round * 1000));
    }
    expect((await releasesOf(app)).sort()).toEqual(ids.slice(2).sort());
    await writeApp(app, { "functions/hello.ts": hello("2") });
    await loader.load();
    expect(await releasesOf(app)).toContain(ids[2]);
  });

  it("stay while something holds them, however many have come", async () => {
    const app = await temporaryApp({ "functions/hello.ts": hello("first") });
    const held = new Set(["0000000000000000"]);
    const loader = loaderFor(app, describeHere, { held: async () => held });
    const first = (await loader.load()).release;
    await utimes(first.directory, new Date(0), new Date(0));
    held.add(first.id);
    for (let round = 0; round < 6; round++) {
      await writeApp(app, { "functions/hello.ts": hello(String(round)) });
      await loader.load();
    }
    expect(await releasesOf(app)).toHaveLength(6);
    expect(await releasesOf(app)).toContain(first.id);
    held.delete(first.id);
    await loader.load();
    expect(await releasesOf(app)).toHaveLength(5);
    expect(await releasesOf(app)).not.toContain(first.id);
  });
});
