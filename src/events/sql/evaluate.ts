import { isRequiredAttribute } from "../attribute.ts";
import { quoted } from "../event-fault.ts";
import type { Leaf } from "../patterns/index.ts";
import { failed, Failure, isFailure, type Outcome } from "./failure.ts";
import type { SqlFunction } from "./functions.ts";
import { compileLike } from "./like.ts";
import type { ArithmeticOperator, ComparisonOperator, Node } from "./node.ts";
import { cast, isInteger, type Type, typeOf, type Value, valueOfLeaf, ZERO } from "./value.ts";

export type Read = (name: string) => Leaf | undefined;

/** A part of an expression made ready. It never throws, and asks nothing but `read`. */
export type Evaluate = (read: Read) => Outcome;

/** Every operator works in this way: an operand that failed, or cannot be cast, ends it with its zero value and that error (S10). */
export function compileNode(node: Node): Evaluate {
  switch (node.kind) {
    case "literal":
      return () => node.value;
    case "attribute":
      return attribute(node.name, node.at);
    case "exists":
      return isRequiredAttribute(node.name) ? () => true : (read) => valueOfLeaf(read(node.name)) !== undefined;
    case "not":
      return not(node.operand, node.at);
    case "minus":
      return arithmetic("-", () => 0, compileAs("Integer", node.operand), node.at);
    case "like":
      return like(compileNode(node.operand), compileLike(node.pattern));
    case "in":
      return isIn(compileNode(node.operand), node.set.map(compileNode), node.at);
    case "arithmetic":
      return arithmetic(node.operator, compileAs("Integer", node.left), compileAs("Integer", node.right), node.at);
    case "comparison":
      return node.operator === "="
        ? equals(compileNode(node.left), compileNode(node.right), node.at)
        : compares(node.operator, compileAs("Integer", node.left), compileAs("Integer", node.right));
    case "logic":
      return logic(node.operator, compileAs("Boolean", node.left), compileAs("Boolean", node.right));
    case "call":
      return call(node.fn, node.args, node.at);
    default:
      return node satisfies never;
  }
}

function attribute(name: string, at: number): Evaluate {
  const missing = failed(false, "missing_attribute", at, `the event has no attribute "${name}"`);
  return (read) => valueOfLeaf(read(name)) ?? missing;
}

/** The value cast to a type. A failed cast has the zero value of that type. */
export function compileAs(type: Type, node: Node): Evaluate {
  const evaluate = compileNode(node);
  return (read) => {
    const outcome = evaluate(read);
    return isFailure(outcome) ? outcome : castAt(node.at, outcome, type);
  };
}

function castAt(at: number, value: Value, type: Type): Outcome {
  if (typeOf(value) === type) return value;
  return cast(value, type) ?? failed(ZERO[type], "cast", at, `${quoted(String(value))} is no ${type}`);
}

/** The operator gives its zero value, with the error of its operand. */
function passOn(zero: Value, failure: Failure): Failure {
  return failure.value === zero ? failure : new Failure(zero, failure.error);
}

/**
 * NOT of what is no Boolean is true, with a CastError: the cast gives false. To NOT an Integer is none either, although elsewhere it
 * is cast: so the conformance cases have it ("Invalid int cast").
 */
function not(operand: Node, at: number): Evaluate {
  const evaluate = compileNode(operand);
  return (read) => {
    const outcome = evaluate(read);
    if (typeof outcome === "boolean") return !outcome;
    if (isFailure(outcome)) return passOn(false, outcome);
    const value = typeof outcome === "string" ? cast(outcome, "Boolean") : undefined;
    return value === undefined ? failed(true, "cast", at, `NOT takes a Boolean, not ${quoted(String(outcome))}`) : !value;
  };
}

function like(operand: Evaluate, matches: (text: string) => boolean): Evaluate {
  return (read) => {
    const outcome = operand(read);
    return isFailure(outcome) ? passOn(false, outcome) : matches(String(outcome));
  };
}

