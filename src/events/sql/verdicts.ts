import { ALL_INTEGERS, ALL_STRINGS, exactly, integersExcept, type ValueSet } from "../claims/index.ts";
import type { Alternative } from "../patterns/index.ts";
import { hasUnderscore, type LikePattern, wildcardOf } from "./like.ts";
import type { ComparisonOperator } from "./node.ts";
import { cast, parseInteger, type Value } from "./value.ts";

/** For one attribute: the strings and integers that make a part true, and those that make it false. With those in neither it fails. */
export interface Verdicts {
  readonly isTrue: Values;
  readonly isFalse: Values;
}

type Values = Omit<ValueSet, "booleans">;

interface Strings {
  readonly yes: ValueSet["strings"];
  readonly no: ValueSet["strings"];
  /** False: patterns can only name a set that is larger. */
  readonly isYesExact: boolean;
  readonly isNoExact: boolean;
}

interface Integers {
  readonly yes: readonly Alternative[];
  readonly no: readonly Alternative[];
  readonly isExact?: boolean;
}

/** The attribute itself as a Boolean. Under NOT an Integer is none (S11). */
export function booleanVerdicts(areIntegersCast: boolean): Verdicts {
  // No letter of "true" has a third case, but "falſe" is "false" to a pattern and not to the language.
  const strings = { yes: [ignoringCase("true")], no: [ignoringCase("false")], isYesExact: true, isNoExact: false };
  return verdicts(strings, areIntegersCast ? { yes: integersExcept([0]), no: [0] } : ALL_FAIL);
}

/** `x = value`: the value's type is that in which the two are compared (S13). */
export function equalVerdicts(value: Value): Verdicts {
  switch (typeof value) {
    case "string":
      return verdicts(theString(value), integersThatRead(value));
    case "number":
      // Signs and leading zeros stand before the digits: "+05" is 5.
      return verdicts(someOf([{ suffix: String(Math.abs(value)) }]), theInteger(value));
    case "boolean":
      return value ? booleanVerdicts(true) : turned(booleanVerdicts(true));
    default:
      return value satisfies never;
  }
}

/** `value = x`: now it is the attribute's type. */
export function equalVerdictsOnRight(value: Value): Verdicts {
  const integer = cast(value, "Integer");
  return verdicts(theString(String(value)), integer === undefined ? ALL_FAIL : theInteger(Number(integer)));
}

/** `x < value` and the like: both are Integers. */
export function orderVerdicts(operator: Exclude<ComparisonOperator, "=">, value: Value): Verdicts {
  const bound = cast(value, "Integer");
  if (typeof bound !== "number") return verdicts({ yes: [], no: [], isYesExact: true, isNoExact: true }, ALL_FAIL);
  return verdicts(someOf(ALL_STRINGS), { yes: [{ numeric: [operator, bound] }], no: [{ numeric: [OPPOSITE[operator], bound] }] });
}

const OPPOSITE = { "<": ">=", "<=": ">", ">": "<=", ">=": "<" } as const;

/** `x IN (members)`: the members are cast to the type of x, and the first that cannot be ends it. */
export function memberVerdicts(members: readonly Value[]): Verdicts {
  const texts = members.map(String);
  const strings = { yes: texts.map(exactly), no: { except: texts }, isYesExact: true, isNoExact: true };
  const integers = members.map((member) => cast(member, "Integer"));
  const firstBad = integers.indexOf(undefined);
  const reached = integers.slice(0, firstBad < 0 ? undefined : firstBad).map(Number);
  return verdicts(strings, { yes: reached, no: firstBad < 0 ? integersExcept(reached) : [] });
}

export function likeVerdicts(pattern: LikePattern): Verdicts {
  const alternative = alternativeOf(pattern);
  if (alternative === undefined)
    return verdicts({ yes: ALL_STRINGS, no: [], isYesExact: true, isNoExact: true }, { yes: ALL_INTEGERS, no: [] });
  if (typeof alternative === "string") return verdicts(theString(alternative), integersThatRead(alternative));
  const integers = mayMatchIntegers(pattern) ? { yes: ALL_INTEGERS, no: ALL_INTEGERS, isExact: false } : NONE_YES;
  if (hasUnderscore(pattern)) return verdicts(someOf([alternative]), integers);
  return verdicts({ yes: [alternative], no: { except: alternative }, isYesExact: true, isNoExact: true }, integers);
}

type Starred = { readonly prefix: string } | { readonly suffix: string } | { readonly wildcard: string };

/** The pattern in the language of events; undefined where it matches everything. */
function alternativeOf(pattern: LikePattern): Starred | string | undefined {
  const wildcard = wildcardOf(pattern);
  if (wildcard === "*") return hasUnderscore(pattern) ? { prefix: "" } : undefined;
  const [first = "", last, ...more] = hasUnderscore(pattern) ? [] : pattern.pieces.map((piece) => piece.join(""));
  if (more.length === 0 && last === "") return { prefix: first };
  if (more.length === 0 && last !== undefined && first === "") return { suffix: last };
  return !hasUnderscore(pattern) && last === undefined ? first : { wildcard };
}

/** Digits and a sign are all that an Integer has as a string. */
function mayMatchIntegers({ pieces }: LikePattern): boolean {
  return pieces.every((piece) => piece.every((char) => char === undefined || /^[-0-9]$/.test(char)));
}

function verdicts(strings: Strings, { yes, no, isExact = true }: Integers): Verdicts {
  return {
    isTrue: { strings: strings.yes, integers: yes, areStringsExact: strings.isYesExact, areIntegersExact: isExact },
    isFalse: { strings: strings.no, integers: no, areStringsExact: strings.isNoExact, areIntegersExact: isExact },
  };
}

function turned({ isTrue, isFalse }: Verdicts): Verdicts {
  return { isTrue: isFalse, isFalse: isTrue };
}

function theString(text: string): Strings {
  return { yes: [exactly(text)], no: { except: text }, isYesExact: true, isNoExact: true };
}

/** At most these make it true; any may make it false, or fail. */
function someOf(alternatives: readonly Alternative[]): Strings {
  return { yes: alternatives, no: ALL_STRINGS, isYesExact: false, isNoExact: false };
}

function theInteger(value: number): Integers {
  return { yes: [value], no: integersExcept([value]) };
}

const ALL_FAIL: Integers = { yes: [], no: [] };
const NONE_YES: Integers = { yes: [], no: ALL_INTEGERS };

/** The integer that, as a string, is this text: "05" is none. */
function integersThatRead(text: string): Integers {
  const value = parseInteger(text);
  return value !== undefined && String(value) === text ? theInteger(value) : NONE_YES;
}

function ignoringCase(text: string): Alternative {
  return { "equals-ignore-case": text };
}
