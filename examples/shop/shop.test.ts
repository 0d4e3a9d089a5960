import { type TestApp, testApp } from "millrace/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Mail } from "./functions/mails.ts";
import type { Sold } from "./functions/sales.ts";
import { testCards } from "./payment-provider.ts";
import type { OrderRecord } from "./progress.ts";

/** One shop for all tests: each counts its own shelf first and looks at its own orders only. */
let shop: TestApp;

beforeAll(async () => {
  shop = await testApp(new URL(".", import.meta.url));
});

afterAll(() => shop.stop());

describe("an order", () => {
  it("is paid, packed, confirmed and mailed about once", async () => {
    await setStock("hand-mill", 3);
    const id = await order({ sku: "hand-mill", qty: 2 });
    await shop.settled();

    expect(await shown(id)).toMatchObject({ state: "confirmed", sku: "hand-mill", qty: 2, parcel: expect.stringContaining("MR-") });
    expect(await left("hand-mill")).toBe(1);
    expect(await mails(id)).toMatchObject([{ to: "ada@example.org", subject: "Your order is on its way" }]);
    expect(await sold("hand-mill")).toEqual({ orders: 1, items: 2, cents: 29_800 });
    expect(await typesOf(id)).toEqual(["order.placed", "order.reserved", "payment.taken", "parcel.booked", "order.confirmed"].sort());
  });

  it("is rejected when the shelf is empty, and the customer is told why", async () => {
    await setStock("hand-mill", 1);
    const id = await order({ sku: "hand-mill", qty: 2 });
    await shop.settled();

    expect(await shown(id)).toMatchObject({ state: "rejected", reason: "sold out" });
    expect(await left("hand-mill")).toBe(1);
    expect(await mails(id)).toMatchObject([{ text: expect.stringContaining("sold out") }]);
  });

  it("gives the stock back and cancels the parcel when the card is declined", async () => {
    await setStock("millstone", 5);
    const id = await order({ sku: "millstone", qty: 5, card: testCards.noCover });
    await shop.settled();

    expect(await shown(id)).toMatchObject({ state: "rejected", reason: "card declined" });
    expect(await left("millstone")).toBe(5);
    expect(await shop.kv.get(`parcel/${id}`)).toBeUndefined();
    expect(await mails(id)).toHaveLength(1);
  });

  it("never carries the card further than to the payment", async () => {
    const good = await order({ sku: "oats" });
    const stolen = await order({ sku: "oats", card: testCards.stolen });
    await shop.settled();

    for (const id of [good, stolen]) {
      const withCard = (await eventsOf(id)).filter(({ data }) => "card" in (data as object)).map(({ type }) => type);
      expect(withCard.sort()).toEqual(["order.placed", "order.reserved"]);
    }
    const kept = JSON.stringify(await shop.kv.list({ limit: 1_000 }));
    expect(kept).not.toContain(testCards.good);
    expect(kept).not.toContain(testCards.stolen);
  });

  it("that is wrong is refused with every reason", async () => {
    const before = await shop.emitted("order.placed");
    const wrong = { sku: "airship", qty: 0, email: "nobody", card: "1" };
    const response = await shop.request("/orders", { method: "POST", body: JSON.stringify(wrong) });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      reasons: [
        "sku: the shop does not sell this",
        expect.stringContaining("qty: "),
        "email: not an e-mail address",
        "card: 16 digits are needed",
      ],
    });
    for (const body of ["", "{", "[]", "7"]) expect((await shop.request("/orders", { method: "POST", body })).status).toBe(400);
    expect(await shop.emitted("order.placed")).toEqual(before);
  });

  it("that does not exist is 404", async () => {
    expect((await shop.request("/orders/none")).status).toBe(404);
  });

  it("sent twice with one Idempotency-Key is one order", async () => {
    const init = { method: "POST", headers: { "idempotency-key": "click-1" }, body: JSON.stringify(wanted({ sku: "malt" })) };
    const [first, second] = [await shop.request("/orders", init), await shop.request("/orders", init)];
    const { accepted } = (await first.json()) as { accepted: string };
    expect(await second.json()).toEqual({ accepted });
    expect(await listed("/orders?limit=1")).toMatchObject({ items: [{ id: accepted }] });
    expect((await typesOf(accepted)).filter((type) => type === "order.placed")).toHaveLength(1);
    const malt = (await shop.emitted("order.placed")).filter(({ data }) => (data as { sku: string }).sku === "malt");
    expect(malt).toHaveLength(1);
  });
});

describe("a payment", () => {
  it("is tried again later when the provider does not answer", async () => {
    const id = await order({ sku: "sifter", card: testCards.slow });
    await shop.settled();
    expect(await shown(id)).toMatchObject({ state: "reserved", paid: false });

    await shop.advance("5m");
    expect(await shown(id)).toMatchObject({ state: "confirmed" });
    const delivery = (await shop.deliveries("payment")).find(({ key }) => key === id);
    expect(delivery?.state).toBe("done");
    expect(delivery?.errors.map(({ message }) => message)).toEqual(Array(2).fill("the payment provider does not answer"));
    expect(await mails(id)).toHaveLength(1);
  });

  it("is given up after its last attempt: the goods go back, the customer is told, the bell rings", async () => {
    await setStock("sifter", 9);
    const id = await order({ sku: "sifter", card: testCards.hopeless });
    await shop.settled();
    expect(await left("sifter")).toBe(8);

    await shop.advance("10m");
    expect(await shown(id)).toMatchObject({ state: "rejected", reason: "payment failed" });
    expect(await left("sifter")).toBe(9);
    expect(await mails(id)).toHaveLength(1);
    expect((await shop.dead("payment")).map(({ key }) => key)).toEqual([id]);
    const alarms: unknown = await (await shop.request("/alarms")).json();
    expect(alarms).toMatchObject([{ text: "payment gave up after 4 attempts: the payment provider does not answer" }]);
  });
});

