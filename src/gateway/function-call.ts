import type { IncomingMessage } from "node:http";
import { type LeaveSignal, MillraceError, type Observer } from "../core/index.ts";
import type { Delivery, HttpRequest, HttpResult } from "../delivery/delivery.ts";
import type { HttpHead } from "../protocol/index.ts";
import type { ClientProgress } from "./client-progress.ts";
import type { Exchange } from "./exchange.ts";
import type { GatewayLimits } from "./gateway-limits.ts";
import { readPreference, sendAccepted } from "./run-preference.ts";
import type { Runs } from "../runs/runs.ts";
import { endToEnd } from "./raw-headers.ts";
import type { RequestBody } from "./request-body.ts";

export interface CallDoor {
  readonly delivery: Delivery;
  /** Null where nothing runs flows. */
  readonly runs: Pick<Runs, "http"> | null;
  readonly observer: Observer;
  readonly limits: GatewayLimits;
  readonly progress: ClientProgress;
}

/** A request on its way to a function. */
class FunctionCall implements HttpRequest {
  readonly fn: string;
  readonly head: HttpHead;
  readonly idempotencyKey: string | null;
  body: HttpRequest["body"] = null;
  /** The function is a flow: the request begins a run. */
  isFlow = false;
  private readonly exchange: Exchange;

  constructor(exchange: Exchange, fn: string, head: HttpHead, idempotencyKey: string | null) {
    this.exchange = exchange;
    this.fn = fn;
    this.head = head;
    this.idempotencyKey = idempotencyKey;
  }

  get signal(): LeaveSignal {
    return this.exchange.departure;
  }
}

/** Runs the function and sends what comes of it. */
export function callFunction(
  door: CallDoor,
  exchange: Exchange,
  route: { readonly fn: string; readonly params: Readonly<Record<string, string>>; readonly isFlow: boolean },
  url: string,
): void {
  const { request, method } = exchange;
  const key = isSafe(method) ? null : readIdempotencyKey(request);
  if (key instanceof MillraceError) {
    refuse(door, exchange, key);
    return;
  }
  const headers = endToEnd(request.rawHeaders, request.headers.connection);
  const call = new FunctionCall(exchange, route.fn, { method, url, headers, params: route.params }, key);
  call.isFlow = route.isFlow;
  if (exchange.hasBody) void readThenRun(door, exchange, call);
  else run(door, exchange, call);
}

async function readThenRun(door: CallDoor, exchange: Exchange, call: FunctionCall): Promise<void> {
  const { limits, progress } = door;
  const body = exchange.openBody(call.isFlow ? Math.min(limits.bodyBytes, RUN_BODY_BYTES) : limits.bodyBytes);
  if (body instanceof MillraceError) {
    refuse(door, exchange, body);
    return;
  }
  progress.watchBody(body);
  if (call.isFlow) {
    await collectWhole(door, exchange, call, body);
    return;
  }
  if (body.declaredBytes !== null && body.declaredBytes > limits.collectBytes) {
    call.body = body.stream();
    run(door, exchange, call);
    return;
  }
  await collectThenRun(door, exchange, call, body);
}

/** What begins a run is kept with it: it comes whole. */
async function collectWhole(door: CallDoor, exchange: Exchange, call: FunctionCall, body: RequestBody): Promise<void> {
  const collected = await body.collect(RUN_BODY_BYTES, null);
  if (collected.kind === "whole") {
    call.body = collected.bytes;
    run(door, exchange, call);
  } else if (collected.kind === "failed") refuse(door, exchange, collected.error);
  else if (collected.kind === "more")
    refuse(door, exchange, new MillraceError("too_large", "a request that begins a run has at most 1 MiB"));
}

const RUN_BODY_BYTES = 1024 * 1024;

async function collectThenRun(door: CallDoor, exchange: Exchange, call: FunctionCall, body: RequestBody): Promise<void> {
  const { collectBytes, collectMs } = door.limits;
  // A body of known length comes to its end, or is cut off; one in chunks may be a conversation.
  const collected = await body.collect(collectBytes, body.declaredBytes === null ? collectMs : null);
  switch (collected.kind) {
    case "whole":
      call.body = collected.bytes;
      return run(door, exchange, call);
    case "more":
      call.body = body.stream();
      return run(door, exchange, call);
    case "failed":
      return refuse(door, exchange, collected.error);
    case "left":
      return undefined;
    default:
      return collected satisfies never;
  }
}

function run(door: CallDoor, exchange: Exchange, call: FunctionCall): void {
  if (call.isFlow && door.runs !== null) {
    void beginRun(door.runs, exchange, call);
    return;
  }
  door.delivery.http(call).then(
    (result) => answer(exchange, result),
    (thrown: unknown) => exchange.sendError(internal(thrown)),
  );
}

async function beginRun(runs: Pick<Runs, "http">, exchange: Exchange, call: FunctionCall): Promise<void> {
  const preference = readPreference(exchange.request.headers["prefer"], DEFAULT_WAIT_MS);
  try {
    const result = await runs.http(call, preference.waitMs);
    if (result.kind === "accepted") sendAccepted(exchange, result.id, preference);
    else answer(exchange, result);
  } catch (thrown) {
    exchange.sendError(internal(thrown));
  }
}

/** How long a request to a flow waits for its run unless it says. */
const DEFAULT_WAIT_MS = 10_000;

export function answer(exchange: Exchange, result: HttpResult): void {
  if (result.kind === "failed") {
    const error = exchange.bodyFault ?? result.error;
    const { invocation, retryAfterMs } = result;
    exchange.sendError(error, { headers: [INVOCATION, invocation], retryAfterMs, invocation });
    return;
  }
  const { head, body } = result;
  const headers = [...head.headers, INVOCATION, result.invocation];
  if (result.replayed) headers.push("idempotent-replayed", "true");
  const whole = { status: head.status, statusText: head.statusText, headers };
  if (body instanceof Uint8Array) exchange.sendBytes(whole, body);
  else exchange.sendStream(whole, body, result.discard);
}

const INVOCATION = "millrace-invocation";

function refuse(door: CallDoor, exchange: Exchange, error: MillraceError): void {
  door.observer.refused("http", error.code);
  exchange.sendError(error);
}

function internal(thrown: unknown): MillraceError {
  return thrown instanceof MillraceError ? thrown : new MillraceError("internal", "the call could not be made", { cause: thrown });
}

function isSafe(method: string): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS";
}

const LONGEST_KEY = 255;
const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;
const BARE = /^[\x21\x23-\x7e][\x20-\x7e]*$/;

/** The key as a structured string (`"…"`) or as it stands; both name the same key. */
function readIdempotencyKey(request: IncomingMessage): string | null | MillraceError {
  const given = request.headers["idempotency-key"];
  if (given === undefined) return null;
  const all = request.headersDistinct["idempotency-key"];
  const text = all?.length === 1 ? (all[0] ?? "").trim() : "";
  const quoted = QUOTED.exec(text)?.[1]?.replace(/\\(["\\])/g, "$1");
  const key = quoted ?? (BARE.test(text) ? text : "");
  if (key !== "" && key.length <= LONGEST_KEY) return key;
  return new MillraceError("bad_request", `the Idempotency-Key header must hold one key of 1 to ${LONGEST_KEY} ASCII characters`);
}
