import type { Alternative, AnythingBut, Leaf } from "../patterns/index.ts";
import { compileCondition } from "../patterns/condition.ts";

interface Meeting {
  readonly alternatives: readonly Alternative[];
  /** False where the alternatives let through more than what satisfies both. */
  readonly isExact: boolean;
}

/** What satisfies both lists of alternatives of one attribute: a pattern takes only one list for it (C3). */
export function meet(one: readonly Alternative[], other: readonly Alternative[]): Meeting {
  const alternatives = new Map<string, Alternative>();
  let isExact = true;
  const first = sorted(one);
  const second = sorted(other);
  const add = (alternative: Alternative): void => void alternatives.set(JSON.stringify(alternative), alternative);
  for (const leaf of first.leaves) if (second.holds(leaf)) add(leaf);
  for (const leaf of second.leaves) if (first.holds(leaf)) add(leaf);
  if (first.mayBeAbsent && second.mayBeAbsent) add({ exists: false });
  for (const a of first.operators) {
    for (const b of second.operators) {
      const joint = meetOperators(a, b);
      if (joint === undefined) continue;
      add(joint.alternative);
      isExact &&= joint.isExact;
    }
  }
  return { alternatives: [...alternatives.values()], isExact };
}

interface Sorted {
  readonly leaves: readonly Leaf[];
  readonly mayBeAbsent: boolean;
  /** What tests a leaf. */
  readonly operators: readonly Operator[];
  readonly holds: (leaf: Leaf) => boolean;
}

type Operator = Exclude<Alternative, Leaf>;

/** Claims share their lists, and joining claims meets the same ones over and over. */
const known = new WeakMap<readonly Alternative[], Sorted>();

function sorted(alternatives: readonly Alternative[]): Sorted {
  const before = known.get(alternatives);
  if (before !== undefined) return before;
  const made = sort(alternatives);
  known.set(alternatives, made);
  return made;
}

function sort(alternatives: readonly Alternative[]): Sorted {
  const { holds, mayBeAbsent } = compileCondition("attribute", alternatives, "");
  const leaves: Leaf[] = [];
  const operators: Operator[] = [];
  for (const alternative of alternatives) {
    if (typeof alternative !== "object" || alternative === null) leaves.push(alternative);
    else if (!("exists" in alternative) || alternative.exists) operators.push(alternative);
  }
  return { leaves, mayBeAbsent, operators, holds };
}

function meetOperators(a: Operator, b: Operator): { readonly alternative: Operator; readonly isExact: boolean } | undefined {
  if ("exists" in a || JSON.stringify(a) === JSON.stringify(b)) return { alternative: b, isExact: true };
  if ("exists" in b) return { alternative: a, isExact: true };
  const excludedByA = excludedStrings(a);
  const excludedByB = excludedStrings(b);
  if (excludedByA !== undefined && excludedByB !== undefined)
    return { alternative: { "anything-but": [...new Set([...excludedByA, ...excludedByB])] }, isExact: true };
  if (excludedByA !== undefined) return { alternative: b, isExact: excludesNothing(excludedByA, b) };
  if (excludedByB !== undefined) return { alternative: a, isExact: excludesNothing(excludedByB, a) };
  if (kindOf(a) !== "any" && kindOf(b) !== "any" && kindOf(a) !== kindOf(b)) return undefined;
  return { alternative: "anything-but" in a ? b : a, isExact: false };
}

/** None of the excluded strings would have passed anyway. */
function excludesNothing(excluded: readonly string[], operator: Operator): boolean {
  const { holds } = compileCondition("attribute", [operator], "");
  return !excluded.some((text) => holds(text));
}

function excludedStrings(operator: Operator): readonly string[] | undefined {
  if (!("anything-but" in operator)) return undefined;
  const excluded: AnythingBut = operator["anything-but"];
  const list = Array.isArray(excluded) ? (excluded as readonly unknown[]) : [excluded];
  return list.every((item) => typeof item === "string") ? list : undefined;
}

/** Operators of one type of leaf never meet those of another. */
function kindOf(operator: Operator): "string" | "number" | "any" {
  if ("anything-but" in operator || "exists" in operator) return "any";
  return "numeric" in operator ? "number" : "string";
}
