import { ruleOf } from "../claims/index.ts";
import { isLeaf } from "../patterns/leaf.ts";
import type { Rule } from "../patterns/index.ts";
import { matchClaim } from "./claims.ts";
import { compileNode, type Evaluate, type Read } from "./evaluate.ts";
import { isFailure, type SqlEvaluationError } from "./failure.ts";
import { attributesOf, type Node } from "./node.ts";
import { parse } from "./parser.ts";
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
  private readonly compiled: Evaluate;

  constructor(source: string, root: Node) {
    this.source = source;
    this.attributes = attributesOf(root);
    this.compiled = compileNode(root);
    this.rule = ruleOf(matchClaim(root), { attributes: this.attributes, test: (read) => this.compiled(read) === true });
  }

  /** `event` is a CloudEvent as JSON.parse returns it. */
  evaluate(event: object): SqlResult {
    const outcome = this.compiled(readerOf(event));
    return isFailure(outcome) ? { value: outcome.value, error: outcome.error } : { value: outcome, error: null };
  }

  /** Whether the value is true and there was no error. */
  matches(event: object): boolean {
    return this.compiled(readerOf(event)) === true;
  }
}

/** Checks an expression and makes it ready; throws SqlError. */
export function compileSql(source: string): SqlExpression {
  return new SqlExpression(source, parse(source));
}

/** What is no leaf is no attribute; that goes for what every object inherits as well: those are functions. */
function readerOf(event: object): Read {
  return (name) => {
    const value = (event as Readonly<Record<string, unknown>>)[name];
    return isLeaf(value) ? value : undefined;
  };
}
