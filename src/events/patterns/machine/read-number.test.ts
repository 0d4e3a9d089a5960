import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NumberReader, skipNumber } from "./read-number.ts";

const reader = new NumberReader();
const DIGITS = "0123456789";

function bytesOf(text: string): Uint8Array {
  return new Uint8Array([...Buffer.from(text), 0]);
}

/** JSON numbers as people, programs and enemies write them. */
const digits = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...DIGITS.split("")), minLength, maxLength });
const whole = fc.oneof(
  fc.constant("0"),
  fc.tuple(fc.constantFrom(...DIGITS.slice(1).split("")), digits(0, 24)).map((parts) => parts.join("")),
);
const written = fc
  .tuple(
    fc.constantFrom("", "-"),
    whole,
    fc.option(digits(1, 24), { nil: undefined }),
    fc.option(fc.tuple(fc.constantFrom("e", "E", "e+", "e-", "E-"), digits(1, 3)), { nil: undefined, freq: 3 }),
  )
  .map(
    ([sign, integer, fraction, exponent]) => `${sign}${integer}${fraction === undefined ? "" : `.${fraction}`}${exponent?.join("") ?? ""}`,
  );
const doubles = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value));
const coordinates = fc.double({ min: -180, max: 180, noNaN: true }).map((value) => JSON.stringify(value));
/** Halfway between two doubles, or a little beside: what is hardest to round. */
const ties = fc
  .tuple(fc.bigInt({ min: 2n ** 53n, max: 2n ** 54n }), fc.constantFrom("", ".0", ".000001", ".5"))
  .map(([value, tail]) => `${value * 2n + 1n}${tail}`);

describe("the double that a JSON number spells", () => {
  it("P21: is the one that Number finds, to the last bit", () => {
    fc.assert(
      fc.property(fc.oneof(written, doubles, coordinates, ties), (text) => {
        const end = reader.read(bytesOf(text), 0);
        expect(end).toBe(text.length);
        expect(Object.is(reader.value, Number(text)), `${text} is ${Number(text)}, not ${reader.value}`).toBe(true);
        expect(skipNumber(bytesOf(text), 0)).toBe(text.length);
      }),
      { numRuns: 40_000 },
    );
  });

  it.each([
    ["a fraction with as many zeros as an exponent makes up for", `0.${"0".repeat(99_999)}1e100000`],
    ["one that the exponent goes far beyond", `0.${"0".repeat(99_999)}1e200000`],
    ["an exponent with leading zeros", `1e${"0".repeat(100)}2`],
    ["an exponent of any length", `1e-${"9".repeat(100)}`],
    ["a million digits", "7".repeat(1_000_000)],
  ])("P21: %s", (_what, text) => {
    expect(reader.read(bytesOf(text), 0)).toBe(text.length);
    expect(reader.value).toBe(Number(text));
  });

  it.each(["", "-", "+1", ".5", "1.", "1.e5", "1e", "1e+", "-a", "--1", "e5"])("P16: %j is no JSON number", (text) => {
    expect(reader.read(bytesOf(text), 0)).toBeLessThan(0);
    expect(skipNumber(bytesOf(text), 0)).toBe(reader.read(bytesOf(text), 0));
  });

  it.each([
    ["01", 1],
    ["1a", 1],
    ["0x10", 1],
    ["1.5.5", 3],
    ["2]", 1],
  ])("P16: of %j only the number is read", (text, end) => {
    expect(reader.read(bytesOf(text), 0)).toBe(end);
    expect(skipNumber(bytesOf(text), 0)).toBe(end);
  });
});
