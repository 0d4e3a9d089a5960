import { didYouMean } from "../../core/index.ts";
import { foldCase } from "./fold-case.ts";
import { isInBlock, isSameIp, parseCidr, parseIp } from "./ip.ts";
import { nameOf } from "./name-of.ts";
import { compileNumeric } from "./numeric.ts";
import type { Leaf } from "./pattern.ts";
import { PatternError } from "./pattern-error.ts";
import { compileWildcard, matchesWildcard } from "./wildcard.ts";

export type Predicate = (leaf: Leaf) => boolean;

/** What one alternative asks of a leaf; `absent` asks that there be none. */
export type CompiledAlternative =
  | { readonly kind: "exact"; readonly leaf: Leaf }
  | { readonly kind: "test"; readonly test: Predicate }
  | { readonly kind: "absent" };

type Compiler = (argument: unknown, at: string) => CompiledAlternative;

const OPERATORS: ReadonlyMap<string, Compiler> = new Map<string, Compiler>([
  ["prefix", (argument, at) => test(prefix(argument, at))],
  ["suffix", (argument, at) => test(suffix(argument, at))],
  ["equals-ignore-case", (argument, at) => test(equalsIgnoreCase(text(argument, at)))],
  ["wildcard", wildcardAlternative],
  ["numeric", (argument, at) => test(compileNumeric(argument, at))],
  ["cidr", cidr],
  ["exists", exists],
  ["anything-but", (argument, at) => test(anythingBut(argument, at))],
]);

/** The names that cannot be fields inside `$or`: there an operator in the wrong place would pass for a field. */
export const RESERVED_IN_OR: ReadonlySet<string> = new Set([...OPERATORS.keys(), "=", "<", "<=", ">", ">="]);

