import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { Ledger, type LedgerRequest } from "./ledger.ts";
import type { Moods, NoticeTimes } from "./moods.ts";

const NOTICE_TRIES = 20;
const NOTICE_PAUSE_MS = 250;

type Body = LedgerRequest["body"] & { readonly notify?: string };

/** Somebody else's payment service: real HTTP, and no better than those are. */
export class PaymentService implements AsyncDisposable {
  readonly ledger = new Ledger();
  readonly url: string;
  private readonly server: Server;
  private readonly moods: Moods;
  /** Requests and notices that are under way, also those that nobody waits for any more. */
  private readonly pending = new Set<Promise<void>>();

  private constructor(server: Server, moods: Moods) {
    const address = server.address();
    this.url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
    this.server = server;
    this.moods = moods;
    server.on("request", (request, response) => this.track(this.serve(request, response)));
  }

  static async start(moods: Moods, port = 0): Promise<PaymentService> {
    const server = createServer().listen(port, "127.0.0.1");
    await once(server, "listening");
    return new PaymentService(server, moods);
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    while (this.pending.size > 0) await Promise.all(this.pending);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.idle();
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, , reference = "", what] = (request.url ?? "").split("/").map(decodeURIComponent);
    if (what === undefined) {
      const { captures, cents } = this.ledger.entry(reference);
      return answer(response, 200, { captured: captures * cents });
    }
    const body = (await json(request)) as Body;
    const mood = this.moods.service();
    if (mood.kind === "fails") return answer(response, 503, { reason: "try again later" });
    if (mood.kind === "late") await sleep(mood.ms);
    const key = String(request.headers["idempotency-key"] ?? crypto.randomUUID());
    const { status, body: told } = this.ledger.apply(key, { what, reference, body });
    if (status === 202 && body.notify !== undefined) this.notifyAt(this.moods.notice(), body.notify, reference);
    if (mood.kind === "hangs up") request.socket.destroy();
    else answer(response, status, told);
  }

  private notifyAt(times: NoticeTimes, url: string, reference: string): void {
    for (const ms of times) this.track(sleep(ms).then(() => this.notify(url, reference)));
  }

  /** Until somebody has heard it: any answer will do. */
  private async notify(url: string, reference: string): Promise<void> {
    const { captures, cents } = this.ledger.entry(reference);
    const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ captured: captures * cents }) };
    for (let tries = 1; tries <= NOTICE_TRIES; tries++) {
      const heard = await fetch(url, init).then(
        (response) => response.status !== 503,
        () => false,
      );
      if (heard) return;
      await sleep(NOTICE_PAUSE_MS);
    }
  }

  private track(work: Promise<void>): void {
    const tracked = work.finally(() => this.pending.delete(tracked));
    this.pending.add(tracked);
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
