import { readerOf } from "../attribute.ts";
import { ruleOf } from "../claims/index.ts";
import type { Guard, Rule } from "../patterns/index.ts";
import { type Analysis, analyse } from "./analysis.ts";
import type { Evaluate } from "./evaluate.ts";
import { isFailure, type SqlEvaluationError } from "./failure.ts";
import type { Value } from "./value.ts";

/** What an expression comes to: always a value, and beside it the first error, if there was one. */
export interface SqlResult {
  readonly value: Value;
  readonly error: SqlEvaluationError | null;
}

/**
 * A CloudEvents SQL expression made ready.
 *
 * @example
 * const bigShops = compileSql("source LIKE '/shops/%' AND size >= 10");
 * bigShops.matches({ id: "1", source: "/shops/7", type: "order.placed", size: 12 }); // true
 */
export class SqlExpression {
  readonly source: string;
  /** The attributes that it names. */
  readonly attributes: readonly string[];
  /** The events that it matches, for a matcher of many rules. */
  readonly rule: Rule;
  /** The whole of it as a guard, beside a pattern that has nothing to do with it. */
  readonly guard: Guard;
  private readonly run: Evaluate;

  constructor(source: string, { attributes, evaluate, test, holds }: Analysis) {
    this.source = source;
    this.attributes = attributes;
    this.guard = { attributes, test };
    this.rule = ruleOf(holds, this.guard);
    this.run = evaluate;
  }

  /** `event` is a CloudEvent as JSON.parse returns it. */
  evaluate(event: object): SqlResult {
    const outcome = this.run(readerOf(event));
    return isFailure(outcome) ? { value: outcome.value, error: outcome.error } : { value: outcome, error: null };
  }

  /** Whether the value is true and there was no error. */
  matches(event: object): boolean {
    return this.run(readerOf(event)) === true;
  }
}

/** Checks an expression and makes it ready; throws SqlError. */
export function compileSql(source: string): SqlExpression {
  return new SqlExpression(source, analyse(source));
}
