import { ALL_BOOLEANS, ALL_INTEGERS, type Claim, exactly, integersExcept, valueClaim, type ValueSet } from "../claims/index.ts";
import type { Leaf } from "../patterns/index.ts";

export type TextDialect = "exact" | "prefix" | "suffix";

/** Compares one attribute with a text. What is no string is compared as the text that CloudEvents gives it: `5`, `true` (F6). */
export function testText(dialect: TextDialect, leaf: Leaf | undefined, text: string): boolean {
  if (leaf === undefined || leaf === null) return false;
  const value = String(leaf);
  switch (dialect) {
    case "exact":
      return value === text;
    case "prefix":
      return value.startsWith(text);
    case "suffix":
      return value.endsWith(text);
    default:
      return dialect satisfies never;
  }
}

/** Where the comparison holds, and where it does not: there the attribute may be absent as well. */
export function textClaims(dialect: TextDialect, name: string, text: string): { readonly holds: Claim; readonly fails: Claim } {
  const booleansThat = (wanted: boolean): boolean[] => ALL_BOOLEANS.filter((value) => testText(dialect, value, text) === wanted);
  const integers = integersThat(dialect, text);
  const strings =
    dialect === "exact"
      ? { yes: [exactly(text)], no: text }
      : dialect === "prefix"
        ? { yes: [{ prefix: text }], no: { prefix: text } }
        : { yes: [{ suffix: text }], no: { suffix: text } };
  const holds: ValueSet = {
    strings: strings.yes,
    integers: integers.yes,
    booleans: booleansThat(true),
    areStringsExact: true,
    areIntegersExact: integers.isExact,
  };
  const fails: ValueSet = {
    strings: { except: strings.no },
    integers: integers.no,
    booleans: booleansThat(false),
    mayBeAbsent: true,
    areStringsExact: true,
    areIntegersExact: integers.isExact,
  };
  return { holds: valueClaim(name, holds), fails: valueClaim(name, fails) };
}

type Alternatives = ValueSet["integers"];

/** Patterns compare numbers by value: which of them begin or end with a digit they cannot say. */
function integersThat(
  dialect: TextDialect,
  text: string,
): { readonly yes: Alternatives; readonly no: Alternatives; readonly isExact: boolean } {
  if (dialect === "exact" && /^(?:0|-?[1-9][0-9]{0,9})$/.test(text))
    return { yes: [Number(text)], no: integersExcept([Number(text)]), isExact: true };
  const mayBegin = dialect === "prefix" && /^-?[0-9]*$/.test(text);
  const mayEnd = dialect === "suffix" && /^-?[0-9]+$/.test(text);
  return mayBegin || mayEnd ? { yes: ALL_INTEGERS, no: ALL_INTEGERS, isExact: false } : { yes: [], no: ALL_INTEGERS, isExact: true };
}
