import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MillraceError } from "../../core/index.ts";
import { compilePattern, Matcher, type Pattern } from "./index.ts";

/**
 * Bytes as they come from outside, sound and damaged in every way we could think of. The judge is JSON.parse of the strictly
 * decoded text:
 *
 * - it gives an object: the answer is that of the compiled patterns for that object;
 * - it gives something else or throws: a strict matcher throws `bad_json` or `bad_event`; a lenient one may answer what it
 *   could read, or throw one of the two, and nothing else.
 *
 * No byte outside the given view may ever count, and the bytes are left as they were.
 */
interface Kind {
  readonly name: string;
  /** Refuses every damage, also where no pattern looks. */
  readonly isStrict: boolean;
  readonly create: () => Matcher<number>;
}

/** Every way to make a matcher that reads bytes: each is held to the same judge. */
const KINDS: readonly Kind[] = [
  { name: "strict", isStrict: true, create: () => new Matcher<number>({ strict: true }) },
  { name: "lenient", isStrict: false, create: () => new Matcher<number>() },
];

/** Every operator, over the names and values that the events below are made of. */
const PATTERNS: readonly Pattern[] = [
  { type: ["x"] },
  { type: ["x", "é😀"], a: [{ exists: true }] },
  { source: ["x"], a: { b: [1] } },
  { type: [{ prefix: "x" }] },
  { a: [null] },
  { a: [true, false] },
  { a: [""] },
  { a: [100, 0] },
  { a: [9007199254740992] },
  { a: ["x"] },
  { a: [{ prefix: "😀" }] },
  { a: [{ suffix: "😀" }] },
  { a: [{ "anything-but": "😀" }] },
  { a: [{ suffix: "x" }] },
  { a: [{ suffix: '"' }] },
  { a: [{ "equals-ignore-case": "É😀" }] },
  { a: [{ prefix: { "equals-ignore-case": "X" } }] },
  { a: [{ suffix: { "equals-ignore-case": "É" } }] },
  { a: [{ wildcard: "*\\\\*" }] },
  { a: [{ wildcard: "x*é*" }] },
  { a: [{ numeric: [">", 0] }] },
  { a: [{ numeric: [">=", -1, "<", 1e300] }] },
  { a: [{ numeric: ["=", 100] }] },
  { a: [{ cidr: "10.0.0.0/8" }] },
  { a: ["2001:db8::1"] },
  { a: [{ exists: true }] },
  { a: [{ exists: false }] },
  { a: [{ "anything-but": "x" }] },
  { a: [{ "anything-but": [0, 100] }] },
  { a: [{ "anything-but": { prefix: ["x", "é"] } }] },
  { a: { b: ["x"] } },
  { a: { b: [{ exists: false }] } },
  { a: { a: [{ exists: true }], b: [{ exists: true }] } },
  { a: { a: [{ exists: true }], b: [{ exists: false }] } },
  { "a.b.c": [{ "anything-but": { wildcard: "x*" } }] },
  { a: { b: { a: [{ exists: true }], c: [{ exists: true }] } } },
  { b: [{ exists: true }], $or: [{ c: [{ exists: true }] }, { a: { b: [{ exists: true }] } }] },
  { é: [{ exists: true }] },
  { "": [{ exists: true }] },
  { 'a"': [{ exists: true }] },
  JSON.parse('{"__proto__":[{"exists":true}]}') as Pattern,
  { toString: [{ exists: true }] },
];
const COMPILED = PATTERNS.map((pattern) => compilePattern(pattern));
const ALL = PATTERNS.map((_, id) => id);
const idOf = (pattern: Pattern): number => PATTERNS.findIndex((other) => JSON.stringify(other) === JSON.stringify(pattern));

function matcherOf(kind: Kind, ids: readonly number[]): Matcher<number> {
  const matcher = kind.create();
  for (const id of ids) matcher.add(id, PATTERNS[id] ?? {});
  return matcher;
}

/** The ids that match, or the code and words of the error. */
type Outcome = readonly number[] | { readonly code: string; readonly message: string };

