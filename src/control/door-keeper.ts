import { createHash, timingSafeEqual } from "node:crypto";
import { MillraceError } from "../core/errors.ts";
import { isLoopback } from "../core/loopback.ts";

/**
 * Who may come in (C3 to C6). Nobody is trusted for being on loopback: functions and every page in a browser are there
 * too. Host is checked against DNS rebinding, Origin against other pages, the token against everybody.
 */
export interface Caller {
  readonly path: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly authorization: string | undefined;
  /** The address of this machine to which the caller connected. */
  readonly localAddress: string | undefined;
}

export interface DoorRules {
  readonly token: string;
  /** Bound to loopback only: then what says nothing private is open. */
  readonly loopback: boolean;
  /** Further names under which the door is called, lower case. */
  readonly names: ReadonlySet<string>;
}

/** Probes and metrics, and the page that says what this door is. */
const OPEN_PATHS = new Set(["/", "/healthz", "/readyz", "/metrics"]);

/** Why the caller may not come in, or undefined. */
export function refusal(caller: Caller, rules: DoorRules): MillraceError | undefined {
  const host = caller.host === undefined ? undefined : hostName(caller.host);
  if (host === undefined || !isOwnName(host, caller, rules)) {
    return new MillraceError("forbidden", `this door is not called ${JSON.stringify(caller.host ?? "")} (its Host header)`, {
      cure: "Call it as localhost or by the address it listens on.",
    });
  }
  if (caller.origin !== undefined && !isOwnOrigin(caller.origin, caller.host ?? "")) {
    return new MillraceError("forbidden", `pages of ${JSON.stringify(caller.origin)} may not use this door (its Origin header)`);
  }
  if (rules.loopback && OPEN_PATHS.has(caller.path)) return undefined;
  return hasToken(caller.authorization, rules.token)
    ? undefined
    : new MillraceError("unauthorized", caller.authorization === undefined ? "the token is missing" : "the token is wrong");
}

function isOwnName(host: string, caller: Caller, rules: DoorRules): boolean {
  if (isLoopback(host) || rules.names.has(host)) return true;
  // An address cannot be rebound; the one that was called is the door's own.
  return caller.localAddress !== undefined && host.replace(/^\[|\]$/g, "") === caller.localAddress.replace(/^::ffff:/, "");
}

/** The name in `name:port`, lower case, or undefined when it is none. */
function hostName(host: string): string | undefined {
  return /^(\[[0-9a-f:.]+\]|[^:[\]/@\s]+)(?::\d{1,5})?$/i.exec(host)?.[1]?.toLowerCase();
}

function isOwnOrigin(origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}

function hasToken(authorization: string | undefined, token: string): boolean {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
  // Digests have one length, so that neither the length nor the place of the first difference shows in time.
  return given !== undefined && timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
