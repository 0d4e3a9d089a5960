import { Fatal, fn } from "millrace";
import { orderConfirmed, orderRejected, orderReserved, parcelBooked, paymentTaken } from "../events.ts";
import { nextProgress, type OrderRecord } from "../progress.ts";

/** Keeps each order's record up to date and confirms the order once it is paid and its parcel booked, whichever comes first. */
export const followOrder = fn(
  { on: [orderReserved, paymentTaken, parcelBooked, orderRejected], key: (e) => e.data.id },
  async (news, ctx) => {
    const record = await ctx.kv.get<OrderRecord>(`order/${news.data.id}`);
    if (record === undefined) throw new Fatal(`${news.type} for an order that nobody placed: ${news.data.id}`);
    const { id, sku, qty, email } = record;
    const progress = nextProgress(record, news);
    await ctx.kv.set(`order/${id}`, { id, sku, qty, email, ...progress } satisfies OrderRecord);
    if (progress.state === "confirmed") await ctx.emit(orderConfirmed, { id, sku, qty, email, parcel: progress.parcel });
  },
);
