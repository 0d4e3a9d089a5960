import { compileAlternative, type Predicate } from "./alternative.ts";
import type { Leaf } from "./pattern.ts";
import { PatternError } from "./pattern-error.ts";

/** One path of a pattern with its alternatives, made ready. */
export interface Condition {
  /** Keys joined by dots. */
  readonly path: string;
  /** As it stands in the pattern: what `explain` shows. */
  readonly written: readonly unknown[];
  readonly holds: Predicate;
  /** `exists: false` is among the alternatives. */
  readonly mayBeAbsent: boolean;
  /** All the strings that satisfy it, where nothing else does: what the index can use. */
  readonly exactStrings: readonly string[] | undefined;
}

/** `at` is where the alternatives stand, for errors. */
export function compileCondition(path: string, written: readonly unknown[], at: string): Condition {
  if (written.length === 0) throw new PatternError(at, "an empty list of alternatives matches nothing; write at least one");
  const exact = new Set<Leaf>();
  const predicates: Predicate[] = [];
  let mayBeAbsent = false;
  for (const [i, source] of written.entries()) {
    const alternative = compileAlternative(source, `${at}[${i}]`);
    switch (alternative.kind) {
      case "exact":
        exact.add(alternative.leaf);
        break;
      case "test":
        predicates.push(alternative.test);
        break;
      case "absent":
        mayBeAbsent = true;
        break;
      default:
        alternative satisfies never;
    }
  }
  const leaves = [...exact];
  const onlyStrings = predicates.length === 0 && !mayBeAbsent && leaves.every((leaf) => typeof leaf === "string");
  return {
    path,
    written,
    holds: anyOf(exact.size === 0 ? predicates : [isOneOf(exact), ...predicates]),
    mayBeAbsent,
    exactStrings: onlyStrings ? leaves : undefined,
  };
}

/** A Set compares as the language does: numbers by value, 0 and -0 as one, no type with another. */
function isOneOf(leaves: ReadonlySet<Leaf>): Predicate {
  if (leaves.size > 1) return (leaf) => leaves.has(leaf);
  const [only] = leaves;
  return (leaf) => leaf === only;
}

function anyOf(predicates: readonly Predicate[]): Predicate {
  const [first, second] = predicates;
  if (first === undefined) return () => false;
  if (second === undefined) return first;
  return (leaf) => {
    for (const predicate of predicates) if (predicate(leaf)) return true;
    return false;
  };
}
