import { Fatal } from "millrace";
import { describe, expect, it } from "vitest";
import { nextProgress, type OrderNews, type Progress } from "./progress.ts";

const order = { id: "o", sku: "oats", qty: 1, email: "ada@example.org" } as const;
const envelope = { specversion: "1.0", id: "e", source: "/test" } as const;
const reserved: OrderNews = { ...envelope, type: "order.reserved", data: { ...order, card: "4" } };
const paid: OrderNews = { ...envelope, type: "payment.taken", data: { id: "o", cents: 560 } };
const booked: OrderNews = { ...envelope, type: "parcel.booked", data: { id: "o", parcel: "MR-O" } };
const rejected: OrderNews = { ...envelope, type: "order.rejected", data: { ...order, reason: "sold out" } };

function after(...news: OrderNews[]): Progress {
  return news.reduce(nextProgress, { state: "placed" });
}

describe("an order's progress", () => {
  it("is confirmed by payment and parcel, in either order", () => {
    expect(after(reserved, paid)).toEqual({ state: "reserved", paid: true, parcel: null });
    expect(after(reserved, booked)).toEqual({ state: "reserved", paid: false, parcel: "MR-O" });
    expect(after(reserved, paid, booked)).toEqual({ state: "confirmed", parcel: "MR-O" });
    expect(after(reserved, booked, paid)).toEqual({ state: "confirmed", parcel: "MR-O" });
  });

  it("stays rejected, whatever is still on its way", () => {
    expect(after(rejected)).toEqual({ state: "rejected", reason: "sold out" });
    expect(after(reserved, booked, rejected)).toEqual({ state: "rejected", reason: "sold out" });
    expect(after(reserved, rejected, booked)).toEqual({ state: "rejected", reason: "sold out" });
  });

  it("does not go on from confirmed", () => {
    expect(() => after(reserved, paid, booked, rejected)).toThrow(Fatal);
  });
});
