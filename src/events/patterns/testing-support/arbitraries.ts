import * as fc from "fast-check";
import { branchesOf, type Json, leavesOf } from "./reference.ts";

// Few names and values, so that patterns and events meet often.
const NAMES = ["a", "b", "c"];
const key = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...NAMES) },
  { weight: 1, arbitrary: fc.constantFrom("a.b", "b.c", "a.b.c", "a.a") },
  { weight: 1, arbitrary: fc.constantFrom("type", "é", "toString", "__proto__", "") },
);
export const text = fc.oneof(
  fc.constantFrom("", "a", "b", "ab", "aba", "AB", "Ab", "a*b", "a\\b", "é", "É", "😀", "a😀b", "x", "300"),
  fc.string({ unit: fc.constantFrom("a", "b", "A", "*", "\\", "É", "é", "😀"), maxLength: 6 }),
);
const number = fc.constantFrom(0, 1, 2, -1, 300, 3.0e2, 300.5, 1e21, -0);
const leaf = fc.oneof(
  { weight: 4, arbitrary: text },
  { weight: 2, arbitrary: number },
  { weight: 2, arbitrary: fc.constantFrom(null, true, false) },
);

/** Objects are made from entries by JSON, the way events arrive: `__proto__` is a key like any other. */
const object = <T>(value: fc.Arbitrary<T>, minLength = 0): fc.Arbitrary<Record<string, T>> =>
  fc
    .uniqueArray(fc.tuple(key, value), { minLength, maxLength: 4, selector: ([name]) => name })
    .map(
      (entries) =>
        JSON.parse(`{${entries.map(([name, inner]) => `${JSON.stringify(name)}:${JSON.stringify(inner)}`).join(",")}}`) as Record<
          string,
          T
        >,
    );

export const { event } = fc.letrec<{ event: { [key: string]: Json }; value: Json }>((tie) => ({
  event: object(tie("value")),
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(leaf, { maxLength: 3 }),
    fc.array(tie("event"), { maxLength: 3 }),
    fc.array(tie("value"), { maxLength: 3 }),
    tie("event"),
  ),
}));

export const wildcard = fc
  .array(fc.constantFrom("a", "b", "*", "\\*", "\\\\", "é", "😀", "ab"), { maxLength: 6 })
  .map((parts) => parts.filter((part, i) => part !== "*" || parts[i - 1] !== "*").join(""))
  .filter((source) => !/(?<!\\)(?:\\\\)*\*\*/u.test(source));
const oneOrMany = <T extends Json>(item: fc.Arbitrary<T>): fc.Arbitrary<Json> =>
  fc.oneof(item, fc.array(item, { minLength: 1, maxLength: 3 }));
const notEmpty = text.filter((value) => value !== "");
const lower = fc.constantFrom(">", ">=");
const upper = fc.constantFrom("<", "<=");
const operator: fc.Arbitrary<Json> = fc.oneof(
  text.map((prefix) => ({ prefix })),
  text.map((suffix) => ({ suffix })),
  text.map((value) => ({ "equals-ignore-case": value })),
  text.map((value) => ({ prefix: { "equals-ignore-case": value } })),
  text.map((value) => ({ suffix: { "equals-ignore-case": value } })),
  wildcard.map((value) => ({ wildcard: value })),
  fc.boolean().map((exists) => ({ exists })),
  fc.boolean().map((exists) => ({ exists })),
  fc.tuple(fc.oneof(lower, upper, fc.constant("=")), number).map((numeric) => ({ numeric })),
  fc.tuple(lower, fc.constantFrom(-1, 0, 1), upper, fc.constantFrom(2, 300)).map((numeric) => ({ numeric })),
  fc
    .oneof(
      oneOrMany(text),
      oneOrMany(number),
      oneOrMany(notEmpty).map((prefix) => ({ prefix })),
      oneOrMany(notEmpty).map((suffix) => ({ suffix })),
      oneOrMany(text).map((value) => ({ "equals-ignore-case": value })),
      oneOrMany(wildcard).map((value) => ({ wildcard: value })),
    )
    .map((value) => ({ "anything-but": value })),
);
export const alternatives: fc.Arbitrary<Json[]> = fc.array(fc.oneof(leaf, operator), { minLength: 1, maxLength: 3 });
const { pattern: anyPattern } = fc.letrec<{ pattern: { [key: string]: Json }; fields: { [key: string]: Json } }>((tie) => ({
  fields: object<Json>(
    fc.oneof({ maxDepth: 2, depthIdentifier: "pattern" }, { weight: 2, arbitrary: alternatives }, { weight: 1, arbitrary: tie("pattern") }),
    1,
  ),
  pattern: fc
    .tuple(
      tie("fields"),
      fc.option(fc.array(tie("fields"), { minLength: 2, maxLength: 3 }), {
        freq: 3,
        nil: undefined,
        maxDepth: 2,
        depthIdentifier: "pattern",
      }),
    )
    .map(([fields, or]) => (or === undefined ? fields : withField(fields, "$or", or))),
}));

/** Random `$or` may multiply out to more wildcards than P6 allows. */
const MAX_WILDCARDS = 256;
export const pattern = anyPattern.filter(hasFewWildcards);

export function hasFewWildcards(fields: { [key: string]: Json }): boolean {
  return countWildcards(branchesOf(fields, [], [new Map()]).map((branch) => [...branch.values()])) <= MAX_WILDCARDS;
}

function countWildcards(value: Json): number {
  if (value === null || typeof value !== "object") return 0;
  let count = 0;
  for (const [name, inner] of Object.entries(value)) count += name === "wildcard" ? [inner].flat().length : countWildcards(inner);
  return count;
}

/** A pattern over paths that the event has: each pick takes the path of some leaf, and often that leaf's value too. */
export interface Pick {
  leaf: number;
  list: Json[];
  takesValue: boolean;
  branch: number;
}
export const picks = fc.array(fc.record<Pick>({ leaf: fc.nat(20), list: alternatives, takesValue: fc.boolean(), branch: fc.nat(5) }), {
  minLength: 1,
  maxLength: 4,
});

export function pickedPattern(input: Json, picked: readonly Pick[]): { [key: string]: Json } {
  const leaves = leavesOf(input, [], new Map(), []);
  const parts = [new Map<string, Json>(), new Map<string, Json>(), new Map<string, Json>()] as const;
  for (const { leaf, list, takesValue, branch } of picked) {
    const target = leaves[leaf % Math.max(leaves.length, 1)];
    const path = target?.path ?? "a";
    (parts[branch] ?? parts[0]).set(path, takesValue && target !== undefined ? [...list, target.value] : list);
  }
  // Object.fromEntries makes `__proto__` a field like any other.
  const [fields, one, other] = parts;
  if (one.size === 0 || other.size === 0) return Object.fromEntries([...fields, ...one, ...other]);
  return Object.fromEntries([...fields, ["$or", [Object.fromEntries(one), Object.fromEntries(other)]]]);
}

export function withField(fields: { [key: string]: Json }, name: string, value: Json): { [key: string]: Json } {
  return { ...fields, [name]: value };
}
