import { cut, width } from "../table.ts";
import type { Diagram, DiagramNode, Tone } from "./diagram.ts";

interface Box {
  readonly node: DiagramNode;
  /** As they fit into it. */
  readonly lines: readonly string[];
  readonly x: number;
  readonly y: number;
  readonly height: number;
}

interface Line {
  readonly from: { readonly x: number; readonly y: number };
  readonly to: { readonly x: number; readonly y: number };
  readonly isUndo: boolean;
}

const BOX_WIDTH = 232;
const LANE_GAP = 28;
const ROW_GAP = 18;
const STAGE_GAP = 34;
const MARGIN = 24;
const TITLE_HEIGHT = 34;
const PADDING = 10;
const KIND_HEIGHT = 14;
const NAME_HEIGHT = 18;
const LINE_HEIGHT = 15;
/** How many places of a fixed-width face fit into a box: 0.6 of the size of the type. */
const NAME_PLACES = 24;
const LINE_PLACES = 30;
const MOST_LINES = 4;

/** A diagram as an SVG that needs nothing else: dark on white, no script, no font but the reader's own. */
export function toSvg(diagram: Diagram): string {
  const widest = Math.max(...diagram.stages.map(({ lanes }) => lanes.length));
  const titleWidth = width(diagram.title) * 8.5;
  const across = Math.max(widest * BOX_WIDTH + (widest - 1) * LANE_GAP, titleWidth) + 2 * MARGIN;
  const { boxes, lines, bottom } = placed(diagram, across / 2);
  const title = escaped(diagram.title);
  const down = bottom + MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${round(across)}" height="${round(down)}" viewBox="0 0 ${round(across)} ${round(down)}" role="img" font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace">`,
    `<title>${title}</title>`,
    `<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0.5 7 4 0 7.5z" fill="#4b5563"/></marker></defs>`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    `<text x="${round(across / 2)}" y="${MARGIN + 10}" text-anchor="middle" font-size="14" font-weight="600" fill="#111827">${title}</text>`,
    ...lines.map(drawLine),
    ...boxes.map(drawBox),
    "</svg>",
    "",
  ].join("\n");
}

/** Stage under stage, each in the middle; its lanes side by side, and its edges from the ends of the stage before. */
function placed({ stages }: Diagram, middle: number): { boxes: readonly Box[]; lines: readonly Line[]; bottom: number } {
  const boxes: Box[] = [];
  const lines: Line[] = [];
  let ends: readonly Box[] = [];
  let top = MARGIN + TITLE_HEIGHT;
  for (const { lanes, isUndo } of stages) {
    const left = middle - (lanes.length * BOX_WIDTH + (lanes.length - 1) * LANE_GAP) / 2;
    const columns = lanes.map((lane, i) => column(lane, left + i * (BOX_WIDTH + LANE_GAP), top));
    for (const boxes of columns) lines.push(...boxes.slice(1).map((box, i) => lineBetween(boxes[i], box, isUndo)));
    const bottom = Math.max(...columns.map((boxes) => bottomOf(boxes.at(-1), top)));
    lines.push(
      ...edges(
        ends,
        columns.flatMap(([first]) => first ?? []),
        top,
        isUndo,
      ),
    );
    boxes.push(...columns.flat());
    ends = columns.flatMap((boxes) => boxes.at(-1) ?? []);
    top = bottom + STAGE_GAP;
  }
  return { boxes, lines, bottom: top - STAGE_GAP };
}

function column(lane: readonly DiagramNode[], x: number, top: number): readonly Box[] {
  let y = top;
  return lane.map((node) => {
    const lines = node.lines.flatMap(wrapped).slice(0, MOST_LINES);
    const height = 2 * PADDING + KIND_HEIGHT + NAME_HEIGHT + lines.length * LINE_HEIGHT;
    const box = { node, lines, x, y, height };
    y += height + ROW_GAP;
    return box;
  });
}

