import { createHmac, timingSafeEqual } from "node:crypto";

/** What GitHub puts into `x-hub-signature-256`. */
export function sign(secret: string, body: Uint8Array): string {
  return `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
}

/** In constant time: how long it takes says nothing about how much of a guess was right. */
export function isSigned(secret: string, body: Uint8Array, signature: string | null): boolean {
  const expected = Buffer.from(sign(secret, body));
  const given = Buffer.from(signature ?? "");
  return given.length === expected.length && timingSafeEqual(given, expected);
}
