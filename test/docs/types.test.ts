import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { appOf, proofOf } from "./blocks.ts";
import type { Page } from "./markdown.ts";
import { linkPackages, writePageFiles } from "./page-app.ts";
import { CHECKOUT, PAGES } from "./pages.ts";
import { bodyModule, fragmentModule } from "./snippet.ts";

/** As `millrace init` writes it, over all apps at once. */
const TSCONFIG = {
  compilerOptions: {
    target: "es2024",
    lib: ["es2024", "esnext.disposable", "dom", "dom.iterable"],
    module: "nodenext",
    types: ["node"],
    customConditions: ["millrace/source"],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    verbatimModuleSyntax: true,
    erasableSyntaxOnly: true,
    allowImportingTsExtensions: true,
  },
  include: ["pages"],
};

const folder = mkdtempSync(join(tmpdir(), "millrace-docs-types-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function writePage(page: Page): void {
  const folderOf = (app: string): string => join(folder, "pages", page.path.replaceAll(/[/.]/g, "-"), app.replaceAll("/", "-"));
  for (const app of new Set(page.blocks.map(appOf))) writePageFiles(page, app, folderOf(app));
  for (const block of page.blocks) {
    const proof = proofOf(block);
    const file = join(folderOf(appOf(block)), "snippets", `line-${block.line}.ts`);
    if (proof === "test") write(file, bodyModule(block.text));
    if (proof === "types") write(file, fragmentModule(block.text));
  }
}

it("the TypeScript on the pages type-checks", async () => {
  linkPackages(folder);
  write(join(folder, "package.json"), '{ "type": "module" }');
  write(join(folder, "tsconfig.json"), JSON.stringify(TSCONFIG));
  for (const page of PAGES) writePage(page);
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, [join(CHECKOUT, "node_modules/typescript/bin/tsc"), "-p", folder], (_, stdout, stderr) =>
      resolve(stdout + stderr),
    );
  });
  expect(output).toBe("");
});
