import { STOCK } from "./app/fates.ts";
import { pause } from "./node-process.ts";
import type { Item, Sent } from "./model.ts";
import { Random } from "./random.ts";

/** What the senders met, for the report. */
export interface Tally {
  requests: number;
  acknowledged: number;
  givenUp: number;
  /** Repetitions of acknowledged requests, and how many of all the answers said so. */
  repeated: number;
  duplicates: number;
  /** Attempts without an answer: the connection was refused or broke. */
  broken: number;
  /** Answers other than 202, by status and code. */
  refused: Record<string, number>;
}

export interface Load {
  readonly gateway: string;
  readonly seed: number;
  readonly senders: number;
  /** The longest pause between two requests of one sender. */
  readonly pauseMs: number;
}

/** The answers that a client of a node which comes and goes has to expect. Anything else ends the run. */
const EXPECTED_STATUSES = new Set([502, 503]);
/** More orders than there is stock, from the start of the run to its end. */
const SHOPPERS = 2;
const SALE_ORDERS = STOCK + 60;
const SHOPPER_PAUSES = 4;
const IMPATIENT_SHARE = 0.1;
const REPEAT_SHARE = 0.05;
const RETRY_MS = 40;
const ANSWER_MS = 20_000;

type Answer = { readonly kind: "accepted"; readonly duplicate: boolean; readonly answeredBy: string | null } | { readonly kind: "again" };

/**
 * Clients as they should be: each repeats the same request until it is acknowledged. A few give up at the first failure, as clients also do,
 * and a few repeat what was acknowledged.
 */
export class Senders {
  readonly sent: Sent[] = [];
  readonly tally: Tally = { requests: 0, acknowledged: 0, givenUp: 0, repeated: 0, duplicates: 0, broken: 0, refused: {} };
  private readonly load: Load;
  private readonly work: Promise<unknown>;
  private stopping = false;
  private abandoned = false;
  private failure: Error | null = null;

  constructor(load: Load) {
    this.load = load;
    const senders = Array.from({ length: load.senders }, (_, n) => this.send(`s${n}`, new Random(load.seed * 1000 + n)));
    const shoppers = Array.from({ length: SHOPPERS }, (_, n) => this.shop(`f${n}`, new Random(load.seed * 1000 + 500 + n)));
    this.work = Promise.all(
      [...senders, ...shoppers].map((work) =>
        work.catch((thrown: unknown) => {
          this.failure ??= thrown instanceof Error ? thrown : new Error(String(thrown));
        }),
      ),
    );
  }

  /** Resolves once the last request of every sender is acknowledged (or given up). Call it while the node serves. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.work;
    if (this.failure !== null) throw this.failure;
  }

  /** Ends without its acknowledgements, when the run has failed already. */
  async abandon(): Promise<void> {
    this.stopping = true;
    this.abandoned = true;
    await this.work;
  }

  /** Resolves when so many more requests were acknowledged. */
  async acknowledges(count: number, limitMs = 30_000): Promise<void> {
    const wanted = this.tally.acknowledged + count;
    const until = Date.now() + limitMs;
    while (this.tally.acknowledged < wanted) {
      if (this.failure !== null) throw this.failure;
      if (Date.now() > until) throw new Error(`${count} acknowledgements did not come within ${limitMs} ms: ${JSON.stringify(this.tally)}`);
      await pause(10);
    }
  }

  private async send(name: string, random: Random): Promise<void> {
    for (let n = 0; !this.stopping && this.failure === null; n++) {
      await this.make(requestOf(`${name}-${n}`, random), random);
      await pause(random.next() * this.load.pauseMs);
    }
  }

  /** The flash sale: its orders are placed all of them, however short the run is. */
  private async shop(name: string, random: Random): Promise<void> {
    for (let n = 0; n < SALE_ORDERS / SHOPPERS && !this.abandoned && this.failure === null; n++) {
      await this.make(orderOf(`${name}-${n}`, "flash", random), random);
      if (!this.stopping) await pause(random.next() * this.load.pauseMs * SHOPPER_PAUSES);
    }
  }

  private async make(request: Outgoing, random: Random): Promise<void> {
    this.tally.requests++;
    const accepted = await this.deliver(request, random);
    this.sent.push({
      items: request.items,
      outcome: accepted === null ? "given up" : "acknowledged",
      answeredBy: accepted?.answeredBy ?? null,
    });
    if (accepted === null) this.tally.givenUp++;
    else this.tally.acknowledged++;
    if (accepted !== null && random.chance(REPEAT_SHARE)) await this.repeat(request, accepted.answeredBy);
  }

