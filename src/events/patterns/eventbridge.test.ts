import { describe, expect, it } from "vitest";
import { type Alternative, compilePattern, Matcher, type Pattern, PatternError } from "./index.ts";

/**
 * The language of Amazon EventBridge, operator by operator. event-ruler 2.0.1 was asked every row: it answers otherwise in those
 * whose name says `(differs)`, for the reasons in SPEC.md, "Where it differs from EventBridge", and the same in all others. Events and patterns in JSON text are those that
 * JSON.stringify cannot write: keys given twice, numbers in other spellings.
 */
type Event = object | string;

/** A rule and a case of it; the alternatives of the field `f`; values of `f` that match; values that do not. */
type FieldRow = readonly [name: string, alternatives: readonly Alternative[], matching: readonly unknown[], others: readonly unknown[]];

/** A rule and a case of it; a pattern; events that match; events that do not. */
type PatternRow = readonly [name: string, pattern: Pattern | string, matching: readonly Event[], others: readonly Event[]];

interface Answer {
  readonly event: string;
  readonly parsed: boolean;
  readonly bytes: boolean;
}

function answers(pattern: Pattern | string, events: readonly Event[]): Answer[] {
  const compiled = compilePattern(pattern);
  const matcher = new Matcher<string>();
  matcher.add("it", pattern);
  return events.map((given) => {
    const event = textOf(given);
    const bytes = matcher.match(new TextEncoder().encode(event)).length === 1;
    return { event, parsed: compiled.matches(JSON.parse(event) as object), bytes };
  });
}

function expected(matching: readonly Event[], others: readonly Event[]): Answer[] {
  const all = (events: readonly Event[], isMatch: boolean): Answer[] =>
    events.map((event) => ({ event: textOf(event), parsed: isMatch, bytes: isMatch }));
  return [...all(matching, true), ...all(others, false)];
}

function textOf(event: Event): string {
  return typeof event === "string" ? event : JSON.stringify(event);
}

function inField(values: readonly unknown[]): Event[] {
  return values.map((f) => ({ f }));
}

const LITERALS: readonly FieldRow[] = [
  ["P20 a string", ["dock 7"], ["dock 7"], ["Dock 7", "dock 7 ", " dock 7", "dock", "dock 77", 7, null]],
  ["P20 the empty string", [""], [""], [" ", null, 0, false, "\u0000"]],
  ["P20 a string of digits is no number", ["42"], ["42"], [42, "42.0", "042", "4.2e1"]],
  ["P20 a number is no string", [42], [42], ["42"]],
  ["P20 true", [true], [true], [false, "true", 1, null]],
  ["P20 false", [false], [false], [true, "false", 0, "", null]],
  ["P20 null", [null], [null], ["null", "", 0, false]],
  ["P20 the word null", ["null"], ["null"], [null]],
  ["P20 the word true", ["true"], ["true"], [true]],
  ["P20 several of one type", ["kg", "lb", "oz"], ["kg", "lb", "oz"], ["g", "kglb", "Kg"]],
  ["P20 several types", ["none", 0, false, null], ["none", 0, false, null], ["", "0", true, 1]],
  ["P20 one alternative twice", ["a", "a"], ["a"], ["aa", "b"]],
  ["P20 composed and decomposed letters are two", ["caf\u00e9"], ["caf\u00e9"], ["cafe\u0301", "cafe"]],
  ["P20 beyond the basic plane", ["🚚"], ["🚚"], ["🚛", "\ud83d", "\ude9a", "🚚🚚"]],
  ["P20 control characters", ["a\u0000b\n"], ["a\u0000b\n"], ["ab", "a\u0000b", "a b\n"]],
  ["P20 a quotation mark", ['a"'], ['a"'], ["a", 'a\\"', '"a"']],
  ["P20 a backslash", ["c:\\tmp"], ["c:\\tmp"], ["c:tmp", "c:\\\\tmp", "c:/tmp"]],
  ["P20 an asterisk outside wildcard", ["*"], ["*"], ["", "x"]],
  ["P20 what looks like an operator", ["exists"], ["exists"], [true, { exists: true }]],
  ["P20 a long string", ["x".repeat(5000)], ["x".repeat(5000)], ["x".repeat(4999), "x".repeat(5001)]],
  ["P11 any element of an array", ["red"], [["red"], ["blue", "red"], [null, 3, "red"]], [["blue"], [], [{ red: "red" }], ["r", "ed"]]],
  [
    "P11 any alternative and any element",
    ["red", 5],
    [
      ["blue", 5],
      ["red", 6],
    ],
    [["blue", 6], [[]]],
  ],
  ["P12 arrays in arrays", ["red"], [[["red"]], [[], [["blue"], ["red"]]]], [[[]], [[["blue"]]]]],
  ["P10 null does not match an empty array", [null], [null, [null], [[null]], ["x", null]], [[], [[]], {}, [{}]]],
  ["P10 an object is no leaf", ["g"], [], [{ g: "g" }, { f: "g" }, [{ f: "g" }]]],
];

const NUMBERS: readonly PatternRow[] = [
  [
    "P21 300 in every spelling",
    '{"f":[300]}',
    ['{"f":300}', '{"f":300.0}', '{"f":3.0e2}', '{"f":3E+2}', '{"f":30000e-2}'],
    ['{"f":300.5}', '{"f":-300}', '{"f":3e3}'],
  ],
  ["P21 300.0 in the pattern", '{"f":[300.0]}', ['{"f":300}', '{"f":3e2}'], ['{"f":30}', '{"f":"300.0"}']],
  ["P21 3.0e2 in the pattern", '{"f":[3.0e2]}', ['{"f":300}', '{"f":300.00}'], ['{"f":302}', '{"f":"3.0e2"}']],
  [
    "P21 zero and minus zero",
    '{"f":[0]}',
    ['{"f":0}', '{"f":-0}', '{"f":0.0}', '{"f":-0.0e5}', '{"f":0e99}'],
    ['{"f":null}', '{"f":false}', '{"f":""}', '{"f":1e-300}'],
  ],
  ["P21 minus zero in the pattern", '{"f":[-0, "x"]}', ['{"f":0}', '{"f":-0}', '{"f":"x"}'], ['{"f":"-0"}']],
  ["P21 a decimal fraction", '{"f":[0.1]}', ['{"f":0.1}', '{"f":1e-1}', '{"f":0.10}'], ['{"f":0.2}', '{"f":0.11}', '{"f":0.1000001}']],
  [
    "P21 six decimals",
    '{"f":[4999999999.999999]}',
    ['{"f":4999999999.999999}', '{"f":4.999999999999999e9}'],
    ['{"f":4999999999.999998}', '{"f":5000000000}'],
  ],
  ["P21 more than six decimals", '{"f":[0.123456789]}', ['{"f":0.123456789}'], ['{"f":0.123456}', '{"f":0.123456788}', '{"f":0.123457}']],
  [
    "P21 past five thousand million",
    '{"f":[5000000001]}',
    ['{"f":5000000001}', '{"f":5000000001.0}'],
    ['{"f":5000000000}', '{"f":5000000002}'],
  ],
  [
    "P21 the largest exact integer",
    '{"f":[9007199254740991]}',
    ['{"f":9007199254740991}', '{"f":9007199254740991.0}'],
    ['{"f":9007199254740990}', '{"f":9007199254740992}'],
  ],
  [
    "P21 (differs) neighbours that one double stands for",
    '{"f":[9007199254740993]}',
    ['{"f":9007199254740993}', '{"f":9007199254740992}'],
    ['{"f":9007199254740994}', '{"f":9007199254740991}'],
  ],
  [
    "P21 an account number",
    '{"f":[123456789012]}',
    ['{"f":123456789012}', '{"f":1.23456789012e11}'],
    ['{"f":"123456789012"}', '{"f":123456789013}'],
  ],
  [
    "P21 the largest double",
    '{"f":[1.7976931348623157e308]}',
    ['{"f":1.7976931348623157e308}'],
    ['{"f":1.7976931348623155e308}', '{"f":1e309}'],
  ],
  ["P21 (differs) the smallest double", '{"f":[5e-324]}', ['{"f":5e-324}', '{"f":4.9e-324}'], ['{"f":0}', '{"f":1e-323}']],
  ["P21 (differs) too small for a double is zero", '{"f":[0]}', ['{"f":1e-400}', '{"f":-1e-400}'], ['{"f":1e-320}']],
  ["P21 a negative number", '{"f":[-17.25]}', ['{"f":-17.25}', '{"f":-1.725e1}'], ['{"f":17.25}', '{"f":-17.250001}']],
  [
    "P21 several numbers",
    '{"f":[1, 2.50, 3e0]}',
    ['{"f":1.0}', '{"f":2.5}', '{"f":3}', '{"f":[9,3]}'],
    ['{"f":4}', '{"f":"3"}', '{"f":[]}'],
  ],
  ["P21 an exponent with leading zeros", '{"f":[1e02]}', ['{"f":100}', '{"f":1e+002}'], ['{"f":102}']],
];

