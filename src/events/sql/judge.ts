import type { Link } from "./chain.ts";
import { compileAs, compileNode, type Read } from "./evaluate.ts";
import { isFailure, type Outcome } from "./failure.ts";

/** An operand, and what it came to. */
export interface Judged extends Link {
  readonly own: Outcome;
  /** As AND, OR and XOR see it. An expression that is this operand alone is not cast (S19). */
  readonly seen: Outcome;
  /** What stands before it had settled all. */
  readonly skipped: boolean;
}

export function judge(links: readonly Link[], read: Read): readonly Judged[] {
  let isOver = false;
  let soFar = false;
  return links.map((link) => {
    const own = compileNode(link.node)(read);
    const seen = links.length === 1 ? own : compileAs("Boolean", link.node)(read);
    const skipped = isOver || (link.operator === "AND" && !soFar) || (link.operator === "OR" && soFar);
    if (!skipped) {
      isOver = isFailure(seen);
      soFar = link.operator === "XOR" ? seen !== soFar : seen === true;
    }
    return { ...link, own, seen, skipped };
  });
}
