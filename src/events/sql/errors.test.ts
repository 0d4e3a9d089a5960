import { describe, expect, it } from "vitest";
import { compileSql, SqlError } from "./index.ts";

function errorOf(source: string): SqlError {
  try {
    compileSql(source);
  } catch (error) {
    if (error instanceof SqlError) return error;
    throw error;
  }
  throw new Error(`the expression was accepted: ${source}`);
}

const FAULTS: [rule: string, expression: string, position: number, fault: string | RegExp][] = [
  ["S1", "", 0, "the expression ends where a value was expected"],
  ["S1", "  ", 2, "the expression ends where a value was expected"],
  ["S1", "size >", 6, "the expression ends where a value was expected"],
  ["S1", "size = = 5", 7, '"=" where a value was expected'],
  ["S1", "size == 5", 5, '"==" is no operator: "=" compares'],
  ["S1", "a && b", 2, '"&&" is no operator: write AND'],
  ["S1", "a || b", 2, /^"\|\|" is no operator: write OR; CONCAT/],
  ["S1", "!a", 0, '"!" is no operator: write NOT, or "!=" to compare'],
  ["S1", "type = #a", 7, '"#" has no meaning here: text stands in quotes'],
  ["S1", "type LKE 'a%'", 5, '"LKE" where an operator or the end was expected (did you mean "LIKE"?)'],
  ["S1", "(a AND b", 8, 'the expression ends where the ")" for the "(" at character 0 was expected'],
  ["S1", "(a b)", 3, '"b" stands where the ")" for the "(" at character 0 was expected'],
  ["S1", "a)", 1, '")" where an operator or the end was expected'],
  ["S1", "a IN ()", 5, "the list of IN is empty: write at least one value"],
  ["S1", "a IN 'x'", 5, "IN takes a list in parentheses, not a string"],
  ["S1", "a IN (1,)", 8, '")" where a value was expected'],
  ["S1", "a LIKE b", 7, 'LIKE takes a string in quotes, not "b"'],
  ["S1", "a LIKE 123", 7, 'LIKE takes a string in quotes, not "123"'],
  ["S1", "a NOT 'x'", 2, '"NOT" where an operator or the end was expected; after a value NOT is followed by LIKE or IN'],
  ["S1", "AND a", 0, "AND where a value was expected"],
  ["S1", "EXISTS (a)", 7, 'EXISTS takes the name of an attribute, not "("'],
  ["S1", "EXISTS", 6, "EXISTS takes the name of an attribute, not the end"],
  ["S1", "LENGHT(a) > 1", 0, 'there is no function LENGHT (did you mean "LENGTH"?)'],
  ["S1", "a AND random()", 6, "there is no function RANDOM"],
  ["S1", "LEFT(a)", 0, "LEFT takes 2 arguments, here are 1"],
  ["S1", "ABS()", 0, "ABS takes 1 argument, here are 0"],
  ["S1", "CONCAT_WS()", 0, "CONCAT_WS takes 1 or more arguments, here are 0"],
  ["S1", "SUBSTRING(a)", 0, "SUBSTRING takes 2 or 3 arguments, here are 1"],
  ["S2", "EXISTS in", 7, "IN is a keyword, no attribute"],
  ["S2", "my_ext = 1", 0, '"my_ext" is no attribute: their names have only letters and digits'],
  ["S2", "data = 'x'", 0, /^"data" is no attribute: CloudEvents SQL does not look into data/],
  ["S2", "EXISTS Data", 7, /^"Data" is no attribute/],
  ["S3", "type = 'a", 7, "the string that begins here does not end: ' is missing"],
  ["S3", String.raw`type = 'a\'`, 7, "the string that begins here does not end: ' is missing"],
  ["S3", "'it''s'", 4, "a string where an operator or the end was expected; a quote inside a string is written with a backslash before it"],
  ["S3", "2147483648", 0, "2147483648 is beyond 32 bits: an Integer goes from -2147483648 to 2147483647"],
  ["S3", "a = -2147483649", 4, /^-2147483649 is beyond 32 bits/],
  ["S3", "+a", 0, '"+" stands between two values, or directly before the digits of a number'],
  ["S3", "+ 5", 0, /^"\+" stands between two values/],
  ["S4", `'${"a".repeat(16_383)}'`, 16_384, "an expression has at most 16384 characters, this one has 16385"],
  ["S4", "(".repeat(100_000), 16_384, /^an expression has at most 16384 characters/],
  ["S4", "(".repeat(16_000), 100, "an expression nests at most 100 levels deep"],
  ["S4", "NOT ".repeat(4000), 400, "an expression nests at most 100 levels deep"],
  ["S4", "- ".repeat(8000), 200, "an expression nests at most 100 levels deep"],
  ["S4", "ABS(".repeat(4000), 403, "an expression nests at most 100 levels deep"],
  ["S4", "a IN (".repeat(2000), 605, "an expression nests at most 100 levels deep"],
  ["S4", `1${"+1".repeat(1001)}`, 2001, "an expression has at most 1000 operators, functions and parentheses"],
  ["S4", `a LIKE '${"%a".repeat(33)}'`, 7, 'a pattern of LIKE has at most 32 "%", this one has 33'],
  ["S4", `a LIKE '${"a".repeat(1025)}'`, 7, "a pattern of LIKE has at most 1024 characters, this one has 1025"],
  ["S7", "type\u00a0= 'a'", 4, '"\u00a0" has no meaning here: text stands in quotes'],
  ["S7", "type = '\ud83d'", 8, "half of a surrogate pair is no character"],
  ["S7", "type = '😀\ude00'", 10, "half of a surrogate pair is no character"],
];

describe("faults of an expression", () => {
  it.each(FAULTS)("%s: %#", (_, expression, position, fault) => {
    const error = errorOf(expression);
    expect(error).toMatchObject({ code: "bad_sql", position });
    if (typeof fault === "string") expect(error.fault).toBe(fault);
    else expect(error.fault).toMatch(fault);
    expect(error.message).toBe(`sql: at character ${position}: ${error.fault}`);
  });

  it("S1: functions that are missing are of a kind of their own", () => {
    expect(errorOf("LENGHT(a)").kind).toBe("missing_function");
    expect(errorOf("LEFT(a)").kind).toBe("missing_function");
    expect(errorOf("a =").kind).toBe("parse");
  });

  it("S4: what is within the limits is compiled and evaluated", () => {
    const nested = `${"(".repeat(100)}size = 5${")".repeat(100)}`;
    const chain = `size = 5${" AND size = 5".repeat(499)}`;
    for (const expression of [
      nested,
      chain,
      `${"NOT ".repeat(100)}(size = 5)`.replace("NOT ", ""),
      `${"1+".repeat(1000)}0 = 1000`.replace("1+", ""),
    ])
      expect(compileSql(expression).evaluate({ size: 5 }).error).toBeNull();
    expect(compileSql(nested).matches({ size: 5 })).toBe(true);
    expect(compileSql(chain).matches({ size: 5 })).toBe(true);
    expect(compileSql(`a LIKE '${"%*".repeat(32)}'`).matches({ a: "*".repeat(40) })).toBe(true);
    expect(compileSql(`a LIKE '${"*".repeat(1024)}'`).matches({ a: "*".repeat(1024) })).toBe(true);
  });
});
