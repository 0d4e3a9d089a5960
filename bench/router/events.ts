/** The same events in the three forms in which one can be matched. */
export interface Events {
  readonly texts: readonly string[];
  readonly bytes: readonly Buffer[];
  readonly parsed: readonly object[];
}

export function toEvents(texts: readonly string[]): Events {
  return { texts, bytes: texts.map((text) => Buffer.from(text)), parsed: texts.map((text) => JSON.parse(text) as object) };
}

export function meanBytes({ bytes }: Events): number {
  return bytes.reduce((sum, { length }) => sum + length, 0) / bytes.length;
}
