import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { MillraceError, toError } from "../core/index.ts";
import type { IngestResult } from "../delivery/delivery.ts";
import { type Decoded, decodeHttp, type EventHeaders } from "../events/index.ts";
import type { Exchange } from "./exchange.ts";
import type { CallDoor } from "./function-call.ts";
import { isUnspoofableHost } from "../core/loopback.ts";
import type { RawHeaders } from "./raw-headers.ts";

/** `POST /_/events`: CloudEvents from outside (SPEC.md G20 to G26). */
export class EventsDoor {
  private readonly door: CallDoor;
  private readonly tokenDigest: Buffer | undefined;

  constructor(door: CallDoor, token: string | null) {
    this.door = door;
    this.tokenDigest = token === null ? undefined : digest(token);
  }

  async handle(exchange: Exchange): Promise<void> {
    const refusal = this.refusalOf(exchange);
    if (refusal !== undefined) {
      this.refuse(exchange, refusal);
      return;
    }
    const bytes = await this.readBody(exchange);
    if (bytes !== undefined) await this.ingest(exchange, bytes);
  }

  private refusalOf({ request, method }: Exchange): MillraceError | undefined {
    if (method !== "POST") return new MillraceError("method_not_allowed", `/_/events takes POST, not ${method}`);
    return this.strangerRefusal(request) ?? encodingRefusal(request.headers["content-encoding"]);
  }

  private strangerRefusal({ headers }: IncomingMessage): MillraceError | undefined {
    const { authorization, origin, host } = headers;
    if (this.tokenDigest === undefined) return forgeryRefusal({ origin, host, site: headers["sec-fetch-site"] });
    if (isBearer(authorization, this.tokenDigest)) return undefined;
    return new MillraceError("unauthorized", "/_/events wants the token", {
      cure: "Send the token as `Authorization: Bearer …`: the one the node was started with (--events-token).",
    });
  }

  private async readBody(exchange: Exchange): Promise<Uint8Array | undefined> {
    if (!exchange.hasBody) return new Uint8Array();
    const { limits, progress } = this.door;
    const body = exchange.openBody(limits.batchBytes);
    if (body instanceof MillraceError) {
      this.refuse(exchange, body);
      return undefined;
    }
    progress.watchBody(body);
    const collected = await body.collect(Infinity, null);
    if (collected.kind === "failed") this.refuse(exchange, collected.error);
    return collected.kind === "whole" ? collected.bytes : undefined;
  }

  private async ingest(exchange: Exchange, bytes: Uint8Array): Promise<void> {
    const decoded = decodeHttp(eventHeaders(exchange.request.rawHeaders), bytes, { maxEventBytes: this.door.limits.eventBytes });
    if (decoded.kind === "refused") {
      const details = decoded.details.length === 0 ? {} : { details: decoded.details };
      this.refuse(exchange, new MillraceError(decoded.code, decoded.message, details));
      return;
    }
    const result = await this.hand(decoded);
    if (result.kind === "refused") this.refuse(exchange, result.error);
    else sendAccepted(exchange, decoded.kind, result.events);
  }

  private async hand(decoded: Exclude<Decoded, { kind: "refused" }>): Promise<IngestResult> {
    try {
      return await this.door.delivery.ingest(decoded.events);
    } catch (thrown) {
      const error = thrown instanceof MillraceError ? thrown : new MillraceError("internal", toError(thrown).message, { cause: thrown });
      return { kind: "refused", error };
    }
  }

  private refuse(exchange: Exchange, error: MillraceError): void {
    this.door.observer.refused("events", error.code);
    exchange.sendError(error, { headers: challenge(error), retryAfterMs: error.status === 503 ? RETRY_AFTER_MS : null });
  }
}

const RETRY_AFTER_MS = 1000;

function challenge(error: MillraceError): RawHeaders {
  if (error.code === "unauthorized") return ["www-authenticate", "Bearer"];
  return error.code === "method_not_allowed" ? ["allow", "POST"] : [];
}

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

/** Digests have one length, so the comparison tells nothing about the token, not even how long it is. */
function isBearer(authorization: string | undefined, tokenDigest: Buffer): boolean {
  const [, token] = /^Bearer +(\S+) *$/i.exec(authorization ?? "") ?? [];
  return token !== undefined && timingSafeEqual(digest(token), tokenDigest);
}

/**
 * Without a token, a web page anywhere could make its visitor's browser send events to the visitor's own machine. A browser says in these
 * headers that a page is behind a request; programs send none of them.
 */
function forgeryRefusal(from: {
  origin: string | undefined;
  host: string | undefined;
  site: string | string[] | undefined;
}): MillraceError | undefined {
  const { origin, host, site } = from;
  if (!isUnspoofableHost(host)) {
    return new MillraceError("forbidden", `/_/events has no token, so it is not open under the name ${JSON.stringify(host)}`, {
      cure: "Call it by IP address or as localhost, or set a token.",
    });
  }
  if (site !== undefined && site !== "same-origin" && site !== "none") {
    return new MillraceError("forbidden", "a web page of another site cannot send events here");
  }
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
    return new MillraceError("forbidden", `a web page of ${JSON.stringify(origin)} cannot send events here`);
  }
  return undefined;
}

function encodingRefusal(encoding: string | undefined): MillraceError | undefined {
  if (encoding === undefined || encoding.toLowerCase() === "identity") return undefined;
  return new MillraceError("unsupported_media_type", `events in Content-Encoding ${JSON.stringify(encoding)} are not taken`, {
    cure: "Send the body as it is, without a Content-Encoding.",
  });
}

/** What belongs to the event. Node joins or drops repeated headers, and so would hide that an attribute came twice. */
function eventHeaders(rawHeaders: RawHeaders): EventHeaders {
  const headers: Record<string, string | string[]> = Object.create(null);
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? "").toLowerCase();
    if (!name.startsWith("ce-") && name !== "content-type") continue;
    const value = rawHeaders[i + 1] ?? "";
    const earlier = headers[name];
    headers[name] = earlier === undefined ? value : [...(typeof earlier === "string" ? [earlier] : earlier), value];
  }
  return headers;
}

/** More indexes than this are not listed: headers have a limit at the other end too. */
const LISTED_INDEXES = 200;

function sendAccepted(exchange: Exchange, kind: "one" | "batch", events: readonly { readonly duplicate: boolean }[]): void {
  const repeated: number[] = [];
  for (const [index, { duplicate }] of events.entries()) if (duplicate) repeated.push(index);
  const headers = ["content-type", "application/json; charset=utf-8"];
  if (repeated.length > 0) headers.push("millrace-duplicate", duplicateHeader(kind, repeated));
  const body = JSON.stringify({ accepted: events.length, duplicates: repeated.length });
  exchange.sendBytes({ status: 202, statusText: "", headers }, Buffer.from(body));
}

function duplicateHeader(kind: "one" | "batch", repeated: readonly number[]): string {
  if (kind === "one") return "true";
  const listed = repeated.slice(0, LISTED_INDEXES).join(",");
  return repeated.length > LISTED_INDEXES ? `${listed},...` : listed;
}