const PREFIX: readonly FieldRow[] = [
  ["P23 prefix", [{ prefix: "inv-" }], ["inv-", "inv-2031", "inv-inv-"], ["inv", "INV-2031", " inv-1", "x-inv-1", ""]],
  ["P23 prefix is the whole string", [{ prefix: "abc" }], ["abc"], ["ab", "bc"]],
  ["P23 the empty prefix matches every string", [{ prefix: "" }], ["", "x", "0", [4, "x"]], [0, null, true, [], {}, [1]]],
  ["P23 prefix never matches a number", [{ prefix: "1" }], ["1", "12"], [1, 12, 1.5, 1e5]],
  ["P23 prefix never matches true or null", [{ prefix: "t" }, { prefix: "n" }], ["true", "null"], [true, null, false]],
  ["P23 prefix of an element", [{ prefix: "eu" }], [["us-1", "eu-1"], [["eu"]]], [["us-1"], [], [{ eu: "eu" }]]],
  ["P23 prefix beyond the basic plane", [{ prefix: "📦" }], ["📦", "📦 7"], ["📥", "7 📦", "\ud83d"]],
  ["P23 prefix with an accent", [{ prefix: "é" }], ["étage"], ["etage", "e\u0301tage", "É"]],
  ["P23 (differs) prefix with a quotation mark looks at the string, not at its JSON", [{ prefix: 'ab"' }], ['ab"', 'ab"c'], ["ab", "abc"]],
  ["P23 prefix that opens with a quotation mark", [{ prefix: '"ab' }], ['"ab"', '"ab'], ["ab", "abc"]],
  ["P23 prefix with a backslash", [{ prefix: "a\\" }], ["a\\b", "a\\"], ["a/b", "a"]],
  ["P23 prefix with a star", [{ prefix: "a*" }], ["a*", "a*b"], ["ab", "a"]],
  ["P23 prefix with a control character", [{ prefix: "\t" }], ["\tx"], ["x", " x", "\\tx"]],
  ["P23 several prefixes", [{ prefix: "a." }, { prefix: "b." }], ["a.1", "b.1"], ["c.1", "ab.1", "a"]],
  ["P23 prefix or literal", ["exact", { prefix: "pre" }], ["exact", "pre", "prefix"], ["exactly", "exac", "pr"]],
  ["P23 a dot is a dot", [{ prefix: "a.c" }], ["a.cd"], ["abcd"]],
  ["P23 longer than the value", [{ prefix: "warehouse" }], ["warehouses"], ["ware", ""]],
];

const SUFFIX: readonly FieldRow[] = [
  ["P23 suffix", [{ suffix: ".pdf" }], [".pdf", "a.pdf", "a.pdf.pdf"], ["a.PDF", "pdf", "a.pdf ", "a.pd", ""]],
  ["P23 suffix is the whole string", [{ suffix: "abc" }], ["abc", "aabc"], ["bc", "abcd"]],
  ["P23 the empty suffix matches every string", [{ suffix: "" }], ["", "x", [null, ""]], [0, null, false, [], {}]],
  ["P23 suffix never matches a number", [{ suffix: "5" }], ["5", "15"], [5, 15, 0.5]],
  ["P23 suffix never matches true", [{ suffix: "e" }], ["true"], [true, false]],
  ["P23 suffix of an element", [{ suffix: "-eu" }], [["a-us", "a-eu"], [[["b-eu"]]]], [["a-us"], []]],
  ["P23 suffix beyond the basic plane", [{ suffix: "📦" }], ["📦", "7 📦"], ["📦 7", "\udce6"]],
  ["P23 suffix of characters with three bytes", [{ suffix: "倉庫" }], ["東倉庫", "倉庫"], ["倉庫東", "庫", "庫倉"]],
  ["P23 (differs) suffix with a quotation mark looks at the string, not at its JSON", [{ suffix: '"ab' }], ['"ab', 'c"ab'], ["ab", "cab"]],
  ["P23 several suffixes", [{ suffix: ".gz" }, { suffix: ".xz" }], ["a.gz", "a.xz"], ["a.bz", "gz", "a.gz.b"]],
  ["P23 prefix or suffix", [{ prefix: "a" }, { suffix: "z" }], ["ab", "yz", "az"], ["bay", "za!"]],
];

const IGNORE_CASE: readonly FieldRow[] = [
  [
    "P24 equals-ignore-case",
    [{ "equals-ignore-case": "Pallet" }],
    ["pallet", "PALLET", "pAlLeT"],
    ["palle", "pallets", " pallet", "", null],
  ],
  ["P24 equals-ignore-case in capitals", [{ "equals-ignore-case": "ABC" }], ["abc", "aBc"], ["ab", "abcd"]],
  ["P24 the empty string", [{ "equals-ignore-case": "" }], ["", [1, ""]], ["a", null, 0, false, []]],
  ["P24 strings only", [{ "equals-ignore-case": "true" }], ["TRUE", "True"], [true]],
  ["P24 digits are no numbers", [{ "equals-ignore-case": "1e5" }], ["1E5", "1e5"], [1e5, 100000]],
  ["P24 an element", [{ "equals-ignore-case": "x" }], [["y", "X"], [["x"]]], [["y"], []]],
  ["P24 signs beside the letters of ASCII", [{ "equals-ignore-case": "[a]" }], ["[A]"], ["{a}", "{A}"]],
  ["P24 at and grave accent", [{ "equals-ignore-case": "@a" }], ["@A"], ["`a", "`A"]],
  ["P24 Latin accents", [{ "equals-ignore-case": "ÇA ÉTÉ" }], ["ça été", "Ça Été"], ["ca ete", "ça ete"]],
  ["P24 (differs) Greek with a final sigma", [{ "equals-ignore-case": "ΛΌΓΟΣ" }], ["λόγος", "λόγοσ", "ΛΌΓΟΣ"], ["λόγο", "λογος"]],
  ["P24 Cyrillic", [{ "equals-ignore-case": "Склад" }], ["СКЛАД", "склад"], ["склады", "CKLAD"]],
  ["P24 Armenian", [{ "equals-ignore-case": "ՊԱՀԵՍՏ" }], ["պահեստ"], ["պահես"]],
  ["P24 Cherokee, whose small letters came later", [{ "equals-ignore-case": "ᏣᎳᎩ" }], ["ꮳꮃꭹ", "ᏣᎳᎩ"], ["ᏣᎳ"]],
  ["P24 (differs) beyond the basic plane", [{ "equals-ignore-case": "𐐀𐐁" }], ["𐐨𐐩", "𐐀𐐩"], ["𐐀", "𐐁𐐀"]],
  ["P24 (differs) sharp s is not SS", [{ "equals-ignore-case": "maß" }], ["MAß", "maß", "MAẞ"], ["MASS", "mass"]],
  ["P24 (differs) the Kelvin sign is a k, both ways", [{ "equals-ignore-case": "k" }], ["K", "\u212a", "k"], ["κ"]],
  ["P24 (differs) the Kelvin sign in the pattern", [{ "equals-ignore-case": "\u212a" }], ["k", "K", "\u212a"], ["κ"]],
  ["P24 (differs) dotless i is an i", [{ "equals-ignore-case": "\u0131" }], ["i", "I", "\u0131"], ["\u0130", "l"]],
  ["P24 (differs) capital i with a dot stands alone", [{ "equals-ignore-case": "\u0130" }], ["\u0130"], ["i", "I", "i\u0307"]],
  ["P24 (differs) long s is an s", [{ "equals-ignore-case": "\u017fo" }], ["so", "SO", "\u017fO"], ["fo"]],
  ["P24 (differs) micro sign and mu", [{ "equals-ignore-case": "\u00b5m" }], ["\u03bcM", "\u039cM", "\u00b5m"], ["um"]],
  ["P24 (differs) title case", [{ "equals-ignore-case": "\u01c5" }], ["\u01c4", "\u01c5", "\u01c6"], ["DŽ", "dž"]],
  ["P24 (differs) ligatures stay", [{ "equals-ignore-case": "\ufb01x" }], ["\ufb01X"], ["fix", "FIX"]],
  ["P24 what has no case", [{ "equals-ignore-case": "倉庫 7" }], ["倉庫 7"], ["倉庫7", "库 7"]],
  ["P24 prefix", [{ prefix: { "equals-ignore-case": "Inv-" } }], ["inv-1", "INV-", "iNv-x"], ["inv", "xinv-", 5]],
  ["P24 prefix with an accent", [{ prefix: { "equals-ignore-case": "é" } }], ["École", "été"], ["ecole", "E\u0301cole"]],
  ["P24 (differs) prefix before a final sigma", [{ prefix: { "equals-ignore-case": "ΟΣ" } }], ["οσα", "ΟΣ", "ος"], ["ο", "σο"]],
  ["P24 the empty prefix", [{ prefix: { "equals-ignore-case": "" } }], ["", "X"], [1, null, []]],
  ["P24 prefix never matches a number", [{ prefix: { "equals-ignore-case": "1E" } }], ["1e5"], [1e21, 1]],
  ["P24 (differs) prefix beyond the basic plane", [{ prefix: { "equals-ignore-case": "𐐀" } }], ["𐐨x", "𐐀"], ["𐐁", "x𐐀"]],
  ["P24 suffix", [{ suffix: { "equals-ignore-case": ".Jpg" } }], ["a.JPG", ".jpg"], ["a.jpeg", "jpg", "a.jpg ", null]],
  ["P24 suffix with an accent", [{ suffix: { "equals-ignore-case": "TÉ" } }], ["beauté", "BEAUTÉ"], ["beaute", "té!"]],
  [
    "P24 (differs) suffix that opens with a final sigma's word",
    [{ suffix: { "equals-ignore-case": "ος" } }],
    ["ΛΌΓΟΣ", "λόγος", "λόγοσ"],
    ["λόγο"],
  ],
  ["P24 the empty suffix", [{ suffix: { "equals-ignore-case": "" } }], ["", "x"], [0, false]],
];

