import type { LogicOperator, Node } from "./node.ts";
import { isKeyword, type Token, tokenize } from "./token.ts";

/** One operand of the AND, OR and XOR of an expression. */
export interface Link {
  /** What joins it to all that stands before it; null for the first. */
  readonly operator: LogicOperator | null;
  readonly node: Node;
  /** As it is written, parentheses too. */
  readonly source: string;
  readonly position: number;
  /** Without parentheses around all of it. */
  readonly tokens: readonly Token[];
}

/**
 * The operands that stand outside of parentheses, from left to right; an expression without AND, OR and XOR is one. The tree does not know
 * parentheses and the tokens do not know the tree: where an operator stands tells which belong together.
 */
export function chainOf(source: string, root: Node): readonly Link[] {
  let tokens = inside(tokenize(source).slice(0, -1));
  let node = root;
  const links: Link[] = [];
  for (const { operator, index } of operatorsOf(tokens).reverse()) {
    if (node.kind !== "logic") throw new Error(`the tree has no ${operator} where the text has one`);
    links.push(linkOf(operator, node.right, tokens.slice(index + 1), source));
    node = node.left;
    tokens = tokens.slice(0, index);
  }
  links.push(linkOf(null, node, tokens, source));
  return links.reverse();
}

function linkOf(operator: LogicOperator | null, node: Node, tokens: readonly Token[], source: string): Link {
  const position = tokens.at(0)?.at ?? 0;
  return { operator, node, source: source.slice(position, tokens.at(-1)?.end), position, tokens: inside(tokens) };
}

const OPERATORS: readonly LogicOperator[] = ["AND", "OR", "XOR"];

/** A keyword is no attribute (S2), so between parentheses or not, these words are operators. */
function operatorsOf(tokens: readonly Token[]): { readonly operator: LogicOperator; readonly index: number }[] {
  let depth = 0;
  return tokens.flatMap((token, index) => {
    depth += deeper(token);
    const operator = depth === 0 ? OPERATORS.find((name) => isKeyword(token, name)) : undefined;
    return operator === undefined ? [] : [{ operator, index }];
  });
}

/** Without the parentheses around all of them. */
function inside(tokens: readonly Token[]): readonly Token[] {
  let depth = 0;
  const closing = tokens.findIndex((token) => (depth += deeper(token)) === 0);
  const isAround = closing > 0 && closing === tokens.length - 1;
  return isAround ? inside(tokens.slice(1, -1)) : tokens;
}

function deeper(token: Token): number {
  if (token.kind !== "symbol") return 0;
  return token.text === "(" ? 1 : token.text === ")" ? -1 : 0;
}
