import { isLeaf } from "./leaf.ts";
import { checkArrayLevels } from "./limits.ts";
import type { Leaf } from "./pattern.ts";
import { read, type Step, type TreeNode } from "./tree.ts";
import { isFulfilled, waysOfStep } from "./ways.ts";

/**
 * Walks an event and the tree of a branch together (SPEC.md, "How it works"). What a value answers to the conditions at and
 * below a node:
 *
 * - NO: they do not hold;
 * - ABSENT: they all hold by being absent, there is no leaf at any of their paths;
 * - CHOSEN: they hold, and at least one of them by a leaf.
 *
 * The last two are kept apart because an element of an array is chosen only by a leaf in it: `exists: false` by itself looks at
 * all elements, next to a chosen leaf at that leaf's element only.
 */
const NO = 0;
const ABSENT = 1;
const CHOSEN = 2;
type Answer = typeof NO | typeof ABSENT | typeof CHOSEN;

/** How a node's own condition is to be taken: leaves that stand beside an element bear on it too. */
const AS_WRITTEN = 0;
/** It holds already. */
const SETTLED = 1;
/** There is a leaf, so it cannot be absent. */
const REQUIRED = 2;
type Own = typeof AS_WRITTEN | typeof SETTLED | typeof REQUIRED;

export function matchesTree(event: object, tree: TreeNode): boolean {
  return walkObject(event, tree, AS_WRITTEN, 0) !== NO;
}

function walk(value: unknown, node: TreeNode, own: Own, arrays: number): Answer {
  if (typeof value === "object" && value !== null) {
    return Array.isArray(value) ? walkArray(value, node, own, arrays + 1) : walkObject(value, node, own, arrays);
  }
  if (!node.stepsMayBeAbsent) return NO;
  return isLeaf(value) ? walkLeaf(value, node, own) : withoutLeaf(node, own);
}

function walkLeaf(leaf: Leaf, { condition }: TreeNode, own: Own): Answer {
  if (condition === undefined || own === SETTLED) return ABSENT;
  return condition.holds(leaf) ? CHOSEN : NO;
}

/** The node's own condition where no leaf stands at its path. */
function withoutLeaf({ condition }: TreeNode, own: Own): Answer {
  if (condition === undefined || own === SETTLED) return ABSENT;
  return own === AS_WRITTEN && condition.mayBeAbsent ? ABSENT : NO;
}

function walkObject(object: object, node: TreeNode, own: Own, arrays: number): Answer {
  let answer = withoutLeaf(node, own);
  if (answer === NO) return NO;
  for (const step of node.steps) {
    const ofStep = walkStep(object, step, arrays);
    if (ofStep === NO) return NO;
    if (ofStep === CHOSEN) answer = CHOSEN;
  }
  return answer;
}

function walkStep(object: object, step: Step, arrays: number): Answer {
  for (const shortcut of step.shortcuts) if (read(object, shortcut) !== undefined) return walkShortcuts(object, step, arrays);
  return walk(read(object, step), step.node, AS_WRITTEN, arrays);
}

/** Dotted keys offer paths below the step a second time: rare, and the one case that needs a search. */
function walkShortcuts(object: object, step: Step, arrays: number): Answer {
  const way = waysOfStep(object, step, arrays).find((candidate) => isFulfilled(candidate, step.node));
  if (way === undefined) return NO;
  return way.chosen === 0n ? ABSENT : CHOSEN;
}

function walkArray(array: readonly unknown[], node: TreeNode, own: Own, arrays: number): Answer {
  checkArrayLevels(arrays);
  if (node.condition === undefined || own === SETTLED) return walkElements(array, node, own, arrays);
  let hasLeaf = false;
  for (const element of array) {
    if (!isLeaf(element)) continue;
    if (node.condition.holds(element)) return besideLeaf(array, node, arrays);
    hasLeaf = true;
  }
  return walkElements(array, node, hasLeaf ? REQUIRED : own, arrays);
}

/** A leaf of the array fulfils the node's own condition; what is below may be absent from all elements, or chosen in one. */
function besideLeaf(array: readonly unknown[], node: TreeNode, arrays: number): Answer {
  if (walkElements(array, node, SETTLED, arrays) !== NO) return CHOSEN;
  return walkElements(array, node, REQUIRED, arrays);
}

/** At most one element, an object or an array, is chosen; if none is, all must lack everything. */
function walkElements(array: readonly unknown[], node: TreeNode, own: Own, arrays: number): Answer {
  let answer = node.stepsMayBeAbsent ? withoutLeaf(node, own) : NO;
  for (const element of array) {
    if (typeof element !== "object" || element === null) continue;
    const ofElement = walk(element, node, own, arrays);
    if (ofElement === CHOSEN) return CHOSEN;
    if (ofElement === NO) answer = NO;
  }
  return answer;
}
