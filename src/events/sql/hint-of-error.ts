import { nearMiss } from "../../core/index.ts";
import { isAttributeName, readerOf } from "../attribute.ts";
import { nameOf } from "../patterns/name-of.ts";
import { compileNode } from "./evaluate.ts";
import { isFailure, type SqlEvaluationError } from "./failure.ts";
import type { Judged } from "./judge.ts";
import { childrenOf, type Node } from "./node.ts";
import { withoutError } from "./proposal.ts";
import { typeOf, valueOfLeaf } from "./value.ts";

/** What is to be known of an error beyond its message. */
export function hintOfError(operand: Judged, error: SqlEvaluationError, event: object): string | undefined {
  const { position, kind } = error;
  if (kind === "cast") return hintOfCast(operand, position, event);
  const node = findNode(operand.node, (each) => each.at === position);
  return kind === "missing_attribute" && node?.kind === "attribute" ? hintOfMissing(node.name, operand, event) : undefined;
}

function hintOfMissing(name: string, operand: Judged, event: object): string {
  return (
    standingThere(name, event) ??
    standingElsewhere(name, event) ??
    textWithoutQuotes(name, operand) ??
    whereItMayBeMissing(name, operand, event)
  );
}

/** Something that is no attribute to the language (S5). */
function standingThere(name: string, event: object): string | undefined {
  if (!Object.hasOwn(event, name)) return undefined;
  const value = fieldOf(event, name);
  return value === null ? `${name} is null, which is as good as missing` : `${name} is ${nameOf(value)}, and attributes are single values`;
}

function standingElsewhere(name: string, event: object): string | undefined {
  const names = Object.keys(event).filter((each) => each !== "data");
  const sameName = (each: string): boolean => each.toLowerCase() === name;
  const inAnotherCase = names.find(sameName);
  if (inAnotherCase !== undefined) return `the event has ${inAnotherCase}, and names of attributes have no capitals`;
  const data = fieldOf(event, "data");
  const inData = typeof data === "object" && data !== null ? Object.keys(data).find(sameName) : undefined;
  if (inData !== undefined) return `the event has data.${inData}, and CloudEvents SQL does not see data: a pattern does`;
  const near = nearMiss(name, names.filter(isAttributeName), Math.floor(name.length / 3));
  return near === undefined ? undefined : `the event has ${near}: was that meant?`;
}

function textWithoutQuotes(name: string, { node }: Judged): string | undefined {
  const compared = node.kind === "not" ? node.operand : node;
  if (compared.kind !== "comparison" || compared.left.kind !== "attribute" || compared.right.kind !== "attribute") return undefined;
  return compared.right.name === name ? `${name} without quotes is an attribute, and the event has none of that name` : undefined;
}

/** Of a negation one mostly means that it holds without the attribute, too. */
function whereItMayBeMissing(name: string, { node, source }: Judged, event: object): string {
  const why = `an expression with an error does not match, and without ${name} this is one`;
  if (node.kind === "logic") return `${why}: ask EXISTS ${name} before`;
  const read = readerOf(event);
  const missing = [...namesRead(node)].filter((each) => valueOfLeaf(read(each)) === undefined);
  const instead =
    node.kind === "not"
      ? `(${missing.map((each) => `NOT EXISTS ${each} OR `).join("")}${source})`
      : `(${missing.map((each) => `EXISTS ${each} AND `).join("")}${source})`;
  return withoutError(why, instead, event);
}

/** The attributes that have to be there: EXISTS does not need them. */
function namesRead(node: Node): ReadonlySet<string> {
  return new Set(node.kind === "attribute" ? [node.name] : childrenOf(node).flatMap((child) => [...namesRead(child)]));
}

/** Which operator wanted another type, and why. */
function hintOfCast({ node, own }: Judged, position: number, event: object): string | undefined {
  const taker = findNode(node, (each) => takesAt(each, position));
  switch (taker?.kind) {
    case "comparison":
      return taker.operator === "="
        ? `"=" compares as what stands on its right, ${typeWords(taker.right, event)}`
        : `"${taker.operator}" compares numbers`;
    case "in":
      return `IN compares as what stands on its left, ${typeWords(taker.operand, event)}`;
    case "arithmetic":
      return `"${taker.operator}" calculates with whole numbers${taker.operator === "+" ? ": CONCAT joins texts" : ""}`;
    case "logic":
      return OF_LOGIC;
    case "not":
      return taker === node ? undefined : "NOT binds tightest: put what it is meant to take in parentheses";
    default:
      // The operand itself is none, and failed only where AND, OR or XOR took it.
      return isFailure(own) ? undefined : OF_LOGIC;
  }
}

const OF_LOGIC = "AND, OR and XOR join conditions: each of them is true or false";

/** Whether an error that stands there is that of a cast by this node: of its own place, or of an operand's. */
function takesAt(node: Node, position: number): boolean {
  switch (node.kind) {
    case "not":
      return node.at === position && node.operand.kind !== "comparison";
    case "in":
      return node.at === position;
    case "comparison":
      return node.operator === "=" ? node.at === position : node.left.at === position || node.right.at === position;
    case "arithmetic":
    case "minus":
    case "logic":
    case "call":
      return childrenOf(node).some(({ at }) => at === position);
    case "literal":
    case "attribute":
    case "exists":
    case "like":
      return false;
    default:
      return node satisfies never;
  }
}

function typeWords(node: Node, event: object): string {
  const outcome = compileNode(node)(readerOf(event));
  return isFailure(outcome) ? "and that failed" : `here as ${WORDS[typeOf(outcome)]}`;
}

const WORDS = { String: "a text", Integer: "a whole number", Boolean: "true or false" } as const;

/** The first part, from the outside in, of which something is true. */
function findNode(node: Node, is: (each: Node) => boolean): Node | undefined {
  if (is(node)) return node;
  for (const child of childrenOf(node)) {
    const found = findNode(child, is);
    if (found !== undefined) return found;
  }
  return undefined;
}

function fieldOf(event: object, name: string): unknown {
  return (event as Readonly<Record<string, unknown>>)[name];
}
