import { plain } from "./io.ts";

export interface Table {
  readonly head?: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Columns of numbers stand to the right. */
  readonly right?: ReadonlySet<number>;
  /** Width of the terminal: what does not fit is cut, at the last column. */
  readonly columns: number | null;
}

const GAP = "  ";

/** Aligned columns, without a line break at the end. */
export function table({ head, rows, right = new Set(), columns }: Table): string {
  const all = head === undefined ? rows : [head, ...rows];
  const count = Math.max(0, ...all.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, i) => Math.max(...all.map((row) => width(row[i] ?? ""))));
  const lines = all.map((row) => {
    const cells = row.map((cell, i) => {
      const padding = " ".repeat((widths[i] ?? 0) - width(cell));
      if (right.has(i)) return padding + cell;
      return i === row.length - 1 ? cell : cell + padding;
    });
    const text = cells.join(GAP).trimEnd();
    return columns === null ? text : cut(text, columns);
  });
  return lines.join("\n");
}

const segmenter = new Intl.Segmenter();

/** Places on a terminal: characters as people count them, the wide ones of East Asia and pictures as two. */
export function width(text: string): number {
  const bare = plain(text);
  if (/^[\x20-\x7e]*$/.test(bare)) return bare.length;
  let places = 0;
  for (const { segment } of segmenter.segment(bare)) places += WIDE.test(segment) ? 2 : 1;
  return places;
}

const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|^\p{Emoji_Presentation}/u;

/** Cuts a line to the terminal; colours are given up where it is cut. */
export function cut(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  let kept = "";
  let places = 0;
  for (const { segment } of segmenter.segment(plain(text))) {
    places += width(segment);
    if (places > columns - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}
