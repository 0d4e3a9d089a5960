/**
 * The tables of patterns, expressions and filters on the pages are run, row by row. What a table is, its head says:
 *
 * - Pattern, Matches, Does not match          a pattern, the events that it matches, and those that it does not; so for Expression and Filter.
 * - Pattern, Error                            a pattern that is refused, with the whole message; so for Expression and Filter.
 * - Expression, Value, Error                  what an expression comes to for an event without attributes, as JSON, and the kind of its error.
 *
 * An event is asked in every way there is, as an object, as text and as bytes, and all must agree (P15).
 */
import { expect, it } from "vitest";
import { compileFilters, type Filter } from "../../src/events/filters/index.ts";
import { compilePattern, Matcher, type Pattern, type Rule } from "../../src/events/patterns/index.ts";
import { compileSql } from "../../src/events/sql/index.ts";
import { codeOf, type Page, type Table } from "./markdown.ts";

/** Of one dialect: how its source is read, and what one event comes to, asked in every way. */
interface Dialect {
  readonly code: string;
  /** Throws what a table of errors shows. */
  readonly compile: (source: string) => unknown;
  readonly answers: (source: string, event: string) => readonly boolean[];
}

const DIALECTS: Readonly<Record<string, Dialect>> = {
  Pattern: {
    code: "bad_pattern",
    compile: compilePattern,
    answers: (source, event) => [
      compilePattern(source).matches(JSON.parse(event) as object),
      ...answersOf(source, event),
      ...answersOf(JSON.parse(source) as Pattern, event),
    ],
  },
  Expression: {
    code: "bad_sql",
    compile: compileSql,
    answers: (source, event) => {
      const expression = compileSql(source);
      return [expression.matches(JSON.parse(event) as object), ...answersOf(expression.rule, whole(event))];
    },
  },
  Filter: {
    code: "bad_filter",
    compile: (source) => compileFilters(JSON.parse(source) as Filter),
    answers: (source, event) => {
      const filters = compileFilters(JSON.parse(source) as Filter | Filter[]);
      return [filters.matches(JSON.parse(event) as object), ...answersOf(filters.rule, whole(event))];
    },
  },
};

export function describeTables(page: Page): void {
  it("has no table of a dialect that nothing runs", () => {
    const unknown = page.tables.filter(({ head: [first = ""] }) => first in DIALECTS).filter((table) => runnerOf(table) === null);
    expect(unknown.map(({ line }) => `${page.path}:${line}`)).toEqual([]);
  });
  for (const table of page.tables) runnerOf(table)?.(table);
}

function runnerOf({ head: [first = "", ...others] }: Table): ((table: Table) => void) | null {
  const dialect = DIALECTS[first];
  if (dialect === undefined) return null;
  switch (others.join(", ")) {
    case "Matches, Does not match":
      return (table) => describeMatches(first, dialect, table);
    case "Error":
      return (table) => describeErrors(first, dialect, table);
    case "Value, Error":
      return first === "Expression" ? describeValues : null;
    default:
      return null;
  }
}

function describeMatches(name: string, { answers }: Dialect, table: Table): void {
  it.each(rowsOf(table))(`line %i: ${name} %s`, (_line, source, yes = "", no = "") => {
    const shown = [...codeOf(yes).map((event) => [event, true]), ...codeOf(no).map((event) => [event, false])] as [string, boolean][];
    expect(shown.length).toBeGreaterThan(0);
    const given = shown.map(([event]) => [event, ...new Set(answers(source, event))]);
    expect(given).toEqual(shown);
  });
}

function describeErrors(name: string, { code, compile }: Dialect, table: Table): void {
  it.each(rowsOf(table))(`line %i: ${name} %s is refused`, (_line, source, message = "") => {
    expect(() => compile(source)).toThrow(expect.objectContaining({ code, message: codeOf(message)[0] }));
  });
}

function describeValues(table: Table): void {
  it.each(rowsOf(table))("line %i: Expression %s", (_line, source, shown = "", kind = "") => {
    const { value, error } = compileSql(source).evaluate({});
    expect({ value, kind: error?.kind }).toEqual({ value: JSON.parse(codeOf(shown)[0] ?? ""), kind: codeOf(kind)[0] });
  });
}

/** The line of each row, what its first cell has in backticks, and its other cells as they stand. */
function rowsOf({ line, rows }: Table): [number, string, ...string[]][] {
  return rows.map(([first = "", ...others], i) => [line + 2 + i, codeOf(first)[0] ?? "", ...others]);
}

/** What a matcher says of an event that comes as text, as bytes and as an object; checked whole, or only where it is read. */
function answersOf(rule: Pattern | string | Rule, event: string): readonly boolean[] {
  return [false, true].flatMap((strict) => {
    const matcher = new Matcher<string>({ strict });
    matcher.add("it", rule);
    return [event, new TextEncoder().encode(event), JSON.parse(event) as object].map((input) => matcher.match(input).length === 1);
  });
}

/** Expressions and filters are for events in normal form, which have what the short form of the pages leaves out (S20, F10). */
function whole(event: string): string {
  return JSON.stringify({ specversion: "1.0", id: "1", source: "/docs", type: "docs", ...(JSON.parse(event) as object) });
}
