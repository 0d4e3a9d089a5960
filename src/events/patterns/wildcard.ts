/**
 * A wildcard is literals with `*` between them. The first literal must open the string, the last must close it, and those
 * between are looked for one after the other, each as far left as it goes: the leftmost place leaves most room for the rest,
 * so nothing is ever tried twice.
 */
export type Wildcard = { readonly kind: "literal"; readonly text: string } | Starred;

export interface Starred {
  readonly kind: "starred";
  readonly first: string;
  readonly between: readonly Needle[];
  readonly last: string;
  /** No shorter string can match. */
  readonly minLength: number;
}

interface Needle {
  readonly text: string;
  /** The failure table of Knuth, Morris and Pratt; absent for short needles. */
  readonly failure: Uint16Array | undefined;
}

const MAX_STARS = 32;
const MAX_LENGTH = 2048;
/** indexOf is fast, but at worst takes needle times text; beyond this length the linear search is used. */
const SHORT_NEEDLE = 16;

/** The compiled wildcard, or what is wrong with it. */
export function compileWildcard(source: string): Wildcard | { readonly kind: "fault"; readonly fault: string } {
  if (source.length > MAX_LENGTH) return fault(`a wildcard has at most ${MAX_LENGTH} characters, this one has ${source.length}`);
  const literals = [""];
  for (let i = 0; i < source.length; i++) {
    let char = source.charAt(i);
    if (char === "*") {
      if (source.charAt(i + 1) === "*") return fault(`"**" at character ${i}: one "*" stands for any characters`);
      literals.push("");
      continue;
    }
    if (char === "\\") {
      i++;
      char = source.charAt(i);
      if (char !== "*" && char !== "\\") return fault(`"\\${char}" at character ${i - 1}: only "\\*" and "\\\\" are escapes`);
    }
    literals[literals.length - 1] += char;
  }
  if (literals.length - 1 > MAX_STARS) return fault(`a wildcard has at most ${MAX_STARS} "*", this one has ${literals.length - 1}`);
  const first = literals.shift() ?? "";
  const last = literals.pop();
  if (last === undefined) return { kind: "literal", text: first };
  let minLength = first.length + last.length;
  for (const literal of literals) minLength += literal.length;
  return { kind: "starred", first, between: literals.map(toNeedle), last, minLength };
}

export function matchesWildcard({ first, between, last, minLength }: Starred, text: string): boolean {
  const end = text.length - last.length;
  // startsWith at a place instead of endsWith: V8 has it inline
  if (text.length < minLength || !text.startsWith(first) || (last !== "" && !text.startsWith(last, end))) return false;
  let from = first.length;
  for (const needle of between) {
    const at = find(text, needle, from);
    if (at < 0) return false;
    from = at + needle.text.length;
    if (from > end) return false;
  }
  return true;
}

function find(text: string, { text: needle, failure }: Needle, from: number): number {
  if (failure === undefined) return text.indexOf(needle, from);
  let matched = 0;
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    while (matched > 0 && needle.charCodeAt(matched) !== code) matched = failure[matched - 1] ?? 0;
    if (needle.charCodeAt(matched) === code) matched++;
    if (matched === needle.length) return i - matched + 1;
  }
  return -1;
}

function toNeedle(text: string): Needle {
  if (text.length <= SHORT_NEEDLE) return { text, failure: undefined };
  const failure = new Uint16Array(text.length);
  let border = 0;
  for (let i = 1; i < text.length; i++) {
    while (border > 0 && text.charCodeAt(i) !== text.charCodeAt(border)) border = failure[border - 1] ?? 0;
    if (text.charCodeAt(i) === text.charCodeAt(border)) border++;
    failure[i] = border;
  }
  return { text, failure };
}

function fault(text: string): { readonly kind: "fault"; readonly fault: string } {
  return { kind: "fault", fault: text };
}
