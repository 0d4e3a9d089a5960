import type { Delivery, HttpRequest, HttpResult, IngestResult, Ingested } from "../../delivery/delivery.ts";

/** What stands behind the gateway in its tests: it does what the test says, and remembers what it was asked. */
export class ScriptedDelivery implements Delivery {
  readonly requests: HttpRequest[] = [];
  readonly ingested: (readonly Ingested[])[] = [];
  onHttp: (request: HttpRequest) => HttpResult | Promise<HttpResult> = () => answered("hello");
  onIngest: (events: readonly Ingested[]) => IngestResult | Promise<IngestResult> = (events) => ({
    kind: "accepted",
    events: events.map((_, seq) => ({ seq, duplicate: false })),
  });

  async http(request: HttpRequest): Promise<HttpResult> {
    this.requests.push(request);
    return this.onHttp(request);
  }

  async ingest(events: readonly Ingested[]): Promise<IngestResult> {
    this.ingested.push(events);
    return this.onIngest(events);
  }

  /** The one request there was. */
  get request(): HttpRequest {
    const [only, ...others] = this.requests;
    if (only === undefined || others.length > 0) throw new Error(`${this.requests.length} calls were made, not one`);
    return only;
  }

  readonly use = unasked;
  readonly invoke = unasked;
  readonly redrive = unasked;
  readonly purge = unasked;
  readonly settled = unasked;
  readonly stats = unasked;
}

function unasked(): never {
  throw new Error("the gateway has no business here");
}

type Answered = Extract<HttpResult, { kind: "answered" }>;

export function answered(
  body: string | Answered["body"],
  more: { status?: number; statusText?: string; headers?: readonly string[]; replayed?: boolean; discard?: () => void } = {},
): HttpResult {
  return {
    kind: "answered",
    invocation: "inv-1",
    head: { status: more.status ?? 200, statusText: more.statusText ?? "", headers: more.headers ?? ["content-type", "text/plain"] },
    body: typeof body === "string" ? Buffer.from(body) : body,
    discard: more.discard ?? (() => {}),
    replayed: more.replayed ?? false,
  };
}