  private async deliver(request: Outgoing, random: Random): Promise<Extract<Answer, { kind: "accepted" }> | null> {
    const isImpatient = random.chance(IMPATIENT_SHARE);
    for (;;) {
      const answer = await this.attempt(request);
      if (answer.kind === "accepted") return answer;
      if (isImpatient) return null;
      if (this.abandoned) throw new Error("the run was given up");
      await pause(RETRY_MS);
    }
  }

  /** What was acknowledged is asked for again: it must be known, and an order's answer must be the first one's. */
  private async repeat(request: Outgoing, answeredBy: string | null): Promise<void> {
    this.tally.repeated++;
    for (;;) {
      const answer = await this.attempt(request);
      if (answer.kind === "accepted") {
        const id = request.items[0]?.id;
        if (!answer.duplicate) throw new Error(`${id} was acknowledged, and taken for new when it was repeated`);
        if (answer.answeredBy !== answeredBy) throw new Error(`${id} was answered by ${answeredBy}, then by ${answer.answeredBy}`);
        return;
      }
      if (this.abandoned) throw new Error("the run was given up");
      await pause(RETRY_MS);
    }
  }

  private async attempt({ path, headers, body, items }: Outgoing): Promise<Answer> {
    const response = await fetch(this.load.gateway + path, { method: "POST", headers, body, signal: AbortSignal.timeout(ANSWER_MS) }).then(
      async (response) => ({ status: response.status, headers: response.headers, text: await response.text() }),
      () => null,
    );
    if (response === null) {
      this.tally.broken++;
      return { kind: "again" };
    }
    if (response.status !== 202) return this.refused(response.status, response.text);
    const duplicate = response.headers.has("millrace-duplicate") || response.headers.has("idempotent-replayed");
    if (duplicate) this.tally.duplicates++;
    const answeredBy = items[0]?.kind === "order" ? (JSON.parse(response.text) as { by: string }).by : null;
    return { kind: "accepted", duplicate, answeredBy };
  }

  private refused(status: number, text: string): Answer {
    const code = /"code":"(\w+)"/.exec(text)?.[1] ?? "none";
    const name = `${status} ${code}`;
    this.tally.refused[name] = (this.tally.refused[name] ?? 0) + 1;
    // The first try of an order may still run when its connection has broken; an instance may be killed while it loads.
    const isOurDoing = code === "idempotency_in_progress" || (code === "load_failed" && text.includes("SIGKILL"));
    if (EXPECTED_STATUSES.has(status) || isOurDoing) return { kind: "again" };
    throw new Error(`an answer that nobody should get: ${status} ${text}`);
  }
}

interface Outgoing {
  readonly items: readonly Item[];
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

function requestOf(name: string, random: Random): Outgoing {
  const drawn = random.next();
  if (drawn < 0.25) return orderOf(name, null, random);
  return drawn < 0.6 ? singleOf(name, random) : batchOf(name, random);
}

function orderOf(id: string, sku: Item["sku"], random: Random): Outgoing {
  const item: Item = { id, kind: "order", account: "none", group: random.pick(["a", "c"]), sku };
  return {
    items: [item],
    path: "/order",
    headers: { "content-type": "application/json", "idempotency-key": id },
    body: JSON.stringify(item),
  };
}

function singleOf(id: string, random: Random): Outgoing {
  const item = eventItem(id, random);
  const headers = { "content-type": "application/cloudevents+json" };
  return { items: [item], path: "/_/events", headers, body: JSON.stringify(cloudEvent(item)) };
}

function batchOf(name: string, random: Random): Outgoing {
  const items = Array.from({ length: random.whole(2, 8) }, (_, n) => eventItem(`${name}.${n}`, random));
  const headers = { "content-type": "application/cloudevents-batch+json" };
  return { items, path: "/_/events", headers, body: JSON.stringify(items.map(cloudEvent)) };
}

function eventItem(id: string, random: Random): Item {
  return { id, kind: "event", account: `acc${random.whole(0, 9)}`, group: random.pick(["a", "b", "c", "d"]), sku: null };
}

function cloudEvent(item: Item): object {
  return { specversion: "1.0", id: item.id, source: "/process", type: "load.event", datacontenttype: "application/json", data: item };
}
