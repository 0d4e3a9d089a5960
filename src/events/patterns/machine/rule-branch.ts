import type { Branch } from "../compile.ts";
import type { Guard } from "../rule.ts";
import type { TreeNode } from "../tree.ts";
import type { Field } from "./field.ts";
import { type Leaves, NONE } from "./leaves.ts";
import type { PathNode } from "./path-node.ts";
import type { SharedCondition } from "./shared-condition.ts";

/**
 * One conjunction of conditions of a rule, as the machine keeps it; the first one of an id is also its entry, for most have no other, and
 * a million rules are a million objects less. What every match that meets it reads stands first, side by side: of a hundred thousand
 * rules each line of memory is a trip of its own.
 */
export class RuleBranch<Id = unknown> {
  /** That of its id: itself, or the first one. */
  readonly entry: RuleBranch<Id>;
  /** One of its conditions, besides the pivot: most branches that do not match are told by it. */
  other: SharedCondition | null = null;
  /** What is left to look at when these two hold; null for nothing. */
  rest: Rest | null = null;
  /** Its neighbours among those that hang on the pivot. */
  next: RuleBranch | null = null;
  /** Of an entry: the match that found it last. */
  matchedIn = 0;
  /** Counts up with each id added: the order of answers. */
  readonly ordinal: number;
  readonly id: Id;
  previous: RuleBranch | null = null;
  /** The condition it hangs on; null where all may be absent, so that none shows itself. */
  pivot: SharedCondition | null = null;
  /** Of an entry: its other branches, once it has some. */
  others: RuleBranch<Id>[] | null = null;
  /** Whether it stands for a conjunction yet. */
  isHung = false;
  /** Of an entry: its number among those that are answered straight, or 0. */
  straight = 0;

  /** Without an entry it is one. */
  constructor(id: Id, ordinal: number, entry: RuleBranch<Id> | null) {
    this.entry = entry ?? this;
    this.ordinal = ordinal;
    this.id = id;
  }
}

export type Entry<Id = unknown> = RuleBranch<Id>;

export class Rest {
  readonly conditions: readonly SharedCondition[];
  /** The places at or above which several conditions of the branch stand: if an array parts there, they may come apart. */
  readonly forks: readonly PathNode[];
  readonly guard: SharedGuard | null;
  private readonly branch: Branch;

  constructor(facts: { conditions: readonly SharedCondition[]; forks: readonly PathNode[]; guard: SharedGuard | null; branch: Branch }) {
    this.conditions = facts.conditions;
    this.forks = facts.forks;
    this.guard = facts.guard;
    this.branch = facts.branch;
  }

  /** All conditions for a walk over the event, where an array parts them. */
  get tree(): TreeNode {
    return this.branch.tree;
  }

  isParted(serial: number): boolean {
    for (const node of this.forks) if (node.splitIn === serial) return true;
    return false;
  }
}

/** A rule's guard, asked once a match however many branches the rule has. */
export class SharedGuard {
  readonly fields: readonly Field[];
  private readonly guard: Guard;
  private askedIn = 0;
  private passes = false;

  /** One field for each attribute that the guard reads. */
  constructor(guard: Guard, fields: readonly Field[]) {
    this.guard = guard;
    this.fields = fields;
  }

  forgetMatches(): void {
    this.askedIn = 0;
  }

  lets(leaves: Leaves): boolean {
    if (this.askedIn !== leaves.serial) {
      this.askedIn = leaves.serial;
      this.passes = this.guard.test((name) => {
        const field = this.fields[this.guard.attributes.indexOf(name)];
        const leaf = field === undefined ? NONE : leaves.first(field);
        return leaf === NONE || leaves.isInArray(leaf) ? undefined : leaves.value(leaf);
      });
    }
    return this.passes;
  }
}
