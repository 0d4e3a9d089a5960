import * as fc from "fast-check";
import { expect } from "vitest";
import { Matcher, type Pattern } from "../index.ts";
import { event, pattern, pickedPattern, picks } from "./arbitraries.ts";
import { type Json, referenceMatches } from "./reference.ts";

/** How often an event was put to a rule set, and how often a rule matched. */
export interface Tally {
  ruleSets: number;
  matches: number;
}

/**
 * Random rule sets, each put to a random event as bytes, as text, and parsed: the matcher's answer is the reference's. One matcher
 * serves them all, so every rule set also meets what the ones before it left behind: nothing.
 */
export function checkRuleSets(seed: number, numRuns: number): Tally {
  const tally: Tally = { ruleSets: 0, matches: 0 };
  const matcher = new Matcher<number>();
  fc.assert(
    fc.property(fc.array(fc.oneof(pattern, picks), { minLength: 1, maxLength: 5 }), event, (drawn, input) => {
      const rules = drawn.map((rule) => (Array.isArray(rule) ? pickedPattern(input, rule) : rule) as Pattern);
      for (const [id, rule] of rules.entries()) matcher.add(id, rule);
      try {
        const expected = matching(rules, input);
        const json = JSON.stringify(input);
        tally.ruleSets++;
        tally.matches += expected.length;
        expect(matcher.match(Buffer.from(json))).toEqual(expected);
        expect(matcher.match(json)).toEqual(expected);
        expect(matcher.match(input)).toEqual(expected);
      } finally {
        for (const id of rules.keys()) matcher.delete(id);
      }
      expect(matcher.stats()).toMatchObject({ ids: 0, branches: 0, conditions: 0, fields: 0 });
    }),
    { seed, numRuns },
  );
  return tally;
}

function matching(rules: readonly Pattern[], input: { [key: string]: Json }): number[] {
  return [...rules.keys()].filter((id) => referenceMatches(rules[id] as Pattern, input));
}
