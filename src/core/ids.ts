/**
 * Ids of the platform's own making: 128 bits as 26 characters of Crockford's base 32, time first (48 bits of
 * milliseconds), so that ids sort by their making. Random bytes are drawn 4 KiB at a time: one draw an id cost 1 µs.
 * node:crypto is loaded with the first id, since it adds 5 ms to the start of an instance.
 */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const POOL_BYTES = 4096;
const RANDOM_BYTES = 10;

let pool: Buffer = Buffer.alloc(0);
let used = POOL_BYTES;

function randomBytes(sizeBytes: number): Buffer {
  return process.getBuiltinModule("node:crypto").randomBytes(sizeBytes);
}

export function newId(nowMs: number = Date.now()): string {
  if (used + RANDOM_BYTES > POOL_BYTES) {
    pool = randomBytes(POOL_BYTES);
    used = 0;
  }
  let id = stampOf(nowMs);
  for (let half = 0; half < 2; half++) {
    const high = pool.readUInt8(used);
    let low = pool.readUInt32BE(used + 1);
    used += 5;
    let chars = "";
    for (let i = 0; i < 6; i++) {
      chars = ALPHABET.charAt(low & 31) + chars;
      low >>>= 5;
    }
    const rest = (high << 2) | low;
    id += ALPHABET.charAt((rest >> 5) & 31) + ALPHABET.charAt(rest & 31) + chars;
  }
  return id;
}

let stampedMs = -1;
let stamp = "";

/** The time's ten characters. Ids come many in a millisecond: made anew for each, these were two thirds of an id's cost. */
function stampOf(nowMs: number): string {
  if (nowMs === stampedMs) return stamp;
  stampedMs = nowMs;
  stamp = "";
  for (let shift = 45; shift >= 0; shift -= 5) stamp += ALPHABET[Math.floor(nowMs / 2 ** shift) % 32];
  return stamp;
}

/** An unguessable secret for tokens: 256 bits. */
export function newSecret(): string {
  return randomBytes(32).toString("base64url");
}
