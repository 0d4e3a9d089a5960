/** As much of Markdown as the pages use: fenced blocks, tables, headings, links. */

export interface Block {
  readonly page: string;
  /** Of its opening fence, from 1. */
  readonly line: number;
  readonly language: string;
  /** What stands behind the language: `run`, `file=a.ts`. A word alone is true. */
  readonly marks: Readonly<Record<string, string | true>>;
  readonly text: string;
}

export interface Table {
  readonly line: number;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Link {
  readonly line: number;
  readonly target: string;
}

export interface Page {
  /** Relative to the checkout. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  readonly tables: readonly Table[];
  readonly links: readonly Link[];
  /** Of its headings, as GitHub names them. */
  readonly anchors: ReadonlySet<string>;
}

export function parsePage(path: string, text: string): Page {
  const blocks: Block[] = [];
  const tables: Table[] = [];
  const links: Link[] = [];
  const anchors = new Set<string>();
  const lines = text.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? "";
    const fence = /^```(\S*) ?(.*)$/.exec(line);
    if (fence !== null) {
      const end = lines.indexOf("```", i + 1);
      if (end === -1) throw new Error(`${path}:${i + 1}: a block without an end`);
      const inside = lines.slice(i + 1, end).join("\n");
      blocks.push({ page: path, line: i + 1, language: fence[1] ?? "", marks: readMarks(fence[2] ?? ""), text: inside });
      i = end;
      continue;
    }
    const heading = /^#+ (.*)$/.exec(line)?.[1];
    if (heading !== undefined) anchors.add(anchorOf(heading));
    links.push(...linksOf(line, i + 1));
    if (line.startsWith("|") && /^\|[-:| ]+\|$/.test(lines[i + 1] ?? "")) tables.push(tableAt(lines, i));
  }
  return { path, text, blocks, tables, links, anchors };
}

function readMarks(text: string): Record<string, string | true> {
  const words = text.match(/[^\s=]+(?:="[^"]*"|=\S+)?/g) ?? [];
  return Object.fromEntries(
    words.map((word) => {
      const equals = word.indexOf("=");
      return equals === -1 ? [word, true] : [word.slice(0, equals), word.slice(equals + 1).replaceAll('"', "")];
    }),
  );
}

function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");
}

function linksOf(text: string, line: number): Link[] {
  const bare = text.replaceAll(/`[^`]*`/g, "");
  return [...bare.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => ({ line, target }));
}

function tableAt(lines: readonly string[], start: number): Table {
  const rows: string[][] = [];
  for (let i = start + 2; (lines[i] ?? "").startsWith("|"); i++) rows.push(cellsOf(lines[i] ?? ""));
  return { line: start + 1, head: cellsOf(lines[start] ?? ""), rows };
}

/** Pipes inside a cell are escaped. */
function cellsOf(line: string): string[] {
  const cells = line
    .trim()
    .slice(1, -1)
    .split(/(?<!\\)\|/);
  return cells.map((cell) => cell.trim().replaceAll(String.raw`\|`, "|"));
}

/** What stands in backticks in a cell. */
export function codeOf(cell: string): string[] {
  return [...cell.matchAll(/(`+) ?(.+?) ?\1/g)].map(([, , code = ""]) => code);
}
