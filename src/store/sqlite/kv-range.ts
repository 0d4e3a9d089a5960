import { hash } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";

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
    // A blob sorts after every text, so x'' stands for "no upper bound".
    const where = `key >= :from AND key > :after AND key < :below AND key <= :to AND (expires IS NULL OR expires > :now)`;
    this.rows = database.prepare(`SELECT key, version, value FROM kv WHERE ${where} ORDER BY key LIMIT :limit`);
    this.versions = database.prepare(`SELECT key, version FROM kv WHERE ${where} ORDER BY key`);
  }

  *list(prefix: string, after: string | null, limit: number, nowMs: number): Generator<KvRow> {
    for (const row of this.rows.iterate({ ...bounds(prefix, after, null, nowMs), limit })) {
      yield { key: String(row["key"]), version: Number(row["version"]), value: row["value"] as string | Uint8Array };
    }
  }

  digest(prefix: string, after: string | null, to: string | null, nowMs: number): string {
    const digest = new RangeDigest();
    for (const row of this.versions.iterate(bounds(prefix, after, to, nowMs))) digest.add(String(row["key"]), Number(row["version"]));
    return digest.toString();
  }
}

const NO_BOUND = new Uint8Array();

function bounds(
  prefix: string,
  after: string | null,
  to: string | null,
  now: number,
): { from: string; after: string; below: string | Uint8Array; to: string | Uint8Array; now: number } {
  // Keys are never empty, so "after the empty key" is no bound at all.
  return { from: prefix, after: after ?? "", below: prefixEnd(prefix) ?? NO_BOUND, to: to ?? NO_BOUND, now };
}

const LAST_CODE_POINT = 0x10ffff;

/** The least string that sorts after everything with this prefix, or null when there is none. */
export function prefixEnd(prefix: string): string | null {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  while (points.at(-1) === LAST_CODE_POINT) points.pop();
  const last = points.pop();
  if (last === undefined) return null;
  // The surrogates U+D800 … U+DFFF are no characters.
  const next = last === 0xd7ff ? 0xe000 : last + 1;
  return String.fromCodePoint(...points, next);
}
