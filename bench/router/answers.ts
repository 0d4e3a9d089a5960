import { compilePattern, type Matcher, type Pattern } from "../../src/events/patterns/index.ts";
import type { Events } from "./events.ts";

/**
 * How many events each rule matches, one pattern and one parsed event at a time; throws where the matcher's answer from bytes or from
 * a parsed event is another. The speed of wrong answers is of no interest.
 */
export function checkedCounts(matcher: Matcher<number>, rules: readonly Pattern[], { bytes, parsed }: Events): number[] {
  const compiled = rules.map((rule) => compilePattern(rule));
  const counts = rules.map(() => 0);
  for (const [i, event] of parsed.entries()) {
    const wanted = compiled.flatMap((pattern, rule) => (pattern.matches(event) ? [rule] : []));
    for (const input of [event, bytes[i] ?? event]) {
      const got = matcher.match(input);
      if (!isSame(got, wanted))
        throw new Error(`event ${i}: the matcher answers [${got.join()}], one rule after another [${wanted.join()}]`);
    }
    for (const rule of wanted) counts[rule] = (counts[rule] ?? 0) + 1;
  }
  return counts;
}

export function isSame(some: readonly number[], others: readonly number[]): boolean {
  return some.length === others.length && some.every((id, i) => id === others[i]);
}

/** The rules, each under its place in the list. */
export function load(matcher: Matcher<number>, rules: readonly Pattern[]): Matcher<number> {
  for (const [id, rule] of rules.entries()) matcher.add(id, rule);
  return matcher;
}