const WILDCARD: readonly FieldRow[] = [
  [
    "P25 in the middle",
    [{ wildcard: "bay-*-north" }],
    ["bay-3-north", "bay--north", "bay-a-b-north"],
    ["bay-north", "bay-3-south", "Bay-3-north", "bay-3-north "],
  ],
  ["P25 at the end", [{ wildcard: "bay*" }], ["bay", "bay 3"], ["ba", "a bay", 3]],
  ["P25 at the start", [{ wildcard: "*bay" }], ["bay", "3 bay"], ["bay 3", "BAY"]],
  ["P25 at both ends", [{ wildcard: "*bay*" }], ["bay", "3 bay 4", "baybay"], ["ba", "b a y"]],
  ["P25 alone matches every string", [{ wildcard: "*" }], ["", "x", "*", [1, "x"]], [1, null, true, [], {}]],
  ["P25 none at all is a literal", [{ wildcard: "bay" }], ["bay"], ["bays", "", "BAY"]],
  ["P25 the empty wildcard is the empty string", [{ wildcard: "" }], [""], ["x", null, []]],
  ["P25 two parts may not overlap", [{ wildcard: "ab*ba" }], ["abba", "ab-ba"], ["aba", "abb"]],
  ["P25 parts in order", [{ wildcard: "*1*2*3*" }], ["123", "a1b2c3d", "1123"], ["321", "132", "12"]],
  [
    "P25 the last part is the last in the string",
    [{ wildcard: "*/x.txt" }],
    ["/x.txt", "a/x.txt/x.txt"],
    ["x.txt", "a/x.txt/", "a/x.txt.bak"],
  ],
  ["P25 repeated letters", [{ wildcard: "a*aa*a" }], ["aaaa", "abaaba"], ["aaa", "aabaa"]],
  ["P25 a needle that nearly fits before it fits", [{ wildcard: "*aab*" }], ["aaab", "caaabc"], ["aaa", "abab"]],
  ["P25 an escaped star", [{ wildcard: "5\\*3" }], ["5*3"], ["5x3", "53", "5\\*3"]],
  ["P25 an escaped star beside a star", [{ wildcard: "\\**\\*" }], ["**", "*x*"], ["*", "x*", "*x", ""]],
  ["P25 an escaped star is not consecutive", [{ wildcard: "a*\\*" }], ["a*", "ab*"], ["a", "ab", "*"]],
  ["P25 an escaped backslash", [{ wildcard: "c:\\\\*" }], ["c:\\", "c:\\tmp"], ["c:", "c:/tmp"]],
  ["P25 an escaped backslash, then a star", [{ wildcard: "\\\\*\\\\" }], ["\\\\", "\\a\\"], ["\\", "a\\", "\\a"]],
  ["P25 an escaped backslash, then an escaped star", [{ wildcard: "\\\\\\*" }], ["\\*"], ["\\", "\\x", "*"]],
  ["P25 signs of regular expressions", [{ wildcard: "a.*(b|c)+[d]?^$" }], ["a.(b|c)+[d]?^$", "a.x(b|c)+[d]?^$"], ["a.b", "axb", "a.bbd"]],
  ["P25 line ends", [{ wildcard: "a*b" }], ["a\nb", "a\r\n\u2028b"], ["a\n", "\nb"]],
  ["P25 beyond the basic plane", [{ wildcard: "📦*🚚" }], ["📦🚚", "📦 to 🚚"], ["🚚📦", "📦", "📦🚛"]],
  ["P25 characters with three bytes", [{ wildcard: "*倉*庫*" }], ["倉庫", "東倉の庫"], ["庫倉", "倉"]],
  ["P25 a quotation mark", [{ wildcard: '*"*' }], ['say "hi"', '"'], ["say hi", ""]],
  ["P25 case matters", [{ wildcard: "A*" }], ["Ab"], ["ab"]],
  ["P25 strings only", [{ wildcard: "1*" }, { wildcard: "t*" }, { wildcard: "n*" }], ["15", "true", "null"], [15, 1, true, null]],
  ["P25 an element", [{ wildcard: "*.log" }], [["a.txt", "b.log"], [["c.log"]]], [["a.txt"], []]],
  ["P25 the most stars", [{ wildcard: "a*".repeat(32) }], ["a".repeat(32), "ab".repeat(40)], ["a".repeat(31), `b${"a".repeat(40)}`]],
  [
    "P25 a long needle",
    [{ wildcard: `*${"ab".repeat(20)}c*` }],
    [`${"ab".repeat(30)}c`, `${"ab".repeat(20)}cd`],
    ["ab".repeat(40), `${"ab".repeat(19)}c`],
  ],
];

const NUMERIC: readonly FieldRow[] = [
  ["P26 =", [{ numeric: ["=", 12.5] }], [12.5, [1, 12.5]], [12, 12.500001, "12.5", null, [], true]],
  ["P26 <", [{ numeric: ["<", 10] }], [9.999999, 0, -1e9, -1e300], [10, 10.000001, 1e300, "9", null]],
  ["P26 <=", [{ numeric: ["<=", 10] }], [10, 9, -1e-300], [10.000001, 11]],
  ["P26 >", [{ numeric: [">", 10] }], [10.000001, 1e300], [10, 9, -11, "11"]],
  ["P26 >=", [{ numeric: [">=", 10] }], [10, 11], [9.999999, -10]],
  ["P26 between, both open", [{ numeric: [">", 0, "<", 1] }], [0.5, 1e-300, 0.999999], [0, 1, -0.5, 2]],
  ["P26 between, closed below", [{ numeric: [">=", 0, "<", 1] }], [0, 0.5], [1, -5e-324]],
  ["P26 between, closed above", [{ numeric: [">", 0, "<=", 1] }], [1, 0.1], [0, 1.000001]],
  ["P26 between, both closed", [{ numeric: [">=", -1, "<=", 1] }], [-1, 0, 1], [-1.000001, 1.000001]],
  ["P26 negative bounds", [{ numeric: [">", -20, "<", -10] }], [-15, -10.5], [-20, -10, 15, 0]],
  ["P26 a range within one unit", [{ numeric: [">=", 0.1, "<=", 0.2] }], [0.1, 0.15, 0.2], [0.3, 0.099999]],
  ["P26 zero and minus zero", [{ numeric: ["=", -0] }], [0], [1, -1, null, "", false]],
  ["P26 nothing is less than itself", [{ numeric: ["<", 0] }], [-1], [0]],
  ["P26 strings are no numbers", [{ numeric: [">=", 0] }], [0, 1], ["0", "1", "", true, null, [], {}, ["5"]]],
  ["P26 any element", [{ numeric: [">", 5] }], [[1, 6], [[7]], ["x", 6]], [[1, 5], ["6"], []]],
  ["P26 one element must satisfy both bounds", [{ numeric: [">", 5, "<", 7] }], [[1, 6]], [[4, 8]]],
  ["P26 beyond five thousand million", [{ numeric: [">", 5e9] }], [5_000_000_001, 1e12, 5_000_000_000.000001], [5e9, 4_999_999_999]],
  ["P26 beyond a million million", [{ numeric: [">=", 1e15, "<", 1e18] }], [1e15, 5e17], [1e18, 999_999_999_999_999]],
  ["P26 finer than six decimals", [{ numeric: ["<", 0.0000001] }], [0.00000009, 0], [0.0000001, 0.0000002]],
  ["P26 the largest double", [{ numeric: ["<=", 1.7976931348623157e308] }], [1.7976931348623157e308, 0], ["x"]],
  ["P26 several ranges", [{ numeric: ["<", 0] }, { numeric: [">", 100] }], [-1, 101], [0, 50, 100]],
  ["P26 beside a literal", ["n/a", { numeric: [">", 0] }], ["n/a", 3], [0, "3", "N/A"]],
];

const NUMERIC_TEXT: readonly PatternRow[] = [
  [
    "P26 bounds in other spellings",
    '{"f":[{"numeric":[">=",1.0e1,"<",20.00]}]}',
    ['{"f":10}', '{"f":1e1}', '{"f":19.999}'],
    ['{"f":20}', '{"f":2e1}', '{"f":9.99}'],
  ],
  ["P26 = in another spelling", '{"f":[{"numeric":["=",3.018e2]}]}', ['{"f":301.8}', '{"f":301.80}'], ['{"f":301.81}', '{"f":"301.8"}']],
  [
    "P26 (differs) too large for a double is above every bound",
    '{"f":[{"numeric":[">",1e308]}]}',
    ['{"f":1e309}', '{"f":9e999}'],
    ['{"f":-1e309}', '{"f":1e308}'],
  ],
  [
    "P26 (differs) too far below for a double is below every bound",
    '{"f":[{"numeric":["<",-1e308]}]}',
    ['{"f":-1e309}'],
    ['{"f":1e309}', '{"f":-1e308}'],
  ],
  [
    "P26 (differs) integers that one double stands for",
    '{"f":[{"numeric":["=",9007199254740992]}]}',
    ['{"f":9007199254740993}', '{"f":9007199254740992}'],
    ['{"f":9007199254740994}'],
  ],
];

