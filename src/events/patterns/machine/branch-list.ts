import type { RuleBranch } from "./rule-branch.ts";

/** Branches that hang on the same thing, in no order, linked through themselves: a million rules cost no arrays. */
export interface BranchList {
  first: RuleBranch | null;
  count: number;
}

export function hang(list: BranchList, branch: RuleBranch): void {
  branch.next = list.first;
  branch.previous = null;
  if (list.first !== null) list.first.previous = branch;
  list.first = branch;
  list.count++;
}

export function unhang(list: BranchList, branch: RuleBranch): void {
  if (branch.previous === null) list.first = branch.next;
  else branch.previous.next = branch.next;
  if (branch.next !== null) branch.next.previous = branch.previous;
  list.count--;
}
