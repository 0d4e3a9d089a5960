import { isIP, isIPv4 } from "node:net";
import { MillraceError } from "./errors.ts";

/** Whether only this machine can reach a door that is bound there. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, "$1");
  if (name === "localhost" || name === "::1") return true;
  const v4 = name.startsWith("::ffff:") ? name.slice("::ffff:".length) : name;
  return isIPv4(v4) && v4.startsWith("127.");
}

/** A door beyond loopback needs a token: there is no network that is trusted for being one's own. */
export function refuseOpenDoor(door: string, host: string, token: string | null, flag: string): void {
  if (token !== null || isLoopback(host)) return;
  throw new MillraceError("open_door", `the ${door} cannot be bound to ${host} without a token: whoever reaches it could use it`, {
    cure: `Set a token with ${flag} before binding beyond loopback.`,
  });
}

/**
 * Whether a Host header can only mean an address that was asked for as such. A web page can make its own name lead to
 * 127.0.0.1, and is then of one origin with the door; it cannot do so with a number or with `localhost`.
 */
export function isUnspoofableHost(hostHeader: string | undefined): boolean {
  if (hostHeader === undefined || hostHeader === "") return true;
  const name = hostHeader
    .replace(/:\d+$/, "")
    .replace(/^\[(.*)\]$/, "$1")
    .toLowerCase();
  return isIP(name) !== 0 || name === "localhost" || name.endsWith(".localhost");
}
