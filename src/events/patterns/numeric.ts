import { nameOf } from "./name-of.ts";
import { nextDown, nextUp } from "./next-double.ts";
import { PatternError } from "./pattern-error.ts";
import type { NumberTest, RangeTest } from "./test.ts";

const COMPARISONS = ["=", "<", "<=", ">", ">="] as const;

type Comparison = (typeof COMPARISONS)[number];

/** `[">", 0]`, or a lower and an upper bound: `[">", 0, "<=", 5]`. */
export function compileNumeric(argument: unknown, at: string): NumberTest | RangeTest {
  if (!Array.isArray(argument)) throw new PatternError(at, `must be a list such as [">", 0, "<=", 5], not ${nameOf(argument)}`);
  const terms: readonly unknown[] = argument;
  if (terms.length !== 2 && terms.length !== 4)
    throw new PatternError(at, `must be one comparison with its number, or a lower and an upper bound; these are ${terms.length} terms`);
  const operator = comparison(terms[0], `${at}[0]`);
  const bound = number(terms[1], `${at}[1]`);
  const first = rangeOf(operator, bound);
  if (terms.length === 2) return operator === "=" ? { kind: "number", value: bound } : first;
  const upperOperator = comparison(terms[2], `${at}[2]`);
  const upper = number(terms[3], `${at}[3]`);
  if (!operator.startsWith(">") || !upperOperator.startsWith("<"))
    throw new PatternError(
      at,
      `a range is a lower bound (">" or ">=") and then an upper one ("<" or "<="), not "${operator}" and "${upperOperator}"`,
    );
  if (bound >= upper) throw new PatternError(at, `the lower bound must be less than the upper one, ${bound} is not less than ${upper}`);
  return { kind: "range", low: first.low, high: rangeOf(upperOperator, upper).high };
}

function rangeOf(operator: Comparison, bound: number): RangeTest {
  switch (operator) {
    case "=":
      return { kind: "range", low: bound, high: bound };
    case "<":
      return { kind: "range", low: -Infinity, high: nextDown(bound) };
    case "<=":
      return { kind: "range", low: -Infinity, high: bound };
    case ">":
      return { kind: "range", low: nextUp(bound), high: Infinity };
    case ">=":
      return { kind: "range", low: bound, high: Infinity };
    default:
      return operator satisfies never;
  }
}

function comparison(term: unknown, at: string): Comparison {
  const known = COMPARISONS.find((name) => name === term);
  if (known !== undefined) return known;
  const shown = typeof term === "string" ? `"${term}"` : nameOf(term);
  throw new PatternError(at, `must be one of "=", "<", "<=", ">", ">=", not ${shown}`);
}

function number(term: unknown, at: string): number {
  if (typeof term !== "number") throw new PatternError(at, `must be a number, not ${nameOf(term)}`);
  if (!Number.isFinite(term)) throw new PatternError(at, `${term} is no number that JSON can carry`);
  return term;
}
