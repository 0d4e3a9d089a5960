import { setTimeout as sleep } from "node:timers/promises";
import { type TestApp, testApp } from "millrace/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { copyApp } from "../driving/app-copy.ts";
import type { Order } from "./order.ts";
import { MailSink, UNKNOWN_MAILBOX } from "./world/mail-sink.ts";
import { goodMoods, type Moods } from "./world/moods.ts";
import { PaymentService } from "./world/payment-service.ts";
import { testCards } from "./world/test-cards.ts";

/** One shop and one world for all tests; what goes wrong there is for each test to say. */
let stack: AsyncDisposableStack;
let shop: TestApp;
let payments: PaymentService;
let mails: MailSink;
let moods: Moods;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  const inForce: Moods = { service: () => moods.service(), notice: () => moods.notice(), mail: () => moods.mail() };
  payments = stack.use(await PaymentService.start(inForce));
  mails = stack.use(await MailSink.start(inForce));
  const app = stack.use(await copyApp(new URL(".", import.meta.url), { PAYMENTS_URL: payments.url, SMTP_PORT: String(mails.port) }));
  shop = stack.use(await testApp(app.folder));
});

afterAll(() => stack.disposeAsync());

beforeEach(async () => {
  moods = goodMoods;
  await shop.kv.set("stock/sifter", 10);
});

const SALE = { holds: 1, captures: 1, refunds: 0, closed: false };
const DONE = ["promise to void", "authorise", "reserve", "captured", "capture", "book", "confirm"];

describe("a checkout", () => {
  it("authorises, reserves, captures and confirms, each once", async () => {
    expect(await buy(order("plain"))).toEqual({ status: 200, body: { order: "plain", cents: 4_900 } });
    expect(trace("plain")).toMatchObject([SALE]);
    expect(await left()).toBe(8);
    expect(mailsOn("plain")).toMatchObject([{ to: "ada@example.org", text: "2 × sifter\nTotal: 4900 cents" }]);
    const [run] = (await shop.runs("checkout")).toReversed();
    const done = (await run?.journal())?.filter(({ phase }) => phase === "done") ?? [];
    // The notice may be there before the step that asked for it is committed.
    const notice = done.find(({ verb }) => verb === "answer");
    expect(notice?.name).toBe("captured");
    expect(done.filter((entry) => entry !== notice).map(({ name }) => name)).toEqual(DONE);
  });

  it("sent twice with one key is one order", async () => {
    await buy(order("twice"));
    expect(await buy(order("twice"))).toEqual({ status: 200, body: { order: "twice", cents: 4_900 } });
    expect(trace("twice")).toMatchObject([SALE]);
    expect(await left()).toBe(8);
    expect(mailsOn("twice")).toHaveLength(1);
  });

  it("that is wrong is refused, and nothing is done", async () => {
    expect((await shop.request("/checkout", { method: "POST", body: '{"id":"wrong"}' })).status).toBe(400);
    expect(trace("wrong")).toEqual([]);
  });
});

describe("what fails", () => {
  it("a declined card: nothing was done", async () => {
    expect((await buy(order("declined", { card: testCards.declined }))).status).toBe(500);
    expect(trace("declined")).toEqual([]);
    expect(await left()).toBe(10);
  });

  it("an empty shelf: the authorisation is voided", async () => {
    expect((await buy(order("sold-out", { qty: 11 }))).status).toBe(500);
    expect(trace("sold-out")).toMatchObject([{ holds: 1, captures: 0, closed: true }]);
    expect(await left()).toBe(10);
  });

  it("a bank that does not pay: the stock is released, the authorisation voided", async () => {
    expect((await buy(order("unpaid", { card: testCards.unpaid }))).status).toBe(500);
    expect(trace("unpaid")).toMatchObject([{ holds: 1, captures: 0, closed: true }]);
    expect(await left()).toBe(10);
  });

  it("an unknown mailbox: refunded, released, voided, the last first", async () => {
    expect((await buy(order("nobody", { email: UNKNOWN_MAILBOX }))).status).toBe(500);
    expect(trace("nobody")).toMatchObject([{ holds: 1, captures: 1, refunds: 1, closed: true }]);
    expect(await left()).toBe(10);
    expect(mailsOn("nobody")).toEqual([]);
    const [run] = (await shop.runs("checkout")).toReversed();
    const undone = (await run?.journal())?.filter(({ verb, phase }) => verb === "rollback" && phase === "done");
    expect(undone?.map(({ name }) => name)).toEqual(["book", "reserve", "promise to void"]);
  });
});

describe("a world that fails for a while", () => {
  it("a service that hangs up after it did everything has done it once", async () => {
    moods = { ...goodMoods, service: oneOf({ kind: "hangs up" }, { kind: "well" }) };
    expect((await buyPatiently(order("hangs-up"))).status).toBe(200);
    expect(trace("hangs-up")).toMatchObject([SALE]);
  });

  it("a notice that comes twice, or never", async () => {
    moods = { ...goodMoods, notice: () => [0, 0] };
    expect((await buy(order("noticed-twice"))).status).toBe(200);
    moods = { ...goodMoods, notice: () => [] };
    expect((await buyPatiently(order("not-noticed"))).status).toBe(200);
    expect([...trace("noticed-twice"), ...trace("not-noticed")]).toMatchObject([SALE, SALE]);
  });

  it("a mail server that is busy, loses a mail, and hangs up when it has it", async () => {
    moods = { ...goodMoods, mail: oneOf("busy", "loses it", "hangs up", "well") };
    expect((await buyPatiently(order("mail-trouble"))).status).toBe(200);
    expect(mailsOn("mail-trouble")).toHaveLength(1);
    expect(mails.repeated).toBe(1);
  });

  it("an instance that dies after a step: it goes on behind it", async () => {
    for (const step of ["authorise", "reserve", "capture", "book"]) shop.crashAfter("checkout", step);
    expect((await buyPatiently(order("crashes"))).status).toBe(200);
    expect(trace("crashes")).toMatchObject([SALE]);
    expect(await left()).toBe(8);
    expect(mailsOn("crashes")).toHaveLength(1);
  });
});

function order(id: string, change: Partial<Order> = {}): Order {
  return { id, sku: "sifter", qty: 2, email: "ada@example.org", card: testCards.good, ...change };
}

async function buy(wanted: Order): Promise<{ readonly status: number; readonly body: unknown }> {
  const init = { method: "POST", headers: { "idempotency-key": wanted.id }, body: JSON.stringify(wanted) };
  const response = await shop.request("/checkout", init);
  return { status: response.status, body: await response.json() };
}

/** Retries wait on the test's clock: it moves until the answer has come. */
async function buyPatiently(wanted: Order): ReturnType<typeof buy> {
  const answer = buy(wanted);
  const isThere = answer.then(() => true);
  while (!(await Promise.race([isThere, sleep(20).then(() => false)]))) await shop.advance("1s");
  return answer;
}

/** One mood after the other, and over again. */
function oneOf<Mood>(...all: readonly [Mood, ...Mood[]]): () => Mood {
  let next = 0;
  return () => all[next++ % all.length] ?? all[0];
}

function trace(id: string): readonly unknown[] {
  return payments.ledger.entries().filter((entry) => entry.order === id);
}

function mailsOn(id: string): readonly unknown[] {
  return mails.mails().filter(({ subject }) => subject === `Your order ${id}`);
}

async function left(): Promise<number | undefined> {
  return shop.kv.get<number>("stock/sifter");
}
