import type { Pattern } from "../index.ts";

/**
 * A matcher written straight from SPEC.md and from nothing else: it lists all leaves of the event with the elements they stand in,
 * multiplies out `$or`, and tries every choice of leaves. Slow, and short enough to be judged by reading.
 */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export interface ReferenceLeaf {
  path: string;
  value: Json;
  elements: Map<Json[], number>;
}

export function leavesOf(value: Json, path: string[], elements: Map<Json[], number>, leaves: ReferenceLeaf[]): ReferenceLeaf[] {
  if (value === null || typeof value !== "object") leaves.push({ path: path.join("."), value, elements });
  else if (!Array.isArray(value)) for (const [key, inner] of Object.entries(value)) leavesOf(inner, [...path, key], elements, leaves);
  else
    for (const [i, element] of value.entries()) {
      const isComposite = element !== null && typeof element === "object";
      leavesOf(element, path, isComposite ? new Map([...elements, [value, i]]) : elements, leaves);
    }
  return leaves;
}

type Alternatives = Json[];
type ReferenceBranch = Map<string, Alternatives>;

export function branchesOf(fields: { [key: string]: Json }, path: string[], branches: ReferenceBranch[]): ReferenceBranch[] {
  for (const [key, value] of Object.entries(fields)) {
    if (key === "$or") branches = (value as { [key: string]: Json }[]).flatMap((pattern) => branchesOf(pattern, path, branches));
    else if (Array.isArray(value)) branches = branches.map((branch) => new Map(branch).set([...path, key].join("."), value));
    else branches = branchesOf(value as { [key: string]: Json }, [...path, key], branches);
  }
  return branches;
}

function areConsistent(leaves: readonly ReferenceLeaf[], leaf: ReferenceLeaf): boolean {
  return leaves.every((other) => [...leaf.elements].every(([array, i]) => (other.elements.get(array) ?? i) === i));
}

function branchMatches(branch: ReferenceBranch, leaves: readonly ReferenceLeaf[]): boolean {
  const conditions = [...branch];
  const choose = (i: number, chosen: ReferenceLeaf[], absent: string[]): boolean => {
    const condition = conditions[i];
    if (condition === undefined) return absent.every((path) => !leaves.some((leaf) => leaf.path === path && areConsistent(chosen, leaf)));
    const [path, alternatives] = condition;
    for (const leaf of leaves) {
      if (leaf.path !== path || !areConsistent(chosen, leaf)) continue;
      if (alternatives.some((alternative) => holds(alternative, leaf.value)) && choose(i + 1, [...chosen, leaf], absent)) return true;
    }
    return alternatives.some((a) => isOperator(a, "exists") && !a["exists"]) && choose(i + 1, chosen, [...absent, path]);
  };
  return choose(0, [], []);
}

function isOperator(value: Json, name: string): value is { [key: string]: Json } {
  return value !== null && typeof value === "object" && !Array.isArray(value) && name in value;
}

function holds(alternative: Json, value: Json): boolean {
  if (alternative === null || typeof alternative !== "object" || Array.isArray(alternative)) return alternative === value;
  const [[name, argument] = ["", null]] = Object.entries(alternative);
  const text = typeof value === "string" ? value : undefined;
  switch (name) {
    case "prefix":
      if (isOperator(argument, "equals-ignore-case"))
        return text?.toLowerCase().startsWith((argument["equals-ignore-case"] as string).toLowerCase()) ?? false;
      return text?.startsWith(argument as string) ?? false;
    case "suffix":
      if (isOperator(argument, "equals-ignore-case"))
        return text?.toLowerCase().endsWith((argument["equals-ignore-case"] as string).toLowerCase()) ?? false;
      return text?.endsWith(argument as string) ?? false;
    case "equals-ignore-case":
      return text?.toLowerCase() === (argument as string).toLowerCase();
    case "wildcard":
      return text !== undefined && regExpOf(argument as string).test(text);
    case "exists":
      return argument === true;
    case "numeric":
      return typeof value === "number" && comparesAll(argument as Json[], value);
    case "anything-but":
      if (isOperator(argument, Object.keys(argument ?? {})[0] ?? ""))
        return Object.entries(argument).every(([operator, list]) => [list].flat().every((item) => !holds({ [operator]: item }, value)));
      return [argument].flat().every((item) => item !== value);
    default:
      throw new Error(`the reference does not know ${name}`);
  }
}

function comparesAll(terms: Json[], value: number): boolean {
  const [operator, bound, ...more] = terms;
  const b = bound as number;
  const isSo =
    operator === "="
      ? value === b
      : operator === "<"
        ? value < b
        : operator === "<="
          ? value <= b
          : operator === ">"
            ? value > b
            : value >= b;
  return isSo && (more.length === 0 || comparesAll(more, value));
}

function regExpOf(wildcard: string): RegExp {
  const tokens = wildcard.match(/\\[\s\S]|[\s\S]/gu) ?? [];
  const source = tokens.map((token) => (token === "*" ? "[\\s\\S]*" : token.replace(/^\\/u, "").replace(/[\\^$.*+?()[\]{}|/-]/gu, "\\$&")));
  return new RegExp(`^${source.join("")}$`, "u");
}

export function referenceMatches(pattern: Pattern, event: Json): boolean {
  const leaves = leavesOf(event, [], new Map(), []);
  return branchesOf(pattern as { [key: string]: Json }, [], [new Map()]).some((branch) => branchMatches(branch, leaves));
}
