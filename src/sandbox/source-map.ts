/** Just what a stack trace needs of a source map (ECMA-426): from a place in the bundle to the place in the source. */

export interface SourcePlace {
  readonly source: string;
  /** From 1, as stack traces count. */
  readonly line: number;
  readonly column: number;
}

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const DIGITS = new Map(Array.from(BASE64, (char, value) => [char.charCodeAt(0), value]));
const CONTINUES = 32;
const SEMICOLON = 59;
const COMMA = 44;

/**
 * Decodes anew up to the place that is asked for and keeps only the answer: most instances never show a stack, and a map
 * decoded whole takes many times the memory of its text.
 */
export class SourceMap {
  private readonly mappings: string;
  private readonly sources: readonly string[];
  private readonly answers = new Map<string, SourcePlace | null>();

  constructor(mappings: string, sources: readonly string[]) {
    this.mappings = mappings;
    this.sources = sources;
  }

  /** Null when the text is no source map. */
  static parse(text: string): SourceMap | null {
    let map: unknown;
    try {
      map = JSON.parse(text);
    } catch {
      return null;
    }
    if (typeof map !== "object" || map === null || !("mappings" in map) || typeof map.mappings !== "string") return null;
    const sources = "sources" in map && Array.isArray(map.sources) ? map.sources.map(String) : [];
    return new SourceMap(map.mappings, sources);
  }

  /** `line` and `column` from 1, as stack traces count. */
  find(line: number, column: number): SourcePlace | null {
    const key = `${line}:${column}`;
    const known = this.answers.get(key);
    if (known !== undefined) return known;
    const place = this.decodeUpTo(line - 1, column - 1);
    this.answers.set(key, place);
    return place;
  }

  /** The last mapping at or before the column, on the line itself. */
  private decodeUpTo(line: number, column: number): SourcePlace | null {
    const { mappings } = this;
    let best: SourcePlace | null = null;
    let [at, generatedLine, generatedColumn, source, sourceLine, sourceColumn] = [0, 0, 0, 0, 0, 0];
    const number = (): number => {
      let [value, shift] = [0, 0];
      for (;;) {
        const digit = DIGITS.get(mappings.charCodeAt(at++)) ?? 0;
        value += (digit & 31) * 2 ** shift;
        shift += 5;
        if ((digit & CONTINUES) === 0) return value % 2 === 0 ? value / 2 : -(value - 1) / 2;
      }
    };
    while (at < mappings.length && generatedLine <= line) {
      const char = mappings.charCodeAt(at);
      if (char === SEMICOLON) {
        generatedLine++;
        generatedColumn = 0;
        at++;
      } else if (char === COMMA) at++;
      else {
        generatedColumn += number();
        if (generatedLine === line && generatedColumn > column) break;
        if (isEndOfSegment(mappings, at)) continue;
        source += number();
        sourceLine += number();
        sourceColumn += number();
        if (!isEndOfSegment(mappings, at)) number();
        const name = this.sources[source];
        if (generatedLine === line && name !== undefined) best = { source: name, line: sourceLine + 1, column: sourceColumn + 1 };
      }
    }
    return best;
  }
}

function isEndOfSegment(mappings: string, at: number): boolean {
  if (at >= mappings.length) return true;
  const char = mappings.charCodeAt(at);
  return char === COMMA || char === SEMICOLON;
}
