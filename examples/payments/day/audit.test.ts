import { describe, expect, it } from "vitest";
import type { Order } from "../order.ts";
import type { LedgerEntry } from "../world/ledger.ts";
import { testCards } from "../world/test-cards.ts";
import { auditDay, type DayFacts } from "./audit.ts";
import { planOrders, refusalOf } from "./plan.ts";

const sold: Order = { id: "order-1", sku: "millstone", qty: 2, email: "ada@example.org", card: testCards.good };
const refused: Order = { ...sold, id: "order-2", card: testCards.unpaid };
const payment: LedgerEntry = {
  reference: "r1",
  order: sold.id,
  cents: 17_800,
  card: sold.card,
  holds: 1,
  captures: 1,
  refunds: 0,
  closed: false,
};
const voided: LedgerEntry = { ...payment, reference: "r2", order: refused.id, captures: 0, closed: true };
const mail = { id: "<r1>", to: sold.email, subject: "Your order order-1", text: "2 × millstone\nTotal: 17800 cents" };

/** One order was sold, one given up, and everything went well. */
const goodDay: DayFacts = {
  orders: [sold, refused],
  outcomes: new Map([
    [sold.id, "sold"],
    [refused.id, "given up"],
  ]),
  ledger: [payment, voided],
  reservations: [{ run: "r1", order: sold.id, sku: "millstone", qty: 2 }],
  paid: [{ run: "r1", order: sold.id, cents: 17_800 }],
  mails: [mail],
  before: new Map([["millstone", 9]]),
  after: { "hand-mill": 0, millstone: 7, sifter: 0, "rye-flour": 0 },
};

const differences = (change: Partial<DayFacts>): readonly string[] => auditDay({ ...goodDay, ...change }).differences;

describe("the account of a day", () => {
  it("balances where nothing is wrong", () => {
    const account = auditDay(goodDay);
    expect(account.differences).toEqual([]);
    expect(account).toMatchObject({ sold: 1, givenUp: { "the bank did not pay": 1 } });
    expect(account.cents).toEqual({ sold: 17_800, taken: 17_800, booked: 17_800, mailed: 17_800 });
  });

  it("finds money taken twice, and not given back", () => {
    expect(differences({ ledger: [{ ...payment, captures: 2 }, voided] })).toContain("order-1 (sold): captured 2 times");
    expect(differences({ ledger: [payment, { ...payment, reference: "r3" }, voided] })).toContain("order-1 (sold): authorised 2 times");
    const kept = { ...voided, captures: 1 };
    expect(differences({ ledger: [payment, kept] })).toContain("order-2 (given up): not all that was taken was given back, or too much");
    expect(differences({ ledger: [payment, { ...voided, closed: false }] })).toEqual(["order-2 (given up): still authorised"]);
  });

  it("finds a mail too many, one too few, and one that says something else", () => {
    expect(differences({ mails: [mail, { ...mail, id: "<r1b>" }] })).toContain("order-1 (sold): mailed 2 times");
    expect(differences({ mails: [] })).toContain("order-1 (sold): mailed 0 times");
    const other = { ...mail, text: "Total: 1 cents" };
    expect(differences({ mails: [other] })).toEqual(['the sums differ: {"sold":17800,"taken":17800,"booked":17800,"mailed":1}']);
  });

  it("finds stock that is gone, or still reserved, and an order without an outcome", () => {
    expect(differences({ after: { ...goodDay.after, millstone: 6 } })).toEqual([
      "millstone: 9 less 2 reserved should leave 7, but 6 are left",
    ]);
    const [reservation] = goodDay.reservations;
    const left = reservation === undefined ? [] : [reservation, { ...reservation, run: "r2", order: refused.id }];
    expect(differences({ reservations: left })).toContain("order-2 (given up): still reserved");
    expect(differences({ outcomes: new Map([[sold.id, "sold"]]) })).toContain("order-2 (lost): has no outcome");
  });

  it("finds what nobody ordered, and what should not have been sold", () => {
    expect(differences({ ledger: [payment, voided, { ...voided, reference: "r9", order: "order-9" }] })).toEqual([
      "nobody ordered order-9",
    ]);
    const outcomes = new Map([
      [sold.id, "sold" as const],
      [refused.id, "sold" as const],
    ]);
    expect(differences({ outcomes })).toContain("order-2 (sold): should not have been sold: the bank did not pay");
  });
});

describe("the plan of a day", () => {
  it("is the same for the same seed, and has refusals of each kind", () => {
    expect(planOrders(500, 7)).toEqual(planOrders(500, 7));
    expect(planOrders(500, 7)).not.toEqual(planOrders(500, 8));
    expect(new Set(planOrders(500, 7).map(refusalOf))).toEqual(new Set([null, "card declined", "the bank did not pay", "unknown mailbox"]));
  });
});
