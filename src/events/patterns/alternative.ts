import { didYouMean } from "../../core/index.ts";
import { foldCase } from "./fold-case.ts";
import { parseCidr, parseIp } from "./ip.ts";
import { nameOf } from "./name-of.ts";
import { compileNumeric } from "./numeric.ts";
import { PatternError } from "./pattern-error.ts";
import type { ExceptTest, NumberTest, Test, TextTest } from "./test.ts";
import { compileWildcard } from "./wildcard.ts";

type Compiler = (argument: unknown, at: string) => Test;

const OPERATORS: ReadonlyMap<string, Compiler> = new Map<string, Compiler>([
  ["prefix", (argument, at) => affix("prefix", argument, at)],
  ["suffix", (argument, at) => affix("suffix", argument, at)],
  ["equals-ignore-case", (argument, at) => ignoringCase("text", text(argument, at))],
  ["wildcard", (argument, at) => wildcard(text(argument, at), at)],
  ["numeric", compileNumeric],
  ["cidr", cidr],
  ["exists", exists],
  ["anything-but", anythingBut],
]);

/** The names that cannot be fields inside `$or`: there an operator in the wrong place would pass for a field. */
export const RESERVED_IN_OR: ReadonlySet<string> = new Set([...OPERATORS.keys(), "=", "<", "<=", ">", ">="]);

const ANYTHING_BUT_OPERATORS: ReadonlyMap<string, (argument: string, at: string) => TextTest> = new Map([
  ["prefix", (argument: string, at: string): TextTest => exactly("prefix", notEmpty(argument, at))],
  ["suffix", (argument: string, at: string): TextTest => exactly("suffix", notEmpty(argument, at))],
  ["equals-ignore-case", (argument: string): TextTest => ignoringCase("text", argument)],
  ["wildcard", wildcard],
]);

/** How many wildcards a sound list of alternatives has: they alone read a string to its end, however long it is. */
export function countWildcards(alternatives: readonly unknown[]): number {
  let count = 0;
  for (const alternative of alternatives) {
    if (!isPlainObject(alternative)) continue;
    const excluded = alternative["anything-but"];
    const wildcards = isPlainObject(excluded) ? excluded["wildcard"] : alternative["wildcard"];
    if (wildcards !== undefined) count += Array.isArray(wildcards) ? wildcards.length : 1;
  }
  return count;
}

export function compileAlternative(source: unknown, at: string): Test {
  if (isPlainObject(source)) {
    const [name, argument] = onlyField(source, at, "an operator");
    const compile = OPERATORS.get(name);
    const here = `${at}.${name}`;
    if (compile === undefined) throw new PatternError(here, unknownOperator(name, OPERATORS.keys()));
    return compile(argument, here);
  }
  if (typeof source === "string") return literal(text(source, at));
  if (typeof source === "number") return { kind: "number", value: finite(source, at) };
  if (typeof source === "boolean" || source === null) return { kind: "word", value: source };
  throw new PatternError(
    at,
    `an alternative is a string, number, true, false, null or an operator such as { "prefix": "a" }, not ${nameOf(source)}`,
  );
}

/** The spellings of one IPv6 address are one literal. */
function literal(source: string): Test {
  const address = source.includes(":") ? parseIp(source) : undefined;
  return address === undefined ? exactly("text", source) : { kind: "ip", text: source, address };
}

type TextKind = "text" | "prefix" | "suffix";

function exactly(kind: TextKind, text: string): TextTest {
  return { kind, text, fold: false };
}

function ignoringCase(kind: TextKind, text: string): TextTest {
  return { kind, text: foldCase(text), fold: true };
}

function affix(kind: "prefix" | "suffix", argument: unknown, at: string): Test {
  if (!isPlainObject(argument)) return exactly(kind, text(argument, at, ', or { "equals-ignore-case": … }'));
  const [name, inner] = onlyField(argument, at, "equals-ignore-case");
  if (name !== "equals-ignore-case") throw new PatternError(`${at}.${name}`, unknownOperator(name, ["equals-ignore-case"]));
  return ignoringCase(kind, text(inner, `${at}.${name}`));
}