const CIDR: readonly FieldRow[] = [
  [
    "P27 /24",
    [{ cidr: "192.168.7.0/24" }],
    ["192.168.7.0", "192.168.7.255", "192.168.7.19"],
    ["192.168.8.0", "192.168.6.255", "192.168.7", "192.168.7.256"],
  ],
  ["P27 /8", [{ cidr: "10.0.0.0/8" }], ["10.0.0.0", "10.255.255.255"], ["11.0.0.0", "9.255.255.255"]],
  ["P27 (differs) /0 is every v4 address", [{ cidr: "0.0.0.0/0" }], ["0.0.0.0", "255.255.255.255"], ["::", "::1", "", "1.2.3", 0]],
  ["P27 /1", [{ cidr: "128.0.0.0/1" }], ["128.0.0.0", "255.255.255.255"], ["127.255.255.255", "0.0.0.0"]],
  ["P27 /16", [{ cidr: "172.16.0.0/16" }], ["172.16.0.0", "172.16.255.255"], ["172.17.0.0", "172.15.255.255"]],
  ["P27 /17", [{ cidr: "172.16.128.0/17" }], ["172.16.128.0", "172.16.255.1"], ["172.16.127.255"]],
  ["P27 /31", [{ cidr: "10.0.0.4/31" }], ["10.0.0.4", "10.0.0.5"], ["10.0.0.3", "10.0.0.6"]],
  ["P27 bits past the mask do not count", [{ cidr: "10.9.8.7/16" }], ["10.9.0.0", "10.9.255.255"], ["10.8.9.9", "10.10.0.0"]],
  ["P27 leading zeros of the mask", [{ cidr: "10.0.0.0/08" }], ["10.1.2.3"], ["11.1.2.3"]],
  [
    "P27 (differs) parts with leading zeros are no address",
    [{ cidr: "10.0.0.0/8" }],
    ["10.0.0.8"],
    ["010.0.0.8", "10.0.0.08", "10.0.0.010", "0010.0.0.8"],
  ],
  [
    "P27 what is nearly an address",
    [{ cidr: "0.0.0.0/0" }],
    ["8.8.8.8"],
    ["8.8.8.8 ", " 8.8.8.8", "8.8.8.8/32", "8.8.8.8.8", "8.8.8.", ".8.8.8", "8.8.8.-8", "0x8.8.8.8", "8.8.8.8:53", "134744072", "8,8,8,8"],
  ],
  [
    "P27 (differs) strings only",
    [{ cidr: "0.0.0.0/0" }],
    [["x", "1.2.3.4"], [["1.2.3.4"]]],
    [1.2, 16909060, null, true, [], {}, { ip: "1.2.3.4" }],
  ],
  ["P27 other digits are no digits", [{ cidr: "0.0.0.0/0" }], ["1.2.3.4"], ["١.٢.٣.٤", "１.２.３.４"]],
  [
    "P27 v6 /32",
    [{ cidr: "2001:db8::/32" }],
    ["2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:DB8:1::2"],
    ["2001:db9::", "2001:db7:ffff::", "2001:db8"],
  ],
  [
    "P27 v6 /64",
    [{ cidr: "fd00:0:0:1::/64" }],
    ["fd00:0:0:1::9", "fd00::1:ffff:0:0:0", "FD00:0000:0000:0001:0000:0000:0000:0000"],
    ["fd00:0:0:2::9", "fd00::9"],
  ],
  [
    "P27 (differs) v6 /0 is every v6 address",
    [{ cidr: "::/0" }],
    ["::", "1::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
    ["1.2.3.4", "", ":", ":::", "::ffff:1.2.3.4"],
  ],
  ["P27 v6 /127", [{ cidr: "fe80::2/127" }], ["fe80::2", "fe80::3", "fe80:0:0:0:0:0:0:3"], ["fe80::1", "fe80::4"]],
  ["P27 v6 mask within a group", [{ cidr: "2a00:8000::/17" }], ["2a00:8000::", "2a00:ffff::1"], ["2a00:7fff::", "2a01:8000::"]],
  [
    "P27 v6 bits past the mask do not count",
    [{ cidr: "2001:db8:1:2:3:4:5:6/48" }],
    ["2001:db8:1::", "2001:db8:1:ffff::"],
    ["2001:db8:2::"],
  ],
  [
    "P27 (differs) v6 spellings",
    [{ cidr: "2001:db8:0:0:8::/80" }],
    ["2001:db8::8:0:0:1", "2001:0db8:0000:0000:0008::1", "2001:DB8:0:0:8:0:1.2.3.4"],
    ["2001:db8::7:0:0:1", "2001:db8:0:0:8"],
  ],
  [
    "P27 what is nearly a v6 address",
    [{ cidr: "::/0" }],
    ["1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8"],
    [
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1::2::3",
      "12345::",
      "g::",
      "::1%eth0",
      "[::1]",
      "::1/128",
      "1:2:3:4:5:6:7:8::",
      ":1::2",
      "::1:",
      "::1.2.3",
      "1.2.3.4::",
      "::01.2.3.4",
    ],
  ],
  [
    "P27 (differs) a mapped v4 address is that v4 address",
    [{ cidr: "10.0.0.0/8" }],
    ["::ffff:10.1.2.3", "::ffff:a01:203", "0:0:0:0:0:FFFF:0a01:0203"],
    ["::ffff:11.1.2.3", "::10.1.2.3", "::fffe:10.1.2.3", "ffff::10.1.2.3"],
  ],
  [
    "P27 (differs) a mapped block is a v4 block",
    [{ cidr: "::ffff:192.168.0.0/112" }],
    ["192.168.3.4", "::ffff:192.168.3.4", "::ffff:c0a8:1"],
    ["192.169.0.0", "::c0a8:1"],
  ],
  ["P27 blocks of both kinds", [{ cidr: "10.0.0.0/8" }, { cidr: "fd00::/8" }], ["10.2.3.4", "fd12::1"], ["11.2.3.4", "fe00::1"]],
  ["P27 a block beside literals", ["unknown", { cidr: "10.0.0.0/8" }], ["unknown", "10.0.0.1"], ["Unknown", "12.0.0.1"]],
];

const ADDRESS_LITERALS: readonly FieldRow[] = [
  [
    "P22 shortened and whole",
    ["2001:db8::7"],
    ["2001:db8::7", "2001:db8:0:0:0:0:0:7", "2001:0db8:0000:0000:0000:0000:0000:0007"],
    ["2001:db8::8", "2001:db8:7", "2001:db8::7/128"],
  ],
  ["P22 whole in the pattern", ["2001:0DB8:0:0:0:0:0:0007"], ["2001:db8::7", "2001:DB8::0007"], ["2001:db8::70"]],
  ["P22 capitals", ["ABCD::EF"], ["abcd::ef", "AbCd::eF"], ["abcd::e"]],
  [
    "P22 where the zeros are shortened",
    ["1:0:0:2:0:0:0:3"],
    ["1::2:0:0:0:3", "1:0:0:2::3", "1:0:0:2:0:0:0:3"],
    ["1::2:3", "1:0:0:2:0:0:3"],
  ],
  ["P22 (differs) all zeros", ["::"], ["::", "0::", "0:0:0:0:0:0:0:0", "::0.0.0.0"], ["::1", "0", ":", ""]],
  ["P22 (differs) loopback", ["::1"], ["::1", "0:0:0:0:0:0:0:1", "::0:1", "::0.0.0.1"], ["1::", "::10", "127.0.0.1"]],
  [
    "P22 (differs) the last words as v4",
    ["64:ff9b::192.0.2.33"],
    ["64:ff9b::c000:221", "64:ff9b::192.0.2.33"],
    ["64:ff9b::c000:222", "192.0.2.33"],
  ],
  [
    "P22 (differs) a mapped address, as v6",
    ["::ffff:192.0.2.1"],
    ["::ffff:192.0.2.1", "::FFFF:c000:201", "0:0:0:0:0:ffff:192.0.2.1"],
    ["::192.0.2.1", "::ffff:192.0.2.2", "192.0.2.1"],
  ],
  [
    "P22 (differs) a v4 address is plain text",
    ["192.0.2.1"],
    ["192.0.2.1"],
    ["192.0.2.01", "192.000.002.001", "::ffff:192.0.2.1", "::ffff:c000:201", "192.0.2.1 "],
  ],
  ["P22 beside other literals", ["none", "fe80::1", 5], ["none", "fe80:0::1", 5, ["x", "FE80::1"]], ["fe80::2", "5", []]],
  ["P22 colons without an address", ["12:30:00"], ["12:30:00"], ["12:30:0", "12:30"]],
  ["P22 nearly an address is plain text", ["fe80::1%eth0"], ["fe80::1%eth0"], ["fe80:0::1%eth0", "fe80::1"]],
  ["P22 an ARN is plain text", ["arn:aws:s3:::bucket"], ["arn:aws:s3:::bucket"], ["arn:aws:s3::bucket"]],
  ["P22 anything-but compares text", [{ "anything-but": "fe80::1" }], ["fe80:0::1", "x"], ["fe80::1"]],
  ["P22 anything-but of several compares text", [{ "anything-but": ["fe80::1", "::1"] }], ["0::1"], ["::1"]],
];

const EXISTS: readonly PatternRow[] = [
  ["P28 true", { f: [{ exists: true }] }, [{ f: "x" }, { f: "" }, { f: 0 }, { f: false }, { f: null }], [{}, { g: 1 }, { F: 1 }]],
  [
    "P28 true on arrays",
    { f: [{ exists: true }] },
    [{ f: [1] }, { f: [null] }, { f: [[""]] }, { f: [{}, 1] }],
    [{ f: [] }, { f: [[]] }, { f: [[], [[]]] }],
  ],
  [
    "P28 true wants a leaf, not an object",
    { f: [{ exists: true }] },
    [{ f: [{ g: 1 }, 2] }],
    [{ f: {} }, { f: { g: 1 } }, { f: [{ g: 1 }] }, { f: [{}] }],
  ],
  [
    "P28 true below an object",
    { a: { b: [{ exists: true }] } },
    [{ a: { b: 1 } }, { a: [{ c: 1 }, { b: null }] }, { "a.b": 1 }],
    [{ a: 1 }, { a: {} }, { a: { b: {} } }, { a: [] }, { b: 1 }],
  ],
  ["P28 true beside others adds everything", { f: ["x", { exists: true }] }, [{ f: "y" }, { f: null }], [{}]],
  [
    "P28 true twice wants one element",
    { a: { b: [{ exists: true }], c: [{ exists: true }] } },
    [{ a: { b: 1, c: 2 } }, { a: [{ b: 1 }, { b: 1, c: 1 }] }],
    [{ a: [{ b: 1 }, { c: 1 }] }],
  ],
  ["P29 false", { f: [{ exists: false }] }, [{}, { g: 1 }], [{ f: 1 }, { f: null }, { f: "" }, { f: false }]],
  [
    "P29 false on what has no leaf",
    { f: [{ exists: false }] },
    [{ f: {} }, { f: [] }, { f: [[]] }, { f: { g: 1 } }, { f: [{ g: 1 }] }],
    [{ f: [null] }, { f: [[0]] }, { f: [{}, 1] }],
  ],
  [
    "P29 false below an object",
    { a: { b: [{ exists: false }] } },
    [{}, { a: 1 }, { a: {} }, { a: { c: 1 } }, { b: 1 }],
    [{ a: { b: 1 } }, { "a.b": 1 }, { a: { b: [null] } }],
  ],
  [
    "P29 false looks at all elements",
    { a: { b: [{ exists: false }] } },
    [{ a: [] }, { a: [{ c: 1 }, {}] }],
    [{ a: [{ b: 1 }] }, { a: [{}, { b: 1 }] }, { a: [[{ b: null }]] }],
  ],
  [
    "P29 false or a value",
    { f: [{ exists: false }, "idle"] },
    [{}, { f: "idle" }, { f: [] }, { f: ["busy", "idle"] }],
    [{ f: "busy" }, { f: null }, { f: ["busy"] }],
  ],
  ["P29 false or a range", { f: [{ exists: false }, { numeric: [">", 3] }] }, [{}, { f: 4 }], [{ f: 3 }, { f: "4" }]],
  [
    "P29 false or anything-but",
    { f: [{ exists: false }, { "anything-but": "x" }] },
    [{}, { f: "y" }, { f: null }],
    [{ f: "x" }, { f: ["x"] }],
  ],
  [
    "P29 false or true is always so",
    { f: [{ exists: false }, { exists: true }], g: [1] },
    [{ g: 1 }, { g: 1, f: 1 }, { g: 1, f: {} }],
    [{ f: 1 }],
  ],
  ["P29 false beside another field", { f: [{ exists: false }], g: [1] }, [{ g: 1 }, { g: [1, 2], f: [] }], [{ g: 1, f: 2 }, { g: 2 }]],
  [
    "P29 false twice",
    { f: [{ exists: false }], g: [{ exists: false }] },
    [{}, { h: 1 }, { f: {}, g: [] }],
    [{ f: 1 }, { g: 1 }, { f: 1, g: 1 }],
  ],
  [
    "P29 false beside a chosen element",
    { a: { k: ["x"], m: [{ exists: false }] } },
    [{ a: [{ k: "x" }, { k: "y", m: 1 }] }, { a: { k: "x" } }, { a: [{ k: "x", m: 1 }, { k: "x" }] }],
    [{ a: [{ k: "x", m: 1 }, { k: "y" }] }, { a: [{ m: 1 }] }],
  ],
  [
    "P29 (differs) false before the chosen element",
    { a: { m: [{ exists: false }], z: ["x"] } },
    [{ a: [{ z: "x" }, { z: "y", m: 1 }] }],
    [{ a: [{ z: "x", m: 1 }] }],
  ],
  [
    "P29 (differs) false in an element of an element",
    { a: { k: [1], b: { m: [{ exists: false }] } } },
    [{ a: [{ k: 1, b: [{ n: 1 }] }, { b: { m: 1 } }] }],
    [{ a: [{ k: 1, b: [{ n: 1 }, { m: 1 }] }] }],
  ],
  [
    "P29 a leaf beside the array's objects",
    { a: [{ exists: false }], "a.b": [1] },
    [{ a: { b: 1 } }, { a: [{ b: 1 }] }],
    [{ a: [{ b: 1 }, 2] }, { a: 2 }],
  ],
];

const ANYTHING_BUT: readonly FieldRow[] = [
  ["P30 a string", [{ "anything-but": "idle" }], ["busy", "", "IDLE", "idle "], ["idle"]],
  ["P30 a string lets other types through", [{ "anything-but": "1" }], [1, null, true, false, 0], ["1"]],
  ["P30 a number", [{ "anything-but": 5 }], [6, 5.000001, -5, "5", null, true], [5]],
  ["P30 the empty string", [{ "anything-but": "" }], ["x", " ", null, 0, false], [""]],
  ["P30 zero", [{ "anything-but": 0 }], [1, "0", null, false, ""], [0, -0]],
  ["P30 the word null lets null through", [{ "anything-but": "null" }], [null], ["null"]],
  ["P30 the word true lets true through", [{ "anything-but": "true" }], [true, "TRUE"], ["true"]],
  ["P30 strings", [{ "anything-but": ["idle", "off", ""] }], ["busy", "idleoff", null, 3], ["idle", "off", ""]],
  ["P30 numbers", [{ "anything-but": [1, 2.5, -3] }], [2, 3, "1", null], [1, 2.5, -3]],
  ["P30 a list of one", [{ "anything-but": ["x"] }], ["y", 1], ["x"]],
  ["P30 one value twice", [{ "anything-but": ["x", "x"] }], ["y"], ["x"]],
  ["P30 the leaf must be there", [{ "anything-but": "x" }], [], [[], {}, [[]], [{}], { g: 1 }, [{ g: "y" }]]],
  [
    "P30 any element that differs is enough",
    [{ "anything-but": "x" }],
    [
      ["x", "y"],
      [["y"], "x"],
      ["x", null],
    ],
    [["x"], ["x", "x"], [["x"]]],
  ],
  ["P30 any element that is none of the list", [{ "anything-but": ["x", "y"] }], [["x", "z"]], [["x", "y"], ["y"]]],
  ["P30 two anything-but beside each other exclude little", [{ "anything-but": "x" }, { "anything-but": "y" }], ["x", "y", "z"], [[], {}]],
  ["P30 a literal beside it lets that in again", [{ "anything-but": ["x", "y"] }, "x"], ["x", "z"], ["y"]],
  ["P30 a large number", [{ "anything-but": 123456789012 }], [123456789013, "123456789012"], [123456789012]],
  ["P30 beyond the basic plane", [{ "anything-but": "📦" }], ["🚚", "\ud83d"], ["📦"]],
  ["P30 a star is a star", [{ "anything-but": "*" }], ["x", ""], ["*"]],
  ["P31 prefix", [{ "anything-but": { prefix: "us-" } }], ["eu-1", "us", "US-1", "", 5, null, true], ["us-", "us-1"]],
  ["P31 prefixes", [{ "anything-but": { prefix: ["us-", "eu-"] } }], ["ap-1", 0], ["us-1", "eu-1"]],
  [
    "P31 prefix in an array",
    [{ "anything-but": { prefix: "us-" } }],
    [
      ["us-1", "eu-1"],
      ["us-1", 3],
    ],
    [["us-1", "us-2"], []],
  ],
  ["P31 suffix", [{ "anything-but": { suffix: ".tmp" } }], ["a.txt", "tmp", "a.TMP", null, 1], [".tmp", "a.tmp"]],
  ["P31 suffixes", [{ "anything-but": { suffix: [".tmp", "~"] } }], ["a", "a~b"], ["a.tmp", "a~"]],
  [
    "P31 equals-ignore-case",
    [{ "anything-but": { "equals-ignore-case": "Off" } }],
    ["on", "offline", "", null, false],
    ["off", "OFF", "oFf"],
  ],
  ["P31 several equals-ignore-case", [{ "anything-but": { "equals-ignore-case": ["off", "Idle"] } }], ["on", 7], ["OFF", "IDLE", "idle"]],
  ["P31 equals-ignore-case of the empty string", [{ "anything-but": { "equals-ignore-case": "" } }], ["x", null], [""]],
  ["P31 equals-ignore-case beyond ASCII", [{ "anything-but": { "equals-ignore-case": "été" } }], ["ete", "été!"], ["ÉTÉ", "Été"]],
  ["P31 wildcard", [{ "anything-but": { wildcard: "*/tmp/*" } }], ["/var/x", "tmp", null, 3], ["/tmp/", "/a/tmp/b"]],
  ["P31 wildcards", [{ "anything-but": { wildcard: ["*.tmp", "a*z"] } }], ["b", "az!"], ["x.tmp", "az", "abz"]],
  [
    "P31 the wildcard of every string leaves the other types",
    [{ "anything-but": { wildcard: "*" } }],
    [1, null, true, ["x", 2]],
    ["", "x", ["x"]],
  ],
  ["P31 the empty wildcard", [{ "anything-but": { wildcard: "" } }], ["x", null], [""]],
  ["P31 a wildcard without a star", [{ "anything-but": { wildcard: "x" } }], ["xx", "", 1], ["x"]],
  ["P31 a wildcard with an escape", [{ "anything-but": { wildcard: "\\*" } }], ["x", "\\*"], ["*"]],
  ["P31 the leaf must be there", [{ "anything-but": { prefix: "x" } }, { "anything-but": { wildcard: "x" } }], [0], [[], {}, [[]]]],
];

const OR: readonly PatternRow[] = [
  ["P5 one of two", { $or: [{ a: [1] }, { b: [2] }] }, [{ a: 1 }, { b: 2 }, { a: 1, b: 2 }, { a: 9, b: 2 }], [{}, { a: 2 }, { b: 1 }]],
  ["P5 one of many", { $or: [{ a: [1] }, { b: [1] }, { c: [1] }, { d: [1] }] }, [{ d: 1 }, { c: 1, a: 0 }], [{ e: 1 }]],
  [
    "P5 beside a field",
    { s: ["on"], $or: [{ a: [1] }, { b: [1] }] },
    [
      { s: "on", a: 1 },
      { s: "on", b: 1 },
    ],
    [{ s: "on" }, { s: "off", a: 1 }, { a: 1, b: 1 }],
  ],
  ["P5 before a field", { $or: [{ a: [1] }, { b: [1] }], s: ["on"] }, [{ s: "on", b: 1 }], [{ s: "on" }, { b: 1 }]],
  ["P5 below a field", { d: { $or: [{ a: [1] }, { b: [1] }] } }, [{ d: { a: 1 } }, { "d.b": 1 }], [{ a: 1 }, { d: {} }, { d: 1 }]],
  ["P5 conjunctions inside", { $or: [{ a: [1], b: [1] }, { c: [1] }] }, [{ a: 1, b: 1 }, { c: 1 }], [{ a: 1 }, { b: 1 }]],
  [
    "P5 nested",
    { $or: [{ a: [1], $or: [{ b: [1] }, { c: [1] }] }, { d: [1] }] },
    [{ a: 1, b: 1 }, { a: 1, c: 1 }, { d: 1 }],
    [{ a: 1 }, { b: 1 }, { c: 1 }],
  ],
  ["P5 directly nested", { $or: [{ $or: [{ a: [1] }, { b: [1] }] }, { c: [1] }] }, [{ a: 1 }, { b: 1 }, { c: 1 }], [{}, { d: 1 }]],
  [
    "P5 two of them",
    { $or: [{ a: [1] }, { b: [1] }], d: { $or: [{ a: [1] }, { b: [1] }] } },
    [
      { a: 1, d: { b: 1 } },
      { b: 1, d: { a: 1 } },
    ],
    [{ a: 1, b: 1 }, { d: { a: 1, b: 1 } }],
  ],
  ["P5 the same field in each", { $or: [{ a: [{ prefix: "x" }] }, { a: [{ suffix: "z" }] }] }, [{ a: "xy" }, { a: "yz" }], [{ a: "y" }]],
  [
    "P5 operators of every kind",
    { $or: [{ n: [{ numeric: [">", 5] }] }, { ip: [{ cidr: "10.0.0.0/8" }] }, { s: [{ exists: false }] }] },
    [{ n: 6, s: 1 }, { ip: "10.1.1.1", s: 1 }, {}],
    [{ s: 1 }, { n: 5, ip: "11.1.1.1", s: 1 }],
  ],
  ["P5 two patterns alike", { $or: [{ a: [1] }, { a: [1] }] }, [{ a: 1 }], [{ a: 2 }]],
  [
    "P5 a name of an operator outside",
    { prefix: ["x"], d: { numeric: ["="] } },
    [{ prefix: "x", d: { numeric: "=" } }],
    [{ prefix: "y", d: { numeric: "=" } }],
  ],
  [
    "P5 (differs) names of operators to come are free inside",
    { $or: [{ regex: [1] }, { exactly: [2] }] },
    [{ regex: 1 }, { exactly: 2 }],
    [{}],
  ],
  [
    "P5 a field that is named $or, by its dotted path",
    { "d.$or": ["x"] },
    [{ d: { $or: "x" } }, { "d.$or": "x" }],
    [{ d: "x" }, { $or: "x" }],
  ],
  ["P5 a field below one that is named $or", { "$or.a": ["x"] }, [{ $or: { a: "x" } }, { $or: [{ a: "x" }, { a: "y" }] }], [{ a: "x" }]],
  ["P5 an event's $or is a field like any other", { $or: [{ a: [1] }, { b: [1] }] }, [{ $or: 5, a: 1 }], [{ $or: [{ a: 1 }, { b: 1 }] }]],
  [
    "P4 a branch replaces the path before it",
    { a: [1], $or: [{ a: [2] }, { b: [1] }] },
    [{ a: 2 }, { a: 1, b: 1 }],
    [{ a: 1 }, { a: 3, b: 1 }],
  ],
  [
    "P4 a path after it replaces that of the branches",
    { $or: [{ a: [2] }, { b: [1] }], a: [3] },
    [{ a: 3 }, { a: 3, b: 1 }],
    [{ a: 2 }, { b: 1 }],
  ],
  [
    "P4 a nested branch replaces too",
    { a: [1], $or: [{ c: [1], $or: [{ a: [2] }, { a: [3] }] }, { b: [1] }] },
    [
      { a: 2, c: 1 },
      { a: 3, c: 1 },
      { a: 1, b: 1 },
    ],
    [{ a: 1, c: 1 }],
  ],
  [
    "P13 the element of an array holds for the branch",
    { e: { k: ["x"], $or: [{ v: [1] }, { w: [1] }] } },
    [
      { e: [{ k: "x", w: 1 }] },
      {
        e: [
          { k: "y", v: 1 },
          { k: "x", v: 1 },
        ],
      },
    ],
    [{ e: [{ k: "x" }, { v: 1 }, { w: 1 }] }],
  ],
];

const PATHS: readonly PatternRow[] = [
  [
    "P2 fields are a conjunction",
    { a: [1], b: ["x", "y"] },
    [
      { a: 1, b: "x" },
      { a: 1, b: "y", c: 0 },
    ],
    [{ a: 1 }, { b: "x" }, { a: 2, b: "x" }, { a: 1, b: "z" }],
  ],
  [
    "P2 fields of the event that the pattern does not name do not matter",
    { a: [1] },
    [
      { a: 1, b: { a: 2 } },
      { z: [[{}]], a: 1 },
    ],
    [{ b: { a: 1 } }],
  ],
  ["P2 names are case-sensitive", { detailType: ["x"] }, [{ detailType: "x" }], [{ detailtype: "x" }, { DetailType: "x" }]],
  [
    "P3 nested in the pattern, dotted in the event",
    { a: { b: { c: [1] } } },
    [{ "a.b.c": 1 }, { a: { "b.c": 1 } }, { "a.b": { c: 1 } }, { a: { b: { c: 1 } } }],
    [{ "a.b": 1 }, { "a.c": 1 }, { "b.c": 1 }],
  ],
  [
    "P3 dotted in the pattern, nested in the event",
    { "a.b.c": [1] },
    [{ a: { b: { c: 1 } } }, { "a.b": [{ c: 1 }] }],
    [{ a: { b: 1, c: 1 } }],
  ],
  ["P3 partly dotted", { "a.b": { "c.d": [1] } }, [{ a: { "b.c": { d: 1 } } }, { "a.b.c.d": 1 }], [{ "a.b": { d: 1 } }]],
  [
    "P3 empty names",
    { "": [1], "a.": [2] },
    [
      { "": 1, a: { "": 2 } },
      { "": 1, "a.": 2 },
    ],
    [{ "": 1, a: 2 }],
  ],
  ["P3 (differs) a name of dots", { ".": [1] }, [{ ".": 1 }, { "": { "": 1 } }], [{ "": 1 }, { "..": 1 }]],
  ["P3 names beyond ASCII", { größe: { "📦": [1] } }, [{ größe: { "📦": 1 } }, { "größe.📦": 1 }], [{ GRÖSSE: { "📦": 1 } }]],
  [
    "P3 names that objects inherit",
    { constructor: [1], "toString.length": [2] },
    [{ constructor: 1, toString: { length: 2 } }],
    [{}, { constructor: 1 }],
  ],
  ["P3 __proto__", '{"__proto__":{"a":[1]}}', ['{"__proto__":{"a":1}}', '{"__proto__.a":1}'], ["{}", '{"a":1}']],
  ["P4 the same path nested and dotted: the last", { a: { b: [1] }, "a.b": [2] }, [{ a: { b: 2 } }], [{ a: { b: 1 } }]],
  ["P4 the same path dotted and nested: the last", { "a.b": [2], a: { b: [1] } }, [{ a: { b: 1 } }], [{ a: { b: 2 } }]],
  ["P4 a key twice in JSON: the last", '{"a":["x"],"a":["y"]}', ['{"a":"y"}'], ['{"a":"x"}']],
  ["P4 a key twice, the last escaped", '{"a":["x"],"\\u0061":["y"]}', ['{"a":"y"}'], ['{"a":"x"}']],
  ["P4 (differs) an object given twice is replaced whole", '{"a":{"b":[1]},"a":{"c":[1]}}', ['{"a":{"c":1}}'], ['{"a":{"b":1}}']],
  [
    "P4 (differs) $or given twice: the last",
    '{"$or":[{"a":[1]},{"b":[1]}],"$or":[{"c":[1]},{"d":[1]}]}',
    ['{"c":1}', '{"d":1}'],
    ['{"a":1}', '{"b":1}'],
  ],
  ["P4 (differs) an operator given twice: the last", '{"a":[{"prefix":"x","prefix":"y"}]}', ['{"a":"y1"}'], ['{"a":"x1"}']],
  [
    "P4 (differs) a key that is given again around a $or keeps its place",
    '{"a":[1],"$or":[{"a":[2]},{"b":[1]}],"a":[3]}',
    ['{"a":2}', '{"a":3,"b":1}'],
    ['{"a":1,"b":1}', '{"a":3}'],
  ],
  ["P4 (differs) names that are array indices come first", '{"7.a":[1],"7":{"a":[2]}}', ['{"7":{"a":1}}'], ['{"7":{"a":2}}']],
  [
    "P4 (differs) a key of the event given twice: the last",
    '{"a":[1]}',
    ['{"a":2,"a":1}', '{"a":0,"a":[0,1]}'],
    ['{"a":1,"a":2}', '{"a":1,"\\u0061":2}'],
  ],
  [
    "P4 (differs) an object of the event given twice: the last",
    '{"a":{"b":[1]}}',
    ['{"a":{"b":2},"a":{"b":1}}'],
    ['{"a":{"b":1},"a":{"c":1}}'],
  ],
  ["P10 an object on the way is needed", { a: { b: [null] } }, [{ a: { b: null } }], [{ a: null }, { a: [] }, {}, { a: { b: {} } }]],
  [
    "P14 both spellings in one event",
    { "a.b": [1] },
    [
      { a: { b: 2 }, "a.b": 1 },
      { a: { b: 1 }, "a.b": 2 },
    ],
    [{ a: { b: 2 }, "a.b": 3 }],
  ],
  [
    "P14 (differs) an element of an array and the other spelling outside it",
    { a: { k: [1], v: [2] } },
    [{ a: [{ k: 1, v: 3 }], "a.v": 2 }],
    [
      {
        a: [
          { k: 1, v: 3 },
          { k: 3, v: 2 },
        ],
        "a.v": 4,
      },
    ],
  ],
  [
    "P14 the spellings complete each other",
    { a: { b: [1], c: [2] } },
    [
      { a: { b: 1 }, "a.c": 2 },
      { "a.b": 1, "a.c": 2 },
    ],
    [{ a: { b: 1 } }, { a: { b: 1 }, "a.c": 3 }],
  ],
];

const ARRAYS: readonly PatternRow[] = [
  ["P11 elements of different arrays", { a: ["x"], b: ["y"] }, [{ a: ["x", "z"], b: ["z", "y"] }], [{ a: ["x"], b: ["x"] }]],
  [
    "P12 objects in an array",
    { e: { k: ["x"] } },
    [{ e: [{ k: "x" }] }, { e: [{ k: "y" }, { k: "x" }] }, { e: [1, { k: "x" }] }],
    [{ e: [{ k: "y" }] }, { e: ["x"] }, { e: [] }],
  ],
  ["P12 objects in arrays in arrays", { e: { k: ["x"] } }, [{ e: [[{ k: "x" }]] }, { e: [[], [[[{ k: "x" }]]]] }], [{ e: [[{ k: "y" }]] }]],
  [
    "P12 arrays at every level",
    { a: { b: { c: [1] } } },
    [{ a: [{ b: [{ c: [0, 1] }] }] }, { a: [{ b: 2 }, { b: [3, { c: 1 }] }] }],
    [{ a: [{ b: [{ c: [0] }] }] }],
  ],
  [
    "P13 one element for both",
    { e: { k: ["x"], v: [1] } },
    [
      { e: { k: "x", v: 1 } },
      { e: [{ k: "x", v: 1 }] },
      {
        e: [
          { k: "x", v: 2 },
          { k: "x", v: 1 },
        ],
      },
    ],
    [
      {
        e: [
          { k: "x", v: 2 },
          { k: "y", v: 1 },
        ],
      },
      { e: [{ k: "x" }, { v: 1 }] },
    ],
  ],
  [
    "P13 three fields",
    { e: { a: [1], b: [1], c: [1] } },
    [
      {
        e: [
          { a: 1, b: 1 },
          { a: 1, b: 1, c: 1 },
        ],
      },
    ],
    [
      {
        e: [
          { a: 1, b: 1 },
          { b: 1, c: 1 },
          { a: 1, c: 1 },
        ],
      },
    ],
  ],
  [
    "P13 inner arrays bind too",
    { e: { k: ["x"], v: [1] } },
    [{ e: [[{ k: "x", v: 1 }]] }],
    [{ e: [[{ k: "x" }, { v: 1 }]] }, { e: [[{ k: "x" }], [{ v: 1 }]] }],
  ],
  [
    "P13 outer elements bind inner ones",
    { e: { a: { k: [1] }, b: { k: [1] } } },
    [{ e: [{ a: [{ k: 1 }], b: [{ k: 0 }, { k: 1 }] }] }],
    [{ e: [{ a: { k: 1 } }, { b: { k: 1 } }] }],
  ],
  [
    "P13 an inner array binds below one outer element",
    { e: { x: { k: [1], v: [2] } } },
    [{ e: [{ x: [{ k: 1, v: 2 }] }] }],
    [{ e: [{ x: [{ k: 1 }, { v: 2 }] }] }, { e: [{ x: { k: 1 } }, { x: { v: 2 } }] }],
  ],
  [
    "P13 arrays of different fields do not bind each other",
    { a: { k: [1] }, b: { k: [1] } },
    [{ a: [{ k: 0 }, { k: 1 }], b: [{ k: 1 }, { k: 0 }] }],
    [{ a: [{ k: 1 }], b: [{ k: 0 }] }],
  ],
  ["P13 a field outside the array", { s: [1], e: { k: [1] } }, [{ s: 1, e: [{ k: 0 }, { k: 1 }] }], [{ s: 0, e: [{ k: 1 }] }]],
  [
    "P13 leaves in an array bind nothing",
    { e: ["a"], "e.k": [1] },
    [{ e: ["a", { k: 1 }] }, { e: [{ k: 1 }, "b", "a"] }],
    [{ e: ["a"] }, { e: { k: 1 } }],
  ],
  ["P13 leaves in an inner array are bound to it", { e: ["a"], "e.k": [1] }, [{ e: [["a", { k: 1 }]] }], [{ e: [["a"], { k: 1 }] }]],
  [
    "P13 arrays of leaves in an element",
    { e: { k: ["x"], t: ["t"] } },
    [{ e: [{ k: ["y", "x"], t: ["s", "t"] }] }],
    [
      {
        e: [
          { k: ["x"], t: ["s"] },
          { k: ["y"], t: ["t"] },
        ],
      },
    ],
  ],
  [
    "P13 numbers and ranges",
    { e: { n: [{ numeric: [">", 5] }], m: [{ numeric: ["<", 5] }] } },
    [{ e: [{ n: 6, m: 4 }] }],
    [
      {
        e: [
          { n: 6, m: 6 },
          { n: 4, m: 4 },
        ],
      },
    ],
  ],
  [
    "P13 anything-but",
    { e: { k: ["x"], v: [{ "anything-but": "off" }] } },
    [
      { e: [{ k: "x", v: "on" }] },
      {
        e: [
          { k: "x", v: null },
          { k: "y", v: "off" },
        ],
      },
    ],
    [
      {
        e: [
          { k: "x", v: "off" },
          { k: "y", v: "on" },
        ],
      },
      { e: [{ k: "x" }, { v: "on" }] },
    ],
  ],
  [
    "P13 the only element that fits is the last of many",
    { e: { k: ["x"], v: [1] } },
    [{ e: [...Array.from({ length: 200 }, (_, i) => ({ k: "x", v: i + 2 })), { k: "x", v: 1 }] }],
    [{ e: Array.from({ length: 200 }, (_, i) => ({ k: "x", v: i + 2 })) }],
  ],
  [
    "P14 dotted keys in elements",
    { e: { "a.k": [1], a: { v: [2] } } },
    [{ e: [{ "a.k": 1, "a.v": 2 }] }, { e: [{ a: { k: 1 }, "a.v": 2 }] }],
    [{ e: [{ "a.k": 1 }, { "a.v": 2 }] }],
  ],
];

const GROUPS: readonly (readonly [title: string, rows: readonly FieldRow[]])[] = [
  ["literals", LITERALS],
  ["prefix", PREFIX],
  ["suffix", SUFFIX],
  ["equals-ignore-case", IGNORE_CASE],
  ["wildcard", WILDCARD],
  ["numeric", NUMERIC],
  ["cidr", CIDR],
  ["addresses as literals", ADDRESS_LITERALS],
  ["anything-but", ANYTHING_BUT],
];

const PATTERN_GROUPS: readonly (readonly [title: string, rows: readonly PatternRow[]])[] = [
  ["numbers", NUMBERS],
  ["numeric in JSON text", NUMERIC_TEXT],
  ["exists", EXISTS],
  ["$or", OR],
  ["paths", PATHS],
  ["arrays", ARRAYS],
];

describe.each(GROUPS)("EventBridge: %s", (_title, rows) => {
  it.each(rows)("%s", (_name, alternatives, matching, others) => {
    const events = inField([...matching, ...others]);
    expect(answers({ f: alternatives }, events)).toEqual(expected(inField(matching), inField(others)));
  });
});

describe.each(PATTERN_GROUPS)("EventBridge: %s", (_title, rows) => {
  it.each(rows)("%s", (_name, pattern, matching, others) => {
    expect(answers(pattern, [...matching, ...others])).toEqual(expected(matching, others));
  });
});

/** What EventBridge refuses, and where Millrace says the fault is; the words of each fault are in errors.test.ts. */
const REFUSED: readonly (readonly [name: string, pattern: string, path: string])[] = [
  ["P1 a list", "[]", ""],
  ["P1 a string", '"a"', ""],
  ["P1 an empty pattern", "{}", ""],
  ["P1 an empty object", '{"a":{"b":{}}}', "a.b"],
  ["P1 an empty list of alternatives", '{"a":{"b":[]}}', "a.b"],
  ["P1 an empty list beside good fields", '{"a":[1],"b":[]}', "b"],
  ["P1 a bare string", '{"a":"x"}', "a"],
  ["P1 a bare null", '{"a":null}', "a"],
  ["P1 a list in the list", '{"a":[["x"]]}', "a[0]"],
  ["P1 an empty list in the list", '{"a":["x",[]]}', "a[1]"],
  ["P5 $or of one", '{"$or":[{"a":[1]}]}', "$or"],
  ["P5 $or of none", '{"a":[1],"$or":[]}', "$or"],
  ["P5 (differs) $or with an object", '{"$or":{"a":[1]}}', "$or"],
  ["P5 (differs) $or with a literal", '{"d":{"$or":["x","y"]}}', "d.$or[0]"],
  ["P5 $or with an empty pattern", '{"$or":[{"a":[1]},{}]}', "$or[1]"],
  ["P5 $or with a list", '{"$or":[{"a":[1]},[{"b":[1]}]]}', "$or[1]"],
  ["P5 $or with null", '{"$or":[null,{"b":[1]}]}', "$or[0]"],
  ["P5 $or among the alternatives", '{"a":[{"$or":[{"b":[1]},{"c":[1]}]}]}', "a[0].$or"],
  ["P5 an operator as a field inside $or", '{"$or":[{"a":{"wildcard":["x"]}},{"b":[1]}]}', "$or[0].a.wildcard"],
  ["P5 a comparison as a field inside $or", '{"$or":[{"<=":[1]},{"b":[1]}]}', "$or[0].<="],
  ["P5 a fault deep inside", '{"$or":[{"a":[1]},{"b":[1],"$or":[{"c":[1]},{"d":[{"prefx":"x"}]}]}]}', "$or[1].$or[1].d[0].prefx"],
  ["P21 (differs) a number too large for a double", '{"a":[1,1e309]}', "a[1]"],
  ["P23 prefix with null", '{"a":[{"prefix":null}]}', "a[0].prefix"],
  ["P23 prefix with a list", '{"a":[{"prefix":["x"]}]}', "a[0].prefix"],
  ["P23 suffix with a number", '{"a":[{"suffix":1}]}', "a[0].suffix"],
  ["P24 equals-ignore-case with a list", '{"a":[{"equals-ignore-case":["x"]}]}', "a[0].equals-ignore-case"],
  ["P24 prefix with another operator", '{"a":[{"prefix":{"wildcard":"x"}}]}', "a[0].prefix.wildcard"],
  ["P24 prefix with a list inside", '{"a":[{"prefix":{"equals-ignore-case":["x"]}}]}', "a[0].prefix.equals-ignore-case"],
  ["P24 suffix with two operators", '{"a":[{"suffix":{"equals-ignore-case":"x","prefix":"y"}}]}', "a[0].suffix"],
  ["P25 two stars", '{"a":[{"wildcard":"x**"}]}', "a[0].wildcard"],
  ["P25 two stars after an escaped one", '{"a":[{"wildcard":"\\\\***"}]}', "a[0].wildcard"],
  ["P25 another escape", '{"a":[{"wildcard":"\\\\n"}]}', "a[0].wildcard"],
  ["P25 an escape at the end", '{"a":[{"wildcard":"x\\\\"}]}', "a[0].wildcard"],
  ["P25 a wildcard with null", '{"a":[{"wildcard":null}]}', "a[0].wildcard"],
  ["P26 an empty numeric", '{"a":[{"numeric":[]}]}', "a[0].numeric"],
  ["P26 no number", '{"a":[{"numeric":[">"]}]}', "a[0].numeric"],
  ["P26 a number alone", '{"a":[{"numeric":5}]}', "a[0].numeric"],
  ["P26 a number as a string", '{"a":[{"numeric":["=","5"]}]}', "a[0].numeric[1]"],
  ["P26 true as a number", '{"a":[{"numeric":["<",true]}]}', "a[0].numeric[1]"],
  ["P26 an unknown comparison", '{"a":[{"numeric":["!=",5]}]}', "a[0].numeric[0]"],
  ["P26 the upper bound first", '{"a":[{"numeric":["<",5,">",0]}]}', "a[0].numeric"],
  ["P26 two lower bounds", '{"a":[{"numeric":[">",0,">=",5]}]}', "a[0].numeric"],
  ["P26 = and a bound", '{"a":[{"numeric":["=",1,"<",5]}]}', "a[0].numeric"],
  ["P26 bounds the wrong way round", '{"a":[{"numeric":[">",5,"<",0]}]}', "a[0].numeric"],
  ["P26 bounds alike", '{"a":[{"numeric":[">=",5,"<=",5.0]}]}', "a[0].numeric"],
  ["P26 six terms", '{"a":[{"numeric":[">",0,"<",5,"<",6]}]}', "a[0].numeric"],
  ["P26 a bound too large for a double", '{"a":[{"numeric":["<",1e309]}]}', "a[0].numeric[1]"],
  ["P27 /32", '{"a":[{"cidr":"10.0.0.1/32"}]}', "a[0].cidr"],
  ["P27 /128", '{"a":[{"cidr":"::1/128"}]}', "a[0].cidr"],
  ["P27 /33", '{"a":[{"cidr":"10.0.0.0/33"}]}', "a[0].cidr"],
  ["P27 /129", '{"a":[{"cidr":"::/129"}]}', "a[0].cidr"],
  ["P27 a negative mask", '{"a":[{"cidr":"10.0.0.0/-1"}]}', "a[0].cidr"],
  ["P27 a mask with a fraction", '{"a":[{"cidr":"10.0.0.0/8.5"}]}', "a[0].cidr"],
  ["P27 a mask in letters", '{"a":[{"cidr":"10.0.0.0/255.0.0.0"}]}', "a[0].cidr"],
  ["P27 no mask", '{"a":[{"cidr":"10.0.0.0"}]}', "a[0].cidr"],
  ["P27 two masks", '{"a":[{"cidr":"10.0.0.0/8/8"}]}', "a[0].cidr"],
  ["P27 no address", '{"a":[{"cidr":"dock/8"}]}', "a[0].cidr"],
  ["P27 a part over 255", '{"a":[{"cidr":"10.0.300.0/8"}]}', "a[0].cidr"],
  ["P27 nine groups", '{"a":[{"cidr":"1:2:3:4:5:6:7:8:9/64"}]}', "a[0].cidr"],
  ["P27 a list", '{"a":[{"cidr":["10.0.0.0/8"]}]}', "a[0].cidr"],
  ["P28 exists with a string", '{"a":[{"exists":"true"}]}', "a[0].exists"],
  ["P28 exists with null", '{"a":[{"exists":null}]}', "a[0].exists"],
  ["P28 exists on a way between", '{"a":{"exists":true}}', "a.exists"],
  ["P30 anything-but null", '{"a":[{"anything-but":null}]}', "a[0].anything-but"],
  ["P30 anything-but true", '{"a":[{"anything-but":true}]}', "a[0].anything-but"],
  ["P30 anything-but with null in the list", '{"a":[{"anything-but":["x",null]}]}', "a[0].anything-but[1]"],
  ["P30 anything-but of both types", '{"a":[{"anything-but":["x",1]}]}', "a[0].anything-but[1]"],
  ["P30 anything-but of both types, number first", '{"a":[{"anything-but":[1,2,"3"]}]}', "a[0].anything-but[2]"],
  ["P30 anything-but of nothing", '{"a":[{"anything-but":[]}]}', "a[0].anything-but"],
  ["P30 anything-but with a list in the list", '{"a":[{"anything-but":[["x"]]}]}', "a[0].anything-but[0]"],
  ["P31 anything-but with an empty prefix", '{"a":[{"anything-but":{"prefix":""}}]}', "a[0].anything-but.prefix"],
  ["P31 anything-but with an empty suffix in the list", '{"a":[{"anything-but":{"suffix":["x",""]}}]}', "a[0].anything-but.suffix[1]"],
  ["P31 (differs) anything-but with an empty list of wildcards", '{"a":[{"anything-but":{"wildcard":[]}}]}', "a[0].anything-but.wildcard"],
  ["P31 anything-but with a number for a prefix", '{"a":[{"anything-but":{"prefix":5}}]}', "a[0].anything-but.prefix"],
  ["P31 anything-but with numeric", '{"a":[{"anything-but":{"numeric":["=",5]}}]}', "a[0].anything-but.numeric"],
  ["P31 anything-but with exists", '{"a":[{"anything-but":{"exists":false}}]}', "a[0].anything-but.exists"],
  ["P31 anything-but with anything-but", '{"a":[{"anything-but":{"anything-but":"x"}}]}', "a[0].anything-but.anything-but"],
  ["P31 anything-but with two operators", '{"a":[{"anything-but":{"prefix":"x","suffix":"y"}}]}', "a[0].anything-but"],
  ["P31 anything-but with two stars", '{"a":[{"anything-but":{"wildcard":["x","**"]}}]}', "a[0].anything-but.wildcard[1]"],
  ["P32 two operators", '{"a":[{"prefix":"x","suffix":"y"}]}', "a[0]"],
  ["P32 no operator", '{"a":[{}]}', "a[0]"],
  ["P32 an operator in capitals", '{"a":[{"PREFIX":"x"}]}', "a[0].PREFIX"],
  ["P32 an unknown operator", '{"a":["x",{"contains":"x"}]}', "a[1].contains"],
  ["P32 (differs) exactly", '{"a":[{"exactly":"x"}]}', "a[0].exactly"],
];

describe("EventBridge: what is refused", () => {
  it.each(REFUSED)("%s", (_name, pattern, path) => {
    expect(() => compilePattern(pattern)).toThrow(PatternError);
    expect(() => compilePattern(pattern)).toThrow(expect.objectContaining({ code: "bad_pattern", path }));
  });

  it.each([
    ["prefix", "prefx"],
    ["suffix", "sufix"],
    ["wildcard", "wildcards"],
    ["numeric", "numerical"],
    ["cidr", "cdir"],
    ["exists", "exist"],
    ["anything-but", "anything_but"],
    ["equals-ignore-case", "equals-ignorecase"],
    ["equals-ignore-case", "Equals-Ignore-Case"],
  ])("P32 names the near miss %s of %s", (meant, written) => {
    const pattern = JSON.stringify({ a: [{ [written]: "x" }] });
    expect(() => compilePattern(pattern)).toThrow(`a[0].${written}: unknown operator "${written}" (did you mean "${meant}"?)`);
  });
});
