import { fn, http } from "millrace";
import type { z } from "zod";
import { orderPlaced, orderRequest, withoutCard } from "../events.ts";
import { pageOf } from "../page.ts";
import type { OrderRecord } from "../progress.ts";

/** Takes an order in. Its record and its event commit together, before the 202 leaves: an accepted order is on disk. */
export const placeOrder = fn({ on: http.post("/orders"), timeout: "5s" }, async (request, ctx) => {
  const wanted = orderRequest.safeParse(await request.json().catch(() => undefined));
  if (!wanted.success) return Response.json({ reasons: wanted.error.issues.map(reason) }, { status: 400 });

  const order = { id: newOrderId(), ...wanted.data };
  const record: OrderRecord = { ...withoutCard(order), state: "placed" };
  await ctx.kv.set(`order/${order.id}`, record);
  await ctx.emit(orderPlaced, order, { key: order.sku });
  return Response.json({ accepted: order.id }, { status: 202, headers: { location: `/orders/${order.id}` } });
});

export const showOrder = fn({ on: http.get("/orders/:id") }, async (_, ctx) => {
  const order = await ctx.kv.get<OrderRecord>(`order/${ctx.params.id}`);
  return order === undefined ? Response.json({ reasons: ["there is no such order"] }, { status: 404 }) : Response.json(order);
});

/** Newest first. */
export const listOrders = fn({ on: http.get("/orders") }, async (request, ctx) => {
  return Response.json(await pageOf<OrderRecord>(ctx.kv, "order/", request.url));
});

const END_OF_TIME_MS = 8.64e15;

/** kv lists in the order of its keys: an id that counts time down puts the newest order first. */
function newOrderId(): string {
  const countdown = (END_OF_TIME_MS - Date.now()).toString(36);
  return `${countdown}-${crypto.randomUUID().slice(0, 13)}`;
}

function reason({ path, message }: z.core.$ZodIssue): string {
  return path.length === 0 ? "an order is a JSON object with sku, qty, email and card" : `${path.join(".")}: ${message}`;
}
