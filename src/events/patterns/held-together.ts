import type { Condition } from "./condition.ts";
import { hasLeafOutsideArrays } from "./standing.ts";
import { buildTree } from "./tree.ts";
import { matchesTree } from "./walk.ts";

/** Whether an event fulfils all of these conditions at once, with their arrays in agreement (P13). */
export function holdTogether(conditions: readonly Condition[], event: object): boolean {
  return matchesTree(event, buildTree(conditions));
}

/**
 * The conditions of a branch that hold together, as many as go: each that is left out does not hold beside them (P44). They are
 * taken as they stand in the pattern, those that may be absent after the others, because what they look at depends on the
 * elements that the others choose.
 */
export function heldTogether(conditions: readonly Condition[], event: object): ReadonlySet<Condition> {
  if (holdTogether(conditions, event)) return new Set(conditions);
  const able = conditions.filter((condition) => holdTogether([condition], event) || couldBeHidden(condition, event));
  let held = withAsManyAsGo(
    [],
    able.filter(({ mayBeAbsent }) => !mayBeAbsent),
    event,
  );
  let left = able.filter(({ mayBeAbsent }) => mayBeAbsent);
  for (;;) {
    // Looked at anew each time: one that chooses an element can hide from another what kept it from being absent.
    const all = new Set(withAsManyAsGo(held, left, event));
    if (all.size === held.length) return all;
    held = [...all];
    left = left.filter((condition) => !all.has(condition));
  }
}

/** Only what stands in an array can be out of sight, beside a condition that chooses another element of it. */
function couldBeHidden({ path, mayBeAbsent }: Condition, event: object): boolean {
  return mayBeAbsent && !hasLeafOutsideArrays(event, path);
}

/** As if each were tried in turn, but by halves: a few that fail among many cost little. */
function withAsManyAsGo(held: readonly Condition[], more: readonly Condition[], event: object): readonly Condition[] {
  const all = [...held, ...more];
  if (more.length === 0 || holdTogether(all, event)) return all;
  if (more.length === 1) return held;
  const half = Math.ceil(more.length / 2);
  return withAsManyAsGo(withAsManyAsGo(held, more.slice(0, half), event), more.slice(half), event);
}
