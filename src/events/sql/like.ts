import { compileWildcard, matchesWildcard } from "../patterns/wildcard.ts";
import { compilePieces, type Piece } from "./pieces.ts";

/**
 * A pattern of LIKE as its pieces between the `%`: one piece must be the whole text; of several
 * the first opens the text, the last closes it and the others follow one another in between.
 */
export interface LikePattern {
  readonly pieces: readonly Piece[];
}

/** With these limits every pattern without `_` is a wildcard of the event patterns, escapes and all (P6). */
const MAX_CHARACTERS = 1024;
const MAX_PERCENTS = 32;

/** The pattern, or what is wrong with it. */
export function parseLike(source: string): LikePattern | string {
  if (source.length > MAX_CHARACTERS) return `a pattern of LIKE has at most ${MAX_CHARACTERS} characters, this one has ${source.length}`;
  const pieces: (string | undefined)[][] = [];
  let piece: (string | undefined)[] = [];
  const characters = Array.from(source);
  for (let i = 0; i < characters.length; i++) {
    const char = characters[i];
    const next = characters[i + 1];
    if (char === "%") {
      // `%%` says no more than `%`.
      if (piece.length > 0 || pieces.length === 0) pieces.push(piece);
      piece = [];
    } else if (char === "\\" && (next === "%" || next === "_")) {
      piece.push(next);
      i++;
    } else {
      piece.push(char === "_" ? undefined : char);
    }
  }
  pieces.push(piece);
  if (pieces.length - 1 > MAX_PERCENTS) return `a pattern of LIKE has at most ${MAX_PERCENTS} "%", this one has ${pieces.length - 1}`;
  return { pieces };
}

export function hasUnderscore({ pieces }: LikePattern): boolean {
  return pieces.some((piece) => piece.includes(undefined));
}

/** The pattern as a wildcard of event patterns: the same where there is no `_`, else one that matches more. */
export function wildcardOf({ pieces }: LikePattern): string {
  let wildcard = "";
  let endsWithStar = false;
  for (const [i, piece] of pieces.entries()) {
    for (const char of i === 0 ? piece : [undefined, ...piece]) {
      if (char !== undefined) wildcard += char === "*" || char === "\\" ? `\\${char}` : char;
      else if (!endsWithStar) wildcard += "*";
      endsWithStar = char === undefined;
    }
  }
  return wildcard;
}

/** Says whether a text matches; compiled once, and linear in the length of the text whatever the pattern. */
export function compileLike(pattern: LikePattern): (text: string) => boolean {
  if (hasUnderscore(pattern)) return compilePieces(pattern.pieces);
  const wildcard = compileWildcard(wildcardOf(pattern));
  if (wildcard.kind === "fault") throw new Error(`a LIKE pattern within its limits is no wildcard: ${wildcard.fault}`);
  return wildcard.kind === "literal" ? (text) => text === wildcard.text : (text) => matchesWildcard(wildcard, text);
}
