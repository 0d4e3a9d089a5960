import { isTextAttribute } from "../attribute.ts";
import type { Alternative, AnythingBut } from "../patterns/index.ts";
import { parseIp } from "../patterns/ip.ts";
import { attributeClaim, type Claim } from "./claim.ts";

const MIN_INTEGER = -2147483648;
const MAX_INTEGER = 2147483647;

/** Values of one attribute, by type. An attribute is a string, a whole number of 32 bits or a boolean (E4), or absent. */
export interface ValueSet {
  readonly strings: readonly Alternative[] | { readonly except: AnythingBut };
  readonly integers: readonly Alternative[];
  readonly booleans: readonly boolean[];
  readonly mayBeAbsent?: boolean;
  /** False: there are strings in it that are not meant. */
  readonly areStringsExact: boolean;
  readonly areIntegersExact: boolean;
}

export const ALL_STRINGS: readonly Alternative[] = [{ prefix: "" }];
export const ALL_INTEGERS: readonly Alternative[] = [{ numeric: [">=", MIN_INTEGER, "<=", MAX_INTEGER] }];
export const ALL_BOOLEANS: readonly boolean[] = [true, false];

/** What is there, whatever it is. */
export const ANY_VALUE: ValueSet = {
  strings: ALL_STRINGS,
  integers: ALL_INTEGERS,
  booleans: ALL_BOOLEANS,
  areStringsExact: true,
  areIntegersExact: true,
};

/** The claim that an attribute is in a set, in as few alternatives as say it (C2). */
export function valueClaim(name: string, set: ValueSet): Claim {
  const { alternatives, isExact } = isTextAttribute(name) ? textAlternatives(set) : allAlternatives(set);
  const absent: readonly Alternative[] = set.mayBeAbsent === true ? [{ exists: false }] : [];
  return attributeClaim(name, [...absent, ...alternatives], isExact);
}

interface Alternatives {
  readonly alternatives: readonly Alternative[];
  readonly isExact: boolean;
}

function textAlternatives({ strings, areStringsExact: isExact }: ValueSet): Alternatives {
  if ("except" in strings) return { alternatives: [{ "anything-but": strings.except }], isExact };
  return { alternatives: strings === ALL_STRINGS ? [{ exists: true }] : strings, isExact };
}

function allAlternatives({ strings, integers, booleans, areStringsExact, areIntegersExact }: ValueSet): Alternatives {
  const isExact = areStringsExact && areIntegersExact;
  const hasAllOthers = integers === ALL_INTEGERS && booleans.length === 2;
  if ("except" in strings) return { alternatives: [{ "anything-but": strings.except }], isExact: isExact && hasAllOthers };
  if (strings === ALL_STRINGS && hasAllOthers) return { alternatives: [{ exists: true }], isExact };
  return { alternatives: [...strings, ...integers, ...booleans], isExact };
}

/** A string and no other: a literal that spells an IPv6 address would match all spellings of it (P22), a wildcard does not. */
export function exactly(text: string): Alternative {
  return text.includes(":") && parseIp(text) !== undefined ? { wildcard: escapeWildcard(text) } : text;
}

function escapeWildcard(text: string): string {
  return text.replaceAll(/[*\\]/g, "\\$&");
}

/** All whole numbers but these. */
export function integersExcept(excluded: readonly number[]): readonly Alternative[] {
  if (excluded.length === 0) return ALL_INTEGERS;
  const points = [...new Set(excluded)].sort((a, b) => a - b);
  const bounds = [MIN_INTEGER - 1, ...points, MAX_INTEGER + 1];
  return bounds.slice(1).flatMap((upper, i) => {
    const lower = bounds[i] ?? upper;
    return upper - lower > 1 ? [{ numeric: [">", lower, "<", upper] }] : [];
  });
}
