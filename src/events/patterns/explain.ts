import { compilePattern } from "./compile.ts";
import type { Condition } from "./condition.ts";
import { type EventInput, readEvent } from "./event.ts";
import { hintOfApart } from "./hint-of-apart.ts";
import { hintOfPath } from "./hint-of-path.ts";
import { hintOfValue } from "./hint-of-value.ts";
import { heldTogether, holdTogether } from "./held-together.ts";
import type { Pattern } from "./pattern.ts";
import { standingAt } from "./standing.ts";

export interface Explanation {
  readonly matched: boolean;
  /** The condition that failed, in the branch of the pattern that came furthest. */
  readonly failed?: FailedCondition;
  /** The branch that matches or came furthest comes first; at most 20. A pattern without `$or` is one branch. */
  readonly branches: readonly ExplainedBranch[];
  /** How many the pattern has. */
  readonly branchCount: number;
}

export interface ExplainedBranch {
  /** Its number, from 1, in the order in which the pattern's `$or` are multiplied out. */
  readonly branch: number;
  readonly matched: boolean;
  /** As the pattern has them. */
  readonly conditions: readonly ExplainedCondition[];
}

export type ExplainedCondition = HeldCondition | (FailedCondition & { readonly holds: false });

export interface HeldCondition {
  readonly holds: true;
  readonly path: string;
  readonly condition: unknown;
  /** What fits: one value, a list of several (at most 20), or undefined where it holds because nothing is there. */
  readonly found: unknown;
}

export interface FailedCondition {
  readonly path: string;
  /** The alternatives as the pattern has them. */
  readonly condition: unknown;
  /** What the event has there: one value, a list of several (at most 20), or undefined. */
  readonly found: unknown;
  /** Nothing to match there; nothing that fits; or what fits is in another element of an array than what the other conditions hold for. */
  readonly reason: "missing" | "mismatch" | "apart";
  /** What most likely was meant, for people; absent where nothing is likely. */
  readonly hint?: string;
}

const MOST_SHOWN = 20;
const MOST_BRANCHES = 20;

/** Why an event does not match a pattern, or that it does. */
export function explain(pattern: Pattern | string, event: EventInput): Explanation {
  const { branches } = compilePattern(pattern);
  const object = readEvent(event);
  const judged = branches.map(({ conditions }, i) => judge(i + 1, conditions, object)).sort(furthestFirst);
  const described = judged.slice(0, MOST_BRANCHES).map((branch) => describe(branch, object));
  const [first] = described;
  const all = { matched: first?.matched ?? false, branches: described, branchCount: branches.length };
  const failed = first?.conditions.find((condition) => !condition.holds);
  if (failed === undefined) return all;
  const { holds: _, ...facts } = failed;
  return { ...all, failed: facts };
}

interface Judged {
  readonly branch: number;
  readonly conditions: readonly Condition[];
  readonly held: ReadonlySet<Condition>;
  /** How many hold before the first that does not. */
  readonly run: number;
}

function judge(branch: number, conditions: readonly Condition[], event: object): Judged {
  const held = heldTogether(conditions, event);
  const firstFailed = conditions.findIndex((condition) => !held.has(condition));
  return { branch, conditions, held, run: firstFailed < 0 ? Infinity : firstFailed };
}

/** Of those that came equally far, the one that lacks least. */
function furthestFirst(a: Judged, b: Judged): number {
  if (a.run !== b.run) return a.run > b.run ? -1 : 1;
  return lacking(a) - lacking(b);
}

function lacking({ conditions, held }: Judged): number {
  return conditions.length - held.size;
}

function describe(judged: Judged, event: object): ExplainedBranch {
  const { branch, conditions, held } = judged;
  return {
    branch,
    matched: lacking(judged) === 0,
    conditions: conditions.map((condition) =>
      held.has(condition) ? describeHeld(condition, event) : { holds: false, ...describeFailed(condition, [...held], event) },
    ),
  };
}

function describeHeld({ path, written, holds }: Condition, event: object): HeldCondition {
  const fitting = standingAt(event, path).leaves.filter(holds);
  return { holds: true, path, condition: written, found: oneOrSeveral(fitting) };
}

function describeFailed(condition: Condition, held: readonly Condition[], event: object): FailedCondition {
  const { path, written } = condition;
  const { leaves, other } = standingAt(event, path);
  const facts = { path, condition: written, found: leaves.length === 0 ? other : oneOrSeveral(leaves) };
  if (leaves.length === 0) return withHint({ ...facts, reason: "missing" }, hintOfPath(path, other, event));
  if (holdTogether([condition], event)) return withHint({ ...facts, reason: "apart" }, hintOfApart(condition, held, event));
  return withHint({ ...facts, reason: "mismatch" }, hintOfValue(written, leaves.slice(0, MOST_SHOWN)));
}

function withHint(facts: FailedCondition, hint: string | undefined): FailedCondition {
  return hint === undefined ? facts : { ...facts, hint };
}

function oneOrSeveral(values: readonly unknown[]): unknown {
  return values.length > 1 ? values.slice(0, MOST_SHOWN) : values[0];
}
