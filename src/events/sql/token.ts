import { SqlError } from "./sql-error.ts";

export type Token =
  /** Keywords, attributes and functions: what it is, its neighbours say. */
  | { readonly kind: "word"; readonly text: string; readonly at: number; readonly end: number }
  | { readonly kind: "digits"; readonly text: string; readonly at: number; readonly end: number }
  /** `text` is what the literal means: without quotes and their escapes. */
  | { readonly kind: "string"; readonly text: string; readonly at: number; readonly end: number }
  | { readonly kind: "symbol"; readonly text: string; readonly at: number; readonly end: number }
  | { readonly kind: "end"; readonly text: ""; readonly at: number; readonly end: number };

const WORD = /[A-Za-z0-9_]+/y;
const SPACE = /[ \t\r\n]+/y;
const SYMBOL = /<>|<=|>=|!=|[-+*/%=<>(),]/y;

/** What people write who come from other languages, and what to write here. */
const FOREIGN: readonly (readonly [text: string, cure: string])[] = [
  ["==", '"=" compares'],
  ["&&", "write AND"],
  ["||", "write OR; CONCAT(a, b) joins strings"],
  ["!", 'write NOT, or "!=" to compare'],
];

export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < source.length) {
    const space = textAt(SPACE, source, at);
    if (space !== undefined) {
      at += space.length;
      continue;
    }
    const token = tokenAt(source, at);
    tokens.push(token);
    at = token.end;
  }
  tokens.push({ kind: "end", text: "", at, end: at });
  return tokens;
}

export function isKeyword(token: Token | undefined, keyword: string): boolean {
  return token?.kind === "word" && token.text.toUpperCase() === keyword;
}

function tokenAt(source: string, at: number): Token {
  const char = source.charAt(at);
  if (char === "'" || char === '"') return stringAt(source, at, char);
  const word = textAt(WORD, source, at);
  if (word !== undefined) return { kind: /^[0-9]+$/.test(word) ? "digits" : "word", text: word, at, end: at + word.length };
  if (source.startsWith("==", at)) throw new SqlError(at, unknown(source, at));
  const symbol = textAt(SYMBOL, source, at);
  if (symbol !== undefined) return { kind: "symbol", text: symbol, at, end: at + symbol.length };
  throw new SqlError(at, unknown(source, at));
}

/** A backslash before the quote that delimits makes it one of the string; before anything else it is a backslash (S3). */
function stringAt(source: string, at: number, quote: string): Token {
  let text = "";
  for (let i = at + 1; i < source.length; i++) {
    const char = source.charAt(i);
    if (char === quote) return { kind: "string", text, at, end: i + 1 };
    if (char !== "\\") {
      text += char;
      continue;
    }
    i++;
    text += source.charAt(i) === quote ? quote : `\\${source.charAt(i)}`;
  }
  throw new SqlError(at, `the string that begins here does not end: ${quote} is missing`);
}

function unknown(source: string, at: number): string {
  const foreign = FOREIGN.find(([text]) => source.startsWith(text, at));
  if (foreign !== undefined) return `"${foreign[0]}" is no operator: ${foreign[1]}`;
  const character = String.fromCodePoint(source.codePointAt(at) ?? 0);
  return `${JSON.stringify(character)} has no meaning here: text stands in quotes`;
}

function textAt(sticky: RegExp, source: string, at: number): string | undefined {
  sticky.lastIndex = at;
  return sticky.exec(source)?.[0];
}
