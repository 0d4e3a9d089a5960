import type { Block, Page } from "./markdown.ts";

/** The name of the app that a block belongs to, where the page has several. */
export function appOf(block: Block): string {
  return typeof block.marks["app"] === "string" ? block.marks["app"] : "main";
}

/** The path of the file that a block is, or undefined. */
export function fileOf({ marks }: Block): string | undefined {
  return typeof marks["file"] === "string" ? marks["file"] : undefined;
}

export function placeOf({ page, line }: Block): string {
  return `${page}:${line}`;
}

/** How the tests prove a block, or null when nothing does. */
export function proofOf(block: Block): "file" | "test" | "types" | "refused" | "shell" | "output" | "shape" | "shown" | null {
  const { language, marks } = block;
  const has = (mark: string): boolean => marks[mark] !== undefined;
  switch (language) {
    case "ts":
      if (has("file")) return "file";
      if (has("test")) return "test";
      if (has("refused")) return "refused";
      return has("types") ? "types" : null;
    case "sh":
      return has("run") ? "shell" : "shown";
    case "json":
      if (has("shape")) return "shape";
      return has("output") ? "output" : "shown";
    case "text":
      return has("output") ? "output" : "shown";
    default:
      return has("file") ? "file" : null;
  }
}

/** Blocks that say what the one before them gives. */
export function expectationAfter(page: Page, block: Block): Block | undefined {
  const next = page.blocks[page.blocks.indexOf(block) + 1];
  const proof = next === undefined ? null : proofOf(next);
  return proof === "output" || proof === "shape" ? next : undefined;
}
