import type { Sum, Sums } from "../sales.ts";

export interface JobFacts {
  /** What the writer of the file knows. */
  readonly written: Sums;
  /** What the run came to. */
  readonly summed: Sums;
  readonly parts: number;
  /** Of each part how often it has been done. */
  readonly counts: readonly number[];
}

/** Empty when every row was counted once and every part done once. */
export function judgeJob({ written, summed, parts, counts }: JobFacts): readonly string[] {
  const keys = [...new Set([...Object.keys(written), ...Object.keys(summed)])].toSorted();
  const wrong = keys.filter((key) => !isSame(written[key], summed[key]));
  const again = counts.filter((count) => count !== 1).length;
  return [
    ...wrong.map((key) => `${key}: ${JSON.stringify(summed[key])} was summed, ${JSON.stringify(written[key])} is right`),
    ...(counts.length === parts ? [] : [`${counts.length} parts were done, not ${parts}`]),
    ...(again === 0 ? [] : [`${again} parts were done more than once`]),
  ];
}

function isSame(a: Sum | undefined, b: Sum | undefined): boolean {
  return a?.rows === b?.rows && a?.pieces === b?.pieces && a?.cents === b?.cents;
}
