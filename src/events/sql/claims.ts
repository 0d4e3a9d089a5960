import { isRequiredAttribute } from "../attribute.ts";
import { ALWAYS, ANY_VALUE, both, type Claim, either, loosely, NEVER, saysNothing, valueClaim } from "../claims/index.ts";
import { isFailure, type Outcome } from "./failure.ts";
import { compileNode, type Read } from "./evaluate.ts";
import { attributesOf, childrenOf, type Node, typeOfNode } from "./node.ts";
import {
  booleanVerdicts,
  equalVerdicts,
  equalVerdictsOnRight,
  likeVerdicts,
  memberVerdicts,
  orderVerdicts,
  type Verdicts,
} from "./verdicts.ts";
import { typeOf, type Value } from "./value.ts";

/**
 * Where an expression is true and where it is false, without an error in either: an expression that fails is neither, and the
 * claims of its parts are joined so that no error is lost (S21).
 */
export interface Claims {
  readonly isTrue: Claim;
  readonly isFalse: Claim;
}

const EXACT = { areStringsExact: true, areIntegersExact: true } as const;

/** The events that an expression matches: it must be the Boolean true itself, nothing is cast here. */
export function matchClaim(root: Node): Claim {
  const constant = constantOf(root);
  if (constant !== undefined) return constant === true ? ALWAYS : NEVER;
  if (root.kind === "attribute") return valueClaim(root.name, { strings: [], integers: [], booleans: [true], ...EXACT });
  return typeOfNode(root) === "Boolean" ? claimsOf(root).isTrue : NEVER;
}

/** The claims of a part that is used as a Boolean. */
function claimsOf(node: Node): Claims {
  const constant = constantOf(node);
  if (constant !== undefined) return constantClaims(node, constant);
  switch (node.kind) {
    case "exists":
      return existsClaims(node.name);
    case "attribute":
      return verdictClaims(node.name, booleanVerdicts(true), node);
    case "call":
      return node.fn.name === "BOOL" ? claimsOf(node.args[0] ?? node) : restClaims(node);
    case "not":
      return notClaims(node.operand);
    case "logic":
      return logicClaims(node.operator, claimsOf(node.left), claimsOf(node.right));
    case "comparison":
      return comparisonClaims(node);
    case "like": {
      const name = attributeBehind(node.operand, "STRING");
      return name === undefined ? restClaims(node) : verdictClaims(name, likeVerdicts(node.pattern), node);
    }
    case "in":
      return inClaims(node);
    case "literal":
    case "minus":
    case "arithmetic":
      return restClaims(node);
    default:
      return node satisfies never;
  }
}

/** Of what can be said no more: both need the attributes that are read in any case. */
function restClaims(node: Node): Claims {
  const isThere = [...neededBy(node)].map((name) => valueClaim(name, ANY_VALUE)).reduce(both, ALWAYS);
  return { isTrue: loosely(isThere), isFalse: loosely(isThere) };
}

/** Attributes without which the part fails, whatever the others are. */
function neededBy(node: Node): ReadonlySet<string> {
  if (node.kind === "attribute") return new Set([node.name]);
  const first = childrenOf(node).slice(0, 1);
  const strict =
    node.kind === "in" ? childrenOf(node).slice(0, 2) : node.kind === "logic" && node.operator !== "XOR" ? first : childrenOf(node);
  return new Set(strict.flatMap((child) => [...neededBy(child)]));
}

function constantClaims(node: Node, constant: Value): Claims {
  if (typeof constant === "boolean") return constant ? { isTrue: ALWAYS, isFalse: NEVER } : { isTrue: NEVER, isFalse: ALWAYS };
  return restClaims(node);
}

function existsClaims(name: string): Claims {
  if (isRequiredAttribute(name)) return { isTrue: ALWAYS, isFalse: NEVER };
  const isAbsent = { strings: [], integers: [], booleans: [], mayBeAbsent: true, ...EXACT };
  return { isTrue: valueClaim(name, ANY_VALUE), isFalse: valueClaim(name, isAbsent) };
}

