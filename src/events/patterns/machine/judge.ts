import { anyOf, type Predicate } from "../predicate.ts";
import type { Test } from "../test.ts";
import { type Leaves, NONE, TEXT } from "./leaves.ts";
import { toUtf8 } from "./utf8.ts";

/** It does not hold; it does; or it does only where the leaf in sight stands in an element of an array that others do not choose (P29). */
export const FAILS = 0;
export const HOLDS = 1;
export const MAYBE = 2;
export type Verdict = typeof FAILS | typeof HOLDS | typeof MAYBE;

/** Judges the leaves of a field by the tests of a condition, without the index: for conditions that no branch hangs on. */
export class Judge {
  private readonly mayBeAbsent: boolean;
  /** The one string that it wants, where it wants no more: compared as bytes, so that no string is made. */
  private readonly exact: Uint8Array | null;
  private readonly holds: Predicate;

  constructor(tests: readonly Test[], mayBeAbsent: boolean) {
    this.mayBeAbsent = mayBeAbsent;
    this.exact = exactTextOf(tests);
    this.holds = anyOf(tests);
  }

  judge(leaves: Leaves, first: number): Verdict {
    if (first === NONE) return this.mayBeAbsent ? HOLDS : FAILS;
    const { exact, holds } = this;
    for (let leaf = first; leaf !== NONE; leaf = leaves.next(leaf)) {
      if (exact === null ? holds(leaves.value(leaf)) : isText(leaves, leaf, exact)) return HOLDS;
    }
    return this.mayBeAbsent ? MAYBE : FAILS;
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
