import { didYouMean } from "../../core/index.ts";
import { arityOf, findFunction, FUNCTION_NAMES } from "./functions.ts";
import { parseLike } from "./like.ts";
import { MAX_CHARACTERS, MAX_NESTING, MAX_OPERATORS } from "./limits.ts";
import type { ArithmeticOperator, ComparisonOperator, LogicOperator, Node } from "./node.ts";
import { SqlError } from "./sql-error.ts";
import { isKeyword, type Token, tokenize } from "./token.ts";
import { parseInteger } from "./value.ts";

const KEYWORDS: ReadonlySet<string> = new Set(["AND", "OR", "XOR", "NOT", "LIKE", "IN", "EXISTS", "TRUE", "FALSE"]);
const AFTER_OPERAND = ["AND", "OR", "XOR", "NOT", "LIKE", "IN"];

/** How tightly the binary operators bind; those of one level go from left to right (S8). */
const LEVELS: ReadonlyMap<string, number> = new Map([
  ...["AND", "OR", "XOR"].map((operator) => [operator, 1] as const),
  ...["=", "!=", "<>", "<", "<=", ">", ">="].map((operator) => [operator, 2] as const),
  ...["+", "-"].map((operator) => [operator, 3] as const),
  ...["*", "/", "%"].map((operator) => [operator, 4] as const),
]);

/** Members of an event that are no attributes. */
const NO_ATTRIBUTES: ReadonlySet<string> = new Set(["data"]);

/** The tree of an expression; throws SqlError. */
export function parse(source: string): Node {
  if (source.length > MAX_CHARACTERS)
    throw new SqlError(MAX_CHARACTERS, `an expression has at most ${MAX_CHARACTERS} characters, this one has ${source.length}`);
  if (!source.isWellFormed()) throw new SqlError(badHalf(source), "half of a surrogate pair is no character");
  return new Parser(source).parseAll();
}

class Parser {
  private readonly tokens: readonly Token[];
  private next = 0;
  private nesting = 0;
  private operators = 0;

  constructor(source: string) {
    this.tokens = tokenize(source);
  }

  parseAll(): Node {
    const node = this.parseBinary(1);
    const token = this.peek();
    if (token.kind !== "end") throw new SqlError(token.at, `${shown(token)} where an operator or the end was expected${hint(token)}`);
    return node;
  }

  /** Operators that bind at least as tightly as `level`. */
  private parseBinary(level: number): Node {
    let left = this.parseOperand();
    for (;;) {
      const { at } = this.peek();
      const operator = operatorOf(this.peek());
      const own = LEVELS.get(operator);
      if (own === undefined || own < level) return left;
      this.next++;
      this.countOperator(at);
      left = binary(operator, at, left, this.parseBinary(own + 1));
    }
  }

  /** LIKE and IN bind to what stands before them with its NOT and -: `NOT a LIKE 'b'` is `(NOT a) LIKE 'b'`. */
  private parseOperand(): Node {
    let node = this.parseUnary();
    for (;;) {
      const { at } = this.peek();
      const isNegated = isKeyword(this.peek(), "NOT");
      const operator = this.peek(isNegated ? 1 : 0);
      if (!isKeyword(operator, "LIKE") && !isKeyword(operator, "IN")) return node;
      this.next += isNegated ? 2 : 1;
      this.countOperator(at);
      const positive = isKeyword(operator, "LIKE") ? this.parseLike(node, operator.at) : this.parseIn(node, operator.at);
      node = isNegated ? { kind: "not", at, operand: positive } : positive;
    }
  }

  private parseLike(operand: Node, at: number): Node {
    const token = this.take();
    if (token.kind !== "string") throw new SqlError(token.at, `LIKE takes a string in quotes, not ${shown(token)}`);
    const pattern = parseLike(token.text);
    if (typeof pattern === "string") throw new SqlError(token.at, pattern);
    return { kind: "like", at, operand, pattern };
  }

