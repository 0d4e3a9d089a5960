import type { Condition } from "./condition.ts";
import { holdTogether } from "./held-together.ts";
import { placeOfFirst } from "./standing.ts";

/** Two conditions that hold each, but for two elements of a list: where each of them holds. */
export function hintOfApart(condition: Condition, held: readonly Condition[], event: object): string {
  const other = held.find((each) => !holdTogether([each, condition], event));
  const here = placeOfFirst(event, condition.path, condition.holds);
  const there = other === undefined ? undefined : placeOfFirst(event, other.path, other.holds);
  const fault =
    here === undefined || there === undefined
      ? "what fits is in another element than what fits the rest"
      : `${here} fits, and so does ${there}`;
  return `${fault}: of a list, one element must fit all that is asked`;
}
