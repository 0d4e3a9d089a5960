import { describe, expect, it } from "vitest";
import { Matcher, type Pattern } from "../index.ts";

function match(pattern: Pattern, event: string | Uint8Array, strict = false): boolean {
  const matcher = new Matcher<number>({ strict });
  matcher.add(1, pattern);
  return matcher.match(event).length === 1;
}

const bytes = (...parts: (string | number)[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.from([part]))));

describe("scanner", () => {
  it.each([
    ["spaces everywhere", ' \n{ "b" :\t[ 1 , 2 ] , "a" : { "x" : "y" } } \r\n', true],
    ["an escaped value", '{"a":{"x":"\\u0079"}}', true],
    ["an escaped key", '{"\\u0061":{"x":"y"}}', true],
    ["an escaped key that hides the first", '{"a":{"x":"y"},"\\u0061":1}', false],
    ["a key with dots", '{"a.x":"y"}', true],
    ["a key twice, the last counts", '{"a":{"x":"n"},"a":{"x":"y"}}', true],
    ["a key twice, the first does not count", '{"a":{"x":"y"},"a":{"x":"n"}}', false],
    ["an inner key twice", '{"a":{"x":"y","x":"n"}}', false],
    ["the same key in two elements", '{"a":[{"x":"n"},{"x":"y"}]}', true],
    ["a key twice where nobody looks", '{"b":1,"b":2,"a":{"x":"y"}}', true],
    ["a string that looks like the event", '{"b":"{\\"a\\":{\\"x\\":\\"y\\"}}"}', false],
    ["the path, deeper", '{"b":{"a":{"x":"y"}}}', false],
    ["a list around the value", '{"a":{"x":[["y"]]}}', true],
    ["backslashes before a quote", '{"b":"\\\\\\\\","a":{"x":"y"},"c":"\\\\\\""}', true],
  ])("P15: %s", (_what, event, expected) => {
    const pattern: Pattern = { a: { x: ["y"] } };
    expect(match(pattern, event)).toBe(expected);
    expect(match(pattern, Buffer.from(event))).toBe(expected);
    expect(match(pattern, event, true)).toBe(expected);
  });

  it("P15: names and values beyond ASCII, a byte order mark, and more names than are compared one by one", () => {
    expect(match({ straße: { größe: ["groß 😀"] } }, '{"straße":{"größe":"groß 😀"}}')).toBe(true);
    expect(match({ a: ["\ufeff"] }, bytes(0xef, 0xbb, 0xbf, '{"a":"\ufeff"}'))).toBe(true);
    expect(() => match({ a: ["x"] }, '\ufeff{"a":"x"}')).toThrow(expect.objectContaining({ code: "bad_json" }));
    const names = Array.from({ length: 40 }, (_, i) => `name${i}`);
    const event = JSON.stringify(Object.fromEntries(names.map((name, i) => [name, i])));
    expect(match(Object.fromEntries(names.map((name, i) => [name, [i]])), event)).toBe(true);
    expect(match(Object.fromEntries(names.map((name, i) => [name, [i === 39 ? 0 : i]])), event)).toBe(false);
  });

  it("P15: halves of surrogate pairs are values like others", () => {
    const other: Pattern = { a: [{ "anything-but": "\u{fffd}" }] };
    expect(match(other, '{"a":"\\ud800"}')).toBe(true);
    expect(match(other, '{"a":"\ud800"}')).toBe(true);
    expect(match({ a: [{ prefix: "x" }] }, '{"a":"x\\udc00"}')).toBe(true);
    expect(match({ a: ["😀"] }, '{"a":"\\ud83d\\ude00"}')).toBe(true);
  });

  it.each([
    ["cut off in a key", '{"a'],
    ["cut off behind a key", '{"a"'],
    ["cut off in a value", '{"a":{"x":"y'],
    ["cut off in an escape", '{"a":{"x":"\\'],
    ["cut off in what is skipped", '{"b":[1,2'],
    ["cut off in a skipped string", '{"b":"x'],
    ["something behind the event", '{"a":1} x'],
    ["a comma too many", '{"a":1,}'],
    ["no comma", '{"a":1 "b":2}'],
    ["no colon", '{"a" 1}'],
    ["a key that is none", "{a:1}"],
    ["a word that is none", '{"a":nul}'],
    ["a number that is none", '{"a":01}'],
    ["a bad escape in a value", '{"a":{"x":"\\x"}}'],
    ["a bad unicode escape in a value", '{"a":{"x":"\\u00g0"}}'],
    ["a line break in a value", '{"a":{"x":"\n"}}'],
    ["a line break in a skipped string", '{"b":["\n"]}'],
    ["a line break in a key", '{"b\n":1}'],
    ["brackets that do not balance", '{"b":[{]]}'],
    ["nothing", ""],
    ["only spaces", "  "],
    ["UTF-8 that is none, in a value", bytes('{"a":{"x":"', 0xff, '"}}')],
    ["UTF-8 that is none, in a key", bytes('{"', 0xc3, '":1}')],
    ["a zero", bytes('{"a":', 0, "1}")],
  ])("P17: %s is bad_json", (_what, event) => {
    const pattern: Pattern = { a: { x: ["y"] } };
    for (const strict of [false, true]) expect(() => match(pattern, event, strict)).toThrow(expect.objectContaining({ code: "bad_json" }));
  });

  it("P17, P18: damage where no rule looks is seen by a strict matcher only", () => {
    for (const event of [
      '{"b":[1 2 three],"a":1}',
      '{"b":{"k":tru},"a":1}',
      bytes('{"b":["', 0xff, '"],"a":1}'),
      '{"b":["\\x"],"a":1}',
      '{"b":[01],"a":1}',
    ]) {
      expect(match({ a: [1] }, event)).toBe(true);
      expect(() => match({ a: [1] }, event, true)).toThrow(expect.objectContaining({ code: "bad_json" }));
    }
  });

  it("P17: the error says what is wrong, and where", () => {
    const fault = (event: string): unknown => expect.objectContaining({ message: `the event is not JSON: ${event}` });
    expect(() => match({ a: ["x"] }, '{"a":"x";}')).toThrow(fault('";" at byte 8'));
    expect(() => match({ a: ["x"] }, '{"a":"x"')).toThrow(fault("it ends too early"));
    expect(() => match({ a: ["x"] }, '{"a":"\u0001"}')).toThrow(fault("the byte 0x01 at byte 6"));
  });

  it("P16: arrays nested too deeply where a rule looks are refused, elsewhere not", () => {
    const deep = (name: string): string => `{"${name}":${"[".repeat(300)}1${"]".repeat(300)},"z":1}`;
    expect(() => match({ a: [1] }, deep("a"))).toThrow(expect.objectContaining({ code: "bad_event" }));
    expect(match({ z: [1] }, deep("b"))).toBe(true);
  });

  it("P19: events larger than what is kept between matches, then small ones again", () => {
    const matcher = new Matcher<number>();
    matcher.add(1, { a: [{ suffix: "end" }] });
    matcher.add(2, { b: { c: ["d"] } });
    const large = JSON.stringify({ skipped: [{ text: "x".repeat(3_000_000) }], a: `${'\\"é'.repeat(400_000)}end`, b: [{ c: "d" }] });
    for (let i = 0; i < 2; i++) {
      expect(matcher.match(large)).toEqual([1, 2]);
      expect(matcher.match(Buffer.from(large))).toEqual([1, 2]);
      expect(matcher.match(JSON.parse(large) as object)).toEqual([1, 2]);
      expect(matcher.match('{"a":"the end"}')).toEqual([1]);
    }
  });

  it("P19: the bytes are left as they were, and those beside them are not read", () => {
    const event = '{"a":{"x":"\\u0079"},"b":"c"}';
    const around = Buffer.from(`"${event}"}}`);
    const before = Buffer.from(around);
    expect(match({ a: { x: ["y"] } }, around.subarray(1, 1 + event.length))).toBe(true);
    expect(() => match({ a: { x: ["y"] } }, around.subarray(1, event.length))).toThrow(expect.objectContaining({ code: "bad_json" }));
    expect(around.equals(before)).toBe(true);
  });
});
