const MOST_CHARACTERS = 60;

/** A value in the middle of a sentence: as JSON, shortened where it is long. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS)}…`;
}
