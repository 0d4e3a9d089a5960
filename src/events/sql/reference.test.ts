import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compilePattern, type Leaf } from "../patterns/index.ts";
import { compileSql } from "./index.ts";

/**
 * CloudEvents SQL written straight from its specification, as text together with its meaning: each part carries what it is as SQL
 * and a function that works it out. Slow and plain, to be judged by reading; it shares no line with what it is compared to.
 */
interface Part {
  readonly sql: string;
  readonly run: (event: Event) => Result;
}
type Value = string | number | boolean;
type Event = Readonly<Record<string, Value>>;
interface Result {
  readonly value: Value;
  readonly error?: string;
}

const zeroOf = { string: "", number: 0, boolean: false } as const;
type TypeName = keyof typeof zeroOf;

function castTo(type: TypeName, value: Value): Result {
  if (type === "string") return { value: `${value}` };
  if (type === "number") {
    if (typeof value === "boolean") return { value: value ? 1 : 0 };
    if (typeof value === "number") return { value };
    const isWhole = /^[+-]?\d+$/.test(value) && BigInt.asIntN(32, BigInt(value.replace("+", ""))) === BigInt(value.replace("+", ""));
    return isWhole ? { value: Number(BigInt(value.replace("+", ""))) } : { value: 0, error: "cast" };
  }
  if (typeof value === "number") return { value: value !== 0 };
  if (typeof value === "boolean") return { value };
  return ["true", "false"].includes(value.toLowerCase()) ? { value: value.toLowerCase() === "true" } : { value: false, error: "cast" };
}

/** An operator over operands of fixed types: whatever fails below makes it the zero value of its own type. */
function operator(returns: TypeName, takes: TypeName, operands: readonly Part[], apply: (...values: Value[]) => Result): Part["run"] {
  return (event) => {
    const values: Value[] = [];
    for (const operand of operands) {
      const result = operand.run(event);
      const value = result.error === undefined ? castTo(takes, result.value) : result;
      if (value.error !== undefined) return { value: zeroOf[returns], error: value.error };
      values.push(value.value);
    }
    return apply(...values);
  };
}

const literal = (sql: string, value: Value): Part => ({ sql, run: () => ({ value }) });
const quote = (text: string): string => `'${text.replaceAll("'", "\\'")}'`;
const attribute = (name: string): Part => ({
  sql: name,
  run: (event) => (name in event ? { value: event[name] ?? "" } : { value: false, error: "missing_attribute" }),
});
const exists = (name: string): Part => ({
  sql: `(EXISTS ${name})`,
  run: (event) => ({ value: ["id", "source", "type"].includes(name) || name in event }),
});

const not = (part: Part): Part => ({
  sql: `(NOT ${part.sql})`,
  run: (event) => {
    const { value, error } = part.run(event);
    if (error !== undefined) return { value: false, error };
    const cast: Result = typeof value === "number" ? { value: false, error: "cast" } : castTo("boolean", value);
    return { ...cast, value: cast.value !== true };
  },
});

const logic = (name: "AND" | "OR" | "XOR", x: Part, y: Part): Part => ({
  sql: `(${x.sql} ${name} ${y.sql})`,
  run: (event) => {
    const left = operator("boolean", "boolean", [x], (value) => ({ value }))(event);
    if (left.error !== undefined) return left;
    if ((name === "AND" && left.value === false) || (name === "OR" && left.value === true)) return left;
    return operator("boolean", "boolean", [y], (value) => ({ value: name === "XOR" ? value !== left.value : value }))(event);
  },
});

const equal = (isNegated: boolean, x: Part, y: Part): Part => ({
  sql: `(${x.sql} ${isNegated ? "!=" : "="} ${y.sql})`,
  run: (event) => {
    const [left, right] = [x.run(event), y.run(event)];
    const error = left.error ?? right.error;
    if (error !== undefined) return { value: false, error };
    const cast = castTo(typeof right.value as TypeName, left.value);
    return cast.error === undefined ? { value: (cast.value === right.value) !== isNegated } : { value: false, error: cast.error };
  },
});

const compare = (name: "<" | "<=" | ">" | ">=", x: Part, y: Part): Part => ({
  sql: `(${x.sql} ${name} ${y.sql})`,
  run: operator("boolean", "number", [x, y], (a, b) => ({
    value: name === "<" ? a < b : name === "<=" ? a <= b : name === ">" ? a > b : a >= b,
  })),
});

const calculate = (name: "+" | "-" | "*" | "/" | "%", x: Part, y: Part): Part => ({
  sql: `(${x.sql} ${name} ${y.sql})`,
  run: operator("number", "number", [x, y], (a, b) => {
    const [m, n] = [BigInt(a), BigInt(b)];
    if ((name === "/" || name === "%") && n === 0n) return { value: 0, error: "math" };
    const exact = name === "+" ? m + n : name === "-" ? m - n : name === "*" ? m * n : name === "/" ? m / n : m % n;
    return BigInt.asIntN(32, exact) === exact ? { value: Number(exact) } : { value: 0, error: "math" };
  }),
});

