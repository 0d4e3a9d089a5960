import { execFile } from "node:child_process";
import { readdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { openRelease } from "./open-release.ts";
import { loadRelease, ReleaseLoader, type ReleaseLoaderOptions } from "./release-loader.ts";
import { describeHere, temporaryApp, writeApp } from "./testing-support/temporary-app.ts";

function hello(answer: string): string {
  return `import { fn, http } from "millrace";\nexport const hello = fn({ on: http.get("/hello") }, () => "${answer}");\n`;
}

function loaderFor(app: string, options: ReleaseLoaderOptions = {}): ReleaseLoader {
  const loader = new ReleaseLoader(app, join(app, ".millrace"), describeHere, options);
  onTestFinished(() => loader.dispose());
  return loader;
}

/** What a file of a release exports, seen by a process that has loaded nothing before. */
async function exported(directory: string, entry: string, name: string): Promise<unknown> {
  const url = JSON.stringify(pathToFileURL(join(directory, entry)).href);
  const code = `console.log(JSON.stringify((await import(${url}))[${JSON.stringify(name)}]))`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", code]);
  return JSON.parse(stdout);
}

describe("an earlier release", () => {
  it("R19: is opened from its folder, with the variables that the app has now", async () => {
    const app = await temporaryApp({ "functions/hello.ts": hello("one"), ".env": "SECRET=old" });
    const data = join(app, ".millrace");
    const made = await loadRelease(app, data, describeHere);
    await writeApp(app, { "functions/hello.ts": hello("two"), ".env": "SECRET=new" });
    await loadRelease(app, data, describeHere);
    const opened = await openRelease(data, made.id, { appDirectory: app, env: { SECRET: "new" } });
    expect(opened).toEqual({ ...made, env: { SECRET: "new" } });
  });

  it.each<[string, (directory: string) => Promise<void>]>([
    ["is gone", (directory) => rm(directory, { recursive: true })],
    ["has lost a file", (directory) => rm(join(directory, "functions/hello.mjs"))],
    ["has a file that was cut off", (directory) => writeFile(join(directory, "functions/hello.mjs"), "exp")],
    ["has lost its manifest", (directory) => rm(join(directory, "manifest.json"))],
    ["has half a manifest", (directory) => writeFile(join(directory, "manifest.json"), '{"functions":[')],
    ["has a manifest of another shape", (directory) => writeFile(join(directory, "manifest.json"), "[]")],
    ["does not know its files", (directory) => rm(join(directory, "files.json"))],
  ])("R19: that %s is none, until it is made anew", async (_, harm) => {
    const app = await temporaryApp({ "functions/hello.ts": hello("one") });
    const data = join(app, ".millrace");
    const present = { appDirectory: app, env: {} };
    const made = await loadRelease(app, data, describeHere);
    expect(await openRelease(data, made.id, present)).toEqual(made);
    await harm(made.directory);
    expect(await openRelease(data, made.id, present)).toBeNull();
    await loadRelease(app, data, describeHere);
    expect(await openRelease(data, made.id, present)).toEqual(made);
  });

  it.each(["", "..", "../../functions", "0123456789abcde", "0123456789abcdeG"])("R19: the id %j is none", async (id) => {
    const app = await temporaryApp({ "functions/hello.ts": hello("one") });
    await loadRelease(app, join(app, ".millrace"), describeHere);
    expect(await openRelease(join(app, ".millrace"), id, { appDirectory: app, env: {} })).toBeNull();
  });

  it("R20: of an app under development runs as it was, whatever has changed since: code, packages, and what is kept apart", async () => {
    const word = (text: string): Record<string, string> => ({ "node_modules/modern/word.js": `export const word = "${text}";\n` });
    const code = (text: string): Record<string, string> => ({
      "functions/a.ts": `import { word } from "modern";\nimport { shared } from "../lib/shared.ts";\nexport const a = ["${text}", word, shared];\n`,
      "functions/b.ts": `import { shared } from "../lib/shared.ts";\nexport const b = shared;\n`,
      "lib/shared.ts": `import { word } from "modern";\nexport const shared = "${text} " + word;\n`,
    });
    const app = await temporaryApp({
      "node_modules/modern/package.json": '{"name":"modern","type":"module","main":"index.js"}',
      "node_modules/modern/index.js": 'export { word } from "./word.js";\n',
      ...word("old"),
      ...code("one"),
    });
    const held = new Set<string>();
    const loader = loaderFor(app, { reloads: true, held: async () => held });
    // The first is one bundle; from the second on the package lies apart.
    const whole = (await loader.load()).release;
    await writeApp(app, code("two"));
    const apart = (await loader.load()).release;
    expect(await readdir(apart.directory)).toContain("packages");
    for (const release of [whole, apart]) {
      held.add(release.id);
      await utimes(release.directory, new Date(0), new Date(0));
    }
    for (let round = 0; round < 6; round++) {
      await writeApp(app, { ...code(`later ${round}`), ...word(`new ${round}`) });
      await loader.load();
    }
    await rm(join(app, "node_modules"), { recursive: true });
    const opened = await Promise.all(
      [whole, apart].map(({ id }) => openRelease(join(app, ".millrace"), id, { appDirectory: app, env: {} })),
    );
    const seen = await Promise.all(opened.map((release) => exported(release?.directory ?? "", "functions/a.mjs", "a")));
    expect(seen).toEqual([
      ["one", "old", "one old"],
      ["two", "old", "two old"],
    ]);
    expect(await exported(apart.directory, "functions/b.mjs", "b")).toBe("two old");
  });
});

describe("R21: a release aside", () => {
  it("is of another folder, complete, and takes no other's place", async () => {
    const app = await temporaryApp({ "functions/hello.ts": hello("mine") });
    const compiled: string[] = [];
    const loader = loaderFor(app, { compile: async (directory) => compiled.push(directory) });
    const ids: string[] = [];
    for (let round = 0; round < 5; round++) {
      await writeApp(app, { "functions/hello.ts": hello(String(round)) });
      ids.push((await loader.load()).release.id);
    }
    compiled.length = 0;
    const other = await temporaryApp({ "functions/hello.ts": hello("other"), ".env": "A=1" });
    const aside = await loader.loadAside(other);
    expect(aside).toMatchObject({ appDirectory: other, env: { A: "1" }, directory: join(app, ".millrace/releases", aside.id) });
    expect((await readdir(join(app, ".millrace/releases"))).sort()).toEqual([...ids, aside.id].sort());
    expect(compiled).toEqual([]);
    expect(await openRelease(join(app, ".millrace"), aside.id, aside)).toEqual(aside);
  });

  it("of the same folder is that of the app as it is now", async () => {
    const app = await temporaryApp({ "functions/hello.ts": hello("one") });
    const loader = loaderFor(app);
    const { release } = await loader.load();
    expect(await loader.loadAside()).toEqual(release);
    await writeApp(app, { "functions/hello.ts": hello("two") });
    expect((await loader.loadAside(app)).id).not.toBe(release.id);
  });

  it("that is wrong is an error and leaves nothing", async () => {
    const app = await temporaryApp({ "functions/hello.ts": hello("one") });
    const loader = loaderFor(app);
    const { release } = await loader.load();
    const broken = await temporaryApp({ "functions/hello.ts": "const (" });
    await expect(loader.loadAside(broken)).rejects.toMatchObject({ code: "compile_failed" });
    await expect(loader.loadAside(await temporaryApp({}))).rejects.toMatchObject({ code: "app_not_found" });
    expect(await readdir(join(app, ".millrace/releases"))).toEqual([release.id]);
    expect((await loader.load()).release).toEqual(release);
  });
});
