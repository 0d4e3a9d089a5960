import { hash } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";

/** No list is longer; a range that holds more now has changed since it was read, and need not be looked at any further. */
export const MAX_KV_LIST = 1000;
const GROWN = "grown";

/** The list of a range stands still while this stays the same: a summary of its keys and versions, in order. */
export class RangeDigest {
  private text = "";

  /** A length before each key keeps two different lists from reading alike. */
  add(key: string, version: number): void {
    this.text += `${key.length}:${key}@${version};`;
  }

  toString(): string {
    return hash("sha256", this.text, "base64url");
  }
}

export interface KvRow {
  readonly key: string;
  readonly version: number;
  readonly value: string | Uint8Array;
}

/** The live rows of a range, in the byte order of their keys in UTF-8 (which is the order of code points). */
export class KvRanges {
  private readonly rows: StatementSync;
  private readonly versions: StatementSync;

  constructor(database: DatabaseSync) {
    const where = "key >= ? AND key < ? AND (expires IS NULL OR expires > ?)";
    this.rows = database.prepare(`SELECT key, version, value FROM kv WHERE ${where} ORDER BY key LIMIT ?`);
    this.versions = database.prepare(`SELECT key, version FROM kv WHERE ${where} ORDER BY key`);
  }

  *list(prefix: string, after: string | null, limit: number, nowMs: number): Generator<KvRow> {
    for (const row of this.rows.iterate(firstKey(prefix, after), endKey(prefix, null), nowMs, limit)) {
      yield { key: String(row["key"]), version: Number(row["version"]), value: row["value"] as string | Uint8Array };
    }
  }

  digest(prefix: string, after: string | null, to: string | null, nowMs: number): string {
    const digest = new RangeDigest();
    let keys = 0;
    for (const row of this.versions.iterate(firstKey(prefix, after), endKey(prefix, to), nowMs)) {
      if (++keys > MAX_KV_LIST) return GROWN;
      digest.add(String(row["key"]), Number(row["version"]));
    }
    return digest.toString();
  }
}

/** One lower bound: given two, SQLite seeks by one of them and walks to the other, which made paging through a long list quadratic. */
function firstKey(prefix: string, after: string | null): string {
  if (after === null || Buffer.compare(Buffer.from(after), Buffer.from(prefix)) < 0) return prefix;
  return behind(after);
}

/** The first key that is outside; a blob sorts behind every text. */
function endKey(prefix: string, to: string | null): string | Uint8Array {
  return to === null ? (prefixEnd(prefix) ?? NO_END) : behind(to);
}

const NO_END = new Uint8Array();

/** The least key that sorts after this one. */
const behind = (key: string): string => `${key}\u0000`;

const LAST_CODE_POINT = 0x10ffff;

/** The least string that sorts after everything with this prefix, or null when there is none. */
function prefixEnd(prefix: string): string | null {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  while (points.at(-1) === LAST_CODE_POINT) points.pop();
  const last = points.pop();
  if (last === undefined) return null;
  // The surrogates U+D800 … U+DFFF are no characters.
  const next = last === 0xd7ff ? 0xe000 : last + 1;
  return String.fromCodePoint(...points, next);
}
