import type { Condition } from "./condition.ts";

/** The conditions of a branch, arranged by the keys of their paths. */
export interface TreeNode {
  readonly condition: Condition | undefined;
  /** The bit of the node's own condition among those of the branch; 0 where it has none. */
  readonly bit: bigint;
  /** The bits of all conditions at and below the node that cannot be absent. */
  readonly required: bigint;
  readonly steps: readonly Step[];
  /** Everything below (without the node's own condition) may be absent. */
  readonly stepsMayBeAbsent: boolean;
}

export interface Step extends Key {
  /** Keys with dots that lead past the node, to nodes below it. */
  readonly shortcuts: readonly Key[];
}

/** One key of an event's object and where it leads. */
export interface Key {
  readonly name: string;
  readonly node: TreeNode;
}

interface Draft {
  condition: Condition | undefined;
  bit: bigint;
  readonly below: Map<string, Draft>;
}

export function buildTree(conditions: readonly Condition[]): TreeNode {
  const root = newDraft();
  for (const [i, condition] of conditions.entries()) {
    let draft = root;
    for (const name of condition.path.split(".")) {
      let next = draft.below.get(name);
      if (next === undefined) draft.below.set(name, (next = newDraft()));
      draft = next;
    }
    draft.condition = condition;
    draft.bit = 1n << BigInt(i);
  }
  return toNode(root);
}

function newDraft(): Draft {
  return { condition: undefined, bit: 0n, below: new Map() };
}

function toNode({ condition, bit, below }: Draft): TreeNode {
  const steps = Array.from(below, ([name, draft]) => toStep(name, toNode(draft)));
  let required = condition === undefined || condition.mayBeAbsent ? 0n : bit;
  for (const { node } of steps) required |= node.required;
  return { condition, bit, required, steps, stepsMayBeAbsent: steps.every(({ node }) => node.required === 0n) };
}

function toStep(name: string, node: TreeNode): Step {
  const shortcuts = node.steps
    .flatMap((step) => [step, ...step.shortcuts])
    .map((key): Key => ({ name: `${name}.${key.name}`, node: key.node }));
  return { name, node, shortcuts };
}

/** What an object has of its own under a key; undefined where it has nothing. */
export function read(object: object, { name }: Key): unknown {
  const value = (object as Readonly<Record<string, unknown>>)[name];
  return value !== undefined && Object.hasOwn(object, name) ? value : undefined;
}
