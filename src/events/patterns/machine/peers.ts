import type { RuleBranch } from "./rule-branch.ts";

/** Branches that hang together, in no order. A list that is linked through its members costs a million rules no arrays. */
export class Peers {
  first: RuleBranch | null = null;
  count = 0;

  add(branch: RuleBranch): void {
    branch.next = this.first;
    branch.previous = null;
    if (this.first !== null) this.first.previous = branch;
    this.first = branch;
    this.count++;
  }

  remove(branch: RuleBranch): void {
    if (branch.previous === null) this.first = branch.next;
    else branch.previous.next = branch.next;
    if (branch.next !== null) branch.next.previous = branch.previous;
    this.count--;
  }
}
