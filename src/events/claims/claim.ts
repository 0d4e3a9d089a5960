import type { Alternative, Pattern } from "../patterns/index.ts";
import { RESERVED_IN_OR } from "../patterns/alternative.ts";
import { meet } from "./meet.ts";

/** Conditions that hold together: what each attribute must be. An attribute that is not named may be anything, or absent. */
export type Branch = ReadonlyMap<string, readonly Alternative[]>;

/**
 * What patterns can say of the events for which something is so: they match one of the branches (C1). Where the claim is exact, no
 * other event does.
 */
export interface Claim {
  readonly branches: readonly Branch[];
  readonly isExact: boolean;
}

/** Beyond these a claim says less instead of more (C4). The patterns' own limit is 1,000 branches (P6), but a `where` multiplies them. */
const MAX_BRANCHES = 64;
const MAX_CONDITIONS = 512;

export const ALWAYS: Claim = { branches: [new Map()], isExact: true };
export const NEVER: Claim = { branches: [], isExact: true };
const UNKNOWN: Claim = { branches: ALWAYS.branches, isExact: false };

export function attributeClaim(name: string, alternatives: readonly Alternative[], isExact: boolean): Claim {
  return alternatives.length === 0 ? NEVER : { branches: [new Map([[name, alternatives]])], isExact };
}

/** So much is known, but it is not all. */
export function loosely(claim: Claim): Claim {
  return claim.branches.length === 0 ? NEVER : { ...claim, isExact: false };
}

export function saysNothing({ branches, isExact }: Claim): boolean {
  return !isExact && branches.some(({ size }) => size === 0);
}

/** Both claims hold. */
export function both(one: Claim, other: Claim): Claim {
  if (one.branches.length * other.branches.length > MAX_BRANCHES) return smallerOf(one, other);
  let isExact = one.isExact && other.isExact;
  const branches: Branch[] = [];
  for (const a of one.branches) {
    for (const b of other.branches) {
      const joint = meetBranches(a, b);
      if (joint === undefined) continue;
      branches.push(joint.branch);
      isExact &&= joint.isExact;
    }
  }
  const claim = claimOf(branches, isExact);
  return saysNothing(claim) ? smallerOf(one, other) : claim;
}

/** One of the two is known at least. */
function smallerOf(one: Claim, other: Claim): Claim {
  const isFirst = saysNothing(other) || (!saysNothing(one) && one.branches.length <= other.branches.length);
  return loosely(isFirst ? one : other);
}

/** At least one of the claims holds. */
export function either(one: Claim, other: Claim): Claim {
  return claimOf([...one.branches, ...other.branches], one.isExact && other.isExact);
}

function meetBranches(a: Branch, b: Branch): { readonly branch: Branch; readonly isExact: boolean } | undefined {
  const branch = new Map(a);
  let isExact = true;
  for (const [name, alternatives] of b) {
    const before = branch.get(name);
    if (before === undefined) {
      branch.set(name, alternatives);
      continue;
    }
    const joint = meet(before, alternatives);
    if (joint.alternatives.length === 0) return undefined;
    branch.set(name, joint.alternatives);
    isExact &&= joint.isExact;
  }
  return { branch, isExact };
}

function claimOf(branches: readonly Branch[], isExact: boolean): Claim {
  if (branches.length === 0) return NEVER;
  // A branch without conditions holds always, and makes the others idle.
  if (branches.some(({ size }) => size === 0)) return isExact ? ALWAYS : UNKNOWN;
  const merged = mergeBranches(branches);
  const conditions = merged.reduce((sum, { size }) => sum + size, 0);
  return merged.length > MAX_BRANCHES || conditions > MAX_CONDITIONS ? UNKNOWN : { branches: merged, isExact };
}

/** Branches that differ in one attribute only are one branch with the alternatives of all of them. */
function mergeBranches(branches: readonly Branch[]): readonly Branch[] {
  const merged: Branch[] = [];
  for (const next of branches) {
    let branch = next;
    for (let i = merged.length - 1; i >= 0; i--) {
      const wider = mergedPair(merged[i] ?? branch, branch);
      if (wider === undefined) continue;
      branch = wider;
      merged.splice(i, 1);
      // Wider than before, it may go together with those already passed.
      i = merged.length;
    }
    merged.push(branch);
  }
  return merged;
}

/** The two as one branch; undefined where they differ in more than one attribute. */
function mergedPair(one: Branch, other: Branch): Branch | undefined {
  if (one.size !== other.size) return undefined;
  let different: string | undefined;
  for (const [name, alternatives] of one) {
    const others = other.get(name);
    if (others === undefined) return undefined;
    if (areSame(alternatives, others)) continue;
    if (different !== undefined) return undefined;
    different = name;
  }
  if (different === undefined) return one;
  const all = [...(one.get(different) ?? []), ...(other.get(different) ?? [])];
  return new Map(one).set(different, [...new Map(all.map((alternative) => [JSON.stringify(alternative), alternative])).values()]);
}

function areSame(one: readonly Alternative[], other: readonly Alternative[]): boolean {
  return one === other || (one.length === other.length && textOf(one) === textOf(other));
}

/** Claims share their lists, and each is compared with many others: to write it once makes the longest expressions compile in a third of the time. */
const texts = new WeakMap<readonly Alternative[], string>();

function textOf(alternatives: readonly Alternative[]): string {
  let text = texts.get(alternatives);
  if (text === undefined) texts.set(alternatives, (text = JSON.stringify(alternatives)));
  return text;
}

/** The claim as a pattern: undefined where it says nothing. Never call it with a claim that never holds. */
export function patternOf({ branches, isExact }: Claim): { readonly pattern: Pattern | undefined; readonly isExact: boolean } {
  const [first, second] = branches;
  if (first === undefined) throw new Error("no pattern says that nothing matches");
  if (second === undefined) return { pattern: first.size === 0 ? undefined : Object.fromEntries(first), isExact };
  const sayable = branches.map((branch) => new Map([...branch].filter(([name]) => !RESERVED_IN_OR.has(name))));
  // Attributes that are called like an operator cannot stand inside `$or` (P5): the pattern goes without them.
  const isWhole = sayable.every(({ size }, i) => size === branches[i]?.size);
  if (sayable.some(({ size }) => size === 0)) return { pattern: undefined, isExact: false };
  return { pattern: { $or: sayable.map((branch) => Object.fromEntries(branch) as Pattern) }, isExact: isExact && isWhole };
}
