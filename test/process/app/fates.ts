/** What becomes of an id, known to the functions that suffer it and to the model that predicts it. */

export const STOCK = 100;

function draw(purpose: string, id: string): number {
  let hash = 0x811c9dc5;
  for (const letter of `${purpose}/${id}`) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  // The last letters of a plain FNV-1a hardly reach its upper bits, and ids differ in their last letters.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** How many attempts fail before one goes well. */
export function failuresOf(fn: string, id: string): number {
  const drawn = draw(fn, id) % 20;
  if (drawn === 0) return 2;
  return drawn < 4 ? 1 : 0;
}

export function doomOf(id: string): "fatal" | "exhausted" | "none" {
  const drawn = draw("doom", id) % 20;
  if (drawn === 0) return "fatal";
  return drawn === 1 ? "exhausted" : "none";
}
