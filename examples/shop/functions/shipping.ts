import { fn } from "millrace";
import { orderRejected, orderReserved, parcelBooked } from "../events.ts";

/**
 * Books a parcel beside the payment, without waiting for it; if the order is rejected after all, cancels it.
 * No race: with one key a function sees events in the order in which they happened, and `reserved` came first.
 */
export const shipping = fn({ on: [orderReserved, orderRejected], key: (e) => e.data.id }, async (e, ctx) => {
  const { id } = e.data;
  if (e.type === "order.rejected") return ctx.kv.delete(`parcel/${id}`);
  const parcel = `MR-${id}`.toUpperCase();
  await ctx.kv.set(`parcel/${id}`, parcel);
  await ctx.emit(parcelBooked, { id, parcel });
});
