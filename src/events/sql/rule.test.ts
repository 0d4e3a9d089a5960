import { describe, expect, it } from "vitest";
import type { Pattern } from "../patterns/index.ts";
import { compileSql } from "./index.ts";

interface Said {
  readonly implied: Pattern | undefined;
  readonly hasGuard: boolean;
}

function said(source: string): Said {
  const { implied, guard } = compileSql(source).rule;
  return { implied, hasGuard: guard !== undefined };
}

const all = { numeric: [">=", -2147483648, "<=", 2147483647] };

describe("S22: what patterns say alone", () => {
  it.each<[string, Pattern]>([
    ["type = 'order.placed'", { type: ["order.placed"] }],
    ["type != 'order.placed'", { type: [{ "anything-but": "order.placed" }] }],
    ["'x' = kind AND source LIKE '/shops/%'", { kind: ["x"], source: [{ prefix: "/shops/" }] }],
    ["source LIKE '%/7'", { source: [{ suffix: "/7" }] }],
    ["source LIKE '/shops/%/7'", { source: [{ wildcard: "/shops/*/7" }] }],
    ["source LIKE '*%\\\\'", { source: [{ wildcard: "\\**\\\\\\\\" }] }],
    ["kind LIKE '%'", { kind: [{ exists: true }] }],
    ["kind LIKE 'tr%'", { kind: [{ prefix: "tr" }, true] }],
    ["kind NOT LIKE 'a%'", { kind: [{ "anything-but": { prefix: "a" } }] }],
    ["type IN ('a', 'b')", { type: ["a", "b"] }],
    ["type NOT IN ('a', 'b')", { type: [{ "anything-but": ["a", "b"] }] }],
    ["kind = '5'", { kind: ["5", 5] }],
    ["5 = kind", { kind: ["5", 5, true] }],
    ["id LIKE '5%'", { id: [{ prefix: "5" }] }],
    ["kind = 'true'", { kind: ["true", true] }],
    [
      "kind = TRUE",
      { kind: [{ "equals-ignore-case": "true" }, { numeric: [">", -2147483649, "<", 0] }, { numeric: [">", 0, "<", 2147483648] }, true] },
    ],
    ["kind", { kind: [true] }],
    ["EXISTS subject AND NOT EXISTS kind", { subject: [{ exists: true }], kind: [{ exists: false }] }],
    ["type = 'a' OR type = 'b' OR type = 'c'", { type: ["a", "b", "c"] }],
    ["kind = 'x' OR subject = 'y'", { $or: [{ kind: ["x"] }, { kind: [{ "anything-but": "x" }], subject: ["y"] }] }],
    [
      "(EXISTS kind AND kind = 'x') OR type = 'y'",
      { $or: [{ kind: ["x"] }, { kind: [{ exists: false }, { "anything-but": "x" }], type: ["y"] }] },
    ],
    ["type <> 'a' AND type <> 'b'", { type: [{ "anything-but": ["a", "b"] }] }],
    ["type LIKE 'order.%' AND type <> 'user.new'", { type: [{ prefix: "order." }] }],
    ["subject = '::1'", { subject: [{ wildcard: "::1" }] }],
    ["suffix = 'x'", { suffix: ["x"] }],
    ["type = CONCAT('a', '.', 1 + 1)", { type: ["a.2"] }],
    ["STRING(kind) = 'x' AND TRUE", { kind: ["x"] }],
  ])("%s", (source, implied) => {
    expect(said(source)).toEqual({ implied, hasGuard: false });
  });
});

