import type { RuleBranch } from "./rule-branch.ts";

/** From so many on a set tells faster than a list whether one is there. */
const MANY = 16;

/**
 * Rules that want one text and nothing else, and that share neither it nor their id with another: the commonest rules, and those of which
 * there are most. The index answers with their number, and the number with the id: no condition and no branch is looked at, of which each
 * would be a trip to memory when there are a hundred thousand. Everything is kept for them as for the others, so that they can become like
 * those at any time.
 */
export class Straight {
  /** By number; the first is none. */
  private readonly ids: unknown[] = [null];
  private readonly ordinals: number[] = [0];
  private readonly free: number[] = [];
  /** What the match has found, each once. */
  private readonly found: number[] = [];
  private known: Set<number> | null = null;

  take({ id, ordinal }: RuleBranch): number {
    const number = this.free.pop() ?? this.ids.length;
    this.ids[number] = id;
    this.ordinals[number] = ordinal;
    return number;
  }

  giveBack(number: number): void {
    this.ids[number] = null;
    this.free.push(number);
  }

  begin(): void {
    if (this.found.length > 0) this.found.length = 0;
    this.known = null;
  }

  /** A list may hold one text many times. */
  find(number: number): void {
    const { found } = this;
    if (found.length < MANY) {
      if (found.includes(number)) return;
    } else {
      this.known ??= new Set(found);
      if (this.known.has(number)) return;
      this.known.add(number);
    }
    found.push(number);
  }

  /** Adds what was found to ids and the places that they have in the answer. */
  collect(ids: unknown[], ordinals: number[]): void {
    for (const number of this.found) {
      ids.push(this.ids[number]);
      ordinals.push(this.ordinals[number] as number);
    }
  }
}