const minus = (part: Part): Part => ({
  sql: `(- ${part.sql})`,
  run: operator("number", "number", [part], (a) => (a === -2147483648 ? { value: 0, error: "math" } : { value: 0 - Number(a) })),
});

const likeRegExp = (pattern: string): RegExp => {
  const source = (pattern.match(/\\[%_]|[\s\S]/gu) ?? []).map((token) => {
    if (token === "%") return "[\\s\\S]*";
    if (token === "_") return "[\\s\\S]";
    return (/^\\[%_]$/.test(token) ? token.slice(1) : token).replaceAll(/[\\^$.*+?()[\]{}|/]/gu, "\\$&");
  });
  return new RegExp(`^${source.join("")}$`, "u");
};

const like = (isNegated: boolean, part: Part, pattern: string): Part => ({
  sql: `(${part.sql} ${isNegated ? "NOT LIKE" : "LIKE"} ${quote(pattern)})`,
  run: operator("boolean", "string", [part], (text) => ({ value: likeRegExp(pattern).test(`${text}`) !== isNegated })),
});

const isIn = (isNegated: boolean, part: Part, set: readonly Part[]): Part => ({
  sql: `(${part.sql} ${isNegated ? "NOT IN" : "IN"} (${set.map(({ sql }) => sql).join(", ")}))`,
  run: (event) => {
    const { value, error } = part.run(event);
    if (error !== undefined) return { value: false, error };
    for (const member of set) {
      const result = member.run(event);
      const cast = result.error === undefined ? castTo(typeof value as TypeName, result.value) : result;
      if (cast.error !== undefined) return { value: false, error: cast.error };
      if (cast.value === value) return { value: !isNegated };
    }
    return { value: isNegated };
  },
});

const casting = (name: "INT" | "BOOL" | "STRING", part: Part): Part => ({
  sql: `${name}(${part.sql})`,
  run: (event) => {
    const type = ({ INT: "number", BOOL: "boolean", STRING: "string" } as const)[name];
    const { value, error } = part.run(event);
    return error === undefined ? castTo(type, value) : { value: zeroOf[type], error };
  },
});

const lower = (part: Part): Part => ({
  sql: `LOWER(${part.sql})`,
  run: operator("string", "string", [part], (text) => ({ value: `${text}`.toLowerCase() })),
});

// Few names and values, so that expressions and events meet often. `kind` and `suffix` are extensions, the latter called like an operator.
const NAMES = ["type", "source", "subject", "size", "kind", "suffix"];
const TEXTS = [
  "a",
  "ab",
  "aba",
  "a.b",
  "A",
  "",
  "5",
  "05",
  "+5",
  "-5",
  "55",
  "0",
  "true",
  "TRUE",
  "false",
  "falſe",
  "::1",
  "0:0:0:0:0:0:0:1",
  "a*b",
  "a\\b",
  "a'b",
  "x😀",
  "2147483648",
];
const NUMBERS = [0, 1, 5, 55, -5, 7, 2147483647, -2147483648];
const PATTERNS = [
  "%",
  "a%",
  "%a",
  "%b",
  "a%b",
  "%.%",
  "a",
  "5",
  "5%",
  "%5",
  "-%",
  "_",
  "a_",
  "_b",
  "%_",
  "_%_",
  "tr%",
  "%e",
  "a\\%",
  "a\\_b",
  "a*b",
  "a*%",
  "a\\\\%",
  "",
  "x_",
  "::1",
  "%a%b%",
  "_5",
  "05",
];

const name = fc.constantFrom(...NAMES);
const text = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...TEXTS) },
  fc.string({ unit: fc.constantFrom("a", "b", "5", "%", "_", "\\", "😀"), maxLength: 4 }),
);
const anyLiteral = fc.oneof(
  // A text whose end would be taken for the escape of the quote cannot be written.
  { weight: 4, arbitrary: text.filter((t) => !/\\$|\\'/.test(t)).map((t) => literal(quote(t), t)) },
  { weight: 3, arbitrary: fc.constantFrom(...NUMBERS).map((n) => literal(`${n}`, n)) },
  { weight: 1, arbitrary: fc.boolean().map((b) => literal(`${b}`, b)) },
);
const pattern = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...PATTERNS) },
  text.filter((t) => !/\\$|'/.test(t)),
);

// Conditions of one attribute have to be met in one list of alternatives, the place where a claim is most easily wrong.
const onOneAttribute = fc
  .tuple(
    fc.constantFrom("type", "kind"),
    fc.array(fc.tuple(fc.boolean(), fc.oneof(anyLiteral, pattern), fc.constantFrom("AND", "OR")), { minLength: 2, maxLength: 4 }),
  )
  .map(([name, conditions]) =>
    conditions
      .map(([isNegated, to]) => (typeof to === "string" ? like(isNegated, attribute(name), to) : equal(isNegated, attribute(name), to)))
      .reduce((left, right, i) => logic(conditions[i]?.[2] ?? "AND", left, right)),
  );

