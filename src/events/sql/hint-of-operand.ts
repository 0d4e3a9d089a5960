import { isFailure } from "./failure.ts";
import { hintOfError } from "./hint-of-error.ts";
import { hintOfWriting } from "./hint-of-writing.ts";
import type { Judged } from "./judge.ts";
import { proposal } from "./proposal.ts";
import { shown } from "../patterns/shown.ts";
import { typeOf, type Value } from "./value.ts";

/** Why an operand is not true, where a common mistake explains it (S25). `before` is the operand that stands before it. */
export function hintOfOperand(operand: Judged, before: Judged | undefined, event: object): string | undefined {
  const { operator, seen, skipped } = operand;
  if (seen === true) return operator === "XOR" && !skipped ? "XOR wants one of its two sides to be true, and both are" : undefined;
  const hint = hintOfWriting(operand, before, event);
  if (hint !== undefined) return hint;
  if (isFailure(seen)) return hintOfError(operand, seen.error, event);
  return typeof seen === "boolean" ? undefined : hintOfType(seen, operand.source, event);
}

/** Only an expression that is one operand can come to something else than a Boolean. */
function hintOfType(value: Value, source: string, event: object): string {
  const why = `an expression matches where it is the Boolean true, and this is the ${typeOf(value)} ${shown(value)}`;
  return proposal(why, `BOOL(${source})`, event) ?? why;
}
