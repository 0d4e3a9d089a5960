import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compilePattern, explain, Matcher, type Pattern } from "./index.ts";
import { event, hasFewWildcards, pattern, pickedPattern, picks, text, wildcard, withField } from "./testing-support/arbitraries.ts";
import { type Json, referenceMatches } from "./testing-support/reference.ts";

const RUNS = { numRuns: 4000 };

describe("patterns against a reference written from the rules", () => {
  it("P1-P31: agrees on random patterns and events, parsed or not", () => {
    let matched = 0;
    fc.assert(
      fc.property(fc.oneof(pattern, picks), event, (drawn, input) => {
        const source = Array.isArray(drawn) ? pickedPattern(input, drawn) : drawn;
        const expected = referenceMatches(source as Pattern, input);
        if (expected) matched++;
        const matcher = new Matcher<number>();
        matcher.add(1, source as Pattern);
        const json = JSON.stringify(input);
        expect(matcher.match(input).length === 1).toBe(expected);
        expect(matcher.match(json).length === 1).toBe(expected);
        expect(explain(JSON.stringify(source), new TextEncoder().encode(json)).matched).toBe(expected);
      }),
      RUNS,
    );
    expect(matched).toBeGreaterThan(RUNS.numRuns / 8);
  });

  it("P13, P14, P29: agrees where conditions meet in arrays of objects, dotted keys included", () => {
    const few = fc.constantFrom<Json>(1, 2, [1], [1, 2], null);
    const name = fc.constantFrom("a", "b", "c", "a.b", "b.c", "a.b.c", "b.a");
    const objects = <T extends Json>(value: fc.Arbitrary<T>): fc.Arbitrary<{ [key: string]: Json }> =>
      fc.dictionary(name, value, { maxKeys: 3 });
    const deep = objects(fc.oneof(few, fc.array(objects(few), { maxLength: 3 })));
    const input = objects(fc.oneof(few, deep, fc.array(fc.oneof(few, deep, fc.array(deep, { maxLength: 2 })), { maxLength: 4 })));
    const condition = fc.constantFrom<Json>([1], [2], [{ exists: false }], [{ exists: false }, 1], [{ exists: true }]);
    const source = fc.dictionary(fc.constantFrom("a", "a.b", "a.c", "a.b.c", "a.b.a", "b.c", "b.a"), condition, { minKeys: 1, maxKeys: 4 });
    let matched = 0;
    fc.assert(
      fc.property(source, input, (fields, value) => {
        const expected = referenceMatches(fields as Pattern, value);
        if (expected) matched++;
        expect(compilePattern(fields as Pattern).matches(value)).toBe(expected);
      }),
      RUNS,
    );
    expect(matched).toBeGreaterThan(RUNS.numRuns / 8);
  });

  it("P40, P43: many patterns in one matcher answer as each does by itself, also after deleting some", () => {
    const typed = fc
      .tuple(
        fc.constantFrom("type", "source", "c"),
        fc.array(
          fc.oneof(
            text,
            wildcard.map((value) => ({ wildcard: value })),
          ),
          { minLength: 1, maxLength: 2 },
        ),
        pattern,
      )
      .map(([field, list, rest]) => withField(rest, field, list))
      .filter(hasFewWildcards)
      .map((fields) => fields as Pattern);
    const typedEvent = fc
      .tuple(fc.oneof(text, fc.array(text), fc.array(fc.array(text))), event)
      .map(([type, rest]) => JSON.parse(JSON.stringify({ ...rest, type, source: type, c: type })) as { [key: string]: Json });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(8), typed), { maxLength: 12 }), fc.nat(8), typedEvent, (added, deleted, input) => {
        const matcher = new Matcher<number>();
        for (const [id, source] of added) matcher.add(id, source);
        const expected = (ids: number[]): number[] =>
          ids.filter((id) => added.some(([own, source]) => own === id && referenceMatches(source, input)));
        const ids = [...new Set(added.map(([id]) => id))];
        expect(matcher.match(input)).toEqual(expected(ids));
        expect(matcher.delete(deleted)).toBe(ids.includes(deleted));
        expect(matcher.match(input)).toEqual(expected(ids.filter((id) => id !== deleted)));
      }),
      { numRuns: 1500 },
    );
  });
});