const { part, condition } = fc.letrec<{ part: Part; condition: Part }>((tie) => ({
  part: fc.oneof(
    { maxDepth: 4, depthIdentifier: "part" },
    { weight: 5, arbitrary: name.map(attribute) },
    { weight: 4, arbitrary: anyLiteral },
    { weight: 4, arbitrary: tie("condition") },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constantFrom("+", "-", "*", "/", "%"), tie("part"), tie("part")).map(([o, x, y]) => calculate(o, x, y)),
    },
    { weight: 1, arbitrary: tie("part").map(minus) },
    { weight: 1, arbitrary: fc.tuple(fc.constantFrom("INT", "BOOL", "STRING"), tie("part")).map(([f, x]) => casting(f, x)) },
    { weight: 1, arbitrary: tie("part").map(lower) },
  ),
  condition: fc.oneof(
    { maxDepth: 4, depthIdentifier: "part" },
    { weight: 3, arbitrary: fc.tuple(fc.boolean(), name.map(attribute), anyLiteral).map(([n, x, y]) => equal(n, x, y)) },
    { weight: 2, arbitrary: fc.tuple(fc.boolean(), name.map(attribute), pattern).map(([n, x, p]) => like(n, x, p)) },
    { weight: 1, arbitrary: name.map(exists) },
    { weight: 2, arbitrary: onOneAttribute },
    { weight: 1, arbitrary: fc.tuple(fc.boolean(), tie("part"), tie("part")).map(([n, x, y]) => equal(n, x, y)) },
    {
      weight: 2,
      arbitrary: fc.tuple(fc.constantFrom("<", "<=", ">", ">="), tie("part"), tie("part")).map(([o, x, y]) => compare(o, x, y)),
    },
    { weight: 1, arbitrary: fc.tuple(fc.boolean(), tie("part"), pattern).map(([n, x, p]) => like(n, x, p)) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(
          fc.boolean(),
          tie("part"),
          fc.array(fc.oneof({ weight: 3, arbitrary: anyLiteral }, tie("part")), { minLength: 1, maxLength: 3 }),
        )
        .map(([n, x, s]) => isIn(n, x, s)),
    },
    { weight: 2, arbitrary: tie("part").map(not) },
    {
      weight: 8,
      arbitrary: fc.tuple(fc.constantFrom("AND", "OR", "XOR"), tie("condition"), tie("condition")).map(([o, x, y]) => logic(o, x, y)),
    },
    { weight: 2, arbitrary: fc.tuple(fc.constantFrom("AND", "OR", "XOR"), tie("part"), tie("part")).map(([o, x, y]) => logic(o, x, y)) },
  ),
}));

const extension = fc.oneof(
  { weight: 3, arbitrary: text },
  { weight: 2, arbitrary: fc.constantFrom(...NUMBERS) },
  { weight: 1, arbitrary: fc.boolean() },
);
const event: fc.Arbitrary<Event> = fc
  .record(
    { id: fc.constant("i"), type: text, source: text, subject: text, size: extension, kind: extension, suffix: extension },
    { requiredKeys: ["id", "type", "source"] },
  )
  .map((fields) => ({ ...fields }));

const RUNS = Number(process.env["MILLRACE_SQL_RUNS"] ?? 4000);

describe("S20: an expression, its rule and the specification agree", () => {
  it("on value and error", () => {
    fc.assert(
      fc.property(fc.oneof(part, condition), event, ({ sql, run }, event) => {
        const { value, error } = compileSql(sql).evaluate(event);
        const expected = run(event);
        expect({ value, error: error?.kind }).toEqual({ value: expected.value, error: expected.error });
      }),
      { numRuns: RUNS },
    );
  });

  it("on which events match: the pattern lets all of them through, and together with the guard no others", () => {
    let exact = 0;
    fc.assert(
      fc.property(condition, fc.array(event, { minLength: 8, maxLength: 8 }), ({ sql, run }, events) => {
        const expression = compileSql(sql);
        const { implied, guard } = expression.rule;
        const compiled = implied === undefined ? undefined : compilePattern(implied);
        if (guard === undefined) exact++;
        for (const event of events) {
          const expected = run(event);
          const isMatch = expected.value === true && expected.error === undefined;
          const read = (name: string): Leaf | undefined => {
            expect(guard?.attributes).toContain(name);
            return event[name];
          };
          expect(expression.matches(event)).toBe(isMatch);
          expect((compiled?.matches(event) ?? true) && (guard?.test(read) ?? true)).toBe(isMatch);
        }
      }),
      { numRuns: RUNS },
    );
    // Were everything left to the guards, this would prove nothing about patterns.
    expect(exact).toBeGreaterThan(RUNS / 10);
  });
});
