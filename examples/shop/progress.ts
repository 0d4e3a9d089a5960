import { type EventOf, Fatal } from "millrace";
import type { Order, orderRejected, orderReserved, parcelBooked, paymentTaken } from "./events.ts";

/** How far an order has come. Payment and parcel arrive in any order; confirmed and rejected are final. */
export type Progress =
  | { readonly state: "placed" }
  | { readonly state: "reserved"; readonly paid: boolean; readonly parcel: string | null }
  | { readonly state: "confirmed"; readonly parcel: string }
  | { readonly state: "rejected"; readonly reason: string };

/** What lies in kv under `order/<id>`. */
export type OrderRecord = Order & Progress;

/** What moves an order on. */
export type OrderNews = EventOf<typeof orderReserved | typeof paymentTaken | typeof parcelBooked | typeof orderRejected>;

/** Pure, so that every turn an order can take is tested without a shop around it. */
export function nextProgress(now: Progress, news: OrderNews): Progress {
  if (now.state === "confirmed") throw new Fatal(`${news.type} for an order that is confirmed already`);
  // The parcel was booked while the payment was being declined: the shipping cancels it, the order stays rejected.
  if (now.state === "rejected") return now;
  const { paid, parcel } = now.state === "reserved" ? now : { paid: false, parcel: null };
  switch (news.type) {
    case "order.reserved":
      return { state: "reserved", paid, parcel };
    case "order.rejected":
      return { state: "rejected", reason: news.data.reason };
    case "payment.taken":
      return parcel === null ? { state: "reserved", paid: true, parcel } : { state: "confirmed", parcel };
    case "parcel.booked":
      return paid ? { state: "confirmed", parcel: news.data.parcel } : { state: "reserved", paid, parcel: news.data.parcel };
    default:
      return news satisfies never;
  }
}
