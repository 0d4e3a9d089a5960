import type { Judged } from "./judge.ts";
import { proposal } from "./proposal.ts";

/** Who comes from elsewhere reads AND first; here AND, OR and XOR are one level (S8). */
export function hintOfOrder(operands: readonly Judged[], event: object): string | undefined {
  const groups: string[] = [];
  let group: string[] = [];
  for (const { operator, source } of operands) {
    if (operator === "OR" || operator === "XOR") {
      groups.push(parenthesized(group), operator);
      group = [];
    }
    group.push(source);
  }
  const instead = [...groups, parenthesized(group)].join(" ");
  return groups.length === 0 ? undefined : proposal("AND, OR and XOR are read from left to right, none before the others", instead, event);
}

function parenthesized(operands: readonly string[]): string {
  return operands.length > 1 ? `(${operands.join(" AND ")})` : operands.join("");
}
