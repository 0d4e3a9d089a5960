import { MillraceError } from "../core/errors.ts";
import type { Delivery, HttpResult } from "../delivery/delivery.ts";
import { RouteTable } from "../gateway/route-table.ts";
import type { FunctionManifest, HttpMethod } from "../protocol/manifest.ts";
import type { Runs } from "../runs/runs.ts";
import type { LogLine } from "../store/store.ts";
import { valueTextOf } from "./given-value.ts";
import type { InvokeAnswer, InvokeBody } from "./shapes.ts";

export interface InvokeRooms {
  readonly delivery: Delivery;
  readonly runs: Pick<Runs, "begin" | "http">;
  /** The lines of one invocation, as far as they are known. */
  linesOf(invocation: string): readonly LogLine[];
  now(): number;
}

/** One call by hand: as an HTTP request when a request is described or nothing else would wake the function. */
export async function invoke(fn: FunctionManifest, body: InvokeBody, signal: AbortSignal, rooms: InvokeRooms): Promise<InvokeAnswer> {
  const onlyHttp = fn.triggers.length > 0 && fn.triggers.every(({ kind }) => kind === "http");
  if (onlyHttp || body.request !== undefined) return await invokeHttp(fn, body, signal, rooms);
  return fn.flow === undefined ? await invokeEvent(fn.name, body.data ?? null, rooms) : await invokeFlow(fn.name, body.data ?? null, rooms);
}

/** A run may go on for months: nobody waits for it here. */
async function invokeFlow(flow: string, data: unknown, rooms: InvokeRooms): Promise<InvokeAnswer> {
  const { id } = await rooms.runs.begin({ flow, input: valueTextOf(data, "data"), id: null });
  return { outcome: "begun", invocation: id, run: id, logs: rooms.linesOf(id) };
}

async function invokeEvent(fn: string, data: unknown, rooms: InvokeRooms): Promise<InvokeAnswer> {
  const result = await rooms.delivery.invoke(fn, data);
  const { invocation, delivery } = result;
  const logs = rooms.linesOf(invocation);
  switch (result.kind) {
    case "done":
      return { outcome: "done", invocation, delivery, ranMs: result.ranMs, logs };
    case "retrying":
      return { outcome: "retrying", invocation, delivery, error: onlyError(result.error), dueMs: result.dueMs, logs };
    case "dead":
      return { outcome: "dead", invocation, delivery, error: onlyError(result.error), logs };
    default:
      return result satisfies never;
  }
}

function onlyError({ name, message, stack }: { name: string; message: string; stack: string | null }): {
  name: string;
  message: string;
  stack: string | null;
} {
  return { name, message, stack };
}

async function invokeHttp(fn: FunctionManifest, body: InvokeBody, signal: AbortSignal, rooms: InvokeRooms): Promise<InvokeAnswer> {
  const { method, url, params } = target(fn, body);
  const hasBody = body.data !== undefined;
  if (hasBody && (method === "GET" || method === "HEAD"))
    throw new MillraceError("bad_request", `a ${method} request has no body: leave data out`);
  const headers = Object.entries(body.request?.headers ?? {}).flatMap(([name, value]) => [name.toLowerCase(), value]);
  if (hasBody && !headers.some((text, i) => i % 2 === 0 && text === "content-type")) headers.push("content-type", "application/json");
  const startedMs = rooms.now();
  const request = {
    fn: fn.name,
    head: { method, url, headers, params },
    body: hasBody ? Buffer.from(JSON.stringify(body.data)) : null,
    idempotencyKey: null,
    signal,
  };
  const result = fn.flow === undefined ? await rooms.delivery.http(request) : await rooms.runs.http(request, FLOW_WAIT_MS);
  if (result.kind !== "accepted") return await showResult(result, startedMs, rooms);
  return { outcome: "begun", invocation: result.id, run: result.id, logs: rooms.linesOf(result.id) };
}

async function showResult(result: HttpResult, startedMs: number, rooms: InvokeRooms): Promise<InvokeAnswer> {
  const { invocation } = result;
  if (result.kind === "failed") {
    const { code, message, cure } = result.error;
    return { outcome: "failed", invocation, code, message, cure, tookMs: rooms.now() - startedMs, logs: rooms.linesOf(invocation) };
  }
  const bytes = await collect(result.body, result.discard);
  const text = asText(bytes);
  return {
    outcome: "answered",
    invocation,
    status: result.head.status,
    headers: pairs(result.head.headers),
    text,
    base64: text === null ? Buffer.from(bytes).toString("base64") : null,
    tookMs: rooms.now() - startedMs,
    logs: rooms.linesOf(invocation),
  };
}

/** The request line, by default that of the function's first HTTP trigger. */
function target(fn: FunctionManifest, body: InvokeBody): { method: string; url: string; params: Readonly<Record<string, string>> } {
  const routes = fn.triggers.filter((trigger) => trigger.kind === "http");
  const first = routes[0];
  if (first === undefined) throw new MillraceError("bad_request", `${fn.name} has no HTTP trigger: call it with data alone`);
  const path = body.request?.path ?? first.path;
  if (body.request?.path === undefined && /\/(?::|\*)/.test(path)) {
    throw new MillraceError("bad_request", `${fn.name} answers at ${path}: say which path to call`);
  }
  const url = URL.parse(path, "http://localhost");
  if (url === null || url.host !== "localhost" || !path.startsWith("/"))
    throw new MillraceError("bad_request", `${JSON.stringify(path)} is no path`);
  const method = body.request?.method?.toUpperCase() ?? standardMethod(first.method, body.data !== undefined);
  const found = new RouteTable([fn]).match(method, url.pathname);
  if (found.kind === "function") return { method, url: url.href, params: found.params };
  const known = routes.map((route) => `${route.method} ${route.path}`).join(", ");
  throw new MillraceError("bad_request", `${fn.name} does not answer ${method} ${url.pathname}, but ${known}`);
}

function standardMethod(method: HttpMethod, hasData: boolean): string {
  if (method !== "ANY") return method;
  return hasData ? "POST" : "GET";
}

/** As long as the gateway waits unless its caller prefers otherwise. */
const FLOW_WAIT_MS = 10_000;

/** An answer shown to a person, not a download. */
const MAX_ANSWER_BYTES = 1024 * 1024;

async function collect(body: Uint8Array | AsyncIterable<Uint8Array>, discard: () => void): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return body;
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes <= MAX_ANSWER_BYTES) continue;
    discard();
    throw new MillraceError("too_large", "the function answered with more than 1 MiB: call it at the gateway");
  }
  return Buffer.concat(chunks);
}

function asText(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

function pairs(headers: readonly string[]): (readonly string[])[] {
  const result: (readonly string[])[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) result.push([headers[i] ?? "", headers[i + 1] ?? ""]);
  return result;
}
