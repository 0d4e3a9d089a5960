export { type ExplainedAttribute, type ExplainedOperand, explainSql, type SqlExplanation } from "./explain.ts";
export { compileSql, SqlExpression, type SqlResult } from "./expression.ts";
export type { SqlEvaluationError, SqlEvaluationErrorKind } from "./failure.ts";
export { SqlError, type SqlErrorKind } from "./sql-error.ts";
