import { readerOf } from "../attribute.ts";
import { chainOf } from "./chain.ts";
import { compileNode, type Read } from "./evaluate.ts";
import { isFailure, type Outcome, type SqlEvaluationError } from "./failure.ts";
import { hintOfOperand } from "./hint-of-operand.ts";
import { hintOfOrder } from "./hint-of-order.ts";
import { judge, type Judged } from "./judge.ts";
import { attributesOf, type LogicOperator } from "./node.ts";
import { parse } from "./parser.ts";
import { type Value, valueOfLeaf } from "./value.ts";

export interface SqlExplanation {
  readonly matched: boolean;
  /** What the expression came to. */
  readonly value: Value;
  readonly error: SqlEvaluationError | null;
  /** The operand that settled that the event does not match: the last one that was looked at. */
  readonly failed?: ExplainedOperand;
  /** What AND, OR and XOR join, from left to right; an expression without them is one operand. */
  readonly operands: readonly ExplainedOperand[];
  /** Each attribute that the expression names, in the order of writing. */
  readonly attributes: readonly ExplainedAttribute[];
}

export interface ExplainedOperand {
  /** What joins it to all that stands before it; null for the first. */
  readonly operator: LogicOperator | null;
  /** As it is written, parentheses too. */
  readonly source: string;
  /** How many characters of the expression stand before it. */
  readonly position: number;
  /** Whether it counts as true. */
  readonly holds: boolean;
  readonly value: Value;
  readonly error: SqlEvaluationError | null;
  /** What stands before it had settled all. It is told what it would have come to. */
  readonly skipped: boolean;
  /** The names of its attributes. */
  readonly attributes: readonly string[];
  /** What most likely was meant, for people; absent where nothing is likely. */
  readonly hint?: string;
}

export interface ExplainedAttribute {
  readonly name: string;
  /** What the event has there, as the language sees it (S5); absent where it is missing. */
  readonly found?: Value;
}

/** Why an event does not match an expression, or that it does. Throws SqlError. */
export function explainSql(source: string, event: object): SqlExplanation {
  const root = parse(source);
  const read = readerOf(event);
  const outcome = compileNode(root)(read);
  const judged = judge(chainOf(source, root), read);
  const attributes = attributesOf(root).map((name) => attributeAt(name, read));
  if (outcome === true) return { matched: true, value: true, error: null, operands: judged.map((each) => describe(each)), attributes };
  const last = judged.findLastIndex(({ skipped }) => !skipped);
  const operands = judged.map((each, i) => {
    const hint = i === last ? hintOfOrder(judged, event) : undefined;
    return describe(each, hint ?? hintOfOperand(each, judged[i - 1], event));
  });
  const failed = operands[last];
  return { matched: false, ...valueAndError(outcome), ...(failed === undefined ? {} : { failed }), operands, attributes };
}

function describe({ operator, source, position, node, own, seen, skipped }: Judged, hint?: string): ExplainedOperand {
  const { value } = valueAndError(own);
  const { error } = valueAndError(seen);
  const facts = { operator, source, position, holds: seen === true, value, error, skipped, attributes: attributesOf(node) };
  return hint === undefined ? facts : { ...facts, hint };
}

function valueAndError(outcome: Outcome): { readonly value: Value; readonly error: SqlEvaluationError | null } {
  return isFailure(outcome) ? { value: outcome.value, error: outcome.error } : { value: outcome, error: null };
}

function attributeAt(name: string, read: Read): ExplainedAttribute {
  const found = valueOfLeaf(read(name));
  return found === undefined ? { name } : { name, found };
}
