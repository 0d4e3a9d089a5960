import { ProgressLine } from "../../driving/progress-line.ts";
import type { Order } from "../order.ts";
import type { MailSink } from "../world/mail-sink.ts";
import type { PaymentService } from "../world/payment-service.ts";
import { type Account, auditDay } from "./audit.ts";
import { planOrders, stockBefore } from "./plan.ts";
import { type Outcome, ShopClient } from "./shop-client.ts";

export interface Day {
  readonly shopUrl: string;
  readonly payments: PaymentService;
  readonly mails: MailSink;
  readonly orders: number;
  readonly concurrency: number;
  readonly seed: number;
  /** So many times in between the node dies, by `crash`. */
  readonly kills: number;
  readonly crash: () => Promise<void>;
}

export interface DayReport extends Account {
  readonly orders: number;
  readonly kills: number;
  readonly seconds: number;
  readonly ordersPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** What came more than once and was known again: by its idempotency key, by its Message-ID. */
  readonly repeated: { readonly requests: number; readonly mails: number };
}

/** Sends all orders through the checkout, and asks everybody afterwards. */
export async function buyingDay(day: Day): Promise<DayReport> {
  const { shopUrl, payments, mails, kills } = day;
  const shop = new ShopClient(shopUrl);
  const orders = planOrders(day.orders, day.seed);
  const before = stockBefore(day.orders);
  for (const [sku, count] of before) await shop.setStock(sku, count);

  const startMs = performance.now();
  const outcomes = await buyAll(shop, orders, day);
  const seconds = (performance.now() - startMs) / 1_000;
  // A request that came too late for everybody may still be under way.
  await payments.idle();

  const account = auditDay({
    orders,
    outcomes: new Map([...outcomes].map(([id, { end }]) => [id, end])),
    ledger: payments.ledger.entries(),
    reservations: await shop.reservations(),
    paid: await shop.paid(),
    mails: mails.mails(),
    before,
    after: await shop.stock(),
  });
  const took = [...outcomes.values()].map(({ tookMs }) => tookMs).toSorted((a, b) => a - b);
  const quantile = (q: number): number => Math.round(took[Math.min(took.length - 1, Math.floor(took.length * q))] ?? 0);
  return {
    orders: orders.length,
    kills,
    seconds: Math.round(seconds * 10) / 10,
    ordersPerSecond: Math.round(orders.length / seconds),
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    ...account,
    repeated: { requests: payments.ledger.repeated, mails: mails.repeated },
  };
}

/** So many customers at a time, each taking the next order from the one list; the node dies when so much is done. */
async function buyAll(shop: ShopClient, orders: readonly Order[], day: Day): Promise<ReadonlyMap<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const progress = new ProgressLine(orders.length, "orders");
  const queue = orders.values();
  let kills = 0;
  let crashing = Promise.resolve();
  const customer = async (): Promise<void> => {
    for (const order of queue) {
      outcomes.set(order.id, await shop.buy(order));
      progress.show(outcomes.size, kills === 0 ? "" : `${kills} kills`);
      if (kills < day.kills && outcomes.size >= ((kills + 1) * orders.length) / (day.kills + 1)) {
        kills++;
        crashing = crashing.then(day.crash);
      }
    }
  };
  await Promise.all(Array.from({ length: day.concurrency }, customer));
  await crashing;
  return outcomes;
}
