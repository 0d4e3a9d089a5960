import { setTimeout as sleep } from "node:timers/promises";
import type { Sums } from "../sales.ts";

const PAUSE_MS = 100;
const PATIENCE_MS = 600_000;

/** The app over HTTP. It may be away for a while: what has no answer is asked again. */
export class TotalsClient {
  private readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** Begins the run, and does not wait for it. The key makes a repeated request the same run. */
  async begin(job: object): Promise<string> {
    const headers = { "content-type": "application/json", prefer: "respond-async", "idempotency-key": crypto.randomUUID() };
    const response = await this.ask("/totals", { method: "POST", headers, body: JSON.stringify(job) });
    return ((await response.json()) as { readonly id: string }).id;
  }

  /** What the run came to; null as long as it runs. */
  async result(run: string): Promise<{ readonly parts: number; readonly sums: Sums } | null> {
    const response = await this.ask(`/_/runs/${run}`, { headers: { prefer: "wait=0" } });
    const words = await response.text();
    if (response.status === 202) return null;
    if (!response.ok) throw new Error(`the run ${run}: ${response.status} ${words}`);
    return JSON.parse(words) as { readonly parts: number; readonly sums: Sums };
  }

  /** How often each part has been done, of those that have. */
  async counts(run: string): Promise<readonly number[]> {
    const all: number[] = [];
    let after = "";
    for (;;) {
      const response = await this.ask(`/totals/${run}/parts${after}`, {});
      const page = (await response.json()) as { readonly counts: readonly number[]; readonly next: string | null };
      all.push(...page.counts);
      if (page.next === null) return all;
      after = `?after=${encodeURIComponent(page.next)}`;
    }
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
