import { foldCase } from "./fold-case.ts";
import { isInBlock, isSameIp, parseIp } from "./ip.ts";
import type { Leaf } from "./pattern.ts";
import type { Test } from "./test.ts";
import { matchesWildcard } from "./wildcard.ts";

export type Predicate = (leaf: Leaf) => boolean;

/** Whether any of the tests holds for a leaf. */
export function anyOf(tests: readonly Test[]): Predicate {
  const literals = new Set<Leaf>();
  const predicates: Predicate[] = [];
  for (const test of tests) {
    const literal = literalOf(test);
    if (literal !== undefined) literals.add(literal);
    else predicates.push(predicateOf(test));
  }
  if (literals.size > 0) predicates.unshift(isOneOf(literals));
  const [first, second] = predicates;
  if (first === undefined) return () => false;
  if (second === undefined) return first;
  return (leaf) => {
    for (const predicate of predicates) if (predicate(leaf)) return true;
    return false;
  };
}

/** A Set compares as the language does: numbers by value, 0 and -0 as one, no type with another. */
function isOneOf(leaves: ReadonlySet<Leaf>): Predicate {
  if (leaves.size > 1) return (leaf) => leaves.has(leaf);
  const [only] = leaves;
  return (leaf) => leaf === only;
}

function literalOf(test: Test): Leaf | undefined {
  if (test.kind === "text") return test.fold ? undefined : test.text;
  return test.kind === "number" || test.kind === "word" ? test.value : undefined;
}

function predicateOf(test: Test): Predicate {
  switch (test.kind) {
    case "text":
      return test.fold ? equalsFolded(test.text) : (leaf) => leaf === test.text;
    case "prefix":
      return test.fold ? startsFolded(test.text) : (leaf) => typeof leaf === "string" && leaf.startsWith(test.text);
    case "suffix":
      return test.fold ? endsFolded(test.text) : (leaf) => typeof leaf === "string" && leaf.endsWith(test.text);
    case "wildcard":
      return (leaf) => typeof leaf === "string" && matchesWildcard(test.wildcard, leaf);
    case "number":
    case "word":
      return (leaf) => leaf === test.value;
    case "range":
      return (leaf) => typeof leaf === "number" && leaf >= test.low && leaf <= test.high;
    case "ip":
      return (leaf) => typeof leaf === "string" && (leaf === test.text || isAddress(leaf, test.address));
    case "cidr":
      return (leaf) => {
        const address = typeof leaf === "string" ? parseIp(leaf) : undefined;
        return address !== undefined && isInBlock(address, test.block);
      };
    case "present":
      return () => true;
    case "absent":
      return () => false;
    case "except": {
      const isExcluded = anyOf(test.tests);
      return (leaf) => !isExcluded(leaf);
    }
    default:
      return test satisfies never;
  }
}

// Folding keeps the length, so no more of a long string is folded than is compared.

function equalsFolded(text: string): Predicate {
  return (leaf) => typeof leaf === "string" && leaf.length === text.length && foldCase(leaf) === text;
}

function startsFolded(start: string): Predicate {
  // One unit more, so that no pair of surrogates is cut.
  return (leaf) => typeof leaf === "string" && foldCase(leaf.slice(0, start.length + 1)).startsWith(start);
}

function endsFolded(end: string): Predicate {
  return (leaf) => typeof leaf === "string" && foldCase(leaf.slice(-end.length - 1)).endsWith(end);
}

function isAddress(text: string, address: readonly number[]): boolean {
  if (!text.includes(":")) return false;
  const other = parseIp(text);
  return other !== undefined && isSameIp(other, address);
}
