/** The package's door `millrace/patterns`: the matcher, and the three dialects in which its rules may be written. */
export { compileFilters, type Filter, FilterError, Filters } from "./filters/index.ts";
export * from "./patterns/index.ts";
export {
  compileSql,
  type ExplainedAttribute,
  type ExplainedOperand,
  explainSql,
  SqlError,
  type SqlEvaluationError,
  SqlExpression,
  type SqlExplanation,
  type SqlResult,
} from "./sql/index.ts";
