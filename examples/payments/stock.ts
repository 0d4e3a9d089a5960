import { Fatal, type Kv } from "millrace";
import type { Order, Sku } from "./order.ts";

export interface Reservation {
  readonly order: string;
  readonly sku: Sku;
  readonly qty: number;
}

/** Stock and reservation change in one transaction; two orders for the last piece cannot both get it. */
export async function reserve(kv: Kv, run: string, { id, sku, qty }: Order): Promise<void> {
  const left = await stockOf(kv, sku);
  if (left < qty) throw new Fatal(`${sku} is sold out`);
  await kv.set(`stock/${sku}`, left - qty);
  await kv.set(`reservation/${run}`, { order: id, sku, qty } satisfies Reservation);
}

export async function release(kv: Kv, run: string, { sku, qty }: Order): Promise<void> {
  await kv.set(`stock/${sku}`, (await stockOf(kv, sku)) + qty);
  await kv.delete(`reservation/${run}`);
}

async function stockOf(kv: Kv, sku: Sku): Promise<number> {
  return (await kv.get<number>(`stock/${sku}`)) ?? 0;
}