function outcomeOf(matcher: Matcher<number>, bytes: Uint8Array): Outcome {
  try {
    return matcher.match(bytes);
  } catch (error) {
    if (error instanceof MillraceError && (error.code === "bad_json" || error.code === "bad_event"))
      return { code: error.code, message: error.message };
    throw error;
  }
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

/** What JSON.parse makes of the bytes, if that is an event. */
function parsedEvent(bytes: Uint8Array): object | undefined {
  try {
    const parsed: unknown = JSON.parse(strictUtf8.decode(bytes));
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** Would go on a string, an object or a number that the view breaks off, or open one before it. */
const SURROUNDINGS: readonly (readonly [before: string, after: string])[] = [
  ['{"type":"x","a":"', '","a":100,"type":"x"}'],
  ['{"a":{"b":"\\', '}}]]"}'],
  ["9999", "9999e9,"],
  [" \n", "\n  "],
  ["\u0000\u0000", "\u0000\u0000"],
];

/** Asks for a copy of the bytes, then for the same bytes as views of larger buffers; all must answer alike. */
function answerOf(matcher: Matcher<number>, bytes: Uint8Array): Outcome {
  const answer = outcomeOf(matcher, bytes.slice());
  for (const [before, after] of SURROUNDINGS) {
    const buffer = Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]);
    const untouched = Buffer.from(buffer);
    const view = buffer.subarray(Buffer.byteLength(before), Buffer.byteLength(before) + bytes.length);
    expect(outcomeOf(matcher, view), `between ${JSON.stringify([before, after])}`).toEqual(answer);
    expect(buffer.equals(untouched), "the bytes were changed").toBe(true);
  }
  return answer;
}

/** Holds an answer against the judge; says whether the bytes were an event. */
function judge(kind: Kind, ids: readonly number[], bytes: Uint8Array, answer: Outcome): boolean {
  const event = parsedEvent(bytes);
  if (event !== undefined) expect(answer).toEqual(ids.filter((id) => COMPILED[id]?.matches(event)));
  else if (kind.isStrict) expect(answer).toHaveProperty("code");
  else if (!("code" in answer)) expect(ids).toEqual(expect.arrayContaining([...answer]));
  return event !== undefined;
}

function check(kind: Kind, matcher: Matcher<number>, ids: readonly number[], bytes: Uint8Array): boolean {
  return judge(kind, ids, bytes, answerOf(matcher, bytes));
}

// Texts of JSON, not values: what is damaged, and often how, is the spelling.
const space = fc.oneof({ weight: 6, arbitrary: fc.constant("") }, { weight: 1, arbitrary: fc.constantFrom(" ", "\n", "\r\n\t", "  \t ") });
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "/": "\\/",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

/** One UTF-16 unit in one of the ways that JSON allows. */
function spellUnit(unit: string, way: number): string {
  const hex = unit.charCodeAt(0).toString(16).padStart(4, "0");
  if (way === 0) return `\\u${hex}`;
  if (way === 1) return `\\u${hex.toUpperCase()}`;
  const isPlain = unit >= " " && unit !== '"' && unit !== "\\" && unit !== "/";
  return isPlain ? unit : (SHORT_ESCAPES[unit] ?? `\\u${hex}`);
}

/** Surrogates are escaped as pairs or not at all, and lone ones always: UTF-8 cannot spell them. */
function spell(text: string, ways: readonly number[]): string {
  let spelt = "";
  let i = 0;
  for (const char of text) {
    const way = ways[i++ % ways.length] ?? 2;
    const isLone = char.length === 1 && char >= "\ud800" && char <= "\udfff";
    if (char.length === 2 && way > 1) spelt += char;
    else for (const unit of char.split("")) spelt += spellUnit(unit, isLone || char.length === 2 ? way % 2 : way);
  }
  return `"${spelt}"`;
}

const ways = fc.oneof(
  { weight: 3, arbitrary: fc.constant([2]) },
  { weight: 1, arbitrary: fc.array(fc.nat(4), { minLength: 1, maxLength: 5 }) },
);
const spelt = (text: fc.Arbitrary<string>): fc.Arbitrary<string> => fc.tuple(text, ways).map(([value, own]) => spell(value, own));

const key = spelt(
  fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom("type", "source", "a", "b", "c") },
    { weight: 2, arbitrary: fc.constantFrom("a.b", "b.c", "a.b.c", "a.a", ".", "a.") },
    { weight: 1, arbitrary: fc.constantFrom("", "é", 'a"', "a\\", "__proto__", "toString", "\ud800", "😀") },
  ),
);
const text = spelt(
  fc.oneof(
    fc.constantFrom("", "x", "xé", "é😀", "É😀", "\ud800", "\ude00", "10.0.0.7", "2001:DB8:0::1", "300", '"', "a\\b", "</a>", "\n\t\u0000"),
    fc.string({ unit: fc.constantFrom("x", "X", "é", "😀", '"', "\\", "/", "\u007f", "\u2028", "\ud83d", "\ude00"), maxLength: 8 }),
  ),
);
const NUMBERS = "0 -0 0.0 -0.0e-7 1 -1 100 1e2 1E+2 100.0e0 0.1e3".split(" ");
const HUGE = [
  ..."9007199254740992 9007199254740993 123456789012345678901234567890 1e400 -1e400 1e-400".split(" "),
  "9".repeat(400),
  `0.${"0".repeat(400)}1`,
  `1e${"0".repeat(400)}2`,
];
const number = fc.constantFrom(...NUMBERS, ...HUGE);
const word = fc.constantFrom("null", "true", "false");
/** What JSON does not allow, though some readers do. */
const UNSOUND_NUMBERS = "01 -01 +1 .5 1. 1e 1e+ - --1 0x10 1_0 NaN -Infinity".split(" ");
const UNSOUND_WORDS = "undefined nul nulll True TRUE x".split(" ");
const UNSOUND_STRINGS = ["'x'", '"x', 'x"', '"\\x"', '"\\u12"', '"\\u12g4"', '"\\ud83d\\u"', '"\n"', '"\u0000"', '"\\', '"\\"'];
const UNSOUND_ARRAYS = ["[1,]", "[,1]", "[1 2]", "[1,,2]", "[1}", "[1", "1]"];
const UNSOUND_OBJECTS = ["{,}", '{"a":1,}', '{"a"}', '{"a":}', "{a:1}", "{1:1}", '{"a" 1}', '{"a":1 "b":2}', '{"a":1]', '{"a"::1}'];
const UNSOUND_SPACE = ["/*x*/1", "1//x", "\u00a01", "\ufeff1", "\v1", "\u20281"];
const unsound = fc.constantFrom(
  ...UNSOUND_NUMBERS,
  ...UNSOUND_WORDS,
  ...UNSOUND_STRINGS,
  ...UNSOUND_ARRAYS,
  ...UNSOUND_OBJECTS,
  ...UNSOUND_SPACE,
);

