/**
 * Matches, look-ups and objects are counted so far and then from one again. Whole numbers beyond 31 bits are no longer kept in the
 * object itself: a node counts that far in a day, and would be slower from then on.
 */
export const COUNT_TO = 2 ** 30;
