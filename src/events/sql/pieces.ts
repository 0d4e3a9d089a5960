/** Characters that stand together in a pattern of LIKE; `undefined` is a `_`: any one character. */
export type Piece = readonly (string | undefined)[];

/**
 * Matches pieces with `_` in them. The pieces in between are looked for one after the other, each as far left as it goes, as in a
 * wildcard; but with `_` there is no failure table, so the search is Shift-And: a set of bits says which beginnings of the piece end
 * at the character just read, and one character costs a shift and an AND for every 32 characters of the piece.
 */
export function compilePieces(pieces: readonly Piece[]): (text: string) => boolean {
  const [first = [], ...rest] = pieces;
  const last = rest.pop();
  if (last === undefined) return (text) => isWhole(first, Array.from(text));
  const between = rest.map(toNeedle);
  const minLength = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return (text) => {
    // No text has more characters than code units, and most that are too short are seen by that.
    if (text.length < minLength) return false;
    const characters = Array.from(text);
    const end = characters.length - last.length;
    if (characters.length < minLength || !standsAt(first, characters, 0) || !standsAt(last, characters, end)) return false;
    let from = first.length;
    for (const needle of between) {
      from = endOf(needle, characters, from, end);
      if (from < 0) return false;
    }
    return true;
  };
}

interface Needle {
  /** The bit of the whole piece, in the last word. */
  readonly whole: number;
  /** For each character of the piece the places where it may stand; `others` is for all the rest: the places of `_`. */
  readonly places: ReadonlyMap<string, Uint32Array>;
  readonly others: Uint32Array;
}

function isWhole(piece: Piece, characters: readonly string[]): boolean {
  return piece.length === characters.length && standsAt(piece, characters, 0);
}

function standsAt(piece: Piece, characters: readonly string[], at: number): boolean {
  return piece.every((char, i) => char === undefined || characters[at + i] === char);
}

function toNeedle(piece: Piece): Needle {
  const words = Math.ceil(piece.length / 32);
  const others = new Uint32Array(words);
  for (const [i, char] of piece.entries()) if (char === undefined) setBit(others, i);
  const places = new Map<string, Uint32Array>();
  for (const [i, char] of piece.entries()) {
    if (char === undefined) continue;
    const bits = places.get(char) ?? others.slice();
    setBit(bits, i);
    places.set(char, bits);
  }
  return { whole: (1 << ((piece.length - 1) % 32)) >>> 0, places, others };
}

function setBit(bits: Uint32Array, place: number): void {
  bits[place >>> 5] = (bits[place >>> 5] ?? 0) | (1 << (place & 31));
}

/** Behind the leftmost place between `from` and `end` where the piece stands, or -1. */
function endOf({ whole, places, others }: Needle, characters: readonly string[], from: number, end: number): number {
  const state = new Uint32Array(others.length);
  const lastWord = others.length - 1;
  for (let i = from; i < end; i++) {
    const mask = places.get(characters[i] ?? "") ?? others;
    // A new beginning enters at the lowest bit with every character.
    let carry = 1;
    for (let word = 0; word <= lastWord; word++) {
      const before = state[word] ?? 0;
      state[word] = ((before << 1) | carry) & (mask[word] ?? 0);
      carry = before >>> 31;
    }
    if (((state[lastWord] ?? 0) & whole) !== 0) return i + 1;
  }
  return -1;
}
