import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileSql, explainSql, SqlError } from "./index.ts";

const EVENT = {
  specversion: "1.0",
  id: "i",
  source: "/shops/7",
  type: "order.placed",
  size: 5,
  code: "05",
  flag: true,
  note: " x ",
  nothing: null,
  list: [1],
  Colour: "red",
  data: { total: 5, orderId: 1 },
};

describe("what an expression came to", () => {
  it("S23: says that an event matches", () => {
    expect(explainSql("type LIKE 'order.%'", EVENT)).toEqual({
      matched: true,
      value: true,
      error: null,
      operands: [
        {
          operator: null,
          source: "type LIKE 'order.%'",
          position: 0,
          holds: true,
          value: true,
          error: null,
          skipped: false,
          attributes: ["type"],
        },
      ],
      attributes: [{ name: "type", found: "order.placed" }],
    });
  });

  it("S23: tells value, error, and of each attribute what is there or that nothing is", () => {
    const explained = explainSql("size > 9 OR missing = nothing OR list = weight OR note = 'x'", { ...EVENT, weight: 1.5 });
    const error = { kind: "missing_attribute", message: 'the event has no attribute "missing"', position: 12 };
    expect(explained).toMatchObject({ matched: false, value: false, error, failed: { error } });
    expect(explained.attributes).toEqual([
      { name: "size", found: 5 },
      { name: "missing" },
      { name: "nothing" },
      { name: "list" },
      { name: "weight", found: "1.5" },
      { name: "note", found: " x " },
    ]);
  });

  it("S23: a value that is not the Boolean true does not match", () => {
    expect(explainSql("size", EVENT)).toMatchObject({ matched: false, value: 5, error: null, failed: { holds: false, value: 5 } });
    expect(explainSql("flag", EVENT)).toMatchObject({ matched: true, value: true });
  });

  it("S23: what is no expression is refused as ever", () => {
    expect(() => explainSql("type ==", EVENT)).toThrow(SqlError);
  });
});

describe("which operand failed", () => {
  const outline = (source: string): unknown => {
    const { operands, failed } = explainSql(source, EVENT);
    return {
      operands: operands.map((each) => [each.operator, each.source, each.skipped ? "skipped" : each.holds]),
      failed: failed?.source,
    };
  };

  it("S24: cuts at the operators outside of parentheses, functions, lists and strings", () => {
    expect(outline("(type = 'a AND b' OR size = 5) and LENGTH(CONCAT(id, 'OR')) IN (1, 3) XOR  flag ")).toEqual({
      operands: [
        [null, "(type = 'a AND b' OR size = 5)", true],
        ["AND", "LENGTH(CONCAT(id, 'OR')) IN (1, 3)", true],
        ["XOR", "flag", true],
      ],
      failed: "flag",
    });
  });

  it("S24: parentheses around all of it do not hide the operands", () => {
    expect(outline("((size = 5 AND ((flag = FALSE))))")).toEqual({
      operands: [
        [null, "size = 5", true],
        ["AND", "((flag = FALSE))", false],
      ],
      failed: "((flag = FALSE))",
    });
    expect(outline("(flag) AND (size = 6)")).toMatchObject({ failed: "(size = 6)" });
  });

  it("S24: says what was skipped, and what it would have come to", () => {
    expect(outline("size = 6 AND flag AND id = 'x' OR code = 'y' AND missing")).toEqual({
      operands: [
        [null, "size = 6", false],
        ["AND", "flag", "skipped"],
        ["AND", "id = 'x'", "skipped"],
        ["OR", "code = 'y'", false],
        ["AND", "missing", "skipped"],
      ],
      failed: "code = 'y'",
    });
    const [, skipped] = explainSql("size = 6 AND missing", EVENT).operands;
    expect(skipped).toMatchObject({ skipped: true, holds: false, error: { kind: "missing_attribute", position: 13 } });
  });

  it("S24: an error ends it, whatever follows", () => {
    expect(outline("missing = 'x' OR flag")).toEqual({
      operands: [
        [null, "missing = 'x'", false],
        ["OR", "flag", "skipped"],
      ],
      failed: "missing = 'x'",
    });
  });

  it("S24: an operand counts as the Boolean that it is cast to, and fails where it cannot be", () => {
    const { operands } = explainSql("size AND code", EVENT);
    expect(operands.map(({ holds, value, error }) => [holds, value, error?.message])).toEqual([
      [true, 5, undefined],
      [false, "05", '"05" is no Boolean'],
    ]);
  });
});