const ANYTHING_BUT_OPERATORS: ReadonlyMap<string, (argument: string, at: string) => Predicate> = new Map([
  ["prefix", (argument: string, at: string) => startsWith(notEmpty(argument, at))],
  ["suffix", (argument: string, at: string) => endsWith(notEmpty(argument, at))],
  ["equals-ignore-case", (argument: string) => equalsIgnoreCase(argument)],
  ["wildcard", (argument: string, at: string) => matchesText(wildcard(argument, at))],
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

export function compileAlternative(source: unknown, at: string): CompiledAlternative {
  if (isPlainObject(source)) {
    const [name, argument] = onlyField(source, at, "an operator");
    const compile = OPERATORS.get(name);
    const here = `${at}.${name}`;
    if (compile === undefined) throw new PatternError(here, unknownOperator(name, OPERATORS.keys()));
    return compile(argument, here);
  }
  if (typeof source === "string") return literal(source);
  if (typeof source === "number") return { kind: "exact", leaf: finite(source, at) };
  if (typeof source === "boolean" || source === null) return { kind: "exact", leaf: source };
  throw new PatternError(
    at,
    `an alternative is a string, number, true, false, null or an operator such as { "prefix": "a" }, not ${nameOf(source)}`,
  );
}

/** The spellings of one IPv6 address are one literal. */
function literal(source: string): CompiledAlternative {
  const address = source.includes(":") ? parseIp(source) : undefined;
  if (address === undefined) return { kind: "exact", leaf: source };
  return test((leaf) => {
    if (leaf === source) return true;
    if (typeof leaf !== "string" || !leaf.includes(":")) return false;
    const other = parseIp(leaf);
    return other !== undefined && isSameIp(other, address);
  });
}

function prefix(argument: unknown, at: string): Predicate {
  if (!isPlainObject(argument)) return startsWith(text(argument, at, ', or { "equals-ignore-case": … }'));
  const start = foldCase(ignoreCaseArgument(argument, at));
  // one unit more, so that no pair of surrogates is cut
  return (leaf) => typeof leaf === "string" && foldCase(leaf.slice(0, start.length + 1)).startsWith(start);
}

function suffix(argument: unknown, at: string): Predicate {
  if (!isPlainObject(argument)) return endsWith(text(argument, at, ', or { "equals-ignore-case": … }'));
  const end = foldCase(ignoreCaseArgument(argument, at));
  return (leaf) => typeof leaf === "string" && foldCase(leaf.slice(-end.length - 1)).endsWith(end);
}

function ignoreCaseArgument(argument: object, at: string): string {
  const [name, inner] = onlyField(argument, at, "equals-ignore-case");
  if (name !== "equals-ignore-case") throw new PatternError(`${at}.${name}`, unknownOperator(name, ["equals-ignore-case"]));
  return text(inner, `${at}.${name}`);
}

function startsWith(start: string): Predicate {
  return (leaf) => typeof leaf === "string" && leaf.startsWith(start);
}

function endsWith(end: string): Predicate {
  return (leaf) => typeof leaf === "string" && leaf.endsWith(end);
}

function equalsIgnoreCase(argument: string): Predicate {
  const folded = foldCase(argument);
  return (leaf) => typeof leaf === "string" && leaf.length === folded.length && foldCase(leaf) === folded;
}

function wildcardAlternative(argument: unknown, at: string): CompiledAlternative {
  const compiled = wildcard(text(argument, at), at);
  return compiled.kind === "literal" ? { kind: "exact", leaf: compiled.text } : test(matchesText(compiled));
}

type SoundWildcard = Exclude<ReturnType<typeof compileWildcard>, { kind: "fault" }>;

function wildcard(argument: string, at: string): SoundWildcard {
  const compiled = compileWildcard(argument);
  if (compiled.kind === "fault") throw new PatternError(at, compiled.fault);
  return compiled;
}

function matchesText(compiled: SoundWildcard): Predicate {
  if (compiled.kind === "literal") return (leaf) => leaf === compiled.text;
  return (leaf) => typeof leaf === "string" && matchesWildcard(compiled, leaf);
}

function cidr(argument: unknown, at: string): CompiledAlternative {
  const block = parseCidr(text(argument, at));
  if (typeof block === "string") throw new PatternError(at, block);
  return test((leaf) => {
    const address = typeof leaf === "string" ? parseIp(leaf) : undefined;
    return address !== undefined && isInBlock(address, block);
  });
}

function exists(argument: unknown, at: string): CompiledAlternative {
  if (typeof argument !== "boolean") throw new PatternError(at, `must be true or false, not ${nameOf(argument)}`);
  return argument ? test(() => true) : { kind: "absent" };
}

function anythingBut(argument: unknown, at: string): Predicate {
  const isExcluded = isPlainObject(argument) ? excludedByOperator(argument, at) : excludedByValue(argument, at);
  return (leaf) => !isExcluded(leaf);
}

function excludedByValue(argument: unknown, at: string): Predicate {
  const values: readonly unknown[] = Array.isArray(argument) ? argument : [argument];
  const [first] = values;
  if (values.length === 0) throw new PatternError(at, "an empty list excludes nothing; write at least one value");
  const excluded = new Set<Leaf>();
  for (const [i, value] of values.entries()) {
    const here = Array.isArray(argument) ? `${at}[${i}]` : at;
    if (typeof value !== "string" && typeof value !== "number")
      throw new PatternError(
        here,
        `must be a string, a number, a list of either, or one of ${listed(ANYTHING_BUT_OPERATORS.keys())}, not ${nameOf(value)}`,
      );
    if (typeof value !== typeof first) throw new PatternError(here, "a list is all strings or all numbers");
    excluded.add(typeof value === "number" ? finite(value, here) : value);
  }
  return (leaf) => excluded.has(leaf);
}

function excludedByOperator(argument: object, at: string): Predicate {
  const [name, inner] = onlyField(argument, at, "an operator");
  const here = `${at}.${name}`;
  const compile = ANYTHING_BUT_OPERATORS.get(name);
  if (compile === undefined) {
    if (OPERATORS.has(name)) throw new PatternError(here, `"anything-but" takes ${listed(ANYTHING_BUT_OPERATORS.keys())}, not "${name}"`);
    throw new PatternError(here, unknownOperator(name, ANYTHING_BUT_OPERATORS.keys()));
  }
  if (!Array.isArray(inner)) return compile(text(inner, here, " or a list of strings"), here);
  if (inner.length === 0) throw new PatternError(here, "an empty list excludes nothing; write at least one string");
  const predicates = inner.map((item: unknown, i) => compile(text(item, `${here}[${i}]`), `${here}[${i}]`));
  return (leaf) => predicates.some((predicate) => predicate(leaf));
}

function test(predicate: Predicate): CompiledAlternative {
  return { kind: "test", test: predicate };
}

function text(value: unknown, at: string, orElse = ""): string {
  if (typeof value === "string") return value;
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
