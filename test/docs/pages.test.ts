/**
 * The code on the pages runs. A fenced block says behind its language what it is:
 *
 * - ts file=PATH          a file of the page's app (ini file=.env as well). All of them are written before anything runs, and the app loads.
 *                         A file test/*.test.ts is run by `node --test` in the app's folder.
 * - ts test               runs as the body of an async function with `app` (testApp, one for the page's app) and `assert`.
 * - ts types              is only type-checked (types.test.ts), as all blocks of TypeScript are. It finds the names of millrace imported,
 *                         and a `ctx` and an event `e` declared, unless it imports for itself.
 * - ts refused            is an app of its own that does not load; the block after it (text output) is what the CLI says.
 * - sh run                each command runs, in order, and ends with 0 (exit=1: the last one with 1). curl and millrace only; localhost:4800 and
 *                         :4801 are the doors of a real node of the page's app.
 * - text output, json output, json shape      follow such a block: what it prints, with … for anything; or the members and types of
 *                         the JSON on its first line, null standing for anything.
 * - sh, json, text alone  are shown and not run: what blocks a terminal or takes minutes.
 *
 * app=NAME gives a block to another app of the page; app=examples/shop is that folder. A table with the head "Pattern, Matches, Does not match"
 * holds patterns and events; one with "Pattern, Error" patterns that are refused. A block of TypeScript that is none of these fails.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { showError } from "../../src/cli/report-error.ts";
import { ScriptedIo } from "../../src/cli/testing-support/scripted-io.ts";
import { compilePattern, Matcher, type Pattern, PatternError } from "../../src/events/patterns/index.ts";
import { type TestApp, testApp } from "../../src/testing/index.ts";
import { appOf, expectationAfter, fileOf, placeOf, proofOf } from "./blocks.ts";
import { expectOutput, expectShape } from "./expectation.ts";
import { type Block, codeOf, type Page } from "./markdown.ts";
import { PageApp } from "./page-app.ts";
import { PAGES } from "./pages.ts";
import { commandsOf, type Ran, runCommand } from "./shell.ts";
import { bodyModule } from "./snippet.ts";

describe.each(PAGES.map((page) => [page.path, page] as const))("%s", (_path, page) => {
  const apps = new Map<string, PageApp>();

  afterAll(async () => {
    for (const app of apps.values()) await app.stop();
  });

  const appNamed = (name: string): PageApp => {
    const app = apps.get(name) ?? new PageApp(page, name);
    apps.set(name, app);
    return app;
  };
  const appFor = (block: Block): PageApp => appNamed(appOf(block));

  it("has no code that nothing proves", () => {
    const unproven = page.blocks.filter((block) => proofOf(block) === null && block.language === "ts");
    expect(unproven.map(placeOf)).toEqual([]);
    for (const block of page.blocks) if (block.language === "json") expect(() => void JSON.parse(block.text), placeOf(block)).not.toThrow();
  });

  for (const block of page.blocks) {
    const proof = proofOf(block);
    if (proof === "test") it(`line ${block.line}: the test passes`, () => runTest(block, appFor(block)));
    if (proof === "shell") it(`line ${block.line}: the commands do what is shown`, () => runCommands(page, block, appFor(block)));
    if (proof === "refused") it(`line ${block.line}: is refused as is shown`, () => runRefused(page, block));
  }

  const namesOfApps = new Set(
    page.blocks.filter((block) => fileOf(block)?.startsWith("functions/") && proofOf(block) === "file").map(appOf),
  );
  for (const name of namesOfApps) {
    it(`the app "${name}" loads`, async () => {
      await appNamed(name).testApp();
    });
  }

  const testFiles = page.blocks.filter((block) => /^test\/.*\.test\.ts$/.test(fileOf(block) ?? ""));
  for (const block of testFiles) it(`line ${block.line}: ${fileOf(block)} passes`, () => runTestFile(block, appFor(block)));

  for (const table of page.tables) {
    const head = table.head.join(", ");
    if (head === "Pattern, Matches, Does not match") {
      it.each(table.rows.map((row) => [row[0] ?? "", row] as const))("pattern %s", (_, [pattern = "", yes = "", no = ""]) => {
        expectMatches(pattern, { yes: codeOf(yes), no: codeOf(no) });
      });
    }
    if (head === "Pattern, Error") {
      it.each(table.rows.map((row) => [row[0] ?? "", row] as const))("pattern %s is refused", (_, [pattern = "", error = ""]) => {
        expectPatternError(pattern, codeOf(error)[0] ?? "");
      });
    }
  }
});

async function runTest(block: Block, app: PageApp): Promise<void> {
  const folder = join(app.folder, "snippets");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `line-${block.line}.ts`);
  writeFileSync(file, bodyModule(block.text));
  const snippet = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as {
    body: (app: TestApp, assertion: typeof assert) => Promise<void>;
  };
  await snippet.body(await app.testApp(), assert);
}

async function runCommands(page: Page, block: Block, app: PageApp): Promise<void> {
  const ran: Ran[] = [];
  for (const command of commandsOf(block.text)) ran.push(await runCommand(command, app));
  const codes = ran.map(({ command, code, stderr }) => ({ command, code, ...(code === 0 ? {} : { stderr }) }));
  const last = codes.at(-1);
  const wanted = Number(block.marks["exit"] ?? 0);
  expect(codes.slice(0, -1).filter(({ code }) => code !== 0)).toEqual([]);
  expect(last, placeOf(block)).toMatchObject({ code: wanted });
  const shown = expectationAfter(page, block);
  if (shown === undefined) return;
  if (proofOf(shown) === "shape") expectShape(ran.at(-1)?.stdout ?? "", shown);
  else expectOutput(ran.map(({ stdout, stderr }) => stderr + stdout).join(""), shown);
}

async function runRefused(page: Page, block: Block): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-refused-"));
  try {
    const file = join(folder, fileOf(block) ?? "functions/orders.ts");
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, `${block.text}\n`);
    const io = new ScriptedIo(folder);
    await testApp(folder).then(
      async (app) => {
        await app.stop();
        throw new Error(`${placeOf(block)} loads, but is shown as refused`);
      },
      (error: unknown) => showError(error, false, io),
    );
    const shown = expectationAfter(page, block);
    if (shown === undefined) throw new Error(`${placeOf(block)}: nothing shows how it is refused`);
    expectOutput(io.stderr, shown);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runTestFile(block: Block, app: PageApp): Promise<void> {
  const args = ["--conditions=millrace/source", "--disable-warning=ExperimentalWarning", "--test", fileOf(block) ?? ""];
  const { code, output } = await new Promise<{ code: number; output: string }>((resolve) => {
    execFile(process.execPath, args, { cwd: app.folder }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : 1, output: stdout + stderr }),
    );
  });
  expect(code, output).toBe(0);
}

function expectMatches(cell: string, { yes, no }: { yes: readonly string[]; no: readonly string[] }): void {
  const matcher = new Matcher<string>();
  matcher.add("it", JSON.parse(codeOf(cell)[0] ?? "") as Pattern);
  expect(yes.length + no.length).toBeGreaterThan(0);
  for (const event of yes) expect(matcher.match(event), `${event} matches`).toEqual(["it"]);
  for (const event of no) expect(matcher.match(event), `${event} does not match`).toEqual([]);
}

function expectPatternError(cell: string, message: string): void {
  let thrown: unknown;
  try {
    compilePattern(codeOf(cell)[0] ?? "");
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(PatternError);
  expect((thrown as PatternError).message).toBe(message);
}
