import type { Delivery } from "../delivery/delivery.ts";
import type { DeadQuery, Seq, Store } from "../store/store.ts";
import type { DeadSelectionShape } from "./shapes.ts";

/** So many at once: a piece is one transaction, and a line of progress. */
const PIECE = 500;

export interface Progress {
  readonly count: number;
  readonly remaining: number | null;
  readonly finished: boolean;
}

type Act = (seqs: readonly Seq[]) => Promise<number>;

/**
 * Redrives or purges in bounded pieces (C11). Each dead letter is visited once, in order: one that dies again at once is
 * not taken up again, and what dies after the start is left alone, so the work always ends.
 */
export async function* workThrough(selection: DeadSelectionShape, store: Store, act: Act): AsyncGenerator<Progress> {
  const pieces = "seqs" in selection ? listed(selection.seqs) : await found(selection, store);
  let count = 0;
  let visited = 0;
  for await (const seqs of pieces.each) {
    count += await act(seqs);
    visited += seqs.length;
    yield { count, remaining: pieces.total === null ? null : Math.max(0, pieces.total - visited), finished: false };
  }
  yield { count, remaining: 0, finished: true };
}

export function redriving(delivery: Delivery): Act {
  return (seqs) => delivery.redrive({ seqs }, seqs.length);
}

export function purging(delivery: Delivery): Act {
  return (seqs) => delivery.purge({ seqs }, seqs.length);
}

interface Pieces {
  readonly total: number | null;
  readonly each: AsyncIterable<readonly Seq[]> | Iterable<readonly Seq[]>;
}

function listed(seqs: readonly Seq[]): Pieces {
  const all = [...new Set(seqs)];
  const each: Seq[][] = [];
  for (let i = 0; i < all.length; i += PIECE) each.push(all.slice(i, i + PIECE));
  return { total: all.length, each };
}

async function found(selection: Exclude<DeadSelectionShape, { seqs: unknown }>, store: Store): Promise<Pieces> {
  const filter = "all" in selection ? {} : selection;
  return { total: await total(filter, store), each: pages(filter, await newestSeq(store), store) };
}

async function total(filter: { fn?: string; type?: string }, store: Store): Promise<number | null> {
  // Dead letters are counted by function; by type nobody counts them.
  if (filter.type !== undefined) return null;
  const counts = await store.counts();
  return counts.filter(({ fn }) => filter.fn === undefined || fn === filter.fn).reduce((sum, { dead }) => sum + dead, 0);
}

/** Events and deliveries draw from one counter, so nothing that exists now lies above this. */
async function newestSeq(store: Store): Promise<Seq> {
  const [newest] = await store.events({ limit: 1 });
  return newest === undefined ? Number.MAX_SAFE_INTEGER : Math.max(newest.seq, ...newest.deliveries.map(({ seq }) => seq));
}

async function* pages(filter: Omit<DeadQuery, "limit">, upTo: Seq, store: Store): AsyncGenerator<readonly Seq[]> {
  let after: Seq | undefined;
  for (;;) {
    const page = await store.dead({ ...filter, ...(after === undefined ? {} : { after }), limit: PIECE });
    const seqs = page.map(({ seq }) => seq).filter((seq) => seq <= upTo);
    if (seqs.length > 0) yield seqs;
    if (page.length < PIECE || seqs.length < page.length) return;
    after = seqs.at(-1);
  }
}
