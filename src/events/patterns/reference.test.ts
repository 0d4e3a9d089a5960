import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compilePattern, explain, Matcher, type Pattern } from "./index.ts";

/**
 * A matcher written straight from SPEC.md and from nothing else: it lists all leaves of the event with the elements they stand in,
 * multiplies out `$or`, and tries every choice of leaves. Slow, and short enough to be judged by reading.
 */
type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
interface ReferenceLeaf {
  path: string;
  value: Json;
  elements: Map<Json[], number>;
}

function leavesOf(value: Json, path: string[], elements: Map<Json[], number>, leaves: ReferenceLeaf[]): ReferenceLeaf[] {
  if (value === null || typeof value !== "object") leaves.push({ path: path.join("."), value, elements });
  else if (!Array.isArray(value)) for (const [key, inner] of Object.entries(value)) leavesOf(inner, [...path, key], elements, leaves);
  else
    for (const [i, element] of value.entries()) {
      const isComposite = element !== null && typeof element === "object";
      leavesOf(element, path, isComposite ? new Map([...elements, [value, i]]) : elements, leaves);
    }
  return leaves;
}

type Alternatives = Json[];
type ReferenceBranch = Map<string, Alternatives>;

function branchesOf(fields: { [key: string]: Json }, path: string[], branches: ReferenceBranch[]): ReferenceBranch[] {
  for (const [key, value] of Object.entries(fields)) {
    if (key === "$or") branches = (value as { [key: string]: Json }[]).flatMap((pattern) => branchesOf(pattern, path, branches));
    else if (Array.isArray(value)) branches = branches.map((branch) => new Map(branch).set([...path, key].join("."), value));
    else branches = branchesOf(value as { [key: string]: Json }, [...path, key], branches);
  }
  return branches;
}

function areConsistent(leaves: readonly ReferenceLeaf[], leaf: ReferenceLeaf): boolean {
  return leaves.every((other) => [...leaf.elements].every(([array, i]) => (other.elements.get(array) ?? i) === i));
}

function branchMatches(branch: ReferenceBranch, leaves: readonly ReferenceLeaf[]): boolean {
  const conditions = [...branch];
  const choose = (i: number, chosen: ReferenceLeaf[], absent: string[]): boolean => {
    const condition = conditions[i];
    if (condition === undefined) return absent.every((path) => !leaves.some((leaf) => leaf.path === path && areConsistent(chosen, leaf)));
    const [path, alternatives] = condition;
    for (const leaf of leaves) {
      if (leaf.path !== path || !areConsistent(chosen, leaf)) continue;
      if (alternatives.some((alternative) => holds(alternative, leaf.value)) && choose(i + 1, [...chosen, leaf], absent)) return true;
    }
    return alternatives.some((a) => isOperator(a, "exists") && !a["exists"]) && choose(i + 1, chosen, [...absent, path]);
  };
  return choose(0, [], []);
}

function isOperator(value: Json, name: string): value is { [key: string]: Json } {
  return value !== null && typeof value === "object" && !Array.isArray(value) && name in value;
}

function holds(alternative: Json, value: Json): boolean {
  if (alternative === null || typeof alternative !== "object" || Array.isArray(alternative)) return alternative === value;
  const [[name, argument] = ["", null]] = Object.entries(alternative);
  const text = typeof value === "string" ? value : undefined;
  switch (name) {
    case "prefix":
      if (isOperator(argument, "equals-ignore-case"))
        return text?.toLowerCase().startsWith((argument["equals-ignore-case"] as string).toLowerCase()) ?? false;
      return text?.startsWith(argument as string) ?? false;
    case "suffix":
      if (isOperator(argument, "equals-ignore-case"))
        return text?.toLowerCase().endsWith((argument["equals-ignore-case"] as string).toLowerCase()) ?? false;
      return text?.endsWith(argument as string) ?? false;
    case "equals-ignore-case":
      return text?.toLowerCase() === (argument as string).toLowerCase();
    case "wildcard":
      return text !== undefined && regExpOf(argument as string).test(text);
    case "exists":
      return argument === true;
    case "numeric":
      return typeof value === "number" && comparesAll(argument as Json[], value);
    case "anything-but":
      if (isOperator(argument, Object.keys(argument ?? {})[0] ?? ""))
        return Object.entries(argument).every(([operator, list]) => [list].flat().every((item) => !holds({ [operator]: item }, value)));
      return [argument].flat().every((item) => item !== value);
    default:
      throw new Error(`the reference does not know ${name}`);
  }
}

function comparesAll(terms: Json[], value: number): boolean {
  const [operator, bound, ...more] = terms;
  const b = bound as number;
  const isSo =
    operator === "="
      ? value === b
      : operator === "<"
        ? value < b
        : operator === "<="
          ? value <= b
          : operator === ">"
            ? value > b
            : value >= b;
  return isSo && (more.length === 0 || comparesAll(more, value));
}

function regExpOf(wildcard: string): RegExp {
  const tokens = wildcard.match(/\\[\s\S]|[\s\S]/gu) ?? [];
  const source = tokens.map((token) => (token === "*" ? "[\\s\\S]*" : token.replace(/^\\/u, "").replace(/[\\^$.*+?()[\]{}|/-]/gu, "\\$&")));
  return new RegExp(`^${source.join("")}$`, "u");
}

function referenceMatches(pattern: Pattern, event: Json): boolean {
  const leaves = leavesOf(event, [], new Map(), []);
  return branchesOf(pattern as { [key: string]: Json }, [], [new Map()]).some((branch) => branchMatches(branch, leaves));
}

// Few names and values, so that patterns and events meet often.
const NAMES = ["a", "b", "c"];
const key = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...NAMES) },
  { weight: 1, arbitrary: fc.constantFrom("a.b", "b.c", "a.b.c", "a.a") },
  { weight: 1, arbitrary: fc.constantFrom("type", "é", "toString", "__proto__", "") },
);
const text = fc.oneof(
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

const { event } = fc.letrec<{ event: { [key: string]: Json }; value: Json }>((tie) => ({
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

const wildcard = fc
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
const alternatives: fc.Arbitrary<Json[]> = fc.array(fc.oneof(leaf, operator), { minLength: 1, maxLength: 3 });
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
const pattern = anyPattern.filter(hasFewWildcards);

function hasFewWildcards(fields: { [key: string]: Json }): boolean {
  return countWildcards(branchesOf(fields, [], [new Map()]).map((branch) => [...branch.values()])) <= MAX_WILDCARDS;
}

function countWildcards(value: Json): number {
  if (value === null || typeof value !== "object") return 0;
  let count = 0;
  for (const [name, inner] of Object.entries(value)) count += name === "wildcard" ? [inner].flat().length : countWildcards(inner);
  return count;
}

/** A pattern over paths that the event has: each pick takes the path of some leaf, and often that leaf's value too. */
interface Pick {
  leaf: number;
  list: Json[];
  takesValue: boolean;
  branch: number;
}
const picks = fc.array(fc.record<Pick>({ leaf: fc.nat(20), list: alternatives, takesValue: fc.boolean(), branch: fc.nat(5) }), {
  minLength: 1,
  maxLength: 4,
});

function pickedPattern(input: Json, picked: readonly Pick[]): { [key: string]: Json } {
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

function withField(fields: { [key: string]: Json }, name: string, value: Json): { [key: string]: Json } {
  return { ...fields, [name]: value };
}

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
