import type { IncomingMessage } from "node:http";
import { MillraceError } from "../core/index.ts";
import type { RawHeaders } from "./raw-headers.ts";

/** Where a request wants to go. `url` is absolute; `path` is as it was sent, percent-encoded. */
export interface Target {
  readonly path: string;
  readonly url: string;
}

/**
 * An origin-form target that every URL parser reads alike: no fragment, no back-slash or quote that one would rewrite in the path, nothing
 * beyond ASCII. A query may hold more, since nothing is decided by it here. The classes exclude each other's
 * separators, so the match is linear.
 */
const PLAIN_TARGET = /^\/[!$->@-[\]-~]*(?:\?[!-"$-~]*)?$/;

const HOST = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/** Clients of one node name few hosts: what was checked once is not checked again, within a bound. */
const KNOWN_HOSTS = 256;

/** Reads request targets by hand: a URL object for each request would cost more than the rest of the gateway. */
export class TargetReader {
  private readonly origins = new Map<string, string>();

  /** The target, or why there is none. */
  read(request: IncomingMessage): Target | MillraceError {
    const target = request.url ?? "";
    if (namesHostTwice(request.rawHeaders)) return new MillraceError("bad_request", "the request has more than one Host header");
    const origin = this.originOf(request);
    if (origin === undefined) return new MillraceError("bad_request", `the Host header "${request.headers.host}" is no host and port`);
    if (PLAIN_TARGET.test(target)) return { path: pathOf(target), url: origin + target };
    if (target === "*" && request.method === "OPTIONS") return { path: "*", url: `${origin}/` };
    return readAbsolute(target) ?? badTarget(target);
  }

  private originOf(request: IncomingMessage): string | undefined {
    const host = request.headers.host;
    if (host === undefined || host === "") return localOrigin(request);
    const known = this.origins.get(host);
    if (known !== undefined) return known;
    const origin = `http://${host}`;
    if (!HOST.test(host) || !URL.canParse(origin)) return undefined;
    if (this.origins.size >= KNOWN_HOSTS) this.origins.clear();
    this.origins.set(host, origin);
    return origin;
  }
}

/** Node keeps the first; whoever stood before this door may have gone by the other (RFC 9112, 3.2). */
function namesHostTwice(headers: RawHeaders): boolean {
  let seen = false;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? "";
    if (name.length !== 4 || name.toLowerCase() !== "host") continue;
    if (seen) return true;
    seen = true;
  }
  return false;
}

function pathOf(target: string): string {
  const query = target.indexOf("?");
  return query === -1 ? target : target.slice(0, query);
}

/** The form that a client of a proxy sends; its host takes precedence over the header's (RFC 9112, 3.2.2). */
function readAbsolute(target: string): Target | undefined {
  const [, host, rest = ""] = /^http:\/\/([^/?#@]*)(.*)$/i.exec(target) ?? [];
  if (host === undefined || !HOST.test(host) || !URL.canParse(`http://${host}`)) return undefined;
  const plain = rest.startsWith("/") ? rest : `/${rest}`;
  return PLAIN_TARGET.test(plain) ? { path: pathOf(plain), url: `http://${host}${plain}` } : undefined;
}

function badTarget(target: string): MillraceError {
  const shown = target.length > 100 ? `${target.slice(0, 100)}…` : target;
  return new MillraceError("bad_request", `the request target ${JSON.stringify(shown)} cannot be read`, {
    cure: "Percent-encode the path and the query of the URL, without a fragment.",
  });
}

function localOrigin({ socket }: IncomingMessage): string {
  const address = socket.localAddress ?? "localhost";
  return `http://${address.includes(":") ? `[${address}]` : address}:${socket.localPort ?? 80}`;
}
