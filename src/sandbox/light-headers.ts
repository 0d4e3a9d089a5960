/**
 * `Headers` without undici, whose loading costs an instance 50 ms and 15 MB. Names are kept in lower case in one flat list
 * (name, value, name, value, …), as the frames carry them; `set-cookie` stays many.
 */
export type HeaderList = string[];

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// oxlint-disable-next-line no-control-regex -- these are the very characters that would split an answer in two
const BAD_VALUE = /[\0\r\n]|[^\0-\xff]/;

/** What a `Headers` can be made of. */
export type HeaderSource = Iterable<readonly [string, string]> | Readonly<Record<string, string>> | null | undefined;

export class LightHeaders implements Iterable<[string, string]> {
  #list: HeaderList;

  constructor(init?: HeaderSource) {
    this.#list = toHeaderList(init);
  }

  /** A view onto the list: a change of one is a change of the other. */
  static over(list: HeaderList): LightHeaders {
    const headers = new LightHeaders();
    headers.#list = list;
    return headers;
  }

  append(name: string, value: string): void {
    addHeader(this.#list, name, value);
  }

  set(name: string, value: string): void {
    const list = this.#list;
    const lower = checkName(name);
    const checked = checkValue(lower, value);
    const at = indexOfHeader(list, lower);
    if (at === -1) {
      list.push(lower, checked);
      return;
    }
    list[at + 1] = checked;
    removeFrom(list, lower, at + 2);
  }

  delete(name: string): void {
    removeFrom(this.#list, checkName(name), 0);
  }

  get(name: string): string | null {
    return findHeader(this.#list, checkName(name));
  }

  has(name: string): boolean {
    return indexOfHeader(this.#list, checkName(name)) !== -1;
  }

  getSetCookie(): string[] {
    const cookies: string[] = [];
    const list = this.#list;
    for (let i = 0; i < list.length; i += 2) if (list[i] === "set-cookie") cookies.push(list[i + 1] ?? "");
    return cookies;
  }

  forEach(visit: (value: string, name: string, headers: LightHeaders) => void, self?: unknown): void {
    for (const [name, value] of this) visit.call(self, value, name, this);
  }

  /** Sorted by name and joined, as the Fetch standard wants; each cookie by itself. */
  *entries(): Generator<[string, string], undefined> {
    const list = this.#list;
    const names = new Set<string>();
    for (let i = 0; i < list.length; i += 2) names.add(list[i] ?? "");
    for (const name of [...names].sort()) {
      if (name === "set-cookie") for (const cookie of this.getSetCookie()) yield [name, cookie];
      else yield [name, findHeader(list, name) ?? ""];
    }
  }

  *keys(): Generator<string, undefined> {
    for (const [name] of this.entries()) yield name;
  }

  *values(): Generator<string, undefined> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): Generator<[string, string], undefined> {
    return this.entries();
  }

  get [Symbol.toStringTag](): string {
    return "Headers";
  }

  static [Symbol.hasInstance](value: unknown): boolean {
    if (this !== LightHeaders) return Function.prototype[Symbol.hasInstance].call(this, value);
    if (typeof value !== "object" || value === null) return false;
    return #list in value || (hasTag(value, "Headers") && value instanceof globalThis.Headers);
  }
}

/** Only an object with the tag can be undici's own, so nothing else loads undici. */
export function hasTag(value: object, tag: string): boolean {
  return Symbol.toStringTag in value && value[Symbol.toStringTag] === tag;
}

export function toHeaderList(init: HeaderSource): HeaderList {
  const list: HeaderList = [];
  if (init === undefined || init === null) return list;
  if (typeof init !== "object") throw new TypeError("headers must be an object, pairs or a Headers");
  if (Symbol.iterator in init) {
    for (const pair of init) {
      if (pair.length !== 2) throw new TypeError("a header must be a pair of a name and a value");
      addHeader(list, pair[0], pair[1]);
    }
  } else for (const name of Object.keys(init)) addHeader(list, name, init[name] ?? "");
  return list;
}

/** As they came over the frames: names in any case. */
export function fromRawHeaders(raw: readonly string[]): HeaderList {
  const list: HeaderList = [];
  for (let i = 0; i + 1 < raw.length; i += 2) list.push((raw[i] ?? "").toLowerCase(), raw[i + 1] ?? "");
  return list;
}

export function addHeader(list: HeaderList, name: string, value: string): void {
  const lower = checkName(name);
  list.push(lower, checkValue(lower, value));
}

export function findHeader(list: readonly string[], name: string): string | null {
  let found: string | null = null;
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] !== name) continue;
    const value = list[i + 1] ?? "";
    found = found === null ? value : found + (name === "cookie" ? "; " : ", ") + value;
  }
  return found;
}

function indexOfHeader(list: readonly string[], name: string): number {
  for (let i = 0; i < list.length; i += 2) if (list[i] === name) return i;
  return -1;
}

function removeFrom(list: HeaderList, name: string, from: number): void {
  for (let i = list.length - 2; i >= from; i -= 2) if (list[i] === name) list.splice(i, 2);
}

function checkName(name: unknown): string {
  const text = String(name);
  if (!NAME.test(text)) throw new TypeError(`${JSON.stringify(text)} is no header name`);
  return text.toLowerCase();
}

function checkValue(name: string, value: unknown): string {
  const text = String(value).trim();
  if (BAD_VALUE.test(text)) throw new TypeError(`the value of the header "${name}" holds a character that no header may hold`);
  return text;
}
