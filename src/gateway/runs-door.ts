import { MillraceError, toError } from "../core/index.ts";
import { toValueText } from "../protocol/value-text.ts";
import { answerOfRun } from "../runs/run-answer.ts";
import type { CallbackAnswered, CallbackOutcome, Runs } from "../runs/runs.ts";
import { callbackPage, donePage } from "./callback-page.ts";
import type { Exchange } from "./exchange.ts";
import { answer, type CallDoor } from "./function-call.ts";
import { readPreference, sendAccepted } from "./run-preference.ts";

export type GatewayRuns = Pick<Runs, "http" | "ended" | "answer">;

const RUNS = "/_/runs/";
const CALLBACKS = "/_/callbacks/";
const BODY_BYTES = 1024 * 1024;
/** As callback-token.ts makes them; what looks different is not asked for. */
const TOKEN = /^([A-Za-z0-9_-]{43})(\/fail)?$/;

/** `/_/runs/<id>` tells what a run came to, `POST /_/callbacks/<token>` completes what one waits for. The addresses are the keys to both. */
export class RunsDoor {
  private readonly runs: GatewayRuns;
  private readonly door: Pick<CallDoor, "observer" | "progress">;

  constructor(runs: GatewayRuns, door: Pick<CallDoor, "observer" | "progress">) {
    this.runs = runs;
    this.door = door;
  }

  handles(path: string): boolean {
    return path.startsWith(RUNS) || path.startsWith(CALLBACKS);
  }

  async handle(exchange: Exchange, path: string): Promise<void> {
    try {
      if (path.startsWith(RUNS)) await this.run(exchange, decodeURIComponent(path.slice(RUNS.length)));
      else await this.callback(exchange, path.slice(CALLBACKS.length));
    } catch (thrown) {
      this.refuse(
        exchange,
        thrown instanceof MillraceError ? thrown : new MillraceError("internal", toError(thrown).message, { cause: thrown }),
      );
    }
  }

  private async run(exchange: Exchange, id: string): Promise<void> {
    if (exchange.method !== "GET" && exchange.method !== "HEAD") return this.refuseMethod(exchange, ["GET", "HEAD"]);
    const preference = readPreference(exchange.request.headers["prefer"], 0);
    const run = await this.runs.ended(id, preference.waitMs, exchange.departure);
    if (run === null) throw new MillraceError("not_found", "there is no such run", { cure: "Runs are kept for as long as events are." });
    if (run.state === "done" || run.state === "failed" || run.state === "cancelled")
      answer(exchange, answerOfRun(run.id, run.state, run.value));
    else sendAccepted(exchange, run.id, preference);
  }

  private async callback(exchange: Exchange, rest: string): Promise<void> {
    const [, token, fails] = TOKEN.exec(rest) ?? [];
    if (token === undefined) throw unknown();
    const wantsPage = exchange.request.headers.accept?.includes("text/html") === true;
    if (exchange.method === "GET" || exchange.method === "HEAD") {
      // Whoever only follows links (a mail scanner, a preview) completes nothing.
      if (wantsPage) return callbackPage(exchange);
      return this.refuseMethod(exchange, ["POST"]);
    }
    if (exchange.method !== "POST") return this.refuseMethod(exchange, ["POST"]);
    const body = await this.body(exchange);
    if (body === null) return;
    const outcome = fails === undefined ? completed(body, exchange) : failed(body, exchange);
    const end = await this.runs.answer(token, outcome);
    if (wantsPage) donePage(exchange, end);
    else this.told(exchange, end, fails !== undefined);
  }

  private told(exchange: Exchange, end: CallbackAnswered, fails: boolean): void {
    switch (end) {
      case "taken":
      case "repeated": {
        const told = { status: fails ? "failed" : "completed", ...(end === "repeated" ? { repeated: true } : {}) };
        const headers = ["content-type", "application/json", "cache-control", "no-store"];
        exchange.sendBytes({ status: 200, statusText: "", headers }, Buffer.from(JSON.stringify(told)));
        return;
      }
      case "late":
        throw new MillraceError("callback_answered", "this callback has been completed with another answer");
      case "over":
        throw new MillraceError("callback_over", "the run does not wait for this callback any more");
      case "unknown":
        throw unknown();
      default:
        end satisfies never;
    }
  }

  /** Null: it was refused, or its sender has left. */
  private async body(exchange: Exchange): Promise<Uint8Array | null> {
    if (!exchange.hasBody) return new Uint8Array();
    const body = exchange.openBody(BODY_BYTES);
    if (body instanceof MillraceError) throw body;
    this.door.progress.watchBody(body);
    const collected = await body.collect(BODY_BYTES, null);
    if (collected.kind === "whole") return collected.bytes;
    if (collected.kind === "failed") throw collected.error;
    if (collected.kind === "more") throw new MillraceError("too_large", "the answer to a callback has at most 1 MiB");
    return null;
  }

  private refuseMethod(exchange: Exchange, allow: readonly string[]): void {
    const error = new MillraceError("method_not_allowed", `${exchange.method} is not one of ${allow.join(", ")}`);
    this.door.observer.refused("http", error.code);
    exchange.sendError(error, { headers: ["allow", allow.join(", ")] });
  }

  private refuse(exchange: Exchange, error: MillraceError): void {
    this.door.observer.refused("http", error.code);
    exchange.sendError(error);
  }
}

/** The token is not repeated: errors are logged. */
function unknown(): MillraceError {
  return new MillraceError("not_found", "there is no such callback");
}

function completed(body: Uint8Array, exchange: Exchange): CallbackOutcome {
  const made = toValueText(valueOf(body, exchange));
  if (!made.ok) throw new MillraceError("bad_json", made.what);
  return { ok: true, value: made.text };
}

function failed(body: Uint8Array, exchange: Exchange): CallbackOutcome {
  const value = valueOf(body, exchange);
  const message = typeof value === "object" && value !== null && "message" in value ? value.message : value;
  return { ok: false, message: typeof message === "string" && message !== "" ? message : "the callback was failed" };
}

function valueOf(body: Uint8Array, exchange: Exchange): unknown {
  const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString("utf8");
  // Nothing said is an answer all the same; null would look like the timeout.
  if (text === "") return {};
  const isForm = exchange.request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded") === true;
  // `curl -d '{…}'` calls JSON a form.
  if (isForm && !/^\s*[[{]/.test(text)) return Object.fromEntries(new URLSearchParams(text));
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new MillraceError("bad_json", `the answer to a callback is JSON: ${toError(error).message}`);
  }
}
