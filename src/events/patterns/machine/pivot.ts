import type { Test } from "../test.ts";
import type { SharedCondition } from "./shared-condition.ts";

/**
 * The condition on which a branch is to hang: the one that the fewest events are likely to satisfy. How likely that is nobody knows
 * beforehand; two things tell. Of which kind it is: an exact string is met seldom, `exists` nearly always. And how many branches
 * hang on it already: what a thousand rules ask for, such as a type, is what events have. So a thousand rules on one type, each with
 * a customer of its own, hang on the customers, whatever the order in which they stand.
 *
 * null if all of them may be absent: then nothing in an event shows that the branch is to be looked at.
 */
export function pivotOf(conditions: readonly SharedCondition[]): SharedCondition | null {
  let best: SharedCondition | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const condition of conditions) {
    if (condition.mayBeAbsent) continue;
    const chance = chanceOf(condition);
    if (chance >= least) continue;
    best = condition;
    least = chance;
  }
  return best;
}

function chanceOf({ tests, count }: SharedCondition): number {
  let sum = 0;
  for (const test of tests) sum += CHANCES[test.kind];
  return Math.max(Math.min(1, sum), Math.min(MOST, sum * (1 + count)));
}

/** So popular that every event seems to have it is still better than what nearly all values satisfy. */
const MOST = 0.9;

/** Only their order matters, and roughly how far they are apart. */
const CHANCES: Readonly<Record<Test["kind"], number>> = {
  text: 0.002,
  ip: 0.002,
  number: 0.005,
  suffix: 0.03,
  prefix: 0.04,
  wildcard: 0.04,
  cidr: 0.05,
  word: 0.3,
  range: 0.3,
  except: 0.95,
  present: 0.95,
  absent: 1,
};
