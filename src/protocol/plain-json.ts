/** Past this depth a value is refused: nobody means it, and whoever walks it by recursion would run out of stack. */
export const DEPTH_LIMIT = 1000;

/** Among so few objects to look for one again costs less than to make a Set. */
const FEW = 8;

/**
 * Whether JSON carries this value exactly, shared references and named properties of arrays included. One walk, which allocates nothing for an
 * object that holds no further ones: every result of every step goes through here.
 */
export function isPlainJson(value: unknown): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return isPlainNumber(value);
    case "object":
      return value === null || isPlainObject(value, new Seen(), 1);
    default:
      return false;
  }
}

function isPlainNumber(value: number): boolean {
  return Number.isFinite(value) && !Object.is(value, -0);
}

function isPlainObject(value: object, seen: Seen, depth: number): boolean {
  if (depth > DEPTH_LIMIT || !seen.add(value) || typeof (value as { toJSON?: unknown }).toJSON === "function") return false;
  if (Array.isArray(value)) return isPlainArray(value, seen, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  // Half as dear as Object.keys. Inherited properties (somebody added to Object.prototype) are judged along, which is only too strict.
  for (const name in value) if (!isPlain((value as Record<string, unknown>)[name], seen, depth)) return false;
  return true;
}

/** Holes are undefined, which is no JSON; named properties show in the number of keys. */
function isPlainArray(values: readonly unknown[], seen: Seen, depth: number): boolean {
  for (let i = 0; i < values.length; i++) if (!isPlain(values[i], seen, depth)) return false;
  return Object.keys(values).length === values.length;
}

function isPlain(value: unknown, seen: Seen, depth: number): boolean {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return true;
  if (typeof value === "number") return isPlainNumber(value);
  return typeof value === "object" && isPlainObject(value, seen, depth + 1);
}

/** Every object so far: one that comes again is a cycle or is shared. */
class Seen {
  private first: object | null = null;
  private few: object[] | null = null;
  private many: Set<object> | null = null;

  /** False: it was there already. */
  add(object: object): boolean {
    if (this.first === null) {
      this.first = object;
      return true;
    }
    if (this.first === object) return false;
    if (this.many !== null) return this.many.size !== this.many.add(object).size;
    this.few ??= [];
    if (this.few.includes(object)) return false;
    this.few.push(object);
    if (this.few.length === FEW) this.many = new Set(this.few);
    return true;
  }
}

/** Whether JSON text nests deeper than a value may. */
export function nestsTooDeep(json: string): boolean {
  // So short a text has no room for so many brackets and their ends.
  if (json.length <= 2 * DEPTH_LIMIT) return false;
  let depth = 0;
  for (let i = 0; i < json.length; i++) {
    switch (json.charCodeAt(i)) {
      case QUOTE:
        i = endOfString(json, i);
        break;
      case OPEN_BRACKET:
      case OPEN_BRACE:
        if (++depth > DEPTH_LIMIT) return true;
        break;
      case CLOSE_BRACKET:
      case CLOSE_BRACE:
        depth--;
        break;
    }
  }
  return false;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end !== -1; end = json.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (json.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return json.length;
}