describe("what was likely meant", () => {
  it.each([
    ["type = 'Order.Placed'", "it differs only in letter case; LOWER(type) = 'order.placed' would be true"],
    ["source LIKE '/Shops/%'", "it differs only in letter case; LOWER(source) LIKE '/shops/%' would be true"],
    ["type IN ('a', 'ORDER.PLACED')", "it differs only in letter case; LOWER(type) IN ('a', 'order.placed') would be true"],
    ["note = 'x'", "the event has spaces around it; TRIM(note) = 'x' would be true"],
    ["type = 'order.%'", "\"=\" takes % and _ for themselves; type LIKE 'order.%' would be true"],
    ["type LIKE 'order.*'", "* stands for itself: any text is %; type LIKE 'order.%' would be true"],
    ["type LIKE 'order'", "LIKE compares the whole text; type LIKE 'order%' would be true"],
    ["'placed' = type", "\"=\" compares the whole text; type LIKE '%placed' would be true"],
    ["code = '5'", '"=" compares as what stands on its right; code = 5 would be true'],
    ["size > 5", "5 is the bound itself, which is left out; size >= 5 would be true"],
    ["(NOT type = 'bill')", "NOT binds tighter than what follows; NOT (type = 'bill') would be true"],
    ["\"type\" = 'order.placed'", "\"type\" is a text: the names of attributes stand without quotes; type = 'order.placed' would be true"],
    ["type = 'a' OR 'order.placed'", "each side of OR is a condition of its own; type = 'order.placed' would be true"],
    ["size", "an expression matches where it is the Boolean true, and this is the Integer 5; BOOL(size) would be true"],
    ["note", 'an expression matches where it is the Boolean true, and this is the String " x "'],
    [
      "flag OR size > 9 AND size > 8",
      "AND, OR and XOR are read from left to right, none before the others; flag OR (size > 9 AND size > 8) would be true",
    ],
    ["flag XOR TRUE", "XOR wants one of its two sides to be true, and both are"],
  ])("S25: %s is not true, and this is why", (source, hint) => {
    expect(explainSql(source, EVENT).failed?.hint).toBe(hint);
  });

  it("S25: a text without quotes is an attribute", () => {
    const event = { ...EVENT, state: "open" };
    expect(explainSql("state = Open", event).failed?.hint).toBe("open without quotes is an attribute, and the event has none of that name");
    expect(explainSql("state = open", event).failed?.hint).toBe("open without quotes is an attribute; state = 'open' would be true");
    expect(explainSql("state <> shut", event).failed?.hint).toBe(
      "shut without quotes is an attribute, and the event has none of that name",
    );
  });

  it.each([
    [
      "country = 'DE'",
      "an expression with an error does not match, and without country this is one; write (EXISTS country AND country = 'DE')",
    ],
    [
      "flag AND country <> 'DE'",
      "an expression with an error does not match, and without country this is one; write (NOT EXISTS country OR country <> 'DE')",
    ],
    [
      "hop + ttl > 5",
      "an expression with an error does not match, and without hop this is one; write (EXISTS hop AND EXISTS ttl AND hop + ttl > 5)",
    ],
    [
      "flag AND (size > 9 OR country = 'DE')",
      "an expression with an error does not match, and without country this is one: ask EXISTS country before",
    ],
    ["total > 4", "the event has data.total, and CloudEvents SQL does not see data: a pattern does"],
    ["orderid = 1", "the event has data.orderId, and CloudEvents SQL does not see data: a pattern does"],
    ["colour = 'red'", "the event has Colour, and names of attributes have no capitals"],
    ["sizes = 5", "the event has size: was that meant?"],
    ["nothing = 'x'", "nothing is null, which is as good as missing"],
    ["list = 1", "list is a list, and attributes are single values"],
    ["type = 5", '"=" compares as what stands on its right, here as a whole number'],
    ["type != TRUE", '"=" compares as what stands on its right, here as true or false'],
    ["5 IN (type)", "IN compares as what stands on its left, here as a whole number"],
    ["flag AND type > 'a'", '">" compares numbers'],
    ["type + 4 > 3", '"+" calculates with whole numbers: CONCAT joins texts'],
    ["type AND flag", "AND, OR and XOR join conditions: each of them is true or false"],
    ["NOT (flag AND type)", "AND, OR and XOR join conditions: each of them is true or false"],
    ["NOT type = 'order.placed'", "NOT binds tightest: put what it is meant to take in parentheses"],
  ])("S25: %s fails, and this is why", (source, hint) => {
    const { failed } = explainSql(source, EVENT);
    expect(failed?.error).not.toBeNull();
    expect(failed?.hint).toBe(hint);
  });

  it.each(["size = 7", "type = 'bill.sent'", "NOT type", "size / 0 = 1", "LEFT(type, -1) = 'x'", "NOT (type = 'order.placed')"])(
    "S25: %s has no hint: nothing is likely",
    (source) => {
      expect(explainSql(source, EVENT).failed).not.toHaveProperty("hint");
    },
  );

  it("S25: an operand that was skipped has its hint too, so that all can be mended at once; where all matches there are none", () => {
    const hints = (source: string): unknown[] => explainSql(source, EVENT).operands.map(({ hint }) => hint?.split(";")[0]);
    expect(hints("size > 5 AND note = 'x'")).toEqual(["5 is the bound itself, which is left out", "the event has spaces around it"]);
    expect(hints("size > 5 OR flag")).toEqual([undefined, undefined]);
  });

  it("S25: what would be too long to read is not proposed", () => {
    const long = "x".repeat(300);
    expect(explainSql(`long = '${long.toUpperCase()}'`, { long }).failed?.hint).toBe("it differs only in letter case");
  });
});

