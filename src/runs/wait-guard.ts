import { Matcher, type Pattern } from "../events/patterns/index.ts";
import { compileSql } from "../events/sql/index.ts";
import type { OpenFacts } from "./journal-notes.ts";

/** What an event must match besides its type and the paths that the store compares. Throws what is wrong with a pattern or an expression. */
export function guardOf({ where = [], sql = null }: OpenFacts): ((json: string) => boolean) | null {
  if (where.length === 0 && sql === null) return null;
  const conditions = where.map((pattern) => matcherOf(pattern as Pattern));
  if (sql !== null) {
    const matcher = new Matcher<true>();
    matcher.add(true, compileSql(sql).rule);
    conditions.push(matcher);
  }
  return (json) => conditions.every((matcher) => matcher.match(json).length > 0);
}

function matcherOf(pattern: Pattern): Matcher<true> {
  const matcher = new Matcher<true>();
  matcher.add(true, pattern);
  return matcher;
}
