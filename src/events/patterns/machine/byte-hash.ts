/** Nobody outside can know which texts fall together: an attacker's rules would make long chains otherwise. */
export const HASH_SEED = Math.trunc(Math.random() * 0x7fffffff);

/** FNV-1a, one byte at a time: so all beginnings of a text are hashed on the way to its end. */
export function hashStep(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}

export function hashForwards(bytes: Uint8Array): number {
  let hash = HASH_SEED;
  for (const byte of bytes) hash = hashStep(hash, byte);
  return hash;
}

/** From the last byte to the first: so all endings of a text are hashed in one go. */
export function hashBackwards(bytes: Uint8Array): number {
  let hash = HASH_SEED;
  for (let i = bytes.length - 1; i >= 0; i--) hash = hashStep(hash, bytes[i] as number);
  return hash;
}
