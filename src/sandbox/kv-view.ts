import { parseDurationMs } from "../core/duration.ts";
import { MillraceError } from "../core/errors.ts";
import { didYouMean } from "../core/near-miss.ts";
import type { WireValue } from "../protocol/messages.ts";
import type { EffectLog } from "./effect-log.ts";
import { jsonText } from "./json-text.ts";
import { compareKeys } from "./key-order.ts";

export const KEY_LIMIT_BYTES = 1024;
export const VALUE_LIMIT_BYTES = 1024 * 1024;
const LIST_DEFAULT = 100;
const LIST_MOST = 1000;

export interface KvEntry {
  readonly key: string;
  readonly value: unknown;
}

export interface ListQuery {
  readonly prefix: string;
  readonly after: string | null;
  readonly limit: number;
}

export interface ListPage {
  readonly entries: readonly { readonly key: string; readonly value: WireValue }[];
  /** True when there is more in the range than this page holds. */
  readonly more: boolean;
}

/** The committed state, read over the frames. */
export interface CommittedState {
  get(keys: readonly string[]): Promise<readonly (WireValue | null)[]>;
  list(query: ListQuery): Promise<ListPage>;
}

/**
 * The kv as one call sees it: the committed state, under what the call has written itself. What was once read keeps its
 * value for the whole call; if it changed meanwhile, the commit finds a conflict and the call runs again.
 */
export class KvView {
  private readonly committed: CommittedState;
  private readonly effects: EffectLog;
  /** Throws when the transaction has ended. */
  private readonly guard: (what: string) => void;
  /** Own writes; null: deleted. */
  private readonly own = new Map<string, WireValue | null>();
  /** What was read; null: absent. */
  private readonly seen = new Map<string, WireValue | null>();
  /** Keys asked for in this tick, which leave in one read. */
  private asking: Map<string, PromiseWithResolvers<WireValue | null>> | null = null;
  private readonly underway = new Map<string, Promise<WireValue | null>>();

  constructor(committed: CommittedState, effects: EffectLog, guard: (what: string) => void) {
    this.committed = committed;
    this.effects = effects;
    this.guard = guard;
  }

  readonly get = async (key: string): Promise<unknown> => {
    this.guard("kv.get");
    checkKey(key);
    const own = this.own.get(key);
    const value = own === undefined ? await this.read(key) : own;
    return value === null ? undefined : decode(value);
  };

  readonly set = async (key: string, value: unknown, options?: { readonly ttl?: string | number }): Promise<void> => {
    this.guard("kv.set");
    checkKey(key);
    const ttlMs = parseTtl(options);
    const wire = encode(key, value);
    const effect = ttlMs === undefined ? { op: "set", key, ...wire } : { op: "set", key, ...wire, ttlMs };
    this.effects.putKv(key, JSON.stringify(effect));
    this.own.set(key, wire);
  };

  readonly delete = async (key: string): Promise<void> => {
    this.guard("kv.delete");
    checkKey(key);
    this.effects.putKv(key, JSON.stringify({ op: "delete", key }));
    this.own.set(key, null);
  };

  readonly list = async (options: { prefix?: string; after?: string; limit?: number } = {}): Promise<KvEntry[]> => {
    this.guard("kv.list");
    const query = parseListOptions(options);
    const found: KvEntry[] = [];
    let after = query.after;
    for (;;) {
      const limit = Math.min(LIST_MOST, query.limit - found.length + this.deletionsAfter(query.prefix, after));
      const page = await this.committed.list({ prefix: query.prefix, after, limit });
      const lastKey = page.more ? page.entries.at(-1)?.key : undefined;
      for (const [key, value] of this.merge(page, query.prefix, after, lastKey)) {
        found.push({ key, value: decode(value) });
        if (found.length === query.limit) return found;
      }
      if (lastKey === undefined) return found;
      after = lastKey;
    }
  };

  private read(key: string): Promise<WireValue | null> {
    const seen = this.seen.get(key);
    if (seen !== undefined) return Promise.resolve(seen);
    const underway = this.underway.get(key);
    if (underway !== undefined) return underway;
    if (this.asking === null) {
      this.asking = new Map();
      process.nextTick(() => void this.ask());
    }
    const answer = Promise.withResolvers<WireValue | null>();
    this.asking.set(key, answer);
    this.underway.set(key, answer.promise);
    return answer.promise;
  }

  private async ask(): Promise<void> {
    const asking = this.asking ?? new Map<string, PromiseWithResolvers<WireValue | null>>();
    this.asking = null;
    const keys = [...asking.keys()];
    try {
      const values = await this.committed.get(keys);
      keys.forEach((key, i) => {
        // A list that came first has already shown the call a value; that one stays.
        const value = this.remember(key, values[i] ?? null);
        asking.get(key)?.resolve(value);
      });
    } catch (error) {
      for (const answer of asking.values()) answer.reject(error);
    } finally {
      for (const key of keys) this.underway.delete(key);
    }
  }

  private remember(key: string, value: WireValue | null): WireValue | null {
    const seen = this.seen.get(key);
    if (seen !== undefined) return seen;
    this.seen.set(key, value);
    return value;
  }

