import type { LikePattern } from "./like.ts";
import type { SqlFunction } from "./functions.ts";
import { type Type, typeOf, type Value } from "./value.ts";

export type LogicOperator = "AND" | "OR" | "XOR";
export type ComparisonOperator = "=" | "<" | "<=" | ">" | ">=";
export type ArithmeticOperator = "+" | "-" | "*" | "/" | "%";

/**
 * The tree of an expression. `at` is where the part stands. `!=`, `<>`, NOT LIKE and NOT IN are a `not` around the operator that
 * they negate: the language defines them so (S9).
 */
export type Node =
  | { readonly kind: "literal"; readonly at: number; readonly value: Value }
  | { readonly kind: "attribute"; readonly at: number; readonly name: string }
  | { readonly kind: "exists"; readonly at: number; readonly name: string }
  | { readonly kind: "not"; readonly at: number; readonly operand: Node }
  | { readonly kind: "minus"; readonly at: number; readonly operand: Node }
  | { readonly kind: "like"; readonly at: number; readonly operand: Node; readonly pattern: LikePattern }
  | { readonly kind: "in"; readonly at: number; readonly operand: Node; readonly set: readonly Node[] }
  | { readonly kind: "arithmetic"; readonly at: number; readonly operator: ArithmeticOperator; readonly left: Node; readonly right: Node }
  | { readonly kind: "comparison"; readonly at: number; readonly operator: ComparisonOperator; readonly left: Node; readonly right: Node }
  | { readonly kind: "logic"; readonly at: number; readonly operator: LogicOperator; readonly left: Node; readonly right: Node }
  | { readonly kind: "call"; readonly at: number; readonly fn: SqlFunction; readonly args: readonly Node[] };

/** What a part always gives; undefined for an attribute: that the event decides. */
export function typeOfNode(node: Node): Type | undefined {
  switch (node.kind) {
    case "literal":
      return typeOf(node.value);
    case "attribute":
      return undefined;
    case "minus":
    case "arithmetic":
      return "Integer";
    case "call":
      return node.fn.returns;
    case "exists":
    case "not":
    case "like":
    case "in":
    case "comparison":
    case "logic":
      return "Boolean";
    default:
      return node satisfies never;
  }
}

export function childrenOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case "literal":
    case "attribute":
    case "exists":
      return [];
    case "not":
    case "minus":
    case "like":
      return [node.operand];
    case "in":
      return [node.operand, ...node.set];
    case "arithmetic":
    case "comparison":
    case "logic":
      return [node.left, node.right];
    case "call":
      return node.args;
    default:
      return node satisfies never;
  }
}

/** The attributes that an expression names, each once, in the order in which they are written. */
export function attributesOf(node: Node): readonly string[] {
  const names = new Set<string>();
  const visit = (part: Node): void => {
    if (part.kind === "attribute" || part.kind === "exists") names.add(part.name);
    for (const child of childrenOf(part)) visit(child);
  };
  visit(node);
  return [...names];
}
