import { mkdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { bundle, Bundler } from "./bundler.ts";
import { temporaryApp } from "./testing-support/temporary-app.ts";

const paint = {
  "node_modules/paint/package.json": JSON.stringify({
    version: "1.0.0",
    main: "index.js",
    dependencies: { mixer: "1" },
    optionalDependencies: { "@paint/here": "1", "@paint/elsewhere": "1" },
  }),
  "node_modules/paint/index.js": 'exports.paint = () => require("@paint/" + "here/paint.node");',
  "node_modules/@paint/here/package.json": "{}",
  "node_modules/@paint/here/paint.node": "machine code",
  "node_modules/mixer/package.json": "{}",
  "node_modules/mixer/index.js": "exports.mix = 1;",
};

const importing = (text: string): Record<string, string> => ({ "functions/a.ts": text, ...paint });
const IMPORT = 'import { paint } from "paint"; export const painted = paint();';

async function carriedBy(app: string): Promise<string[]> {
  const { files, native } = await bundle(app);
  const carried = files.map(({ path }) => path).filter((path) => path.startsWith("node_modules/"));
  expect(native).toBe(carried.length > 0);
  return carried;
}

const PAINT = [
  "node_modules/@paint/here/package.json",
  "node_modules/@paint/here/paint.node",
  "node_modules/mixer/index.js",
  "node_modules/mixer/package.json",
  "node_modules/paint/index.js",
  "node_modules/paint/package.json",
];

describe("R18: packages with native code", () => {
  it.each([
    ["import", IMPORT],
    ["import()", 'export const painted = import("paint");'],
    ["require", 'export const painted = require("paint");'],
    ["a path inside", 'import { paint } from "paint/index.js"; export const painted = paint();'],
  ])("are carried with all that they depend on, and not bundled: %s", async (_, text) => {
    const app = await temporaryApp(importing(text));
    expect(await carriedBy(app)).toEqual(PAINT);
    const { files } = await bundle(app);
    const code = Buffer.from(files.find(({ path }) => path === "functions/a.mjs")?.contents ?? []).toString();
    expect(code).toMatch(/["']paint(?:\/index\.js)?["']/);
    expect(code).not.toContain("@paint/");
  });

  it("are carried when another package asks for them", async () => {
    const app = await temporaryApp({
      ...importing('import "painter";'),
      "node_modules/painter/package.json": '{ "main": "index.js" }',
      "node_modules/painter/index.js": 'require("paint").paint();',
    });
    expect(await carriedBy(app)).toEqual(PAINT);
  });

  it.each<[string, Record<string, string>]>([
    ["binding.gyp", { "node_modules/paint/binding.gyp": "{}" }],
    [
      "node-gyp-build",
      {
        "node_modules/paint/package.json": '{ "dependencies": { "node-gyp-build": "4" } }',
        "node_modules/node-gyp-build/package.json": "{}",
      },
    ],
    ["gypfile", { "node_modules/paint/package.json": '{ "gypfile": true }' }],
  ])("are known by %s too", async (_, files) => {
    const app = await temporaryApp({
      "functions/a.ts": IMPORT,
      "node_modules/paint/package.json": "{}",
      "node_modules/paint/index.js": "",
      ...files,
    });
    expect(await carriedBy(app)).toContain("node_modules/paint/index.js");
  });

  it("leaves everything else in the bundle", async () => {
    expect(await carriedBy(await temporaryApp(importing('import { mix } from "mixer"; export const mixed = mix;')))).toEqual([]);
  });

  it("lays a second version of a dependency below who asks for it", async () => {
    const app = await temporaryApp({
      ...importing(IMPORT),
      "node_modules/@paint/here/package.json": '{ "dependencies": { "mixer": "2" } }',
      "node_modules/@paint/here/node_modules/mixer/package.json": '{ "version": "2.0.0" }',
    });
    expect(await carriedBy(app)).toContain("node_modules/@paint/here/node_modules/mixer/package.json");
  });

  it("finds what a package manager has linked together", async () => {
    const store = "node_modules/.store/";
    const app = await temporaryApp({
      "functions/a.ts": IMPORT,
      ...Object.fromEntries(Object.entries(paint).map(([path, text]) => [store + path, text])),
    });
    await mkdir(dirname(join(app, "node_modules/paint")), { recursive: true });
    await symlink(join(app, store, "node_modules/paint"), join(app, "node_modules/paint"));
    expect(await carriedBy(app)).toEqual(PAINT);
  });

  it("says which dependency is not installed", async () => {
    const { "node_modules/mixer/package.json": _, "node_modules/mixer/index.js": __, ...rest } = paint;
    const app = await temporaryApp({ "functions/a.ts": IMPORT, ...rest });
    await expect(bundle(app)).rejects.toMatchObject({
      code: "compile_failed",
      message: "paint needs mixer, which is not installed",
      cure: "Run `npm install`.",
    });
  });

  it("are carried at every load of an app under development", async () => {
    const app = await temporaryApp({
      ...importing(`${IMPORT} export * from "shapes";`),
      "node_modules/shapes/package.json": '{ "type": "module", "main": "index.js" }',
      "node_modules/shapes/index.js": 'import { mix } from "paint"; export const shape = mix;',
    });
    const bundler = new Bundler(app, true);
    for (let load = 0; load < 3; load++) {
      const { files } = await bundler.build();
      expect(files.map(({ path }) => path).filter((path) => path.startsWith("node_modules/"))).toEqual(PAINT);
    }
    await bundler.dispose();
  });
});
