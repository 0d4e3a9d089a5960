import { didYouMean } from "../../core/index.ts";
import { isAttributeName } from "../attribute.ts";
import { ALWAYS, both, either, loosely, NEVER } from "../claims/index.ts";
import { nameOf } from "../patterns/name-of.ts";
import { analyse } from "../sql/analysis.ts";
import { SqlError } from "../sql/index.ts";
import type { CompiledFilter } from "./compiled-filter.ts";
import { FilterError } from "./filter-error.ts";
import { testText, type TextDialect, textClaims } from "./text-filter.ts";

/** How deep filters may stand in one another (F3). */
const MAX_LEVELS = 64;

type Compiler = (argument: unknown, at: string, level: number) => CompiledFilter;

const DIALECTS: ReadonlyMap<string, Compiler> = new Map<string, Compiler>([
  ["exact", (argument, at) => compileTexts("exact", argument, at)],
  ["prefix", (argument, at) => compileTexts("prefix", argument, at)],
  ["suffix", (argument, at) => compileTexts("suffix", argument, at)],
  ["all", (argument, at, level) => allOf(compileList(argument, at, level))],
  ["any", (argument, at, level) => anyOf(compileList(argument, at, level))],
  ["not", (argument, at, level) => opposite(compileFilter(argument, at, level + 1))],
  ["sql", compileExpression],
]);

const CORE_ATTRIBUTES = ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema"];

/** `at` is where the filter stands, for errors; throws FilterError. */
export function compileFilter(source: unknown, at: string, level = 1): CompiledFilter {
  if (level > MAX_LEVELS) throw new FilterError(at, `filters stand at most ${MAX_LEVELS} levels deep in one another`);
  if (!isObject(source)) throw new FilterError(at, `a filter is an object such as { "exact": { "type": "a.b" } }, not ${nameOf(source)}`);
  const dialects = Object.keys(source);
  const [dialect] = dialects;
  if (dialect === undefined) throw new FilterError(at, `a filter without a dialect; there are ${listed(DIALECTS.keys())}`);
  if (dialects.length > 1)
    throw new FilterError(at, `one dialect a filter, here are ${listed(dialects)}: write a list of filters, or put them into "all"`);
  const compile = DIALECTS.get(dialect);
  const here = at === "" ? dialect : `${at}.${dialect}`;
  if (compile === undefined)
    throw new FilterError(
      here,
      `unknown dialect "${dialect}"${didYouMean(dialect, DIALECTS.keys()) || `; there are ${listed(DIALECTS.keys())}`}`,
    );
  return compile(source[dialect], here, level);
}

export function compileListed(list: readonly unknown[], at: string, level = 1): CompiledFilter[] {
  return list.map((item, i) => compileFilter(item, `${at}[${i}]`, level));
}

export function allOf(parts: readonly CompiledFilter[]): CompiledFilter {
  return {
    attributes: attributesOf(parts),
    test: (read) => parts.every(({ test }) => test(read)),
    holds: parts.map(({ holds }) => holds).reduce(both, ALWAYS),
    fails: parts.map(({ fails }) => fails).reduce(either, NEVER),
  };
}

function anyOf(parts: readonly CompiledFilter[]): CompiledFilter {
  return opposite(allOf(parts.map(opposite)));
}

function opposite({ attributes, test, holds, fails }: CompiledFilter): CompiledFilter {
  return { attributes, test: (read) => !test(read), holds: fails, fails: holds };
}

function attributesOf(parts: readonly CompiledFilter[]): readonly string[] {
  return [...new Set(parts.flatMap(({ attributes }) => attributes))];
}

function compileList(argument: unknown, at: string, level: number): CompiledFilter[] {
  if (!Array.isArray(argument)) throw new FilterError(at, `must be a list of filters, not ${nameOf(argument)}`);
  if (argument.length === 0) throw new FilterError(at, "must list at least one filter");
  return compileListed(argument, at, level + 1);
}

function compileTexts(dialect: TextDialect, argument: unknown, at: string): CompiledFilter {
  if (!isObject(argument)) throw new FilterError(at, `must be an object of attributes and strings, not ${nameOf(argument)}`);
  const entries = Object.entries(argument);
  if (entries.length === 0) throw new FilterError(at, "must name at least one attribute");
  return allOf(entries.map(([name, text]) => compileText(dialect, name, text, at)));
}

function compileText(dialect: TextDialect, name: string, text: unknown, at: string): CompiledFilter {
  if (name === "") throw new FilterError(at, "the name of an attribute must not be empty");
  const here = `${at}.${name}`;
  if (name === "data" || name === "data_base64") throw new FilterError(here, `"${name}" is no attribute: filters look at attributes only`);
  if (!isAttributeName(name))
    throw new FilterError(here, `"${name}" is no attribute${didYouMean(name, CORE_ATTRIBUTES) || ": names have only a–z and 0–9"}`);
  if (typeof text !== "string")
    throw new FilterError(here, `must be a string, not ${nameOf(text)}; numbers and booleans are written as text`);
  if (text === "") throw new FilterError(here, "must not be empty");
  return { attributes: [name], test: (read) => testText(dialect, read(name), text), ...textClaims(dialect, name, text) };
}

/** An expression that fails does not hold. Where that is, patterns cannot say: an error has many reasons (F8). */
function compileExpression(argument: unknown, at: string): CompiledFilter {
  if (typeof argument !== "string") throw new FilterError(at, `must be an expression of CloudEvents SQL, not ${nameOf(argument)}`);
  try {
    const { attributes, test, holds } = analyse(argument);
    return { attributes, test, holds, fails: loosely(ALWAYS) };
  } catch (thrown) {
    if (thrown instanceof SqlError) throw new FilterError(at, `at character ${thrown.position}: ${thrown.fault}`);
    throw thrown;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function listed(names: Iterable<string>): string {
  return [...names].map((name) => `"${name}"`).join(", ");
}
