import { execFile } from "node:child_process";
import { rename, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { MillraceError } from "../core/index.ts";
import { bundle, type Bundle, Bundler } from "./bundler.ts";
import { findFunctions } from "./find-functions.ts";
import { temporaryApp, writeApp } from "./testing-support/temporary-app.ts";

const HELLO = 'import { fn, http } from "millrace";\nexport const hello = fn({ on: http.get("/hello") }, () => "hello");\n';

async function faultOf(app: Record<string, string>): Promise<MillraceError> {
  const directory = await temporaryApp(app);
  const thrown: unknown = await bundle(directory).catch((error: unknown) => error);
  if (!(thrown instanceof MillraceError)) throw new Error("no MillraceError was thrown", { cause: thrown });
  return thrown;
}

/** Runs code in a process of its own beside the bundle: what the bundle is to be must hold in plain Node. */
async function runBeside(made: Bundle, code: string): Promise<unknown> {
  const files = Object.fromEntries(made.files.map(({ path, contents }) => [path, Buffer.from(contents).toString()]));
  const directory = await temporaryApp({ ...files, "main.mjs": code });
  const { stdout } = await promisify(execFile)(process.execPath, ["main.mjs"], { cwd: directory });
  return JSON.parse(stdout);
}

function sourceMap(made: Bundle, path: string): { sources: string[]; sourcesContent: string[] } {
  const found = made.files.find((file) => file.path === path);
  return JSON.parse(Buffer.from(found?.contents ?? "").toString()) as { sources: string[]; sourcesContent: string[] };
}

describe("finding functions", () => {
  it("R1: takes sources, in order, and nothing else", async () => {
    const directory = await temporaryApp({
      "functions/b.ts": "",
      "functions/a.tsx": "",
      "functions/deep/er/c.js": "",
      "functions/d.mjs": "",
      "functions/a.test.ts": "",
      "functions/types.d.ts": "",
      "functions/.hidden.ts": "",
      "functions/.folder/x.ts": "",
      "functions/node_modules/p/index.js": "",
      "functions/data.json": "{}",
      "lib/helper.ts": "",
    });
    expect(await findFunctions(directory)).toEqual(["functions/a.tsx", "functions/b.ts", "functions/d.mjs", "functions/deep/er/c.js"]);
  });

  it("R1: says when there is no app", async () => {
    const directory = await temporaryApp({ "readme.txt": "" });
    await expect(findFunctions(directory)).rejects.toMatchObject({ code: "app_not_found", message: expect.stringContaining(directory) });
    await expect(bundle(join(directory, "nowhere"))).rejects.toMatchObject({ code: "app_not_found" });
  });

  it("R1: an empty folder is an app without functions", async () => {
    const directory = await temporaryApp({ "functions/readme.txt": "" });
    expect(await bundle(directory)).toEqual({ files: [], entries: [], inputs: [], native: false });
  });
});

describe("bundling", () => {
  it("R2 R3: needs neither package.json nor node_modules, and brings the running SDK", async () => {
    const made = await bundle(
      await temporaryApp({ "functions/hello.ts": HELLO, "node_modules/millrace/index.js": "throw new Error('not this one')" }),
    );
    expect(made.entries).toEqual([{ entry: "functions/hello.mjs", file: "functions/hello.ts" }]);
    const facts = await runBeside(
      made,
      'import { hello } from "./functions/hello.mjs";\nconsole.log(JSON.stringify(hello[Symbol.for("millrace.definition")].options.on[Symbol.for("millrace.definition")]));',
    );
    expect(facts).toEqual({ kind: "http", method: "GET", path: "/hello" });
  });

  it("D23: the SDK weighs next to nothing in a bundle, and needs no module of Node", async () => {
    const source = [
      'import { event, Fatal, fn, http } from "millrace";',
      'export const hello = fn({ on: [http.get("/hello"), event("hello")] }, () => {',
      '  throw new Fatal("hello");',
      "});",
    ];
    const made = await bundle(await temporaryApp({ "functions/a.ts": source.join("\n") }));
    const code = Buffer.from(made.files[0]?.contents ?? "").toString();
    const [, ...withoutBanner] = code.split("\n");
    expect(withoutBanner.join("\n")).not.toMatch(/node:|ERROR_KINDS/);
    expect(code.length).toBeLessThan(2200);
  });

  it("R3: brings the event matcher as well, with all its dialects", async () => {
    const source = [
      'import { compileFilters, compileSql, Matcher } from "millrace/patterns";',
      "const all = new Matcher<string>();",
      'all.add("pattern", { type: ["x"] });',
      `all.add("expression", compileSql("type = 'x'").rule);`,
      'all.add("filter", compileFilters({ exact: { type: "x" } }).rule);',
      'export const found = all.match({ type: "x" });',
    ];
    const made = await bundle(await temporaryApp({ "functions/a.ts": source.join("\n") }));
    expect(await runBeside(made, 'import { found } from "./functions/a.mjs";\nconsole.log(JSON.stringify(found));')).toEqual([
      "pattern",
      "expression",
      "filter",
    ]);
  });

  it("R2: shares what several entries use: one module, evaluated once", async () => {
    const made = await bundle(
      await temporaryApp({
        "functions/a.ts": 'import { box } from "../lib/box.ts";\nexport const a: object = box;',
        "functions/b.js": 'import { box } from "../lib/box.ts";\nexport const b = box;',
        "lib/box.ts": "export const box: object = {};",
      }),
    );
    expect(made.files.some(({ path }) => path.startsWith("chunks/"))).toBe(true);
    const same = await runBeside(
      made,
      'import { a } from "./functions/a.mjs";\nimport { b } from "./functions/b.mjs";\nconsole.log(a === b);',
    );
    expect(same).toBe(true);
  });

  it("R2: bundles packages, CommonJS with require and __dirname too, beside modules that define these names", async () => {
    const made = await bundle(
      await temporaryApp({
        "functions/a.ts": [
          'import { createRequire } from "node:module";',
          'import { base, directory } from "old";',
          'import { modern } from "@new/modern";',
          "const require = createRequire(import.meta.url);",
          'const __dirname = "mine";',
          'export const all = [base("a/b"), typeof directory, modern, typeof require("node:fs").readFileSync, __dirname];',
        ].join("\n"),
        "node_modules/old/package.json": '{ "name": "old", "version": "1.0.0" }',
        "node_modules/old/index.js": 'exports.base = require("path").basename; exports.directory = __dirname;',
        "node_modules/@new/modern/package.json": '{ "name": "@new/modern", "version": "1.0.0", "type": "module", "exports": "./main.js" }',
        "node_modules/@new/modern/main.js": "export const modern = 1;",
      }),
    );
    expect(await runBeside(made, 'import { all } from "./functions/a.mjs";\nconsole.log(JSON.stringify(all));')).toEqual([
      "b",
      "string",
      1,
      "function",
      "mine",
    ]);
  });

  it("R2: copies an addon beside the bundle", async () => {
    const made = await bundle(
      await temporaryApp({
        "functions/a.ts": 'import { load } from "addon";\nexport const a = load;',
        "node_modules/addon/package.json": '{ "name": "addon", "version": "1.0.0" }',
        "node_modules/addon/index.js": 'exports.load = () => require("./build/fast.node");',
        "node_modules/addon/build/fast.node": "machine code",
      }),
    );
    const addon = made.files.find(({ path }) => path.endsWith(".node"));
    expect(addon?.path).toMatch(/^assets\/fast-\w+\.node$/);
    const code = made.files.find(({ path }) => path === "functions/a.mjs");
    expect(Buffer.from(code?.contents ?? "").toString()).toContain(`../${addon?.path}`);
  });

  it("R2: compiles tsx with the app's own tsconfig", async () => {
    const made = await bundle(
      await temporaryApp({
        "tsconfig.json": '{ "compilerOptions": { "jsxImportSource": "tiny", "paths": { "#lib/*": ["./lib/*"] } } }',
        "functions/page.tsx": 'import { title } from "#lib/title";\nexport const page = <h1 id="a">{title}</h1>;',
        "lib/title.ts": 'export const title = "Hello";',
        "node_modules/tiny/package.json": '{ "name": "tiny", "version": "1.0.0" }',
        "node_modules/tiny/jsx-runtime.js": "exports.jsx = (tag, props) => [tag, props];",
      }),
    );
    expect(await runBeside(made, 'import { page } from "./functions/page.mjs";\nconsole.log(JSON.stringify(page));')).toEqual([
      "h1",
      { id: "a", children: "Hello" },
    ]);
  });

  it("R5: source maps carry the sources and lead to files relative to the app", async () => {
    const made = await bundle(
      await temporaryApp({ "functions/deep/hello.ts": `import "../../lib/a.ts";\n${HELLO}`, "lib/a.ts": "globalThis.a = 1;" }),
    );
    const { sources, sourcesContent } = sourceMap(made, "functions/deep/hello.mjs.map");
    const places = sources.map((source) =>
      source.startsWith("millrace:") ? "millrace" : join(dirname("functions/deep/hello.mjs.map"), source),
    );
    expect(new Set(places)).toEqual(new Set(["millrace", "lib/a.ts", "functions/deep/hello.ts"]));
    expect(sourcesContent.some((text) => text.includes(HELLO))).toBe(true);
  });

  it("R5: the same app gives the same bytes wherever it lies, and by whatever way it is reached", async () => {
    const files = { "functions/hello.ts": HELLO, "functions/b.ts": HELLO.replace("hello", "b"), "lib/x.ts": "" };
    const [one, other] = [await temporaryApp(files), await temporaryApp(files)];
    const link = `${one}-link`;
    await symlink(one, link);
    onTestFinished(() => rename(link, join(one, "link")));
    const made = await bundle(one);
    expect((await bundle(other)).files).toEqual(made.files);
    expect((await bundle(link)).files).toEqual(made.files);
    const text = made.files.map(({ contents }) => Buffer.from(contents).toString()).join("\n");
    expect(text).not.toContain(one);
    expect(text).not.toContain(process.cwd());
  });

  it("names the files it was made from", async () => {
    const directory = await temporaryApp({ "functions/a.ts": 'import "../lib/b.ts";', "lib/b.ts": "globalThis.b = 1;", "lib/c.ts": "" });
    expect((await bundle(directory)).inputs.toSorted()).toEqual([join(directory, "functions/a.ts"), join(directory, "lib/b.ts")]);
  });

  it("builds again after changes, faults, and files that come and go", async () => {
    const directory = await temporaryApp({ "functions/a.ts": "export const a = 1;" });
    const bundler = new Bundler(directory);
    onTestFinished(() => bundler.dispose());
    const text = async (): Promise<string> => (await bundler.build()).files.map(({ contents }) => Buffer.from(contents).toString()).join();
    expect(await text()).toContain("a = 1");
    await writeApp(directory, { "functions/a.ts": "export const a = ;" });
    await expect(bundler.build()).rejects.toMatchObject({ code: "compile_failed" });
    await writeApp(directory, { "functions/a.ts": "export const a = 2;", "functions/b.ts": "export const b = 3;" });
    expect(await text()).toMatch(/a = 2.*b = 3/s);
    await rename(join(directory, "functions/b.ts"), join(directory, "functions/c.ts"));
    expect((await bundler.build()).entries.map(({ file }) => file)).toEqual(["functions/a.ts", "functions/c.ts"]);
  });
});

describe("R4: what does not compile", () => {
  it("shows the place of a syntax error", async () => {
    const fault = await faultOf({ "functions/a.ts": "const fine = 1;\n\tconst ü = (1;\n" });
    expect(fault.code).toBe("compile_failed");
    expect(fault.message).toBe('functions/a.ts:2:14: Expected ")" but found ";"\n\n    2 | \tconst ü = (1;\n      | \t            ^');
    expect(fault.details).toEqual([{ file: "functions/a.ts", line: 2, column: 14, reason: 'Expected ")" but found ";"', hint: null }]);
  });

  it("shows every fault, and how to get a missing package", async () => {
    const fault = await faultOf({
      "functions/a.ts": 'import "./nowhere.ts";',
      "functions/b.ts": 'import "@scope/nothing/part";',
    });
    expect(fault.details).toEqual([
      { file: "functions/a.ts", line: 1, column: 8, reason: 'Could not resolve "./nowhere.ts"', hint: "There is no such file." },
      {
        file: "functions/b.ts",
        line: 1,
        column: 8,
        reason: 'Could not resolve "@scope/nothing/part"',
        hint: "Install the package in the app's folder: npm install @scope/nothing",
      },
    ]);
  });

  it("names what millrace does not export, with the near miss", async () => {
    const fault = await faultOf({ "functions/a.ts": 'import { evnt } from "millrace";\nevnt("a");' });
    expect(fault.message).toMatch(/^functions\/a\.ts:1:10: "millrace" has no export "evnt" \(did you mean "event"\?\)/);
  });

  it("R3: refuses the other doors of Millrace", async () => {
    const fault = await faultOf({ "functions/a.ts": 'import "millrace/testing";', "functions/b.ts": 'import "millrace/client";' });
    expect(fault.message).toContain('"millrace/testing" is for tests: a function cannot import it');
    expect(fault.message).toContain('a function cannot import "millrace/client"');
  });

  it("refuses two files that differ in their extension only", async () => {
    const fault = await faultOf({ "functions/a.ts": "", "functions/a.js": "" });
    expect(fault.message).toBe("functions/a.js and functions/a.ts differ in their extension only");
  });
});
