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
 * app=NAME gives a block to another app of the page; app=examples/shop is that folder. A block of TypeScript that is none of these fails.
 * Tables of patterns, expressions and filters run as well: describe-tables.ts.
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
import { type TestApp, testApp } from "../../src/testing/index.ts";
import { appOf, expectationAfter, fileOf, placeOf, proofOf } from "./blocks.ts";
import { describeTables } from "./describe-tables.ts";
import { outputFaults, shapeFaults } from "./expectation.ts";
import type { Block, Page } from "./markdown.ts";
import { PageApp } from "./page-app.ts";
import { commandsOf, type Ran, runCommand } from "./shell.ts";
import { bodyModule } from "./snippet.ts";

/** The tests of some pages: they are told in several files, so that these run side by side. */
export function describePages(pages: readonly Page[]): void {
  describe.each(pages.map((page) => [page.path, page] as const))("%s", (_path, page) => {
    describePage(page);
  });
}

function describePage(page: Page): void {
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
    const broken = page.blocks.filter(({ language, text }) => language === "json" && !isJson(text));
    expect(broken.map(placeOf)).toEqual([]);
  });

  for (const block of page.blocks) {
    const proof = proofOf(block);
    const prove = (title: string, faults: () => Promise<readonly string[]>): void =>
      it(`line ${block.line}: ${title}`, async () => {
        expect(await faults()).toEqual([]);
      });
    if (proof === "test") prove("the test passes", () => runTest(block, appFor(block)));
    if (proof === "shell") prove("the commands do what is shown", () => runCommands(page, block, appFor(block)));
    if (proof === "refused") prove("is refused as is shown", () => runRefused(page, block));
  }

  const namesOfApps = new Set(
    page.blocks.filter((block) => fileOf(block)?.startsWith("functions/") && proofOf(block) === "file").map(appOf),
  );
  for (const name of namesOfApps) {
    it(`the app "${name}" loads`, async () => {
      await expect(appNamed(name).load()).resolves.toBeUndefined();
    });
  }

  const testFiles = page.blocks.filter((block) => /^test\/.*\.test\.ts$/.test(fileOf(block) ?? ""));
  for (const block of testFiles) {
    it(`line ${block.line}: ${fileOf(block)} passes`, async () => {
      expect(await runTestFile(block, appFor(block))).toMatchObject({ code: 0 });
    });
  }

  describeTables(page);
}

async function runTest(block: Block, app: PageApp): Promise<readonly string[]> {
  const folder = join(app.folder, "snippets");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `line-${block.line}.ts`);
  writeFileSync(file, bodyModule(block.text));
  const snippet = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as {
    body: (app: TestApp, assertion: typeof assert) => Promise<void>;
  };
  await snippet.body(await app.testApp(), assert);
  return [];
}

async function runCommands(page: Page, block: Block, app: PageApp): Promise<readonly string[]> {
  const ran: Ran[] = [];
  for (const command of commandsOf(block.text)) ran.push(await runCommand(command, app));
  const wantedLast = Number(block.marks["exit"] ?? 0);
  const failed = ran.filter(({ code }, i) => code !== (i === ran.length - 1 ? wantedLast : 0));
  if (failed.length > 0) return failed.map(({ command, code, stderr }) => `${command}\nended with ${code}\n${stderr}`);
  const shown = expectationAfter(page, block);
  if (shown === undefined) return [];
  if (proofOf(shown) === "shape") return shapeFaults(ran.at(-1)?.stdout ?? "", shown);
  return outputFaults(ran.map(({ stdout, stderr }) => stderr + stdout).join(""), shown);
}

async function runRefused(page: Page, block: Block): Promise<readonly string[]> {
  const shown = expectationAfter(page, block);
  if (shown === undefined) return ["nothing shows how it is refused"];
  const folder = mkdtempSync(join(tmpdir(), "millrace-refused-"));
  try {
    const file = join(folder, fileOf(block) ?? "functions/orders.ts");
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, `${block.text}\n`);
    const io = new ScriptedIo(folder);
    const app = await testApp(folder).catch((error: unknown) => showError(error, false, io));
    if (app === undefined) return outputFaults(io.stderr, shown);
    await app.stop();
    return ["it loads, but is shown as refused"];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function runTestFile(block: Block, app: PageApp): Promise<{ code: number; output: string }> {
  const args = ["--conditions=millrace/source", "--disable-warning=ExperimentalWarning", "--test", fileOf(block) ?? ""];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: app.folder }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : 1, output: stdout + stderr }),
    );
  });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
