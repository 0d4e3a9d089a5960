import type { IpAddress, IpBlock } from "./ip.ts";
import type { Leaf } from "./pattern.ts";
import type { Starred } from "./wildcard.ts";

/**
 * One alternative of a condition as data: what it asks of a leaf. `predicate.ts` makes a function of it for those who have a
 * leaf in hand; the machine files it under what it looks for.
 */
export type Test = TextTest | ExceptTest | OtherTest;

/** What looks at the characters of a string. With `fold` the text is folded and letter case counts for nothing. */
export type TextTest =
  | { readonly kind: "text"; readonly text: string; readonly fold: boolean }
  | { readonly kind: "prefix"; readonly text: string; readonly fold: boolean }
  | { readonly kind: "suffix"; readonly text: string; readonly fold: boolean }
  | { readonly kind: "wildcard"; readonly wildcard: Starred };

/** `anything-but`: none of these. */
export interface ExceptTest {
  readonly kind: "except";
  readonly tests: readonly (TextTest | NumberTest)[];
}

/** A closed range of doubles: an open end is the next double inwards. */
export interface RangeTest {
  readonly kind: "range";
  readonly low: number;
  readonly high: number;
}

export interface NumberTest {
  readonly kind: "number";
  readonly value: number;
}

type OtherTest =
  | NumberTest
  | RangeTest
  | { readonly kind: "word"; readonly value: Extract<Leaf, boolean | null> }
  | { readonly kind: "ip"; readonly text: string; readonly address: IpAddress }
  | { readonly kind: "cidr"; readonly block: IpBlock }
  | { readonly kind: "present" }
  /** `exists: false`: asks that there be no leaf. */
  | { readonly kind: "absent" };
