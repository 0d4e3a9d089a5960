import { MillraceError } from "../core/errors.ts";
import type { EventView, Seq, Store } from "../store/store.ts";

/** By seq or by id; a number is taken for a seq first. */
export async function findEvent(given: string, store: Store): Promise<EventView> {
  const seq = /^\d{1,15}$/.test(given) ? Number(given) : undefined;
  const found = (seq === undefined ? undefined : await bySeq(seq, store)) ?? (await byId(given, store));
  if (found === undefined) throw new MillraceError("not_found", `there is no event ${JSON.stringify(given)}`);
  return found;
}

export async function findEventBySeq(seq: Seq, store: Store): Promise<EventView> {
  const found = await bySeq(seq, store);
  if (found === undefined) throw new MillraceError("not_found", `there is no event with the seq ${seq}`);
  return found;
}

/** Of several with this id (from several sources) the newest. */
export async function findEventById(id: string, store: Store): Promise<EventView> {
  const found = await byId(id, store);
  if (found === undefined) throw new MillraceError("not_found", `there is no event with the id ${JSON.stringify(id)}`);
  return found;
}

async function bySeq(seq: Seq, store: Store): Promise<EventView | undefined> {
  if (seq === 0) return undefined;
  const [next] = await store.events({ after: seq - 1, limit: 1 });
  return next?.seq === seq ? next : undefined;
}

async function byId(id: string, store: Store): Promise<EventView | undefined> {
  return (await store.events({ id, limit: 1 }))[0];
}
