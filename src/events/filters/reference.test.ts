import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compilePattern, type Leaf } from "../patterns/index.ts";
import { compileSql } from "../sql/index.ts";
import { compileFilters, type Filter } from "./index.ts";

type Event = Readonly<Record<string, string | number | boolean>>;

/** The filters as the Subscriptions API describes them, word by word. */
function holds(filter: Filter, event: Event): boolean {
  const all = (texts: Readonly<Record<string, string>>, test: (value: string, text: string) => boolean): boolean =>
    Object.entries(texts).every(([name, text]) => name in event && test(`${event[name]}`, text));
  if ("exact" in filter) return all(filter.exact, (value, text) => value === text);
  if ("prefix" in filter) return all(filter.prefix, (value, text) => value.startsWith(text));
  if ("suffix" in filter) return all(filter.suffix, (value, text) => value.endsWith(text));
  if ("all" in filter) return filter.all.every((part) => holds(part, event));
  if ("any" in filter) return filter.any.some((part) => holds(part, event));
  if ("not" in filter) return !holds(filter.not, event);
  return compileSql(filter.sql).matches(event);
}

// Few names and values, so that filters and events meet often; two extensions are called like operators of patterns.
const name = fc.constantFrom("type", "source", "subject", "size", "suffix", "exists");
const text = fc.constantFrom(
  "a",
  "ab",
  "b",
  "aba",
  "5",
  "05",
  "55",
  "-5",
  "-",
  "true",
  "e",
  "t",
  "::1",
  "0:0:0:0:0:0:0:1",
  "*",
  "\\",
  "a*b",
);
const expression = fc.constantFrom(
  "type = 'a'",
  "subject LIKE 'a%'",
  "size > 4",
  "EXISTS subject",
  "size = 5 OR type = 'ab'",
  "NOT suffix",
  "source IN ('a', 'ab')",
  "subject <> 'a' AND type <> 'b'",
  "1 / 0 = 1",
);
const texts = fc.dictionary(name, text, { minKeys: 1, maxKeys: 3, noNullPrototype: true });

const { filter } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    { weight: 3, arbitrary: texts.map((exact) => ({ exact })) },
    { weight: 2, arbitrary: texts.map((prefix) => ({ prefix })) },
    { weight: 2, arbitrary: texts.map((suffix) => ({ suffix })) },
    { weight: 1, arbitrary: expression.map((sql) => ({ sql })) },
    { weight: 3, arbitrary: fc.array(tie("filter"), { minLength: 1, maxLength: 3 }).map((all) => ({ all })) },
    { weight: 3, arbitrary: fc.array(tie("filter"), { minLength: 1, maxLength: 3 }).map((any) => ({ any })) },
    { weight: 3, arbitrary: tie("filter").map((not) => ({ not })) },
  ),
}));

const extension = fc.oneof(text, fc.constantFrom(0, 5, 55, -5, 7), fc.boolean());
const event: fc.Arbitrary<Event> = fc
  .record(
    { id: fc.constant("i"), type: text, source: text, subject: text, size: extension, suffix: extension, exists: extension },
    { requiredKeys: ["id", "type", "source"] },
  )
  .map((fields) => ({ ...fields }));

const RUNS = Number(process.env["MILLRACE_SQL_RUNS"] ?? 3000);

describe("F10: filters, their rule and the specification agree", () => {
  it("on which events match: the pattern lets all of them through, and together with the guard no others", () => {
    let exact = 0;
    fc.assert(
      fc.property(fc.array(filter, { maxLength: 2 }), fc.array(event, { minLength: 8, maxLength: 8 }), (list, events) => {
        const filters = compileFilters(list);
        const { implied, guard } = filters.rule;
        const compiled = implied === undefined ? undefined : compilePattern(implied);
        if (guard === undefined) exact++;
        for (const event of events) {
          const isMatch = list.every((part) => holds(part, event));
          const read = (name: string): Leaf | undefined => {
            expect(guard?.attributes).toContain(name);
            return event[name];
          };
          expect(filters.matches(event)).toBe(isMatch);
          expect((compiled?.matches(event) ?? true) && (guard?.test(read) ?? true)).toBe(isMatch);
        }
      }),
      { numRuns: RUNS },
    );
    // Were everything left to the guards, this would prove nothing about patterns.
    expect(exact).toBeGreaterThan(RUNS / 10);
  });
});