/** Few names and values, and chains without parentheses: where operators of one level meet. */
const name = fc.constantFrom("type", "size", "kind", "flag", "total");
const value = fc.constantFrom("'a'", "'A'", "'a%'", "'a*'", "'5'", "'05'", "' a'", "5", "0", "true", "a", "'true'", "''");
const simple = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(name, fc.constantFrom("=", "!=", "<", ">", "LIKE", "NOT LIKE"), value).map((parts) => parts.join(" ")) },
  { weight: 2, arbitrary: name },
  { weight: 1, arbitrary: value },
  { weight: 1, arbitrary: name.map((each) => `EXISTS ${each}`) },
  { weight: 1, arbitrary: fc.tuple(name, value, value).map(([x, a, b]) => `${x} IN (${a}, ${b})`) },
  { weight: 1, arbitrary: fc.tuple(value, name).map(([a, x]) => `${a} = ${x}`) },
  { weight: 1, arbitrary: fc.tuple(name, name).map(([x, y]) => `${x} + ${y} > 1`) },
);
const { expression } = fc.letrec<{ expression: string; operand: string }>((tie) => ({
  operand: fc.oneof(
    { maxDepth: 3 },
    { weight: 6, arbitrary: simple },
    { weight: 1, arbitrary: tie("operand").map((each) => `NOT ${each}`) },
    { weight: 1, arbitrary: tie("expression").map((each) => `(${each})`) },
  ),
  expression: fc
    .tuple(tie("operand"), fc.array(fc.tuple(fc.constantFrom("AND", "OR", "XOR"), tie("operand")), { maxLength: 4 }))
    .map(([first, rest]) => [first, ...rest.flat()].join(" ")),
}));
/** The grammar wants a text behind LIKE; what else comes out of the above is no expression, and not of interest here. */
const written = expression.filter((source) => {
  try {
    compileSql(source);
    return true;
  } catch {
    return false;
  }
});
const attribute = fc.constantFrom<unknown>("a", "A", "ab", "5", "05", " a", "true", 5, 0, 1.5, true, false, null);
const event = fc.record(
  {
    id: fc.constant("i"),
    type: attribute,
    size: attribute,
    kind: attribute,
    flag: attribute,
    sizes: attribute,
    data: fc.constantFrom({}, { total: 5 }),
  },
  { requiredKeys: ["id"] },
);

