import type { Random } from "../../test/process/random.ts";

/** So many of all lots have a value that `draw` makes. */
export interface Card<T> {
  readonly lots: number;
  readonly draw: () => T;
}

/** The lots that event-ruler's match counts are counts of. */
export const ALL_LOTS = 213_068;

/**
 * `count` values in random order. Each card stands there as often as its share of all lots asks, and at least once, so that no rule
 * goes without a match: what is rarer than one in `count` is met too often. `other` fills up the rest.
 */
export function deal<T>(count: number, cards: readonly Card<T>[], other: () => T, random: Random): T[] {
  const values = cards.flatMap(({ lots, draw }) => Array.from({ length: timesOf(lots, count) }, draw));
  while (values.length < count) values.push(other());
  return shuffled(values, random);
}

function timesOf(lots: number, count: number): number {
  return Math.max(1, Math.round((lots / ALL_LOTS) * count));
}

function shuffled<T>(values: readonly T[], random: Random): T[] {
  return values
    .map((value) => ({ value, place: random.next() }))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value);
}
