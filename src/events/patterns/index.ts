export { Branch, CompiledPattern, compilePattern } from "./compile.ts";
export type { EventInput } from "./event.ts";
export {
  type ExplainedBranch,
  type ExplainedCondition,
  explain,
  type Explanation,
  type FailedCondition,
  type HeldCondition,
} from "./explain.ts";
export { Matcher, type MatcherOptions, type MatcherStats } from "./matcher.ts";
export type { Alternative, AnythingBut, Leaf, Pattern } from "./pattern.ts";
export { PatternError } from "./pattern-error.ts";
export type { Guard, Rule } from "./rule.ts";
