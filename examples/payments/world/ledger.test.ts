import { describe, expect, it } from "vitest";
import { Ledger } from "./ledger.ts";
import { testCards } from "./test-cards.ts";

const authorise = { what: "authorise", reference: "p", body: { order: "o", cents: 500, card: testCards.good } };
const ask = (what: string): typeof authorise => ({ ...authorise, what });

describe("the ledger", () => {
  it("knows a request again by its key, whatever came in between", () => {
    const ledger = new Ledger();
    const first = ledger.apply("p/authorise", authorise);
    ledger.apply("p/capture", ask("capture"));
    expect(ledger.apply("p/authorise", authorise)).toBe(first);
    expect(ledger.apply("p/capture", ask("capture")).status).toBe(202);
    expect(ledger.entry("p")).toMatchObject({ holds: 1, captures: 1, refunds: 0 });
    expect(ledger.repeated).toBe(2);
  });

  it("takes the money twice from who asks with two keys", () => {
    const ledger = new Ledger();
    ledger.apply("1", authorise);
    ledger.apply("2", ask("capture"));
    ledger.apply("3", ask("capture"));
    expect(ledger.entry("p").captures).toBe(2);
  });

  it("gives back what was taken when a payment is voided, once, and takes nothing any more", () => {
    const ledger = new Ledger();
    ledger.apply("1", authorise);
    ledger.apply("2", ask("capture"));
    ledger.apply("3", ask("refund"));
    ledger.apply("4", ask("void"));
    expect(ledger.entry("p")).toMatchObject({ captures: 1, refunds: 1, closed: true });
    expect(ledger.apply("5", ask("capture")).status).toBe(409);
  });

  it("refuses an authorisation that comes after its void", () => {
    const ledger = new Ledger();
    expect(ledger.apply("1", ask("void")).status).toBe(200);
    expect(ledger.apply("2", authorise).status).toBe(409);
    expect(ledger.entry("p").holds).toBe(0);
  });

  it("declines a bad card, and does not pay for another", () => {
    const ledger = new Ledger();
    expect(ledger.apply("1", { ...authorise, body: { ...authorise.body, card: testCards.declined } }).status).toBe(402);
    ledger.apply("2", { ...authorise, body: { ...authorise.body, card: testCards.unpaid } });
    expect(ledger.apply("3", ask("capture"))).toEqual({ status: 202, body: { captured: 0 } });
  });
});
