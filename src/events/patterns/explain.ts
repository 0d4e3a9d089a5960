import { type Branch, compilePattern } from "./compile.ts";
import type { Condition } from "./condition.ts";
import { type EventInput, readEvent } from "./event.ts";
import { isLeaf } from "./leaf.ts";
import { checkArrayLevels } from "./limits.ts";
import type { Leaf, Pattern } from "./pattern.ts";
import { buildTree } from "./tree.ts";
import { matchesTree } from "./walk.ts";

export interface Explanation {
  readonly matched: boolean;
  /** The condition that failed, in the branch of the pattern that came furthest. */
  readonly failed?: FailedCondition;
}

export interface FailedCondition {
  readonly path: string;
  /** The alternatives as the pattern has them. */
  readonly condition: unknown;
  /** What the event has there: one value, a list of several (at most 20), or undefined. */
  readonly found: unknown;
  /** Nothing to match there; nothing that fits; or what fits is in another element of an array than what the conditions before it hold for. */
  readonly reason: "missing" | "mismatch" | "apart";
}

const MOST_SHOWN = 20;

/** Why an event does not match a pattern, or that it does. */
export function explain(pattern: Pattern | string, event: EventInput): Explanation {
  const compiled = compilePattern(pattern);
  const object = readEvent(event);
  if (compiled.matches(object)) return { matched: true };
  let furthest: Progress | undefined;
  for (const branch of compiled.branches) {
    const progress = progressOf(branch, object);
    if (progress !== undefined && (furthest === undefined || progress.held > furthest.held)) furthest = progress;
  }
  return furthest === undefined ? { matched: false } : { matched: false, failed: describe(furthest.failed, object) };
}

interface Progress {
  /** How many conditions hold together before the one that fails. */
  readonly held: number;
  readonly failed: Condition;
}

/** Conditions that may be absent come last: what they look at depends on the elements that the others choose. */
function progressOf(branch: Branch, event: object): Progress | undefined {
  const ordered = [...branch.conditions].sort((a, b) => Number(a.mayBeAbsent) - Number(b.mayBeAbsent));
  for (const [held, failed] of ordered.entries()) {
    if (!matchesTree(event, buildTree(ordered.slice(0, held + 1)))) return { held, failed };
  }
  return undefined;
}

function describe(condition: Condition, event: object): FailedCondition {
  const there: There = { leaves: [], other: undefined };
  look(event, condition.path.split("."), 0, there, 0);
  const shown = there.leaves.slice(0, MOST_SHOWN);
  const found = shown.length === 0 ? there.other : shown.length === 1 ? shown[0] : shown;
  const reason = there.leaves.length === 0 ? "missing" : matchesTree(event, buildTree([condition])) ? "apart" : "mismatch";
  return { path: condition.path, condition: condition.written, found, reason };
}

/** What stands at a path: leaves, or else an object or an empty array. */
interface There {
  readonly leaves: Leaf[];
  other: object | undefined;
}

function look(value: unknown, keys: readonly string[], from: number, there: There, arrays: number): void {
  const isThere = from === keys.length;
  if (isLeaf(value)) {
    if (isThere) there.leaves.push(value);
    return;
  }
  if (typeof value !== "object" || value === null) return;
  if (isThere) there.other ??= value;
  if (Array.isArray(value)) {
    checkArrayLevels(arrays + 1);
    for (const element of value as readonly unknown[]) look(element, keys, from, there, arrays + 1);
    return;
  }
  for (let to = from + 1; to <= keys.length; to++) {
    const key = keys.slice(from, to).join(".");
    if (Object.hasOwn(value, key)) look((value as Readonly<Record<string, unknown>>)[key], keys, to, there, arrays);
  }
}
