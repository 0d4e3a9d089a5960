import { nameOf } from "./name-of.ts";
import type { Leaf } from "./pattern.ts";
import { PatternError } from "./pattern-error.ts";

const COMPARISONS = {
  "=": (bound: number) => (leaf: Leaf) => leaf === bound,
  "<": (bound: number) => (leaf: Leaf) => typeof leaf === "number" && leaf < bound,
  "<=": (bound: number) => (leaf: Leaf) => typeof leaf === "number" && leaf <= bound,
  ">": (bound: number) => (leaf: Leaf) => typeof leaf === "number" && leaf > bound,
  ">=": (bound: number) => (leaf: Leaf) => typeof leaf === "number" && leaf >= bound,
} as const;

type Comparison = keyof typeof COMPARISONS;

/** `[">", 0]`, or a lower and an upper bound: `[">", 0, "<=", 5]`. */
export function compileNumeric(argument: unknown, at: string): (leaf: Leaf) => boolean {
  if (!Array.isArray(argument)) throw new PatternError(at, `must be a list such as [">", 0, "<=", 5], not ${nameOf(argument)}`);
  const terms: readonly unknown[] = argument;
  if (terms.length !== 2 && terms.length !== 4)
    throw new PatternError(at, `must be one comparison with its number, or a lower and an upper bound; these are ${terms.length} terms`);
  const operator = comparison(terms[0], `${at}[0]`);
  const bound = number(terms[1], `${at}[1]`);
  const holds = COMPARISONS[operator](bound);
  if (terms.length === 2) return holds;
  const upperOperator = comparison(terms[2], `${at}[2]`);
  const upper = number(terms[3], `${at}[3]`);
  if (!operator.startsWith(">") || !upperOperator.startsWith("<"))
    throw new PatternError(
      at,
      `a range is a lower bound (">" or ">=") and then an upper one ("<" or "<="), not "${operator}" and "${upperOperator}"`,
    );
  if (bound >= upper) throw new PatternError(at, `the lower bound must be less than the upper one, ${bound} is not less than ${upper}`);
  const holdsBelow = COMPARISONS[upperOperator](upper);
  return (leaf) => holds(leaf) && holdsBelow(leaf);
}

function comparison(term: unknown, at: string): Comparison {
  if (typeof term === "string" && Object.hasOwn(COMPARISONS, term)) return term as Comparison;
  const shown = typeof term === "string" ? `"${term}"` : nameOf(term);
  throw new PatternError(at, `must be one of "=", "<", "<=", ">", ">=", not ${shown}`);
}

function number(term: unknown, at: string): number {
  if (typeof term !== "number") throw new PatternError(at, `must be a number, not ${nameOf(term)}`);
  if (!Number.isFinite(term)) throw new PatternError(at, `${term} is no number that JSON can carry`);
  return term;
}
