export { ALWAYS, both, type Claim, either, loosely, NEVER, saysNothing } from "./claim.ts";
export { ruleOf } from "./rule-of.ts";
export { ALL_BOOLEANS, ALL_INTEGERS, ALL_STRINGS, ANY_VALUE, exactly, integersExcept, valueClaim, type ValueSet } from "./value-set.ts";
