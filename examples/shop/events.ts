import { event } from "millrace";
import { z } from "zod";
import { skus } from "./catalogue.ts";

/** What a customer sends. */
export const orderRequest = z.object({
  sku: z.enum(skus, { error: "the shop does not sell this" }),
  qty: z.int().min(1).max(10).default(1),
  email: z.email({ error: "not an e-mail address" }),
  // A real shop gets a token of its payment provider here: card numbers do not belong in an event log.
  card: z.string().regex(/^\d{16}$/, { error: "16 digits are needed" }),
});

const order = z.object({ id: z.string(), sku: z.enum(skus), qty: z.int(), email: z.string() });
const placedOrder = order.extend({ card: z.string() });

export type Order = z.infer<typeof order>;
export type PlacedOrder = z.infer<typeof placedOrder>;

export const orderPlaced = event("order.placed", { schema: placedOrder });
export const orderReserved = event("order.reserved", { schema: placedOrder });
export const orderConfirmed = event("order.confirmed", { schema: order.extend({ parcel: z.string() }) });
export const orderRejected = event("order.rejected", { schema: order.extend({ reason: z.string() }) });

export const inventoryRelease = event("inventory.release", { schema: order.pick({ id: true, sku: true, qty: true }) });
export const paymentTaken = event("payment.taken", { schema: z.object({ id: z.string(), cents: z.int() }) });
export const parcelBooked = event("parcel.booked", { schema: z.object({ id: z.string(), parcel: z.string() }) });

/** The order as everybody but the payment may know it. */
export function withoutCard({ id, sku, qty, email }: PlacedOrder): Order {
  return { id, sku, qty, email };
}
