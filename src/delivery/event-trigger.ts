import { MillraceError } from "../core/errors.ts";
import { isReservedType } from "../events/index.ts";
import {
  type ExplainedBranch,
  type ExplainedCondition,
  explain,
  type Explanation,
  type Pattern,
  type Rule,
} from "../events/patterns/index.ts";
import { compileSql, explainSql, type SqlExplanation } from "../events/sql/index.ts";
import type { Trigger } from "../protocol/manifest.ts";

export type EventTrigger = Extract<Trigger, { kind: "event" }>;

/** The one pattern of a trigger: its `where`, and its type, which stands last so that no `$or` replaces it. */
export function patternOf(trigger: EventTrigger): Pattern {
  const where = trigger.where ?? {};
  if (Object.hasOwn(where, "type")) {
    throw new MillraceError("bad_pattern", `where.type: the type is the first argument of event("${trigger.type}"); give it only there`);
  }
  return { ...where, type: [trigger.type.includes("*") ? { wildcard: trigger.type.replaceAll("\\", "\\\\") } : trigger.type] };
}

/**
 * What wakes a trigger's function: its pattern and its expression, both. What the expression implies joins the pattern where the two look
 * at different attributes, so that the matcher finds the trigger by the rarer of them; else the expression is asked where the pattern matches.
 */
export function ruleOf(trigger: EventTrigger): Rule {
  const pattern = patternOf(trigger);
  if (trigger.sql === null) return { implied: pattern, guard: undefined };
  const { rule, guard } = compileSql(trigger.sql);
  if (rule.implied === undefined || !areApart(rule.implied, pattern)) return { implied: pattern, guard };
  return { implied: { ...rule.implied, ...pattern }, guard: rule.guard };
}

/** Neither names an attribute of the other; `$or` counts as a name, for one replaces another. */
function areApart(one: Pattern, other: Pattern): boolean {
  const names = attributesOf(other);
  return [...attributesOf(one)].every((name) => !names.has(name));
}

function attributesOf(pattern: Pattern, names = new Set<string>()): Set<string> {
  for (const [key, value] of Object.entries(pattern)) {
    names.add(key === "$or" ? key : (key.split(".")[0] ?? key));
    if (key === "$or") for (const inner of value as readonly Pattern[]) attributesOf(inner, names);
  }
  return names;
}

/** The platform's own types are for those that name them: no `*` lets them in (D8). */
export function admits(trigger: EventTrigger, type: string): boolean {
  return trigger.type === type || !isReservedType(type);
}

/** Its pattern, and its expression beside that; `matched` where both are met. */
export interface TriggerExplanation extends Explanation {
  /** Null where the trigger has no expression. */
  readonly sql: SqlExplanation | null;
}

/** Why an event does not wake the function of a trigger, or that it does: by the pattern, by D8, and by the expression. */
export function explainTrigger(trigger: EventTrigger, event: object): TriggerExplanation {
  const pattern = explainPattern(trigger, event);
  const sql = trigger.sql === null ? null : explainSql(trigger.sql, event);
  return { ...pattern, matched: pattern.matched && (sql?.matched ?? true), sql };
}

function explainPattern(trigger: EventTrigger, event: object): Explanation {
  const explanation = explain(patternOf(trigger), event);
  const type = "type" in event ? event.type : undefined;
  const isKeptOut = typeof type === "string" && !admits(trigger, type);
  const branches = explanation.branches.map((branch) => ({
    ...branch,
    matched: branch.matched && !isKeptOut,
    conditions: typeFirst(branch).map((condition) => (isKeptOut && isOfType(condition) ? keptOut(condition) : condition)),
  }));
  const failed = branches[0]?.conditions.find(({ holds }) => !holds);
  if (failed === undefined || failed.holds) return { ...explanation, branches };
  const { holds: _, ...facts } = failed;
  return { matched: false, failed: facts, branches, branchCount: explanation.branchCount };
}

/** A trigger is written with its type first, so that is how it is told. */
function typeFirst({ conditions }: ExplainedBranch): readonly ExplainedCondition[] {
  return [...conditions.filter(isOfType), ...conditions.filter((condition) => !isOfType(condition))];
}

function isOfType({ path }: ExplainedCondition): boolean {
  return path === "type";
}

function keptOut({ path, condition, found }: ExplainedCondition): ExplainedCondition {
  const hint = 'types that begin with "millrace." are the platform\'s own: only a trigger that names one exactly is woken';
  return { holds: false, path, condition, found, reason: "mismatch", hint };
}