const { event } = fc.letrec<{ value: string; event: string; array: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthIdentifier: "json" },
    { weight: 4, arbitrary: text },
    { weight: 3, arbitrary: number },
    { weight: 2, arbitrary: word },
    { weight: 3, arbitrary: tie("array") },
    { weight: 3, arbitrary: tie("event") },
  ),
  array: fc
    .array(fc.tuple(space, tie("value"), space), { maxLength: 3, depthIdentifier: "json" })
    .map((elements) => `[${elements.map((parts) => parts.join("")).join(",")}]`),
  event: fc
    .array(fc.tuple(space, key, space, space, tie("value"), space), { maxLength: 4, depthIdentifier: "json" })
    .map((fields) => `{${fields.map(([a, name, b, c, value, d]) => `${a}${name}${b}:${c}${value}${d}`).join(",")}}`),
}));
const whole = fc.tuple(fc.constantFrom("", "", "", " ", "\ufeff", "\r\n"), event, space).map((parts) => parts.join(""));

/** An event in which one value is spelt as JSON does not allow. */
const unsoundEvent = fc.tuple(event, unsound, key).map(([sound, fault, name]) => {
  const rest = sound.slice(1);
  return `{${name}:${fault}${rest === "}" ? rest : `,${rest}`}`;
});

/** What no UTF-8 holds: stray and missing continuations, overlong forms, surrogates, what lies past U+10FFFF, other encodings. */
const NOT_UTF8: readonly (readonly number[])[] = [
  [0x80],
  [0xbf],
  [0xc3],
  [0xc3, 0x28],
  [0xc0, 0x80],
  [0xc1, 0xa1],
  [0xe2, 0x82],
  [0xe0, 0x80, 0xaf],
  [0xed, 0xa0, 0x80],
  [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80],
  [0xf0, 0x9f, 0x98],
  [0xf0, 0x80, 0x80, 0xaf],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf8, 0x88, 0x80, 0x80, 0x80],
  [0xfe],
  [0xff],
  [0xff, 0xfe],
];
/** Bytes that mean something to a reader of JSON. */
const TELLING = Array.from(Buffer.from('{}[]",:\\/ \n\t0-9.eE+tfnu\u0000\u001f'));