describe("the shelf", () => {
  it("of 100 sells exactly 100 to 300 customers who come at once", async () => {
    await setStock("bread-knife", 100);
    const ids = await Promise.all(Array.from({ length: 300 }, () => order({ sku: "bread-knife" })));
    await shop.settled();

    const everybody = (await shop.kv.list({ prefix: "order/", limit: 1_000 })).map(({ value }) => value as OrderRecord);
    const orders = everybody.filter(({ sku }) => sku === "bread-knife");
    expect(orders.map(({ id }) => id).sort()).toEqual(ids.sort());
    expect(orders.filter(({ state }) => state === "confirmed")).toHaveLength(100);
    expect(orders.filter(({ state }) => state === "rejected")).toHaveLength(200);
    expect(await left("bread-knife")).toBe(0);
    const sent = new Map((await shop.kv.list({ prefix: "mail/", limit: 1_000 })).map(({ key, value }) => [key, value as Mail[]]));
    expect(ids.filter((id) => sent.get(`mail/${id}`)?.length !== 1)).toEqual([]);
    expect(await sold("bread-knife")).toMatchObject({ orders: 100, items: 100 });
  });

  it("has its opening stock until somebody counts it", async () => {
    expect(await left("dough-bowl")).toBe(200);
    await setStock("dough-bowl", 7);
    expect(await left("dough-bowl")).toBe(7);
  });

  it("takes whole numbers of what the shop sells", async () => {
    expect((await shop.request("/stock/airship", { method: "POST", body: "1" })).status).toBe(404);
    for (const body of ["-1", "1.5", '"2"', ""]) expect((await shop.request("/stock/oats", { method: "POST", body })).status).toBe(400);
  });
});

describe("around it", () => {
  it("a summary is written every minute", async () => {
    await shop.advance("1m");
    const before = await summary();
    await order({ sku: "rye-flour", qty: 2 });
    await order({ sku: "sourdough" });
    await shop.advance("1m");
    const after = await summary();
    expect(after.orders - before.orders).toBe(2);
    expect(after.items - before.items).toBe(3);
    expect(after.cents - before.cents).toBe(2 * 980 + 390);
  });

  it("orders are listed page by page, newest first", async () => {
    const ids: string[] = [];
    for (const sku of ["oats", "malt", "sifter"]) {
      ids.unshift(await order({ sku }));
      await nextMillisecond();
    }
    await shop.settled();
    const first = await listed("/orders?limit=2");
    expect(first.items.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    const second = await listed(`/orders?limit=2&after=${first.next}`);
    expect(second.items[0]?.id).toBe(ids[2]);
    expect(await listed("/orders?after=~")).toEqual({ items: [], next: null });
  });

  it("there is a page to buy from", async () => {
    const response = await shop.request("/");
    expect(response.headers.get("content-type")).toContain("text/html");
    expect(await response.text()).toContain("The mill shop");
  });
});

interface Wanted {
  readonly sku: string;
  readonly qty?: number;
  readonly card?: string;
}

function wanted({ sku, qty = 1, card = testCards.good }: Wanted): object {
  return { sku, qty, card, email: "ada@example.org" };
}

async function order(what: Wanted): Promise<string> {
  const response = await shop.request("/orders", { method: "POST", body: JSON.stringify(wanted(what)) });
  expect(response.status).toBe(202);
  return ((await response.json()) as { accepted: string }).accepted;
}

async function setStock(sku: string, count: number): Promise<void> {
  expect((await shop.request(`/stock/${sku}`, { method: "POST", body: String(count) })).status).toBe(200);
}

async function left(sku: string): Promise<number | undefined> {
  const products = (await (await shop.request("/stock")).json()) as readonly { sku: string; left: number }[];
  return products.find((product) => product.sku === sku)?.left;
}

async function shown(id: string): Promise<unknown> {
  return (await shop.request(`/orders/${id}`)).json();
}

async function sold(sku: string): Promise<unknown> {
  return shop.kv.get(`sold/${sku}`);
}

async function summary(): Promise<Sold> {
  return (await (await shop.request("/summary")).json()) as Sold;
}

async function mails(id: string): Promise<unknown> {
  return shop.kv.get(`mail/${id}`);
}

async function listed(path: string): Promise<{ items: readonly OrderRecord[]; next: string | null }> {
  return (await (await shop.request(path)).json()) as { items: readonly OrderRecord[]; next: string | null };
}

async function eventsOf(id: string): ReturnType<TestApp["emitted"]> {
  return (await shop.emitted()).filter(({ data }) => (data as { id?: string }).id === id);
}

async function typesOf(id: string): Promise<string[]> {
  return (await eventsOf(id)).map(({ type }) => type).sort();
}

/** Ids of one millisecond have no order among themselves. */
async function nextMillisecond(): Promise<void> {
  const now = Date.now();
  while (Date.now() === now) await new Promise(setImmediate);
}
