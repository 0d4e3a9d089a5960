/**
 * What event-ruler (the matcher behind Amazon EventBridge, Java) does on the same rules: its events/s over those of JSON.parse on the
 * lots of its own benchmark. Figures of an earlier measurement, not of this run. Its own benchmark of rules together (COMBO)
 * takes nine of the fourteen sets, 45 rules; ours takes all 70.
 */
const MULTIPLES: Readonly<Record<string, number>> = {
  EXACT: 1.65,
  PREFIX: 1.57,
  SUFFIX: 1.41,
  EQUALS_IGNORE_CASE: 1.48,
  WILDCARD: 1.23,
  NUMERIC: 1.0,
  ANYTHING_BUT: 0.91,
  COMPLEX_ARRAYS: 0.21,
  all: 0.12,
};

/** Null for kinds of which no figure is known. */
export function eventRulerMultiple(kind: string): number | null {
  return MULTIPLES[kind] ?? null;
}