  private parseIn(operand: Node, at: number): Node {
    const open = this.peek();
    if (open.text !== "(" || open.kind !== "symbol") throw new SqlError(open.at, `IN takes a list in parentheses, not ${shown(open)}`);
    const set = this.parseList();
    if (set.length === 0) throw new SqlError(open.at, "the list of IN is empty: write at least one value");
    return { kind: "in", at, operand, set };
  }

  private parseUnary(): Node {
    const token = this.peek();
    if (isKeyword(token, "NOT")) return this.parseNested(token.at, () => ({ kind: "not", at: token.at, operand: this.parseUnary() }));
    if (token.kind !== "symbol" || (token.text !== "-" && token.text !== "+")) return this.parsePrimary();
    const digits = this.peek(1);
    if (digits.kind === "digits" && digits.at === token.end) {
      this.next += 2;
      return integerLiteral(`${token.text}${digits.text}`, token.at);
    }
    if (token.text === "+") throw new SqlError(token.at, '"+" stands between two values, or directly before the digits of a number');
    return this.parseNested(token.at, () => ({ kind: "minus", at: token.at, operand: this.parseUnary() }));
  }

  private parsePrimary(): Node {
    if (this.isAt("(")) return this.parseParentheses();
    const token = this.take();
    switch (token.kind) {
      case "string":
        return { kind: "literal", at: token.at, value: token.text };
      case "digits":
        return integerLiteral(token.text, token.at);
      case "word":
        return this.parseWord(token);
      case "symbol":
        throw new SqlError(token.at, `${shown(token)} where a value was expected`);
      case "end":
        throw new SqlError(token.at, "the expression ends where a value was expected");
      default:
        return token satisfies never;
    }
  }

  private parseParentheses(): Node {
    const open = this.peek();
    return this.parseNested(open.at, () => {
      const node = this.parseBinary(1);
      this.expectClosing(open);
      return node;
    });
  }

  private parseWord(token: Token): Node {
    const { text, at } = token;
    const keyword = text.toUpperCase();
    if (keyword === "TRUE" || keyword === "FALSE") return { kind: "literal", at, value: keyword === "TRUE" };
    if (keyword === "EXISTS") return this.parseExists(at);
    if (KEYWORDS.has(keyword)) throw new SqlError(at, `${keyword} where a value was expected`);
    const open = this.peek();
    if (open.kind === "symbol" && open.text === "(") return this.parseCall(keyword, at);
    return { kind: "attribute", at, name: attributeName(token) };
  }

  private parseExists(at: number): Node {
    const token = this.take();
    if (token.kind !== "word") throw new SqlError(token.at, `EXISTS takes the name of an attribute, not ${shown(token)}`);
    this.countOperator(at);
    return { kind: "exists", at, name: attributeName(token) };
  }

  private parseCall(name: string, at: number): Node {
    this.countOperator(at);
    const args = this.parseList();
    const fn = findFunction(name, args.length);
    if (fn !== undefined) return { kind: "call", at, fn, args };
    const fault = FUNCTION_NAMES.has(name)
      ? `${name} takes ${arityOf(name)}, here are ${args.length}`
      : `there is no function ${name}${didYouMean(name, FUNCTION_NAMES)}`;
    throw new SqlError(at, fault, "missing_function");
  }

  /** Expressions in parentheses, with commas between them; the next token is the opening one. */
  private parseList(): Node[] {
    const open = this.peek();
    return this.parseNested(open.at, () => {
      const items: Node[] = [];
      if (this.isAt(")")) this.next++;
      else {
        do items.push(this.parseBinary(1));
        while (this.skip(","));
        this.expectClosing(open);
      }
      return items;
    });
  }

  private expectClosing(open: Token): void {
    if (this.skip(")")) return;
    const token = this.peek();
    const found = token.kind === "end" ? "the expression ends" : `${shown(token)} stands`;
    throw new SqlError(token.at, `${found} where the ")" for the "(" at character ${open.at} was expected${hint(token)}`);
  }

