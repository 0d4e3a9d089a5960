import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { type Page, parsePage } from "./markdown.ts";

export const CHECKOUT = join(import.meta.dirname, "../..");

export function readPage(path: string): Page {
  return parsePage(path, readFileSync(join(CHECKOUT, path), "utf8"));
}

function markdownIn(folder: string): string[] {
  return readdirSync(join(CHECKOUT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
    .map((entry) => relative(CHECKOUT, join(entry.parentPath, entry.name)))
    .filter((path) => !path.includes("node_modules"))
    .sort();
}

/** Those whose code runs. */
export const PAGES: readonly Page[] = ["README.md", ...markdownIn("docs")].map(readPage);

/** The long ones among them, in a test file of their own, so that the two run side by side. */
export const CONCEPTS: readonly Page[] = PAGES.filter(({ path }) =>
  /^docs\/(?:delivery|events|flows|functions|transactions)\.md$/.test(path),
);

/** Those that people read on from page to page. */
export const LINKED_PAGES: readonly Page[] = [
  ...readdirSync(CHECKOUT).filter((name) => name.endsWith(".md")),
  ...["docs", "examples", "bench", "src"].flatMap(markdownIn),
].map(readPage);
