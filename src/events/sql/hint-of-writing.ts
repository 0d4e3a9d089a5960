import type { Judged } from "./judge.ts";
import { proposal } from "./proposal.ts";
import { isKeyword, type Token } from "./token.ts";
import { parseInteger } from "./value.ts";

/** What somebody may have meant who wrote such an operand: why it is not that, and how to write it. */
interface Meant {
  readonly why: string;
  readonly instead: string;
}

/** The surest first. All of them are tried, so that nothing is said that would not be true. */
const READINGS: readonly ((operand: Judged, before: Judged | undefined) => readonly Meant[])[] = [
  notOfAll,
  withoutQuotes,
  withQuotes,
  conditionOfItsOwn,
  asNumber,
  inAnyCase,
  withoutSpaces,
  withPercent,
  atTheBound,
];

/** How an operand that is not true might have been meant; only what would be true is said. */
export function hintOfWriting(operand: Judged, before: Judged | undefined, event: object): string | undefined {
  for (const reading of READINGS) {
    for (const { why, instead } of reading(operand, before)) {
      const hint = proposal(why, instead, event);
      if (hint !== undefined) return hint;
    }
  }
  return undefined;
}

/** `NOT a = b` that was meant as `NOT (a = b)`. */
function notOfAll(operand: Judged): readonly Meant[] {
  const { tokens, node } = operand;
  const [not, first] = tokens;
  if (first === undefined || !isKeyword(not, "NOT")) return [];
  if (node.kind === "not" && node.at === not?.at) return [];
  return [{ why: "NOT binds tighter than what follows", instead: `NOT (${writtenFrom(operand, first)})` }];
}

/** `"type" = 'x'`, as other dialects of SQL quote names. */
function withoutQuotes(operand: Judged): readonly Meant[] {
  const [name, operator] = operand.tokens;
  if (name?.kind !== "string" || operator === undefined || !/^[a-z0-9]+$/i.test(name.text)) return [];
  const why = `${written(operand, name)} is a text: the names of attributes stand without quotes`;
  return [{ why, instead: `${name.text} ${writtenFrom(operand, operator)}` }];
}

/** `type = lamp`, where lamp was meant as a text. */
function withQuotes(operand: Judged): readonly Meant[] {
  const [name, operator, word, ...more] = operand.tokens;
  if (name?.kind !== "word" || operator?.text !== "=" || word?.kind !== "word" || more.length > 0) return [];
  return [{ why: `${word.text} without quotes is an attribute`, instead: `${name.text} = '${word.text}'` }];
}

/** `type = 'a' OR 'b'`. */
function conditionOfItsOwn(operand: Judged, before: Judged | undefined): readonly Meant[] {
  const [text, ...more] = operand.tokens;
  const [name, equals] = before?.tokens ?? [];
  if (text?.kind !== "string" || more.length > 0 || name?.kind !== "word" || equals?.text !== "=") return [];
  const why = `each side of ${operand.operator} is a condition of its own`;
  return [{ why, instead: `${name.text} = ${written(operand, text)}` }];
}

/** `size = '5'` of an event that has "05". */
function asNumber(operand: Judged): readonly Meant[] {
  const compared = comparedText(operand);
  if (compared?.operator !== "=") return [];
  const number = parseInteger(compared.text.text);
  return number === undefined ? [] : [{ why: '"=" compares as what stands on its right', instead: `${compared.name} = ${number}` }];
}

function inAnyCase(operand: Judged): readonly Meant[] {
  const [name, operator, ...rest] = operand.tokens;
  const [first] = rest;
  const takesText = operator?.text === "=" || isKeyword(operator, "LIKE") || isKeyword(operator, "IN");
  if (name?.kind !== "word" || operator === undefined || first === undefined || !takesText) return [];
  if (rest.some(({ kind }) => kind === "word")) return [];
  const instead = `LOWER(${name.text}) ${written(operand, operator)} ${writtenFrom(operand, first).toLowerCase()}`;
  return [{ why: "it differs only in letter case", instead }];
}

function withoutSpaces(operand: Judged): readonly Meant[] {
  const compared = comparedText(operand);
  if (compared?.operator !== "=") return [];
  return [{ why: "the event has spaces around it", instead: `TRIM(${compared.name}) = ${written(operand, compared.text)}` }];
}

/** `=` that was meant as LIKE, LIKE with the star of other languages, and LIKE without its `%`. */
function withPercent(operand: Judged): readonly Meant[] {
  const compared = comparedText(operand);
  if (compared === undefined || compared.text.text === "") return [];
  const text = written(operand, compared.text);
  const like = (inner: string): string => `${compared.name} LIKE ${inner}`;
  const [quote, inner] = [text.charAt(0), text.slice(1, -1)];
  const whole = `${compared.operator === "=" ? '"="' : "LIKE"} compares the whole text`;
  return [
    { why: '"=" takes % and _ for themselves', instead: like(text) },
    { why: "* stands for itself: any text is %", instead: like(text.replaceAll("*", "%")) },
    { why: whole, instead: like(`${quote}${inner}%${quote}`) },
    { why: whole, instead: like(`${quote}%${inner}${quote}`) },
  ];
}

function atTheBound({ tokens }: Judged): readonly Meant[] {
  const [name, operator, number, ...more] = tokens;
  if (name?.kind !== "word" || number?.kind !== "digits" || more.length > 0) return [];
  if (operator?.text !== "<" && operator?.text !== ">") return [];
  const why = `${number.text} is the bound itself, which is left out`;
  return [{ why, instead: `${name.text} ${operator.text}= ${number.text}` }];
}

interface Compared {
  readonly name: string;
  readonly operator: "=" | "LIKE";
  readonly text: Token;
}

/** `name = 'text'` or `'text' = name`, `name LIKE 'text'`. */
function comparedText({ tokens }: Judged): Compared | undefined {
  const [left, operator, right, ...more] = tokens;
  if (left === undefined || right === undefined || more.length > 0) return undefined;
  if (isKeyword(operator, "LIKE")) return left.kind === "word" ? { name: left.text, operator: "LIKE", text: right } : undefined;
  if (operator?.text !== "=") return undefined;
  if (left.kind === "word" && right.kind === "string") return { name: left.text, operator: "=", text: right };
  return left.kind === "string" && right.kind === "word" ? { name: right.text, operator: "=", text: left } : undefined;
}

function written({ source, position }: Judged, { at, end }: Token): string {
  return source.slice(at - position, end - position);
}

/** From a token to the end, without a parenthesis around all of it. */
function writtenFrom({ source, position, tokens }: Judged, { at }: Token): string {
  return source.slice(at - position, (tokens.at(-1)?.end ?? at) - position);
}
