export { type Branch, CompiledPattern, compilePattern } from "./compile.ts";
export type { EventInput } from "./event.ts";
export { explain, type Explanation, type FailedCondition } from "./explain.ts";
export { Matcher } from "./matcher.ts";
export type { Alternative, AnythingBut, Leaf, Pattern } from "./pattern.ts";
export { PatternError } from "./pattern-error.ts";
export type { Guard, Rule } from "./rule.ts";