/** What opens or closes a string, and no more, is a prefix or a suffix: cheaper, and the same. */
function wildcard(argument: string, at: string): TextTest {
  const compiled = compileWildcard(argument);
  switch (compiled.kind) {
    case "fault":
      throw new PatternError(at, compiled.fault);
    case "literal":
      return exactly("text", compiled.text);
    case "starred":
      if (compiled.between.length > 0) return { kind: "wildcard", wildcard: compiled };
      if (compiled.last === "") return exactly("prefix", compiled.first);
      return compiled.first === "" ? exactly("suffix", compiled.last) : { kind: "wildcard", wildcard: compiled };
    default:
      return compiled satisfies never;
  }
}

function cidr(argument: unknown, at: string): Test {
  const block = parseCidr(text(argument, at));
  if (typeof block === "string") throw new PatternError(at, block);
  return { kind: "cidr", block };
}

function exists(argument: unknown, at: string): Test {
  if (typeof argument !== "boolean") throw new PatternError(at, `must be true or false, not ${nameOf(argument)}`);
  return { kind: argument ? "present" : "absent" };
}

function anythingBut(argument: unknown, at: string): Test {
  return { kind: "except", tests: isPlainObject(argument) ? excludedByOperator(argument, at) : excludedByValue(argument, at) };
}

function excludedByValue(argument: unknown, at: string): ExceptTest["tests"] {
  const values: readonly unknown[] = Array.isArray(argument) ? argument : [argument];
  const [first] = values;
  if (values.length === 0) throw new PatternError(at, "an empty list excludes nothing; write at least one value");
  const excluded: (TextTest | NumberTest)[] = [];
  for (const [i, value] of values.entries()) {
    const here = Array.isArray(argument) ? `${at}[${i}]` : at;
    if (typeof value !== "string" && typeof value !== "number")
      throw new PatternError(
        here,
        `must be a string, a number, a list of either, or one of ${listed(ANYTHING_BUT_OPERATORS.keys())}, not ${nameOf(value)}`,
      );
    if (typeof value !== typeof first) throw new PatternError(here, "a list is all strings or all numbers");
    excluded.push(typeof value === "number" ? { kind: "number", value: finite(value, here) } : exactly("text", text(value, here)));
  }
  return excluded;
}

function excludedByOperator(argument: object, at: string): TextTest[] {
  const [name, inner] = onlyField(argument, at, "an operator");
  const here = `${at}.${name}`;
  const compile = ANYTHING_BUT_OPERATORS.get(name);
  if (compile === undefined) {
    if (OPERATORS.has(name)) throw new PatternError(here, `"anything-but" takes ${listed(ANYTHING_BUT_OPERATORS.keys())}, not "${name}"`);
    throw new PatternError(here, unknownOperator(name, ANYTHING_BUT_OPERATORS.keys()));
  }
  if (!Array.isArray(inner)) return [compile(text(inner, here, " or a list of strings"), here)];
  if (inner.length === 0) throw new PatternError(here, "an empty list excludes nothing; write at least one string");
  return inner.map((item: unknown, i) => compile(text(item, `${here}[${i}]`), `${here}[${i}]`));
}

function text(value: unknown, at: string, orElse = ""): string {
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw new PatternError(at, "holds half of a surrogate pair, which no text can carry");
    return value;
  }
  throw new PatternError(at, `must be a string${orElse}, not ${nameOf(value)}`);
}

function notEmpty(value: string, at: string): string {
  if (value !== "") return value;
  throw new PatternError(at, "must not be empty here: it would exclude every string");
}

function finite(value: number, at: string): number {
  if (Number.isFinite(value)) return value;
  throw new PatternError(at, `${value} is no number that JSON can carry`);
}

function onlyField(value: object, at: string, what: string): [string, unknown] {
  const fields = Object.entries(value);
  const [field] = fields;
  if (field === undefined) throw new PatternError(at, `an empty object: ${what} is missing`);
  if (fields.length > 1) {
    const names = fields.map(([name]) => `"${name}"`).join(", ");
    throw new PatternError(at, `one operator an object, here are ${names}: give each its own object in the list`);
  }
  return field;
}

function unknownOperator(name: string, known: Iterable<string>): string {
  const names = [...known];
  return `unknown operator "${name}"${didYouMean(name, names) || `; there ${names.length === 1 ? "is" : "are"} ${listed(names)}`}`;
}

function listed(names: Iterable<string>): string {
  return [...names].map((name) => `"${name}"`).join(", ");
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
