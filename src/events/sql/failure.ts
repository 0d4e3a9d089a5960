import type { Value } from "./value.ts";

export type SqlEvaluationErrorKind = "missing_attribute" | "cast" | "math" | "function_evaluation";

/** What went wrong while an expression was evaluated. A value, no exception: most events that fail one are simply not meant. */
export interface SqlEvaluationError {
  readonly kind: SqlEvaluationErrorKind;
  readonly message: string;
  /** Where the part of the expression stands that failed. */
  readonly position: number;
}

/** A value that came with an error (S10). Values are primitives, so `typeof` tells the two apart. */
export class Failure {
  readonly value: Value;
  readonly error: SqlEvaluationError;

  constructor(value: Value, error: SqlEvaluationError) {
    this.value = value;
    this.error = error;
  }
}

export type Outcome = Value | Failure;

export function isFailure(outcome: Outcome): outcome is Failure {
  return typeof outcome === "object";
}

export function failed(value: Value, kind: SqlEvaluationErrorKind, position: number, message: string): Failure {
  return new Failure(value, { kind, message, position });
}