  /** How many entries of a page may fall away, so that one read is mostly enough. */
  private deletionsAfter(prefix: string, after: string | null): number {
    let count = 0;
    for (const [key, value] of this.own) if (value === null && isWithin(key, prefix, after, undefined)) count++;
    return count;
  }

  /** A page under what the call knows better, in key order up to the page's end. */
  private merge(page: ListPage, prefix: string, after: string | null, lastKey: string | undefined): [string, WireValue][] {
    for (const { key, value } of page.entries) this.remember(key, value);
    const known = new Map<string, WireValue | null>();
    for (const layer of [this.seen, this.own])
      for (const [key, value] of layer) if (isWithin(key, prefix, after, lastKey)) known.set(key, value);
    const present = [...known].filter((entry): entry is [string, WireValue] => entry[1] !== null);
    return present.sort(([a], [b]) => compareKeys(a, b));
  }
}

function isWithin(key: string, prefix: string, after: string | null, last: string | undefined): boolean {
  if (!key.startsWith(prefix)) return false;
  if (after !== null && compareKeys(key, after) <= 0) return false;
  return last === undefined || compareKeys(key, last) <= 0;
}

function checkKey(key: unknown): asserts key is string {
  if (typeof key !== "string") throw new MillraceError("kv_bad_key", `a kv key must be a string, not ${typeof key}`);
  if (key === "") throw new MillraceError("kv_bad_key", "a kv key must not be empty");
  checkText(key, "a kv key");
}

function checkText(text: string, name: string): void {
  // Only a text of more than a third of the limit can be too long in UTF-8.
  if (text.length > KEY_LIMIT_BYTES / 3 && Buffer.byteLength(text) > KEY_LIMIT_BYTES)
    throw new MillraceError("kv_bad_key", `${name} has ${Buffer.byteLength(text)} bytes; at most ${KEY_LIMIT_BYTES} are allowed`);
  if (!text.isWellFormed()) throw new MillraceError("kv_bad_key", `${name} holds half a surrogate pair, which UTF-8 cannot carry`);
}

function encode(key: string, value: unknown): WireValue {
  if (value instanceof Uint8Array) {
    checkSize(key, value.length);
    return { base64: Buffer.from(value.buffer, value.byteOffset, value.length).toString("base64") };
  }
  const text = jsonText(value, "value");
  if (text.kind === "fault")
    throw new MillraceError("kv_bad_value", `the value for kv key "${key}" cannot be kept: ${text.fault.path}: ${text.fault.what}`);
  checkSize(key, Buffer.byteLength(text.json));
  return { json: text.json };
}

function checkSize(key: string, sizeBytes: number): void {
  if (sizeBytes > VALUE_LIMIT_BYTES)
    throw new MillraceError(
      "kv_too_large",
      `the value for kv key "${key}" has ${sizeBytes} bytes; at most ${VALUE_LIMIT_BYTES} are allowed`,
    );
}

/** A fresh copy each time: what the caller does to it changes nobody's value. */
function decode(value: WireValue): unknown {
  return "json" in value ? JSON.parse(value.json) : Uint8Array.from(Buffer.from(value.base64, "base64"));
}

function parseTtl(options: unknown): number | undefined {
  if (options === undefined) return undefined;
  const { ttl } = checkOptions(options, ["ttl"], "kv.set");
  if (ttl === undefined) return undefined;
  if (typeof ttl !== "string" && typeof ttl !== "number")
    throw new MillraceError("bad_option", 'kv.set: `ttl` must be a duration, such as "10m"');
  const ttlMs = parseDurationMs(ttl);
  if (ttlMs <= 0) throw new MillraceError("bad_option", "kv.set: `ttl` must be longer than nothing");
  return ttlMs;
}

function parseListOptions(options: unknown): ListQuery {
  const { prefix = "", after = null, limit = LIST_DEFAULT } = checkOptions(options, ["prefix", "after", "limit"], "kv.list");
  if (typeof prefix !== "string") throw new MillraceError("bad_option", "kv.list: `prefix` must be a string");
  if (after !== null && typeof after !== "string") throw new MillraceError("bad_option", "kv.list: `after` must be a key");
  if (typeof limit !== "number" || !Number.isInteger(limit) || limit < 1 || limit > LIST_MOST)
    throw new MillraceError("bad_option", `kv.list: \`limit\` must be a whole number from 1 to ${LIST_MOST}`);
  checkText(prefix, "kv.list: `prefix`");
  if (after !== null) checkText(after, "kv.list: `after`");
  return { prefix, after, limit };
}

function checkOptions(options: unknown, known: readonly string[], where: string): Readonly<Record<string, unknown>> {
  if (typeof options !== "object" || options === null) throw new MillraceError("bad_option", `${where}: the options must be an object`);
  for (const name of Object.keys(options))
    if (!known.includes(name)) throw new MillraceError("bad_option", `${where}: there is no option "${name}"${didYouMean(name, known)}`);
  return options as Readonly<Record<string, unknown>>;
}
