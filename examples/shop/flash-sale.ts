import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { OwnNode } from "../driving/own-node.ts";
import { readCount } from "../driving/read-count.ts";
import { type Audit, auditSale, isSettled, type SaleFacts } from "./sale/audit.ts";
import { planOrders, stockBefore, type WantedOrder } from "./sale/plan.ts";
import { asJson, asTable, speedOf } from "./sale/report.ts";
import { ShopClient } from "./sale/shop-client.ts";

const HELP = `Plays a flash sale: many orders for 100 hand mills and for everything else in the shop.

  npm run example:shop -- [options]        against a running "npm start"
  npm run example:shop -- --start          with a node of its own, which goes away afterwards

  --orders N        how many orders (10000)
  --concurrency N   how many at a time (64)
  --url URL         where the shop is (http://127.0.0.1:4800)
  --seed N          which customers come (1)
  --wait SECONDS    how long the shop may take to settle (300)
  --json            the result as JSON

Exit codes: 0 every order has one outcome and one mail, and the stock is right; 1 something differs; 2 wrong options.`;

const POLL_MS = 500;
/** For stock that is on its way back to the shelf. */
const GRACE_MS = 5_000;

interface Options {
  readonly orders: number;
  readonly concurrency: number;
  readonly seed: number;
  readonly waitMs: number;
  readonly json: boolean;
}

async function main(): Promise<number> {
  const given = readOptions();
  if (given === null) return 2;
  if (given.help) {
    console.log(HELP);
    return 0;
  }
  if (!given.start) return playSale(new ShopClient(given.url), given);
  await using node = await OwnNode.start(fileURLToPath(new URL(".", import.meta.url)));
  return await playSale(new ShopClient(node.url), given);
}

async function playSale(shop: ShopClient, options: Options): Promise<number> {
  const before = stockBefore(options.orders);
  for (const [sku, count] of before) await shop.setStock(sku, count);
  const alarmsBefore = await shop.alarms();

  console.error(`${options.orders} orders, ${options.concurrency} at a time …`);
  const startMs = performance.now();
  const { accepted, latenciesMs } = await sendAll(shop, planOrders(options.orders, options.seed), options.concurrency);
  const acceptedMs = performance.now() - startMs;
  console.error("All are accepted; the shop works them off …");
  const look = async (): Promise<SaleFacts> => ({
    accepted,
    before,
    mails: await shop.mails(new Set(accepted.keys())),
    orders: await shop.orders(new Set(accepted.keys())),
    after: await shop.stock(),
    alarms: (await shop.alarms()) - alarmsBefore,
  });
  const audit = await auditWhenSettled(look, options.waitMs);
  const settledMs = performance.now() - startMs;

  const speed = speedOf(latenciesMs, acceptedMs, settledMs);
  console.log(options.json ? asJson(speed, audit) : asTable(speed, audit));
  for (const difference of audit.differences.slice(0, 20)) console.error(`DIFFERS: ${difference}`);
  if (audit.differences.length === 0) console.error("Every order has one outcome and one mail, and the stock is right.");
  return audit.differences.length === 0 ? 0 : 1;
}

interface Sent {
  readonly accepted: ReadonlyMap<string, WantedOrder>;
  readonly latenciesMs: readonly number[];
}

/** So many customers at a time, each taking the next order from the one list. */
async function sendAll(shop: ShopClient, wanted: readonly WantedOrder[], concurrency: number): Promise<Sent> {
  const accepted = new Map<string, WantedOrder>();
  const latenciesMs: number[] = [];
  const queue = wanted.values();
  const customer = async (): Promise<void> => {
    for (const order of queue) {
      const startMs = performance.now();
      accepted.set(await shop.order(order), order);
      latenciesMs.push(performance.now() - startMs);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, customer));
  return { accepted, latenciesMs };
}

/** Looks again and again until the books are right; once every customer has an answer, not for much longer. */
async function auditWhenSettled(look: () => Promise<SaleFacts>, waitMs: number): Promise<Audit> {
  let until = performance.now() + waitMs;
  for (;;) {
    const facts = await look();
    const audit = auditSale(facts);
    if (audit.differences.length === 0 || performance.now() > until) return audit;
    if (isSettled(facts)) until = Math.min(until, performance.now() + GRACE_MS);
    await sleep(POLL_MS);
  }
}

function readOptions(): (Options & { readonly url: string; readonly start: boolean; readonly help: boolean }) | null {
  try {
    const { values } = parseArgs({
      options: {
        orders: { type: "string", default: "10000" },
        concurrency: { type: "string", default: "64" },
        url: { type: "string", default: "http://127.0.0.1:4800" },
        seed: { type: "string", default: "1" },
        wait: { type: "string", default: "300" },
        start: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    const { url, start, json, help } = values;
    const numbers = { orders: readCount("orders", values.orders), concurrency: readCount("concurrency", values.concurrency) };
    return { ...numbers, seed: readCount("seed", values.seed), waitMs: readCount("wait", values.wait) * 1_000, url, start, json, help };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    return null;
  }
}

process.exitCode = await main();
