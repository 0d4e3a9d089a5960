/**
 * Strings that differ only in case fold to one string. Code point by code point: toLowerCase of a whole string looks at
 * the neighbours of a sigma, so a prefix would not fold to a prefix; and a code point whose other case is several ("ß") keeps its own.
 * Folding keeps the length of a string: no code point has its other case on the other side of U+FFFF.
 */
export function foldCase(text: string): string {
  if (isAscii(text)) return text.toLowerCase();
  let folded = "";
  for (const char of text) folded += foldCodePoint(char);
  return folded;
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}

function foldCodePoint(char: string): string {
  const upper = char.toUpperCase();
  const base = isOneCodePoint(upper) ? upper : char;
  const lower = base.toLowerCase();
  return isOneCodePoint(lower) ? lower : base;
}

function isOneCodePoint(text: string): boolean {
  return text.length === 1 || (text.length === 2 && (text.codePointAt(0) ?? 0) > 0xffff);
}
