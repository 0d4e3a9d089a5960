/**
 * kv keys are ordered by their UTF-8 bytes, as the store orders them. That is the order of code points, not the one of
 * JavaScript's `<`, which puts the surrogates (U+10000 and up) before U+E000–U+FFFF.
 */
export function compareKeys(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Lifts surrogates above the rest of the 16-bit range. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x1_0000 : unit;
}
