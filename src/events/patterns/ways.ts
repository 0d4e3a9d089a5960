import { isLeaf } from "./leaf.ts";
import { checkArrayLevels, checkElements, checkWays } from "./limits.ts";
import { read, type Step, type TreeNode } from "./tree.ts";

/**
 * Where keys with dots offer the same paths as nested ones, what can hold together cannot be told key by key. Here every way
 * to choose elements is listed by what it achieves: the conditions it chooses a leaf for, and those for which it leaves a leaf
 * in sight that does not fulfil them. Conditions are bits. Ways that another one beats are dropped, so their number depends on
 * the conditions, not on the length of arrays.
 */
export interface Way {
  readonly chosen: bigint;
  /** Never overlaps with `chosen`. */
  readonly seen: bigint;
}

const NOTHING: Way = { chosen: 0n, seen: 0n };

/** Whether all conditions at and below the node hold this way. */
export function isFulfilled({ chosen, seen }: Way, node: TreeNode): boolean {
  return seen === 0n && (node.required & ~chosen) === 0n;
}

export function waysOfStep(object: object, step: Step, arrays: number): readonly Way[] {
  let ways: readonly Way[] = [NOTHING];
  for (const key of [step, ...step.shortcuts]) ways = together(ways, waysOf(read(object, key), key.node, arrays));
  return ways;
}

function waysOf(value: unknown, node: TreeNode, arrays: number): readonly Way[] {
  if (isLeaf(value)) return [wayOfLeaf(value, node)];
  if (typeof value !== "object" || value === null) return [NOTHING];
  if (Array.isArray(value)) return waysOfArray(value, node, arrays + 1);
  let ways: readonly Way[] = [NOTHING];
  for (const step of node.steps) ways = together(ways, waysOfStep(value, step, arrays));
  return ways;
}

function wayOfLeaf(leaf: string | number | boolean | null, { condition, bit }: TreeNode): Way {
  if (condition === undefined) return NOTHING;
  return condition.holds(leaf) ? { chosen: bit, seen: 0n } : { chosen: 0n, seen: bit };
}

function waysOfArray(array: readonly unknown[], node: TreeNode, arrays: number): readonly Way[] {
  checkArrayLevels(arrays);
  let beside = NOTHING;
  let inSight = 0n;
  const elements: object[] = [];
  for (const element of array) {
    if (isLeaf(element)) beside = union(beside, wayOfLeaf(element, node));
    else if (typeof element === "object") {
      elements.push(element);
      inSight |= bitsOfLeaves(element, node, arrays);
    }
  }
  checkElements(elements.length);
  const ways: Way[] = [union(beside, { chosen: 0n, seen: inSight })];
  for (const element of elements) for (const way of waysOf(element, node, arrays)) if (way.chosen !== 0n) keep(ways, union(beside, way));
  return ways;
}

/** The conditions for which there is any leaf, in whatever element. */
function bitsOfLeaves(value: unknown, node: TreeNode, arrays: number): bigint {
  if (isLeaf(value)) return node.bit;
  if (typeof value !== "object" || value === null) return 0n;
  let bits = 0n;
  if (Array.isArray(value)) {
    checkArrayLevels(arrays + 1);
    for (const element of value as readonly unknown[]) bits |= bitsOfLeaves(element, node, arrays + 1);
    return bits;
  }
  for (const step of node.steps) for (const key of [step, ...step.shortcuts]) bits |= bitsOfLeaves(read(value, key), key.node, arrays);
  return bits;
}

function together(some: readonly Way[], others: readonly Way[]): readonly Way[] {
  const ways: Way[] = [];
  for (const one of some) for (const other of others) keep(ways, union(one, other));
  return ways;
}

function union(a: Way, b: Way): Way {
  const chosen = a.chosen | b.chosen;
  return { chosen, seen: (a.seen | b.seen) & ~chosen };
}

/** Adds a way unless one is there that achieves as much; drops those it beats. */
function keep(ways: Way[], way: Way): void {
  for (const other of ways) if (beats(other, way)) return;
  let kept = 0;
  for (const other of ways) if (!beats(way, other)) ways[kept++] = other;
  ways.length = kept;
  ways.push(way);
  checkWays(ways.length);
}

function beats(a: Way, b: Way): boolean {
  return (b.chosen & ~a.chosen) === 0n && (a.seen & ~b.seen) === 0n;
}
