import { describe, expect, it } from "vitest";
import type { OrderRecord } from "../progress.ts";
import { auditSale, isSettled, type SaleFacts } from "./audit.ts";
import { HOT_SKU, HOT_STOCK, planOrders } from "./plan.ts";

const wanted = { sku: HOT_SKU, qty: 1, email: "ada@example.org", card: "4242424242424242" } as const;

/** 101 customers for 100 hand mills, and everything went well. */
function goodSale(): SaleFacts & { orders: Map<string, OrderRecord>; after: Map<string, number> } {
  const ids = Array.from({ length: HOT_STOCK + 1 }, (_, i) => `o-${i}`);
  const records = ids.map((id, i): OrderRecord => {
    const order = { id, sku: HOT_SKU, qty: 1, email: wanted.email };
    return i < HOT_STOCK
      ? Object.assign(order, { state: "confirmed", parcel: "MR" } as const)
      : { ...order, state: "rejected", reason: "sold out" };
  });
  const texts = ids.map((_, i) => (i < HOT_STOCK ? "parcel MR" : "sold out"));
  return {
    accepted: new Map(ids.map((id) => [id, wanted])),
    orders: new Map(records.map((record) => [record.id, record])),
    mails: new Map(ids.map((order, i) => [order, [{ order, to: wanted.email, subject: "", text: texts[i] ?? "" }]])),
    before: new Map([[HOT_SKU, HOT_STOCK]]),
    after: new Map([[HOT_SKU, 0]]),
    alarms: 0,
  };
}

describe("the audit of a sale", () => {
  it("finds nothing where nothing is wrong", () => {
    const sale = goodSale();
    expect(isSettled(sale)).toBe(true);
    expect(auditSale(sale).differences).toEqual([]);
    expect(auditSale(sale).sold).toEqual(new Map([[HOT_SKU, 100]]));
  });

  it("finds a piece sold too often, and one that vanished", () => {
    const tooMany = goodSale();
    tooMany.orders.set("o-100", { ...wanted, id: "o-100", state: "confirmed", parcel: "MR" });
    expect(auditSale(tooMany).differences).toContain("hand-mill: 101 were sold, not 100");

    const vanished = goodSale();
    vanished.after.set(HOT_SKU, -1);
    expect(auditSale(vanished).differences).toEqual(["hand-mill: 100 less 100 sold should leave 0, but -1 are left"]);
  });

  it("finds an order without an outcome, one without a mail, one with two, and a mail that says something else", () => {
    const sale = goodSale();
    sale.orders.delete("o-0");
    const mails = new Map(sale.mails);
    mails.delete("o-1");
    mails.set("o-2", [...(mails.get("o-2") ?? []), ...(mails.get("o-2") ?? [])]);
    mails.set("o-3", mails.get("o-100") ?? []);
    const { differences } = auditSale({ ...sale, mails });
    expect(isSettled({ ...sale, mails })).toBe(false);
    expect(differences).toContain("order o-0 was accepted and is lost");
    expect(differences).toContain("order o-1 has 0 mails, not one");
    expect(differences).toContain("order o-2 has 2 mails, not one");
    expect(differences).toContain("order o-3 is confirmed, its mail says something else");
  });

  it("finds dead deliveries", () => {
    expect(auditSale({ ...goodSale(), alarms: 2 }).differences).toEqual(["2 deliveries are dead"]);
  });
});

describe("the plan of a sale", () => {
  it("is the same for the same seed, and another for another", () => {
    expect(planOrders(500, 7)).toEqual(planOrders(500, 7));
    expect(planOrders(500, 7)).not.toEqual(planOrders(500, 8));
  });

  it("has far more customers for the hot product than there are pieces", () => {
    const hot = planOrders(10_000, 1).filter(({ sku }) => sku === HOT_SKU);
    expect(hot.length).toBeGreaterThan(2_500);
  });
});
