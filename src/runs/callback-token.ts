import { createHash, createHmac } from "node:crypto";

/**
 * The token of a callback's address: made from what only this node knows, so that it need not be kept and is the same whenever the run is
 * run again. The store has its hash alone.
 */
export function callbackToken(secret: string, run: string, command: string): string {
  return createHmac("sha256", secret).update(`${run}\n${command}`).digest("base64url");
}

export function tokenHash(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}

/** The run of an Idempotency-Key: the same for the same key, and guessed by nobody, since the id is also its address. */
export function runIdOf(secret: string, flow: string, key: string): string {
  return createHmac("sha256", secret).update(`run\n${flow}\n${key}`).digest("base64url");
}
