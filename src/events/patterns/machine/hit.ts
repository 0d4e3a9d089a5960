import type { ByteWildcard } from "./byte-wildcard.ts";
import type { SharedCondition } from "./shared-condition.ts";

/**
 * What the index finds for a leaf: a condition that it satisfies, or (`except`) one of the things that an `anything-but` excludes.
 * A wildcard is filed under one of its literals and has still to be tried. Hits that are filed under the same thing hang on one another.
 */
export class Hit {
  readonly condition: SharedCondition;
  readonly except: Except | null;
  readonly wildcard: ByteWildcard | null;
  next: Hit | null = null;
  /** Of a chain's first: the look-up that met it last, where it may be met more than once. */
  metIn = 0;

  /** Without a condition it is one itself. */
  constructor(condition: SharedCondition | null, except: Except | null, wildcard: ByteWildcard | null) {
    this.condition = condition ?? (this as Hit as SharedCondition);
    this.except = except;
    this.wildcard = wildcard;
  }
}

/** One `anything-but` of a condition: it holds for the leaves that none of its hits finds. */
export class Except {
  readonly condition: SharedCondition;
  /** Its place in the index's list. */
  slot = 0;
  /** The number of the look-up that found something excluded. */
  excludedIn = 0;

  constructor(condition: SharedCondition) {
    this.condition = condition;
  }
}

/** The chain without a condition's hits. */
export function without(chain: Hit | null, condition: SharedCondition): Hit | null {
  let first = chain;
  while (first !== null && first.condition === condition) first = first.next;
  for (let hit = first; hit !== null;) {
    if (hit.next !== null && hit.next.condition === condition) hit.next = hit.next.next;
    else hit = hit.next;
  }
  return first;
}

export function chained(hit: Hit, chain: Hit | null | undefined): Hit {
  hit.next = chain ?? null;
  return hit;
}

/** How many hang together, counted up to a few: enough to prefer the rarer of two. */
export function lengthOf(chain: Hit | null | undefined, most: number): number {
  let length = 0;
  for (let hit = chain ?? null; hit !== null && length < most; hit = hit.next) length++;
  return length;
}