  /** Takes the next token and parses what stands inside of it, not too deep. */
  private parseNested<T>(at: number, inner: () => T): T {
    this.countOperator(at);
    if (this.nesting >= MAX_NESTING) throw new SqlError(at, `an expression nests at most ${MAX_NESTING} levels deep`);
    this.next++;
    this.nesting++;
    const result = inner();
    this.nesting--;
    return result;
  }

  private countOperator(at: number): void {
    this.operators++;
    if (this.operators > MAX_OPERATORS)
      throw new SqlError(at, `an expression has at most ${MAX_OPERATORS} operators, functions and parentheses`);
  }

  private isAt(symbol: string): boolean {
    const token = this.peek();
    return token.kind === "symbol" && token.text === symbol;
  }

  private skip(symbol: string): boolean {
    const isThere = this.isAt(symbol);
    if (isThere) this.next++;
    return isThere;
  }

  private peek(ahead = 0): Token {
    const token = this.tokens[Math.min(this.next + ahead, this.tokens.length - 1)];
    if (token === undefined) throw new Error("the list of tokens has no end");
    return token;
  }

  private take(): Token {
    const token = this.peek();
    this.next++;
    return token;
  }
}

function operatorOf(token: Token): string {
  if (token.kind === "symbol") return token.text;
  return token.kind === "word" ? token.text.toUpperCase() : "";
}

function binary(operator: string, at: number, left: Node, right: Node): Node {
  switch (operator) {
    case "!=":
    case "<>":
      return { kind: "not", at, operand: { kind: "comparison", at, operator: "=", left, right } };
    case "AND":
    case "OR":
    case "XOR":
      return { kind: "logic", at, operator: operator satisfies LogicOperator, left, right };
    case "+":
    case "-":
    case "*":
    case "/":
    case "%":
      return { kind: "arithmetic", at, operator: operator satisfies ArithmeticOperator, left, right };
    default:
      return { kind: "comparison", at, operator: operator as ComparisonOperator, left, right };
  }
}

function integerLiteral(text: string, at: number): Node {
  const value = parseInteger(text);
  if (value === undefined) throw new SqlError(at, `${text} is beyond 32 bits: an Integer goes from -2147483648 to 2147483647`);
  return { kind: "literal", at, value };
}

/** Attributes have no capitals; an expression may write them so, as the conformance cases do (S2). */
function attributeName({ text, at }: Token): string {
  const name = text.toLowerCase();
  if (name.includes("_")) throw new SqlError(at, `"${text}" is no attribute: their names have only letters and digits`);
  if (KEYWORDS.has(text.toUpperCase())) throw new SqlError(at, `${text.toUpperCase()} is a keyword, no attribute`);
  if (NO_ATTRIBUTES.has(name))
    throw new SqlError(at, `"${text}" is no attribute: CloudEvents SQL does not look into data, an event pattern does`);
  return name;
}

function shown(token: Token): string {
  if (token.kind === "end") return "the end";
  if (token.kind === "string") return "a string";
  return `"${token.text}"`;
}

/** A word after a value is most often an operator misspelt. */
function hint(token: Token): string {
  if (token.kind === "string") return "; a quote inside a string is written with a backslash before it";
  if (isKeyword(token, "NOT")) return "; after a value NOT is followed by LIKE or IN";
  return token.kind === "word" ? didYouMean(token.text.toUpperCase(), AFTER_OPERAND) : "";
}

/** Where the first half of a surrogate pair stands that has no other half. */
function badHalf(source: string): number {
  for (let i = 0; i < source.length; i++) {
    const point = source.codePointAt(i) ?? 0;
    if (point >= 0xd800 && point <= 0xdfff) return i;
    if (point > 0xffff) i++;
  }
  return source.length;
}
