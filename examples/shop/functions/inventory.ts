import { fn, http, type Kv } from "millrace";
import { catalogue, isSku, type Sku, skus } from "../catalogue.ts";
import { inventoryRelease, orderPlaced, orderRejected, orderReserved, withoutCard } from "../events.ts";

/**
 * Whatever takes from the stock or gives back to it comes through this one function, keyed by product: orders for one
 * product are served one at a time, first come, first served, while other products go on beside them. That is why a
 * hundred hand mills are sold a hundred times and not once more.
 */
export const inventory = fn({ on: [orderPlaced, inventoryRelease], key: (e) => e.data.sku, timeout: "5s" }, async (e, ctx) => {
  const { sku, qty } = e.data;
  const left = await stockOf(ctx.kv, sku);
  if (e.type === "inventory.release") {
    await ctx.kv.set(`stock/${sku}`, left + qty);
  } else if (left < qty) {
    await ctx.emit(orderRejected, { ...withoutCard(e.data), reason: "sold out" });
  } else {
    await ctx.kv.set(`stock/${sku}`, left - qty);
    await ctx.emit(orderReserved, e.data);
  }
});

/** Somebody counted the shelf. Should this meet an order, the order's transaction notices and runs again with the new count. */
export const setStock = fn({ on: http.post("/stock/:sku") }, async (request, ctx) => {
  const { sku } = ctx.params;
  if (!isSku(sku)) return Response.json({ reasons: [`the shop does not sell "${sku}"`] }, { status: 404 });
  const count: unknown = await request.json().catch(() => undefined);
  if (!isCount(count)) return Response.json({ reasons: ["the body is a whole number, 0 or more"] }, { status: 400 });
  await ctx.kv.set(`stock/${sku}`, count);
  return Response.json({ sku, left: count });
});

export const showStock = fn({ on: http.get("/stock") }, async (_, ctx) => {
  const counted = new Map((await ctx.kv.list<number>({ prefix: "stock/" })).map(({ key, value }) => [key, value]));
  return skus.map((sku) => {
    const { name, priceCents, openingStock } = catalogue[sku];
    return { sku, name, priceCents, left: counted.get(`stock/${sku}`) ?? openingStock };
  });
});

async function stockOf(kv: Kv, sku: Sku): Promise<number> {
  return (await kv.get<number>(`stock/${sku}`)) ?? catalogue[sku].openingStock;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
