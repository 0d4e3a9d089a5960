import type { Kv } from "millrace";

const MOST = 1_000;

export interface Page<Value> {
  readonly items: readonly Value[];
  /** Where the next page begins: `?after=<next>`; null on the last one. */
  readonly next: string | null;
}

/** One page of the values under a prefix, as `?after=` and `?limit=` ask for it. */
export async function pageOf<Value>(kv: Kv, prefix: string, url: string): Promise<Page<Value>> {
  const query = new URL(url).searchParams;
  const limit = Math.min(Math.max(Math.trunc(Number(query.get("limit") ?? 20)) || 1, 1), MOST);
  const after = query.get("after");
  const entries = await kv.list<Value>({ prefix, limit, ...(after === null ? {} : { after: prefix + after }) });
  const last = entries.at(-1);
  return {
    items: entries.map(({ value }) => value),
    next: last !== undefined && entries.length === limit ? last.key.slice(prefix.length) : null,
  };
}
