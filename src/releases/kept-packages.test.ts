import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Bundle, Bundler } from "./bundler.ts";
import { temporaryApp, writeApp } from "./testing-support/temporary-app.ts";

const packageOf = (name: string, type: "module" | "commonjs", text: string, more: Record<string, string> = {}): Record<string, string> => ({
  [`node_modules/${name}/package.json`]: JSON.stringify({ name, type, main: "index.js" }),
  [`node_modules/${name}/index.js`]: text,
  ...Object.fromEntries(Object.entries(more).map(([file, content]) => [`node_modules/${name}/${file}`, content])),
});

const COUNTED = 'globalThis.runs = (globalThis.runs ?? 0) + 1;\nexport { word } from "./word.js";\nexport default "the default";\n';

function appOf(files: Record<string, string>): Record<string, string> {
  return { ...packageOf("modern", "module", COUNTED, { "word.js": 'export const word = "one";\n' }), ...files };
}

async function developing(app: Record<string, string>): Promise<{ directory: string; bundler: Bundler }> {
  const directory = await temporaryApp(app);
  const bundler = new Bundler(directory, true);
  onTestFinished(() => bundler.dispose());
  return { directory, bundler };
}

async function runBeside(made: Bundle, code: string): Promise<unknown> {
  const files = Object.fromEntries(made.files.map(({ path, contents }) => [path, Buffer.from(contents).toString()]));
  const directory = await temporaryApp({ ...files, "main.mjs": code });
  const { stdout } = await promisify(execFile)(process.execPath, ["main.mjs"], { cwd: directory });
  return JSON.parse(stdout);
}

const kept = (made: Bundle): string[] => made.files.map(({ path }) => path).filter((path) => path.startsWith("packages/"));

describe("R14: packages of an app under development", () => {
  it("are bundled once, apart, and run once, from files at any depth", async () => {
    const app = appOf({
      "functions/a.ts": 'import { word } from "modern";\nexport const a = word;',
      "functions/deep/er/b.ts": 'import name, { word } from "modern";\nexport const b = [name, word];',
      "functions/c.ts": 'import { shared } from "../lib/shared.ts";\nexport const c = shared;',
      "functions/d.ts": 'import { shared } from "../lib/shared.ts";\nexport const d = shared;',
      "lib/shared.ts": 'import { word } from "modern";\nexport const shared = `shared ${word}`;',
    });
    const { directory, bundler } = await developing(app);
    const first = await bundler.build();
    const second = await bundler.build();
    expect(kept(first)).toEqual([]);
    expect(kept(second)).toEqual([expect.stringMatching(/^packages\/modern-[0-9a-f]{8}\.mjs$/)]);
    expect(second.inputs).toContain(join(directory, "node_modules/modern/word.js"));
    const code = `
      const { a } = await import("./functions/a.mjs");
      const { b } = await import("./functions/deep/er/b.mjs");
      const { c } = await import("./functions/c.mjs");
      const { d } = await import("./functions/d.mjs");
      console.log(JSON.stringify({ a, b, c, d, runs: globalThis.runs }));
    `;
    const expected = { a: "one", b: ["the default", "one"], c: "shared one", d: "shared one", runs: 1 };
    expect(await runBeside(first, code)).toEqual(expected);
    expect(await runBeside(second, code)).toEqual(expected);
  });

  it("that are CommonJS, or rest on it, stay in the app's bundle", async () => {
    const { bundler } = await developing({
      ...packageOf("old", "commonjs", 'exports.word = "old";'),
      ...packageOf("between", "module", 'import { word } from "old";\nexport const between = word;'),
      "functions/a.ts": 'import { word } from "old";\nimport { between } from "between";\nexport const a = [word, between];',
    });
    await bundler.build();
    const second = await bundler.build();
    expect(kept(second)).toEqual([]);
    expect(await runBeside(second, 'console.log(JSON.stringify((await import("./functions/a.mjs")).a));')).toEqual(["old", "old"]);
  });

  it("are not kept when the app also reaches them by another way", async () => {
    const { directory, bundler } = await developing(appOf({ "functions/a.ts": 'import { word } from "modern";\nexport const a = word;' }));
    await bundler.build();
    expect(kept(await bundler.build())).toHaveLength(1);
    await writeApp(directory, {
      "functions/a.ts":
        'import { word } from "modern";\nimport { word as again } from "../node_modules/modern/word.js";\nexport const a = [word, again, globalThis.runs];',
    });
    const mixed = await bundler.build();
    expect(kept(mixed)).toEqual([]);
    expect(await runBeside(mixed, 'console.log(JSON.stringify((await import("./functions/a.mjs")).a));')).toEqual(["one", "one", 1]);
  });

  it("are bundled anew when they change", async () => {
    const { directory, bundler } = await developing(appOf({ "functions/a.ts": 'import { word } from "modern";\nexport const a = word;' }));
    await bundler.build();
    await bundler.build();
    await writeApp(directory, { "node_modules/modern/word.js": 'export const word = "another";\n' });
    await bundler.build();
    const made = await bundler.build();
    expect(kept(made)).toHaveLength(1);
    expect(await runBeside(made, 'console.log(JSON.stringify((await import("./functions/a.mjs")).a));')).toBe("another");
  });
});
