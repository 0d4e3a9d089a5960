import type { Condition } from "../condition.ts";
import type { Test } from "../test.ts";
import type { BranchList } from "./branch-list.ts";
import type { Field } from "./field.ts";
import type { Filed } from "./field-index.ts";
import { Hit } from "./hit.ts";
import { FAILS, HOLDS, Judge, type Verdict } from "./judge.ts";
import type { Leaves } from "./leaves.ts";
import type { RuleBranch } from "./rule-branch.ts";

/**
 * A condition of however many rules, kept once: what was found out about it in a match is known to all. Branches hang on one of their
 * conditions; nobody looks at them before it holds. With a single thing to look for it is its own hit in the index.
 */
export class SharedCondition extends Hit implements BranchList {
  /** The match in which it was found to hold last. What every match that meets it reads stands first, side by side. */
  firedIn = 0;
  /** The branches that hang on it. */
  first: RuleBranch | null = null;
  count = 0;
  readonly field: Field;
  /** Under which its field knows it. */
  readonly key: string;
  readonly mayBeAbsent: boolean;
  /** How many branches have it at all. */
  uses = 0;
  /** What the index keeps, while some branch hangs on it. */
  filed: Filed | null = null;
  /** The match in which it was judged last. */
  private judgedIn = 0;
  private verdict: Verdict = FAILS;
  private judgement: Judge | null = null;
  /** A list, or the only one. */
  private readonly asked: Test | readonly Test[];

  constructor(field: Field, key: string, { tests, mayBeAbsent }: Condition) {
    super(null, null, null);
    this.field = field;
    this.key = key;
    this.mayBeAbsent = mayBeAbsent;
    this.asked = tests.length === 1 ? (tests[0] as Test) : tests;
  }

  get tests(): readonly Test[] {
    return "kind" in this.asked ? [this.asked] : this.asked;
  }

  /** By itself, whatever holds beside it in the same element of an array. */
  judge(leaves: Leaves): Verdict {
    const { serial } = leaves;
    if (this.firedIn === serial) return HOLDS;
    if (this.judgedIn === serial) return this.verdict;
    this.judgedIn = serial;
    this.judgement ??= new Judge(this.tests, this.mayBeAbsent);
    this.verdict = this.judgement.judge(leaves, leaves.first(this.field));
    return this.verdict;
  }

  /** Matches are counted from one again. */
  forgetMatches(): void {
    this.firedIn = 0;
    this.judgedIn = 0;
  }
}
