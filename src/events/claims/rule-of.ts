import type { Guard, Pattern, Rule } from "../patterns/index.ts";
import { type Claim, patternOf } from "./claim.ts";

/** Every event has a type (E1). */
const NOTHING: Pattern = { type: [{ exists: false }] };

/** The rule of what a claim claims; the guard is that which decides alone, and is dropped where the pattern says the same (C5). */
export function ruleOf(claim: Claim, guard: Guard): Rule {
  if (claim.branches.length === 0) return { implied: NOTHING, guard: { attributes: [], test: () => false } };
  const { pattern, isExact } = patternOf(claim);
  if (pattern === undefined) return { implied: undefined, guard: isExact ? { attributes: [], test: () => true } : guard };
  return { implied: pattern, guard: isExact ? undefined : guard };
}
