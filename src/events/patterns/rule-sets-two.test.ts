import { expect, it } from "vitest";
import { checkRuleSets } from "./testing-support/rule-sets.ts";

// The 100,000 rule sets lie in two files, so that two cores share them.
it("P1-P31, P40: 50,000 random rule sets answer as the reference does, from bytes, from text and parsed", { timeout: 300_000 }, () => {
  const { ruleSets, matches } = checkRuleSets(2, 50_000);
  expect(ruleSets).toBe(50_000);
  expect(matches).toBeGreaterThan(25_000);
});
