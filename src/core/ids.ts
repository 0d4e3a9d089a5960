/**
 * Ids of the platform's own making: 128 bits as 26 characters of Crockford's base 32, time first (48 bits of
 * milliseconds), so that ids sort by their making. Random bytes are drawn 4 KiB at a time: one draw an id cost 1 µs.
 * node:crypto is loaded with the first id, since it adds 5 ms to the start of an instance.
 */
const ALPHABET = Buffer.from("0123456789ABCDEFGHJKMNPQRSTVWXYZ");
const STAMP_CHARS = 10;
const ID_CHARS = 26;
const POOL_BYTES = 4096;
const RANDOM_BYTES = 10;

let pool: Buffer = Buffer.alloc(0);
let used = POOL_BYTES;
/** The last id: put together from characters it was a tree of thirty strings, and made so it costs half. */
const text = Buffer.alloc(ID_CHARS);
let stampedMs = -1;

function randomBytes(sizeBytes: number): Buffer {
  return process.getBuiltinModule("node:crypto").randomBytes(sizeBytes);
}

export function newId(nowMs: number = Date.now()): string {
  if (used + RANDOM_BYTES > POOL_BYTES) {
    pool = randomBytes(POOL_BYTES);
    used = 0;
  }
  if (nowMs !== stampedMs) stamp(nowMs);
  for (let at = STAMP_CHARS; at < ID_CHARS; at += 8) {
    // Five bytes are eight characters; bits are taken from a number of at most 32 of them.
    const high = pool.readUInt8(used);
    let low = pool.readUInt32BE(used + 1);
    used += 5;
    for (let i = at + 7; i >= at + 2; i--) {
      text[i] = ALPHABET[low & 31] ?? 0;
      low >>>= 5;
    }
    const rest = (high << 2) | low;
    text[at] = ALPHABET[(rest >> 5) & 31] ?? 0;
    text[at + 1] = ALPHABET[rest & 31] ?? 0;
  }
  return text.toString("latin1");
}

/** The time's ten characters. Ids come many in a millisecond: made anew for each, these were two thirds of an id's cost. */
function stamp(nowMs: number): void {
  stampedMs = nowMs;
  for (let i = 0; i < STAMP_CHARS; i++) text[i] = ALPHABET[Math.floor(nowMs / 32 ** (STAMP_CHARS - 1 - i)) % 32] ?? 0;
}

/** An unguessable secret for tokens: 256 bits. */
export function newSecret(): string {
  return randomBytes(32).toString("base64url");
}