describe("S22: what patterns say, and a guard decides", () => {
  it.each<[string, Pattern | undefined]>([
    ["size = 5", { size: [{ suffix: "5" }, 5] }],
    ["size = -15", { size: [{ suffix: "15" }, -15] }],
    ["size > 5", { size: [{ prefix: "" }, { numeric: [">", 5] }] }],
    ["INT(size) <= 0", { size: [{ prefix: "" }, { numeric: ["<=", 0] }, false] }],
    ["type LIKE 'a_c%'", { type: [{ wildcard: "a*c*" }] }],
    ["kind LIKE '5%'", { kind: [{ prefix: "5" }, all] }],
    ["kind != '5'", { kind: [{ "anything-but": "5" }] }],
    ["hop < ttl", { hop: [{ exists: true }], ttl: [{ exists: true }] }],
    ["LOWER(type) = 'a' AND kind = 'x'", { type: [{ exists: true }], kind: ["x"] }],
    ["type LIKE 'a%' AND type LIKE '%b'", { type: [{ prefix: "a" }] }],
    ["suffix = 'x' OR type = 'y'", undefined],
    ["(suffix = 'x' AND type = 'a') OR (kind = 'y' AND type = 'b')", { $or: [{ type: ["a"] }, { kind: ["y"], type: ["b"] }] }],
  ])("%s", (source, implied) => {
    expect(said(source)).toEqual({ implied, hasGuard: true });
  });

  it("the guard names the attributes that it reads, and reads no others", () => {
    const { guard } = compileSql("size > 1 AND (EXISTS subject OR size < kind)").rule;
    const read: string[] = [];
    expect(guard?.test((name) => (read.push(name), name === "subject" ? undefined : 5))).toBe(false);
    expect(guard?.attributes).toEqual(["size", "subject", "kind"]);
    expect([...new Set(read)]).toEqual(["size", "subject", "kind"]);
  });
});

describe("C5: what never holds, and what always does", () => {
  it.each(["FALSE", "1 = 2", "'true'", "size + 1", "type", "1 / 0 = 1 AND FALSE", "type = 'a' AND type = 'b'", "NOT EXISTS id"])(
    "%s never matches",
    (source) => {
      const { implied, guard } = compileSql(source).rule;
      expect(implied).toEqual({ type: [{ exists: false }] });
      expect([guard?.attributes, guard?.test(() => true)]).toEqual([[], false]);
    },
  );

  it.each(["TRUE", "1 = 1", "EXISTS id", "TRUE OR missing = 'x'", "NOT ('a' LIKE 'b')"])("%s always matches", (source) => {
    const { implied, guard } = compileSql(source).rule;
    expect(implied).toBeUndefined();
    expect([guard?.attributes, guard?.test(() => undefined)]).toEqual([[], true]);
  });
});

describe("C4: what would take too many branches", () => {
  const either = (count: number, name: (i: number) => string): string =>
    Array.from({ length: count }, (_, i) => `(${name(i)} = 'x' OR ${name(i)}b = 'y')`).join(" AND ");

  it("is said in part, and left to the guard", () => {
    const { implied, guard } = compileSql(`${either(30, (i) => `a${i}`)} AND type = 't'`).rule;
    expect(guard).toBeDefined();
    const { $or: branches } = implied as { $or: Pattern[] };
    expect(branches.length).toBeLessThanOrEqual(64);
    expect(branches.every(({ type }) => JSON.stringify(type) === '["t"]')).toBe(true);
  });

  it("a long list of attributes is joined without saying of each that the others fail", () => {
    const source = Array.from({ length: 40 }, (_, i) => `a${i} = 'x'`).join(" OR ");
    const { implied, guard } = compileSql(source).rule;
    expect(guard).toBeDefined();
    expect((implied as { $or: Pattern[] }).$or).toHaveLength(40);
  });

  it("an expression at the limits is compiled soon, and still decides", () => {
    const xor = Array.from({ length: 250 }, (_, i) => `(a${i % 9} = 'x${i}')`).join(" XOR ");
    const event = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`a${i}`, `x${i}`]));
    expect(compileSql(xor).matches(event)).toBe(true);
    expect(compileSql(xor).matches({ ...event, a8: "other" })).toBe(false);
  });
});