/** Between words, where they are no longer than a line. */
function wrapped(text: string): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1) ?? ""} ${word}`;
    if (lines.length > 0 && width(longer) <= LINE_PLACES) lines[lines.length - 1] = longer;
    else lines.push(cut(word, LINE_PLACES));
  }
  return lines;
}

/** Many to many meet in one point, so that there are as many lines as boxes. */
function edges(from: readonly Box[], to: readonly Box[], top: number, isUndo: boolean): readonly Line[] {
  if (from.length <= 1 || to.length <= 1) return from.flatMap((one) => to.map((other) => lineBetween(one, other, isUndo)));
  const xs = from.map(({ x }) => x + BOX_WIDTH / 2);
  const meeting = { x: (Math.min(...xs) + Math.max(...xs)) / 2, y: top - STAGE_GAP / 2 };
  return [
    ...from.map((box) => ({ from: footOf(box), to: meeting, isUndo })),
    ...to.map((box) => ({ from: meeting, to: headOf(box), isUndo })),
  ];
}

function lineBetween(from: Box | undefined, to: Box, isUndo: boolean): Line {
  return { from: from === undefined ? headOf(to) : footOf(from), to: headOf(to), isUndo };
}

function headOf({ x, y }: Box): Line["from"] {
  return { x: x + BOX_WIDTH / 2, y };
}

function footOf({ x, y, height }: Box): Line["from"] {
  return { x: x + BOX_WIDTH / 2, y: y + height };
}

function bottomOf(box: Box | undefined, top: number): number {
  return box === undefined ? top : box.y + box.height;
}

/** Down to just above the target, across, and down again: no line crosses a box of the stage that it leaves. */
function drawLine({ from, to, isUndo }: Line): string {
  const bend = to.y - STAGE_GAP / 2;
  const path =
    from.x === to.x
      ? `M${round(from.x)} ${round(from.y)}V${round(to.y)}`
      : `M${round(from.x)} ${round(from.y)}V${round(Math.max(from.y, bend))}H${round(to.x)}V${round(to.y)}`;
  const dashes = isUndo ? ` stroke-dasharray="5 4"` : "";
  const stroke = isUndo ? TONES.undo.line : "#4b5563";
  return `<path d="${path}" fill="none" stroke="${stroke}" stroke-width="1.4"${dashes}${to.y === bend ? "" : ` marker-end="url(#arrow)"`}/>`;
}

const TONES: Readonly<Record<Tone, { readonly line: string; readonly fill: string }>> = {
  plain: { line: "#6b7280", fill: "#f9fafb" },
  good: { line: "#15803d", fill: "#f0fdf4" },
  bad: { line: "#b91c1c", fill: "#fef2f2" },
  waiting: { line: "#b45309", fill: "#fffbeb" },
  undo: { line: "#6d28d9", fill: "#f5f3ff" },
};

const KIND_WORDS: Readonly<Record<DiagramNode["kind"], string>> = {
  begin: "BEGIN",
  end: "END",
  step: "STEP",
  rollback: "ROLLBACK",
  map: "MAP",
  sleep: "SLEEP",
  wait: "WAIT",
  callback: "CALLBACK",
  answer: "CALLBACK",
  call: "CALL",
  start: "START",
  run: "RUN",
};

function drawBox({ node, lines, x, y, height }: Box): string {
  const { line, fill } = TONES[node.tone];
  const round8 = node.kind === "begin" || node.kind === "end" ? 16 : 4;
  const left = round(x + PADDING + 4);
  const dashes = node.kind === "rollback" ? ` stroke-dasharray="5 4"` : "";
  const texts = lines.map(
    (text, i) =>
      `<text x="${left}" y="${round(y + PADDING + KIND_HEIGHT + NAME_HEIGHT + (i + 1) * LINE_HEIGHT - 4)}" font-size="11" fill="#374151">${escaped(text)}</text>`,
  );
  return [
    `<g><title>${escaped([node.title, ...node.lines].join("\n"))}</title>`,
    `<rect x="${round(x)}" y="${round(y)}" width="${BOX_WIDTH}" height="${height}" rx="${round8}" fill="${fill}" stroke="${line}" stroke-width="1.4"${dashes}/>`,
    `<text x="${left}" y="${round(y + PADDING + 8)}" font-size="9" letter-spacing="1" fill="${line}">${KIND_WORDS[node.kind]}</text>`,
    `<text x="${left}" y="${round(y + PADDING + KIND_HEIGHT + 12)}" font-size="13" font-weight="600" fill="#111827">${escaped(cut(node.title, NAME_PLACES))}</text>`,
    ...texts,
    "</g>",
  ].join("");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };

/** What XML cannot hold at all (control characters, halves of characters) is replaced. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "\uFFFD")
    .replaceAll(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}
