import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import type { Page } from "./markdown.ts";
import { CHECKOUT, LINKED_PAGES, readPage } from "./pages.ts";

it("every npm script that a page names exists", () => {
  const { scripts } = JSON.parse(readFileSync(join(CHECKOUT, "package.json"), "utf8")) as { scripts: Record<string, string> };
  const named = LINKED_PAGES.flatMap(({ text }) => [...text.matchAll(/\bnpm run (?:-s )?([a-z][\w:-]*)/g)].map(([, name = ""]) => name));
  expect([...new Set(named)].filter((name) => !(name in scripts))).toEqual([]);
});

describe.each(LINKED_PAGES.map((page) => [page.path, page] as const))("%s", (_path, page) => {
  it("has no link that leads nowhere", () => {
    const broken = page.links.filter(({ target }) => !/^[a-z]+:/.test(target)).filter(({ target }) => !leadsSomewhere(page, target));
    expect(broken.map(({ line, target }) => `${page.path}:${line}: ${target}`)).toEqual([]);
  });
});

function leadsSomewhere(page: Page, target: string): boolean {
  const [path = "", anchor] = target.split("#");
  const file = path === "" ? page.path : relative(CHECKOUT, join(CHECKOUT, dirname(page.path), path));
  if (!existsSync(join(CHECKOUT, file))) return false;
  return anchor === undefined || (file.endsWith(".md") && readPage(file).anchors.has(anchor));
}