const RUNS = { numRuns: Number(process.env["MILLRACE_SQL_RUNS"] ?? 2000) };

describe("explanations are right", () => {
  it("S23: the explanation says what the expression says", () => {
    fc.assert(
      fc.property(written, event, (source, input) => {
        const { matched, value: came, error, failed } = explainSql(source, input);
        expect(matched).toBe(compileSql(source).matches(input));
        expect({ value: came, error }).toEqual(compileSql(source).evaluate(input));
        expect(failed === undefined).toBe(matched);
      }),
      RUNS,
    );
  });

  it("S24: the operands, joined again, are the expression, and each came to what it comes to alone", () => {
    fc.assert(
      fc.property(written, event, (source, input) => {
        const { operands, value: came, error } = explainSql(source, input);
        const joined = operands.flatMap((each) => [...(each.operator === null ? [] : [each.operator]), each.source]).join(" ");
        const whole = compileSql(joined).evaluate(input);
        expect([whole.value, whole.error?.message]).toEqual([came, error?.message]);
        for (const each of operands) {
          expect(source.startsWith(each.source, each.position)).toBe(true);
          const alone = compileSql(each.source).evaluate(input);
          expect(each.value).toBe(alone.value);
          if (alone.error !== null) expect(each.error).toEqual({ ...alone.error, position: alone.error.position + each.position });
          if (operands.length > 1) expect(each.holds).toBe(compileSql(`${each.source} AND TRUE`).matches(input));
          expect(compileSql(each.source).attributes).toEqual(each.attributes);
        }
      }),
      RUNS,
    );
  });

  it("S24: had the failed operand come out the other way, the expression would match or look at one operand more", () => {
    let failures = 0;
    fc.assert(
      fc.property(written, event, (source, input) => {
        const { operands, failed } = explainSql(source, input);
        if (failed === undefined) return;
        failures++;
        const at = operands.indexOf(failed);
        const getsFurtherWith = (turned: string): boolean => {
          const other = operands.map((each, i) => `${each.operator ?? ""} ${i === at ? turned : each.source}`).join(" ");
          const again = explainSql(other, input);
          return again.matched || again.operands.findLastIndex(({ skipped }) => !skipped) > at;
        };
        // Only XOR may want a false one.
        expect(getsFurtherWith("TRUE") || (failed.operator === "XOR" && getsFurtherWith("FALSE"))).toBe(true);
      }),
      RUNS,
    );
    expect(failures).toBeGreaterThan(RUNS.numRuns / 4);
  });

  it("S25: what a hint says would be true is true, what it says to write has no error, and what it says is there is there", () => {
    let proposals = 0;
    let writings = 0;
    let claims = 0;
    fc.assert(
      fc.property(written, event, (source, input) => {
        for (const { hint = "" } of explainSql(source, input).operands) {
          const proposed = /; (.*) would be true$/s.exec(hint)?.[1];
          const instead = /; write (.*)$/s.exec(hint)?.[1];
          const [, place, claimed] = /^the event has (data\.)?([A-Za-z0-9]+)[,:]/.exec(hint) ?? [];
          if (proposed !== undefined) {
            proposals++;
            expect(compileSql(proposed).matches(input)).toBe(true);
          }
          if (instead !== undefined) {
            writings++;
            expect(compileSql(instead).evaluate(input).error).toBeNull();
          }
          if (claimed !== undefined) {
            claims++;
            expect(Object.hasOwn((place === undefined ? input : input.data) ?? {}, claimed)).toBe(true);
          }
        }
      }),
      RUNS,
    );
    expect([proposals, writings, claims].every((count) => count > RUNS.numRuns / 100)).toBe(true);
  });
});