type Damage = (bytes: Uint8Array) => Uint8Array;
function splice(bytes: Uint8Array, at: number, removed: number, added: readonly number[]): Uint8Array {
  const from = at % (bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, from), Buffer.from(added), bytes.subarray(from + removed)]);
}
const place = fc.nat(2000);
const byte = fc.oneof(fc.constantFrom(...TELLING), fc.nat(255));
const damage: fc.Arbitrary<Damage> = fc.oneof(
  place.map(
    (at): Damage =>
      (bytes) =>
        bytes.subarray(0, at % (bytes.length + 1)),
  ),
  place.map(
    (at): Damage =>
      (bytes) =>
        bytes.subarray(at % (bytes.length + 1)),
  ),
  fc.tuple(place, fc.nat(7)).map(
    ([at, bit]): Damage =>
      (bytes) =>
        splice(bytes, at, 1, [(bytes[at % (bytes.length + 1)] ?? 0) ^ (1 << bit)]),
  ),
  fc.tuple(place, byte).map(
    ([at, value]): Damage =>
      (bytes) =>
        splice(bytes, at, 1, [value]),
  ),
  fc.tuple(place, byte).map(
    ([at, value]): Damage =>
      (bytes) =>
        splice(bytes, at, 0, [value]),
  ),
  fc.tuple(place, fc.integer({ min: 1, max: 4 })).map(
    ([at, count]): Damage =>
      (bytes) =>
        splice(bytes, at, count, []),
  ),
  fc.tuple(place, fc.constantFrom(...NOT_UTF8)).map(
    ([at, values]): Damage =>
      (bytes) =>
        splice(bytes, at, 0, values),
  ),
  fc.tuple(place, place).map(([at, from]): Damage => (bytes) => {
    const start = from % (bytes.length + 1);
    return splice(bytes, at, 0, [...bytes.subarray(start, start + 6)]);
  }),
  fc.constant<Damage>((bytes) => Buffer.concat([bytes, bytes])),
);

