import { setTimeout as sleep } from "node:timers/promises";
import type { Order } from "../order.ts";
import type { Reservation } from "../stock.ts";

const PATIENCE_MS = 120_000;
const PAUSE_MS = 100;

export interface Outcome {
  /** `pending`: the run had not ended when our patience had. */
  readonly end: "sold" | "given up" | "pending";
  readonly tookMs: number;
}

export interface Booked {
  readonly run: string;
  readonly order: string;
}

/** The shop over HTTP. It may be away for a while: what has no answer is asked again. */
export class ShopClient {
  private readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** The key makes a repeated order the same run; a run that goes on after the answer is asked at its own address. */
  async buy(order: Order): Promise<Outcome> {
    const startMs = performance.now();
    const headers = { "content-type": "application/json", "idempotency-key": order.id, prefer: "wait=10" };
    let response = await this.ask("/checkout", { method: "POST", headers, body: JSON.stringify(order) });
    while (response.status === 202 && performance.now() - startMs < PATIENCE_MS)
      response = await this.ask(response.headers.get("location") ?? "", { headers: { prefer: "wait=10" } });
    return { end: await endOf(response), tookMs: performance.now() - startMs };
  }

  async setStock(sku: string, count: number): Promise<void> {
    await this.json(`/stock/${sku}`, { method: "POST", body: String(count) });
  }

  stock(): Promise<Readonly<Record<string, number>>> {
    return this.json("/stock");
  }

  reservations(): Promise<readonly (Booked & Reservation)[]> {
    return this.book("reservation");
  }

  paid(): Promise<readonly (Booked & { readonly cents: number })[]> {
    return this.book("paid");
  }

  private async book<Entry>(name: string): Promise<readonly Entry[]> {
    const all: Entry[] = [];
    let after = "";
    for (;;) {
      const page: { entries: readonly Entry[]; next: string | null } = await this.json(`/books/${name}${after}`);
      all.push(...page.entries);
      if (page.next === null) return all;
      after = `?after=${encodeURIComponent(page.next)}`;
    }
  }

  private async json<T>(path: string, init: RequestInit = {}): Promise<T> {
    const response = await this.ask(path, init);
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as T;
  }

  private async ask(path: string, init: RequestInit): Promise<Response> {
    const untilMs = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        const response = await fetch(this.url + path, init);
        if (response.status !== 503) return response;
        await response.arrayBuffer();
      } catch (error) {
        if (performance.now() > untilMs) throw error;
      }
      await sleep(PAUSE_MS);
    }
  }
}

async function endOf(response: Response): Promise<Outcome["end"]> {
  const words = await response.text();
  if (response.status === 202) return "pending";
  if (response.status === 200) return "sold";
  if (response.status === 500 && words.includes('"run_failed"')) return "given up";
  throw new Error(`/checkout answered ${response.status}: ${words}`);
}
