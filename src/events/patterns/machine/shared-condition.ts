import type { Condition } from "../condition.ts";
import type { Predicate } from "../predicate.ts";
import type { Test } from "../test.ts";
import type { Field } from "./field.ts";
import type { Filed } from "./field-index.ts";
import { type Leaves, NONE, TEXT } from "./leaves.ts";
import { Peers } from "./peers.ts";
import { toUtf8 } from "./utf8.ts";

/** It does not hold; it does; or it does only where the leaf in sight stands in an element of an array that others do not choose (P29). */
export const FAILS = 0;
export const HOLDS = 1;
export const MAYBE = 2;
export type Verdict = typeof FAILS | typeof HOLDS | typeof MAYBE;

/**
 * A condition of however many rules, kept once: what was found out about it in a match is known to all. Its peers are the branches
 * that hang on this one of their conditions: nobody looks at them before it holds.
 */
export class SharedCondition extends Peers {
  readonly field: Field;
  /** Under which its field knows it. */
  readonly key: string;
  readonly mayBeAbsent: boolean;
  /** How many branches have it at all. */
  uses = 0;
  /** What the index keeps, while some branch hangs on it. */
  filed: Filed | null = null;
  /** The match in which it was found to hold last. */
  firedIn = 0;
  private readonly condition: Condition;
  /** The bytes of the one string that it wants, where it wants no more. */
  private exact: Uint8Array | null | undefined;
  private judgedIn = 0;
  private verdict: Verdict = FAILS;

  constructor(field: Field, key: string, condition: Condition) {
    super();
    this.field = field;
    this.key = key;
    this.condition = condition;
    this.mayBeAbsent = condition.mayBeAbsent;
  }

  get tests(): readonly Test[] {
    return this.condition.tests;
  }

  /** Looked at by itself, whatever holds beside it in the same element of an array. */
  judge(leaves: Leaves): Verdict {
    if (this.judgedIn !== leaves.serial) {
      this.judgedIn = leaves.serial;
      this.verdict = this.findOut(leaves);
    }
    return this.verdict;
  }

  private findOut(leaves: Leaves): Verdict {
    if (this.firedIn === leaves.serial) return HOLDS;
    const first = leaves.first(this.field);
    if (first === NONE) return this.mayBeAbsent ? HOLDS : FAILS;
    if (this.exact === undefined) this.exact = exactTextOf(this.tests);
    const { exact } = this;
    for (let leaf = first; leaf !== NONE; leaf = leaves.next(leaf)) {
      if (exact === null ? this.holds(leaves.value(leaf)) : isText(leaves, leaf, exact)) return HOLDS;
    }
    return this.mayBeAbsent ? MAYBE : FAILS;
  }

  private get holds(): Predicate {
    return this.condition.holds;
  }
}

function exactTextOf(tests: readonly Test[]): Uint8Array | null {
  const [test] = tests;
  return tests.length === 1 && test?.kind === "text" && !test.fold ? toUtf8(test.text) : null;
}

function isText(leaves: Leaves, leaf: number, text: Uint8Array): boolean {
  const start = leaves.start(leaf);
  if (leaves.kind(leaf) !== TEXT || leaves.end(leaf) - start !== text.length) return false;
  const { bytes } = leaves.buffer;
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text[i]) return false;
  return true;
}
