import type { Leaf, Pattern } from "./pattern.ts";

/** What a matcher can hold, whatever dialect it was written in. */
export interface Rule {
  /** Every event that the rule matches also matches this pattern; undefined: nothing is known beforehand. */
  readonly implied: Pattern | undefined;
  /** Decides what `implied` leaves open; undefined where the pattern says it all (rule and pattern are equivalent). */
  readonly guard: Guard | undefined;
}

export interface Guard {
  /** The context attributes (top-level fields of the event) that it reads. */
  readonly attributes: readonly string[];
  /** Must be pure, must never throw, may ask no matcher. `read` gives the attribute as JSON has it, undefined if it is absent. */
  readonly test: (read: (name: string) => Leaf | undefined) => boolean;
}