/** An Integer is cast everywhere but under NOT (S11). */
function notClaims(operand: Node): Claims {
  const { isTrue, isFalse } =
    operand.kind === "attribute" ? verdictClaims(operand.name, booleanVerdicts(false), operand) : claimsOf(operand);
  return { isTrue: isFalse, isFalse: isTrue };
}

function logicClaims(operator: "AND" | "OR" | "XOR", left: Claims, right: Claims): Claims {
  switch (operator) {
    case "AND":
      return { isTrue: both(left.isTrue, right.isTrue), isFalse: orElse(left.isFalse, left.isTrue, right.isFalse) };
    case "OR":
      return { isTrue: orElse(left.isTrue, left.isFalse, right.isTrue), isFalse: both(left.isFalse, right.isFalse) };
    case "XOR":
      return {
        isTrue: either(both(left.isTrue, right.isFalse), both(left.isFalse, right.isTrue)),
        isFalse: either(both(left.isTrue, right.isTrue), both(left.isFalse, right.isFalse)),
      };
    default:
      return operator satisfies never;
  }
}

/** The left side settles it, or it goes on without an error to the right. If that is too much to say, then that one of them settles it. */
function orElse(settled: Claim, goesOn: Claim, right: Claim): Claim {
  const claim = either(settled, both(goesOn, right));
  return saysNothing(claim) ? loosely(either(settled, right)) : claim;
}

function comparisonClaims(node: Extract<Node, { kind: "comparison" }>): Claims {
  const { left, right, operator } = node;
  const onRight = constantOf(right);
  if (onRight !== undefined) {
    const name = attributeBehind(left, operator === "=" ? CASTS[typeOf(onRight)] : "INT");
    if (name !== undefined) return verdictClaims(name, operator === "=" ? equalVerdicts(onRight) : orderVerdicts(operator, onRight), node);
  }
  const onLeft = constantOf(left);
  if (onLeft !== undefined && right.kind === "attribute") {
    const verdicts = operator === "=" ? equalVerdictsOnRight(onLeft) : orderVerdicts(TURNED[operator], onLeft);
    return verdictClaims(right.name, verdicts, node);
  }
  return restClaims(node);
}

const TURNED = { "<": ">", "<=": ">=", ">": "<", ">=": "<=" } as const;

/** The function that says of an attribute what a comparison with such a value says anyway. */
const CASTS = { String: "STRING", Integer: "INT", Boolean: "BOOL" } as const;

function inClaims(node: Extract<Node, { kind: "in" }>): Claims {
  const members = node.set.map(constantOf);
  if (node.operand.kind !== "attribute" || !members.every((member) => member !== undefined)) return restClaims(node);
  return verdictClaims(node.operand.name, memberVerdicts(members), node);
}

/** `x`, or its cast `STRING(x)` where that changes nothing. */
function attributeBehind(node: Node, castBy: string): string | undefined {
  const inner = node.kind === "call" && node.fn.name === castBy ? node.args[0] : node;
  return inner?.kind === "attribute" ? inner.name : undefined;
}

/** Of the two booleans the part itself tells what it makes of them. */
function verdictClaims(name: string, verdicts: Verdicts, node: Node): Claims {
  const evaluate = compileNode(node);
  const isBoolean = typeOfNode(node) === "Boolean";
  const booleansThat = (wanted: boolean): boolean[] =>
    [true, false].filter((value) => (isBoolean ? evaluate(() => value) : value) === wanted);
  return {
    isTrue: valueClaim(name, { ...verdicts.isTrue, booleans: booleansThat(true) }),
    isFalse: valueClaim(name, { ...verdicts.isFalse, booleans: booleansThat(false) }),
  };
}

const readNothing: Read = () => undefined;

/** The value of a part that reads no attribute; undefined where it reads one, or fails. */
function constantOf(node: Node): Value | undefined {
  if (node.kind === "literal") return node.value;
  if (attributesOf(node).length > 0) return undefined;
  const outcome: Outcome = compileNode(node)(readNothing);
  return isFailure(outcome) ? undefined : outcome;
}
