import { readFile } from "node:fs/promises";
import { parseArgs, parseEnv } from "node:util";
import { copyApp } from "../driving/app-copy.ts";
import { isAppThere } from "../driving/app-there.ts";
import { OwnNode } from "../driving/own-node.ts";
import { readCount } from "../driving/read-count.ts";
import { buyingDay } from "./day/buying-day.ts";
import { asTable } from "./day/report.ts";
import { MailSink } from "./world/mail-sink.ts";
import { randomMoods } from "./world/moods.ts";
import { PaymentService } from "./world/payment-service.ts";

const HELP = `Sends many orders through a checkout whose payment service and mail server fail, and balances the books.

  npm run example:payments -- --start            with a node of its own, which goes away afterwards
  npm run example:payments -- --start --kill     the same, and the node is killed a few times in between
  npm run example:payments -- [options]          against a running "millrace start examples/payments", with an empty store

  --orders N        how many orders (2000)
  --concurrency N   how many at a time (50)
  --kills N         how often --kill kills (3)
  --url URL         where the shop is (http://127.0.0.1:4800)
  --seed N          which customers come, and what goes wrong (1)
  --json            the result as JSON

Exit codes: 0 every order was captured, reserved and mailed once, or nothing of it; 1 something differs; 2 wrong options, or no app there.`;

interface Options {
  readonly start: boolean;
  readonly kills: number;
  readonly url: string;
  readonly orders: number;
  readonly concurrency: number;
  readonly seed: number;
  readonly json: boolean;
  readonly help: boolean;
}

const APP = new URL(".", import.meta.url);

async function main(): Promise<number> {
  const given = readOptions();
  if (given === null) return 2;
  if (given.help) {
    console.log(HELP);
    return 0;
  }
  return given.start ? withOwnNode(given) : withNodeThere(given);
}

async function withOwnNode(options: Options): Promise<number> {
  const moods = randomMoods(options.seed);
  await using payments = await PaymentService.start(moods);
  await using mails = await MailSink.start(moods);
  await using app = await copyApp(APP, { PAYMENTS_URL: payments.url, SMTP_PORT: String(mails.port) });
  await using node = await OwnNode.start(app.folder);
  return await play(options, { shopUrl: node.url, payments, mails, crash: () => node.crash() });
}

/** That node has the addresses of `.env`, so this puts the services there. */
async function withNodeThere(options: Options): Promise<number> {
  if (!(await isAppThere(options.url, "examples/payments"))) return 2;
  const { PAYMENTS_URL = "", SMTP_PORT } = parseEnv(await readFile(new URL(".env", APP), "utf8"));
  const moods = randomMoods(options.seed);
  await using payments = await PaymentService.start(moods, Number(new URL(PAYMENTS_URL).port));
  await using mails = await MailSink.start(moods, Number(SMTP_PORT));
  return await play(options, { shopUrl: options.url, payments, mails, crash: () => Promise.resolve() });
}

type World = Pick<Parameters<typeof buyingDay>[0], "shopUrl" | "payments" | "mails" | "crash">;

async function play(options: Options, world: World): Promise<number> {
  console.error(`${options.orders} orders, ${options.concurrency} at a time …`);
  const report = await buyingDay({ ...options, ...world });
  console.log(options.json ? JSON.stringify(report, null, 2) : asTable(report));
  for (const difference of report.differences.slice(0, 20)) console.error(`DIFFERS: ${difference}`);
  if (report.differences.length > 0) return 1;
  console.error("Every order was captured, reserved and mailed once, or nothing of it was.");
  return 0;
}

function readOptions(): Options | null {
  try {
    const { values } = parseArgs({
      options: {
        start: { type: "boolean", default: false },
        kill: { type: "boolean", default: false },
        kills: { type: "string", default: "3" },
        orders: { type: "string", default: "2000" },
        concurrency: { type: "string", default: "50" },
        url: { type: "string", default: "http://127.0.0.1:4800" },
        seed: { type: "string", default: "1" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    const { start, kill, url, json, help } = values;
    if (kill && !start) throw new Error("--kill kills only a node of its own: say --start as well");
    const numbers = { orders: readCount("orders", values.orders), concurrency: readCount("concurrency", values.concurrency) };
    const kills = kill ? readCount("kills", values.kills) : 0;
    return { ...numbers, kills, seed: readCount("seed", values.seed), start, url, json, help };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    return null;
  }
}

process.exitCode = await main();
