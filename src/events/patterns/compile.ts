import { toError } from "../../core/index.ts";
import { countWildcards, isPlainObject, RESERVED_IN_OR } from "./alternative.ts";
import { type Condition, compileCondition } from "./condition.ts";
import { nameOf } from "./name-of.ts";
import type { Pattern } from "./pattern.ts";
import { PatternError } from "./pattern-error.ts";
import { buildTree, type TreeNode } from "./tree.ts";
import { matchesTree } from "./walk.ts";

const MAX_LEVELS = 64;
const MAX_BRANCHES = 1000;
/** Each may read a whole event: 256 of the slowest take 0.8 s for one string of 256 KB; without a limit 18,000 took 29 s. */
const MAX_WILDCARDS = 256;

/** One conjunction of conditions. */
export class Branch {
  readonly conditions: readonly Condition[];
  private arranged: TreeNode | undefined;

  constructor(conditions: readonly Condition[]) {
    this.conditions = conditions;
  }

  /** The conditions arranged for a walk; made at the first use. */
  get tree(): TreeNode {
    return (this.arranged ??= buildTree(this.conditions));
  }
}

/** A pattern made ready: it matches where one of its branches does. */
export class CompiledPattern {
  readonly branches: readonly Branch[];

  constructor(branches: readonly Branch[]) {
    this.branches = branches;
  }

  /** `event` is what JSON.parse returns for a JSON object. */
  matches(event: object): boolean {
    return this.branches.some(({ tree }) => matchesTree(event, tree));
  }
}

/** Checks a pattern and makes it ready; throws PatternError. */
export function compilePattern(pattern: Pattern | string): CompiledPattern {
  const source: unknown = typeof pattern === "string" ? parseJson(pattern) : pattern;
  if (!isPlainObject(source)) throw new PatternError("", `a pattern is an object, not ${nameOf(source)}`);
  const drafts = addFields([[]], source, { keys: [], at: "", level: 1, isInsideOr: false });
  checkWildcards(drafts);
  return new CompiledPattern(drafts.map((draft) => new Branch(draft)));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new PatternError("", `the pattern is not JSON: ${toError(error).message}`);
  }
}

/** A branch while it grows: what is written last replaces what stood at its path before. */
type Draft = readonly Condition[];

interface Place {
  /** The fields that lead here: `$or` is none. */
  readonly keys: readonly string[];
  /** How errors name the place. */
  readonly at: string;
  readonly level: number;
  readonly isInsideOr: boolean;
}

function addFields(drafts: readonly Draft[], fields: object, place: Place): readonly Draft[] {
  if (place.level > MAX_LEVELS) throw new PatternError(place.at, `a pattern has at most ${MAX_LEVELS} levels`);
  const entries: [string, unknown][] = Object.entries(fields);
  if (entries.length === 0)
    throw new PatternError(place.at, `${place.at === "" ? "a pattern" : "an object"} without fields matches nothing; write at least one`);
  return entries.reduce((grown, [key, value]) => addField(grown, key, value, place), drafts);
}

function addField(drafts: readonly Draft[], key: string, value: unknown, place: Place): readonly Draft[] {
  const at = place.at === "" ? key : `${place.at}.${key}`;
  if (key === "$or") return addOr(drafts, value, { ...place, at });
  if (place.isInsideOr && RESERVED_IN_OR.has(key))
    throw new PatternError(at, `"${key}" is an operator and cannot be a field inside "$or"; operators stand in a field's list`);
  const keys = [...place.keys, key];
  if (isPlainObject(value)) return addFields(drafts, value, { ...place, keys, at, level: place.level + 1 });
  if (!Array.isArray(value))
    throw new PatternError(
      at,
      `a field holds a list of alternatives or an object with fields, not ${nameOf(value)}; write a literal as [literal]`,
    );
  const path = keys.join(".");
  if (path.split(".").length > MAX_LEVELS) throw new PatternError(at, `a pattern has at most ${MAX_LEVELS} levels`);
  const condition = compileCondition(path, value, at);
  return drafts.map((draft) => withCondition(draft, condition));
}

function withCondition(draft: Draft, condition: Condition): Draft {
  if (draft.length === 0) return [condition];
  const at = draft.findIndex(({ path }) => path === condition.path);
  return at === -1 ? [...draft, condition] : draft.with(at, condition);
}

/** Each branch so far goes on once with each pattern of the list. */
function addOr(drafts: readonly Draft[], value: unknown, place: Place): readonly Draft[] {
  if (!Array.isArray(value)) throw new PatternError(place.at, `must be a list of patterns, not ${nameOf(value)}`);
  if (value.length < 2) throw new PatternError(place.at, `must list at least two patterns, this is ${value.length}`);
  const grown: Draft[] = [];
  for (const [i, pattern] of (value as readonly unknown[]).entries()) {
    const at = `${place.at}[${i}]`;
    if (!isPlainObject(pattern)) throw new PatternError(at, `must be a pattern, not ${nameOf(pattern)}`);
    grown.push(...addFields(drafts, pattern, { ...place, at, level: place.level + 1, isInsideOr: true }));
    if (grown.length > MAX_BRANCHES)
      throw new PatternError(place.at, `more than ${MAX_BRANCHES} combinations of "$or": write them as several patterns`);
  }
  return grown;
}

/** One condition stands in many branches and is asked in each. */
function checkWildcards(drafts: readonly Draft[]): void {
  const counts = new Map<Condition, number>();
  let total = 0;
  for (const draft of drafts) {
    for (const condition of draft) {
      const count = counts.get(condition) ?? countWildcards(condition.written);
      counts.set(condition, count);
      total += count;
    }
  }
  if (total > MAX_WILDCARDS)
    throw new PatternError(
      "",
      `a pattern has at most ${MAX_WILDCARDS} wildcards, those in every combination of "$or" counted; this one has ${total}: write it as several patterns`,
    );
}