/** The members are looked at from left to right, up to the first that is equal. */
function isIn(operand: Evaluate, set: readonly Evaluate[], at: number): Evaluate {
  return (read) => {
    const outcome = operand(read);
    if (isFailure(outcome)) return passOn(false, outcome);
    const type = typeOf(outcome);
    for (const evaluate of set) {
      const member = evaluate(read);
      const value = isFailure(member) ? member : castAt(at, member, type);
      if (isFailure(value)) return passOn(false, value);
      if (value === outcome) return true;
    }
    return false;
  };
}

/** The right operand's type decides as what the two are compared (S13). */
function equals(left: Evaluate, right: Evaluate, at: number): Evaluate {
  return (read) => {
    const x = left(read);
    if (isFailure(x)) return passOn(false, x);
    const y = right(read);
    if (isFailure(y)) return passOn(false, y);
    const value = castAt(at, x, typeOf(y));
    return isFailure(value) ? passOn(false, value) : value === y;
  };
}

function compares(operator: Exclude<ComparisonOperator, "=">, left: Evaluate, right: Evaluate): Evaluate {
  const holds = ORDERS[operator];
  return (read) => {
    const x = left(read);
    if (isFailure(x)) return passOn(false, x);
    const y = right(read);
    return isFailure(y) ? passOn(false, y) : holds(x, y);
  };
}

const ORDERS = {
  "<": (x: Value, y: Value) => x < y,
  "<=": (x: Value, y: Value) => x <= y,
  ">": (x: Value, y: Value) => x > y,
  ">=": (x: Value, y: Value) => x >= y,
} as const;

function arithmetic(operator: ArithmeticOperator, left: Evaluate, right: Evaluate, at: number): Evaluate {
  const calculate = CALCULATIONS[operator];
  return (read) => {
    const x = left(read);
    if (isFailure(x)) return passOn(0, x);
    const y = right(read);
    if (isFailure(y)) return passOn(0, y);
    // `+ 0` because -0 is no Integer. A product beyond 53 bits is inexact, but then it is beyond 32 as well.
    const result = calculate(Number(x), Number(y)) + 0;
    if (isInteger(result)) return result;
    return failed(0, "math", at, y === 0 ? `${x} ${operator} 0: nothing can be divided by 0` : `${x} ${operator} ${y} is beyond 32 bits`);
  };
}

/** What is divided by zero comes out as no Integer, like what is too large. */
const CALCULATIONS = {
  "+": (x: number, y: number) => x + y,
  "-": (x: number, y: number) => x - y,
  "*": (x: number, y: number) => x * y,
  "/": (x: number, y: number) => Math.trunc(x / y),
  "%": (x: number, y: number) => x % y,
} as const;

function logic(operator: "AND" | "OR" | "XOR", left: Evaluate, right: Evaluate): Evaluate {
  return (read) => {
    const x = left(read);
    if (isFailure(x)) return passOn(false, x);
    if (operator === "AND" && x === false) return false;
    if (operator === "OR" && x === true) return true;
    const y = right(read);
    if (isFailure(y)) return passOn(false, y);
    return operator === "XOR" ? x !== y : y;
  };
}

function call({ parameters, rest, returns, apply }: SqlFunction, args: readonly Node[], at: number): Evaluate {
  const compiled = args.map((arg, i) => {
    const type = i < parameters.length ? (parameters[i] ?? null) : (rest ?? null);
    return type === null ? compileNode(arg) : compileAs(type, arg);
  });
  return (read) => {
    const values: Value[] = [];
    for (const evaluate of compiled) {
      const outcome = evaluate(read);
      if (isFailure(outcome)) return passOn(ZERO[returns], outcome);
      values.push(outcome);
    }
    const result = apply(values);
    return typeof result === "object" ? failed(result.value, result.kind, at, result.fault) : result;
  };
}
