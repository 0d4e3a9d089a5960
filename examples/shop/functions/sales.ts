import { every, fn, http } from "millrace";
import { catalogue } from "../catalogue.ts";
import { orderConfirmed } from "../events.ts";

export interface Sold {
  readonly orders: number;
  readonly items: number;
  readonly cents: number;
}

const NOTHING: Sold = { orders: 0, items: 0, cents: 0 };

/** A counter per product, and the product for a key: then no two sales ever meet at one counter. */
export const countSale = fn({ on: orderConfirmed, key: (e) => e.data.sku }, async (e, ctx) => {
  const { sku, qty } = e.data;
  const before = (await ctx.kv.get<Sold>(`sold/${sku}`)) ?? NOTHING;
  await ctx.kv.set(`sold/${sku}`, add(before, { orders: 1, items: qty, cents: qty * catalogue[sku].priceCents }));
});

/** A transaction sees one moment: a sale that comes in while this adds up makes it add up again. */
export const summarise = fn({ on: every("1m"), retry: { attempts: 2 } }, async (tick, ctx) => {
  const products = await ctx.kv.list<Sold>({ prefix: "sold/" });
  const total = products.map(({ value }) => value).reduce(add, NOTHING);
  await ctx.kv.set("summary", { at: tick.time, products: products.length, ...total });
  ctx.log.info(`${total.orders} orders, ${total.items} items, ${(total.cents / 100).toFixed(2)} €`);
});

export const showSummary = fn({ on: http.get("/summary") }, async (_, ctx) => (await ctx.kv.get("summary")) ?? NOTHING);

function add(one: Sold, other: Sold): Sold {
  return { orders: one.orders + other.orders, items: one.items + other.items, cents: one.cents + other.cents };
}
