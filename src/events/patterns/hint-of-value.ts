import { nearMiss } from "../../core/index.ts";
import { isPlainObject } from "./alternative.ts";
import { compileCondition } from "./condition.ts";
import { nameOf } from "./name-of.ts";
import type { Leaf } from "./pattern.ts";
import { PatternError } from "./pattern-error.ts";
import { shown } from "./shown.ts";

/** Why one leaf does not satisfy one alternative, where that is a mistake people make; undefined where it is not. */
type Look = (alternative: unknown, leaf: Leaf) => string | undefined;

/** The surest first. */
const LOOKS: readonly Look[] = [
  sameInAnotherType,
  sameInAnotherCase,
  sameButForSpaces,
  sameInOtherCodePoints,
  takenLiterally,
  onTheBound,
  neverOfThisType,
  nullIsThere,
  almostTheSame,
];

/** Why none of the leaves at a path satisfies any of the alternatives: what most likely was meant. */
export function hintOfValue(alternatives: readonly unknown[], leaves: readonly Leaf[]): string | undefined {
  for (const look of LOOKS) {
    for (const alternative of alternatives) {
      for (const leaf of leaves) {
        const hint = look(alternative, leaf);
        if (hint !== undefined) return hint;
      }
    }
  }
  return undefined;
}

function sameInAnotherType(alternative: unknown, leaf: Leaf): string | undefined {
  if (isPlainObject(alternative)) {
    const { name, argument } = operatorOf(alternative);
    if (name !== "numeric" || typeof leaf !== "string" || !isNumberText(leaf) || !wouldFit({ numeric: argument }, Number(leaf)))
      return undefined;
    return `${shown(leaf)} is a string, and "numeric" looks at numbers only: send it without quotes`;
  }
  if (typeof alternative === typeof leaf) return undefined;
  const [text, other] = typeof alternative === "string" ? [alternative, leaf] : [leaf, alternative];
  if (typeof text !== "string" || typeof other === "string") return undefined;
  const isSame = typeof other === "number" ? isNumberText(text) && Number(text) === other : text.trim().toLowerCase() === String(other);
  return isSame ? `found ${typed(leaf)}, the pattern wants ${typed(alternative)}` : undefined;
}

function sameInAnotherCase(alternative: unknown, leaf: Leaf): string | undefined {
  if (typeof leaf !== "string") return undefined;
  if (typeof alternative === "string") return proposal("differs only in letter case", { "equals-ignore-case": alternative }, leaf);
  if (!isPlainObject(alternative)) return undefined;
  const { name, argument } = operatorOf(alternative);
  if ((name === "prefix" || name === "suffix") && typeof argument === "string")
    return proposal("differs only in letter case", { [name]: { "equals-ignore-case": argument } }, leaf);
  if (name !== "wildcard" || typeof argument !== "string") return undefined;
  return wouldFit({ wildcard: argument.toLowerCase() }, leaf.toLowerCase())
    ? 'differs only in letter case, and "wildcard" tells upper from lower case'
    : undefined;
}

function sameButForSpaces(alternative: unknown, leaf: Leaf): string | undefined {
  if (typeof leaf !== "string" || typeof alternative !== "string" || leaf.trim() !== alternative.trim()) return undefined;
  return `differs only in spaces: ${leaf === leaf.trim() ? "the pattern" : "the event"} has some around it`;
}

function sameInOtherCodePoints(alternative: unknown, leaf: Leaf): string | undefined {
  if (typeof leaf !== "string" || typeof alternative !== "string" || leaf.normalize() !== alternative.normalize()) return undefined;
  return "looks the same, but one of the two composes its accents of several characters (Unicode normalization)";
}

/** A literal that was meant as more than itself. */
function takenLiterally(alternative: unknown, leaf: Leaf): string | undefined {
  if (typeof leaf !== "string" || typeof alternative !== "string" || alternative === "") return undefined;
  const isItself = `${shown(alternative)} stands for itself alone`;
  return (
    (alternative.includes("*") ? proposal(isItself, { wildcard: alternative }, leaf) : undefined) ??
    (alternative.includes("/") ? proposal(isItself, { cidr: alternative }, leaf) : undefined) ??
    proposal("the whole string must be equal", { prefix: alternative }, leaf) ??
    proposal("the whole string must be equal", { suffix: alternative }, leaf)
  );
}

function onTheBound(alternative: unknown, leaf: Leaf): string | undefined {
  if (typeof leaf !== "number" || !isPlainObject(alternative)) return undefined;
  const { name, argument } = operatorOf(alternative);
  if (name !== "numeric" || !Array.isArray(argument)) return undefined;
  const terms: readonly unknown[] = argument;
  const closed = terms.map((term, i) => ((term === "<" || term === ">") && terms[i + 1] === leaf ? `${term}=` : term));
  return proposal(`${leaf} is the bound itself, which is left out`, { numeric: closed }, leaf);
}

const OF_STRINGS: ReadonlySet<string> = new Set(["prefix", "suffix", "wildcard", "equals-ignore-case", "cidr"]);

function neverOfThisType(alternative: unknown, leaf: Leaf): string | undefined {
  if (!isPlainObject(alternative)) return undefined;
  const { name } = operatorOf(alternative);
  if (OF_STRINGS.has(name) && typeof leaf !== "string") return `"${name}" looks at strings only, and ${isOfType(leaf)}`;
  if (name === "numeric" && typeof leaf !== "number") return `"numeric" looks at numbers only, and ${isOfType(leaf)}`;
  return undefined;
}

function nullIsThere(alternative: unknown, leaf: Leaf): string | undefined {
  if (leaf !== null || !isPlainObject(alternative) || alternative["exists"] !== false) return undefined;
  return 'null is a value like any other: "exists": false wants the field itself to be absent';
}

const LONGEST_COMPARED = 64;

function almostTheSame(alternative: unknown, leaf: Leaf): string | undefined {
  if (typeof leaf !== "string" || typeof alternative !== "string") return undefined;
  // A letter of two or three is half the word, and numbers in names differ on purpose: these are nobody's slips.
  if (Math.min(leaf.length, alternative.length) < 4 || Math.max(leaf.length, alternative.length) > LONGEST_COMPARED) return undefined;
  if (leaf.replaceAll(/\d/g, "") === alternative.replaceAll(/\d/g, "")) return undefined;
  const slips = leaf.length < 8 ? 1 : 2;
  return nearMiss(leaf, [alternative], slips) === undefined
    ? undefined
    : `${shown(leaf)} and ${shown(alternative)} are spelled almost alike`;
}

/** Why, and what would match instead: said only where it would. */
function proposal(why: string, instead: object, leaf: Leaf): string | undefined {
  return wouldFit(instead, leaf) ? `${why}; ${JSON.stringify(instead)} would match` : undefined;
}

function wouldFit(alternative: object, leaf: Leaf): boolean {
  try {
    return compileCondition("", [alternative], "").holds(leaf);
  } catch (error) {
    if (error instanceof PatternError) return false;
    throw error;
  }
}

function operatorOf(alternative: object): { readonly name: string; readonly argument: unknown } {
  const [[name, argument] = ["", undefined]] = Object.entries(alternative) as [string, unknown][];
  return { name, argument };
}

/** As people and spreadsheets write numbers; "" and " " are none. */
function isNumberText(text: string): boolean {
  return /^\s*[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?\s*$/i.test(text);
}

function typed(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? `the ${typeof value} ${shown(value)}` : shown(value);
}

function isOfType(leaf: Leaf): string {
  return leaf === null ? "this is null" : `${shown(leaf)} is ${nameOf(leaf)}`;
}
