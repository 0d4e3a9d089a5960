import { setTimeout as sleep } from "node:timers/promises";
import type { Mail } from "../functions/mails.ts";
import type { Page } from "../page.ts";
import type { OrderRecord } from "../progress.ts";
import type { WantedOrder } from "./plan.ts";

const PAGE = 500;
const MOST_TRIES = 20;

/** The shop over HTTP, as a customer and a curious accountant see it. */
export class ShopClient {
  private readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  async setStock(sku: string, count: number): Promise<void> {
    await this.call(`/stock/${sku}`, { method: "POST", body: String(count) });
  }

  async stock(): Promise<ReadonlyMap<string, number>> {
    const products = (await this.call("/stock")) as readonly { readonly sku: string; readonly left: number }[];
    return new Map(products.map(({ sku, left }) => [sku, left]));
  }

  async order(wanted: WantedOrder): Promise<string> {
    const answer = await this.call("/orders", { method: "POST", body: JSON.stringify(wanted) });
    return (answer as { readonly accepted: string }).accepted;
  }

  orders(ids: ReadonlySet<string>): Promise<ReadonlyMap<string, OrderRecord>> {
    return this.collect("/orders", ids, (order: OrderRecord) => order.id);
  }

  mails(ids: ReadonlySet<string>): Promise<ReadonlyMap<string, readonly Mail[]>> {
    return this.collect("/mails", ids, (mails: readonly Mail[]) => mails[0]?.order ?? "");
  }

  async alarms(): Promise<number> {
    return ((await this.call("/alarms")) as readonly unknown[]).length;
  }

  /** Page by page, newest first, until everything that is looked for was found or nothing is left. */
  private async collect<Item>(path: string, ids: ReadonlySet<string>, idOf: (item: Item) => string): Promise<ReadonlyMap<string, Item>> {
    const found = new Map<string, Item>();
    let after = "";
    do {
      const page = (await this.call(`${path}?limit=${PAGE}${after}`)) as Page<Item>;
      for (const item of page.items) if (ids.has(idOf(item))) found.set(idOf(item), item);
      after = page.next === null ? "" : `&after=${encodeURIComponent(page.next)}`;
    } while (after !== "" && found.size < ids.size);
    return found;
  }

  /** A 503 says that nothing was done and when to come back: so this does. */
  private async call(path: string, init: RequestInit = {}): Promise<unknown> {
    for (let tries = 1; ; tries++) {
      const response = await fetch(this.url + path, { ...init, headers: { "content-type": "application/json" } });
      if (response.ok) return response.json();
      const words = await response.text();
      if (response.status !== 503 || tries === MOST_TRIES) throw new Error(`${path} answered ${response.status}: ${words}`);
      await sleep(Number(response.headers.get("retry-after") ?? 1) * 1_000);
    }
  }
}