/** Few patterns let a matcher pass over most of the event, all of them over little. */
const someIds = fc.oneof(
  { weight: 2, arbitrary: fc.constant(ALL) },
  { weight: 3, arbitrary: fc.uniqueArray(fc.constantFrom(...ALL), { minLength: 1, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constant<number[]>([]) },
);

/** One event with everything in it that a reader has to get right; damaged in every place by the tests below. */
const RICH = Buffer.from(
  ' {"type" : "x\\u00e9","\\u0061":[{"b":{"c":"x"},"a":-1.5e+2},[null,true],{"b.c":"\\ud83d\\ude00é😀"}],\n"b":{},"a.b":[],"c":"\\"\\\\"} ',
);

const RUNS = { numRuns: 2500 };

describe.each(KINDS)("bytes from outside, $name", (kind) => {
  it("P15: sound JSON in every spelling is answered as its parsed object is", () => {
    let matched = 0;
    fc.assert(
      fc.property(whole, someIds, (json, ids) => {
        const matcher = matcherOf(kind, ids);
        const bytes = Buffer.from(json);
        const answer = answerOf(matcher, bytes);
        expect(judge(kind, ids, bytes, answer)).toBe(true);
        if (!("code" in answer) && answer.length > 0) matched++;
      }),
      RUNS,
    );
    expect(matched).toBeGreaterThan(RUNS.numRuns / 3);
  });

  it("P15: spellings that JSON does not allow are judged as JSON.parse does", () => {
    let refused = 0;
    fc.assert(
      fc.property(unsoundEvent, someIds, (json, ids) => {
        if (!check(kind, matcherOf(kind, ids), ids, Buffer.from(json))) refused++;
      }),
      RUNS,
    );
    expect(refused).toBeGreaterThan((RUNS.numRuns * 9) / 10);
  });

  it("P15: damaged bytes are judged as JSON.parse does", () => {
    let sound = 0;
    fc.assert(
      fc.property(whole, fc.array(damage, { minLength: 1, maxLength: 3 }), someIds, (json, damages, ids) => {
        const bytes = damages.reduce<Uint8Array>((damaged, apply) => apply(damaged), Buffer.from(json));
        if (check(kind, matcherOf(kind, ids), ids, bytes)) sound++;
      }),
      RUNS,
    );
    // both sides of the judgement are seen
    expect(sound).toBeGreaterThan(RUNS.numRuns / 50);
    expect(sound).toBeLessThan((RUNS.numRuns * 9) / 10);
  });

  it.each([
    ["all patterns", ALL],
    ["a pattern for the first field", [idOf({ type: ["x"] })]],
    ["a pattern for the fields in the middle", [idOf({ a: { b: ["x"] } })]],
    ["no pattern", []],
  ])("P15: an event broken off, bereft of a byte or flooded with one at every place, %s", (_what, ids) => {
    const matcher = matcherOf(kind, ids);
    expect(check(kind, matcher, ids, RICH)).toBe(true);
    for (let at = 0; at <= RICH.length; at++) {
      check(kind, matcher, ids, RICH.subarray(0, at));
      check(kind, matcher, ids, RICH.subarray(at));
      check(kind, matcher, ids, splice(RICH, at, 1, []));
      check(kind, matcher, ids, splice(RICH, at, 2, []));
    }
    // without the surroundings, which would be five times as many
    for (const value of [...TELLING, 0x7f, 0x80, 0xc3, 0xed, 0xf0, 0xff]) {
      for (let at = 0; at <= RICH.length; at++) {
        for (const bytes of [splice(RICH, at, 1, [value]), splice(RICH, at, 0, [value])])
          judge(kind, ids, bytes, outcomeOf(matcher, bytes));
      }
    }
  });

  it.each(NOT_UTF8.map((values) => [Buffer.from(values).toString("hex"), values] as const))(
    "P15: bytes that are no UTF-8 (%s), in a value, a key, between and after",
    (_hex, values) => {
      const matcher = matcherOf(kind, ALL);
      for (const at of ['{"', '{"a', '{"a":"', '{"a":"x', "{", '{"a":', '{"a":"x","b":1', '{"a":"x","b":1}']) {
        const bytes = splice(Buffer.from('{"a":"x","b":1}'), at.length, 0, values);
        expect(check(kind, matcher, ALL, bytes)).toBe(false);
      }
    },
  );

  it.each([
    "",
    " ",
    "\ufeff",
    "\u0000",
    "null",
    "5",
    '"{}"',
    "[]",
    '[{"type":"x"}]',
    "{}{}",
    "{} {}",
    '{"type":"x"}]',
    '{"type":"x"},',
    "\ufeff\ufeff{}",
  ])("P15: %j is no event", (json) => {
    expect(check(kind, matcherOf(kind, ALL), ALL, Buffer.from(json))).toBe(false);
  });

  it("P15: a field that is given twice counts as it was written last", () => {
    const matcher = matcherOf(kind, ALL);
    for (const json of [
      '{"type":"x","type":"y"}',
      '{"type":"y","type":"x"}',
      '{"type":"x","\\u0074ype":"y"}',
      '{"a":{"b":"x"},"a":{"c":1}}',
      '{"a":{"c":1},"a":{"b":"x"}}',
      '{"a":"x","a":{"b":1},"a":[]}',
      '{"a":[1],"a":100}',
      '{"a":{"b":1,"b":{"a":1,"c":2}}}',
      '{"a.b":"x","a.b":[]}',
      '{"__proto__":1,"__proto__":[]}',
    ])
      expect(check(kind, matcher, ALL, Buffer.from(json)), json).toBe(true);
  });

  it("P16: depth without end, where no pattern looks and where one does", () => {
    const ids = [idOf({ type: ["x"] }), idOf({ a: { b: ["x"] } })];
    const matcher = matcherOf(kind, ids);
    const deep = 20_000;
    for (const [open, close] of [
      ["[", "]"],
      ['{"a":', "}"],
      ['[{"z":', "}]"],
    ] as const) {
      const nested = `${open.repeat(deep)}1${close.repeat(deep)}`;
      expect(check(kind, matcher, ids, Buffer.from(`{"z":${nested},"type":"x"}`))).toBe(true);
      expect(check(kind, matcher, ids, Buffer.from(`{"z":${nested.slice(0, -1)},"type":"x"}`))).toBe(false);
      expect(check(kind, matcher, ids, Buffer.from(`{"type":"x","z":${open.repeat(deep)}`))).toBe(false);
    }
    expect(check(kind, matcher, ids, Buffer.from(`{"a":${'{"b":'.repeat(deep)}1${"}".repeat(deep)},"type":"x"}`))).toBe(true);
    const arrays = Buffer.from(`{"a":${"[".repeat(deep)}${"]".repeat(deep)},"type":"x"}`);
    expect(answerOf(matcher, arrays)).toMatchObject({ code: "bad_event" });
  });

  it("P15: long texts and many fields, sound and broken off", () => {
    const matcher = matcherOf(kind, ALL);
    const fields = Array.from({ length: 3000 }, (_, i) => `"f${i}":${i % 2 === 0 ? `"${"é".repeat(i % 50)}"` : i}`).join(",");
    const json = Buffer.from(`{${fields},"a":"x${"\\\\".repeat(20_000)}é","type":"x"}`);
    expect(check(kind, matcher, ALL, json)).toBe(true);
    for (const cut of [1, 2, 10, 14, 20, 1000, 40_001, 40_050]) expect(check(kind, matcher, ALL, json.subarray(0, -cut))).toBe(false);
  });
});
