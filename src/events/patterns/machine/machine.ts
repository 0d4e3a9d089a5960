import { COUNT_TO } from "./count-to.ts";
import type { Branch } from "../compile.ts";
import { type EventInput, readEvent } from "../event.ts";
import type { Guard } from "../rule.ts";
import { matchesTree } from "../walk.ts";
import { type BranchList, hang, unhang } from "./branch-list.ts";
import { EventBuffer } from "./event-buffer.ts";
import { Field } from "./field.ts";
import { FAILS, HOLDS, MAYBE, type Verdict } from "./judge.ts";
import { Leaves } from "./leaves.ts";
import { ObjectWalk } from "./object-walk.ts";
import { PathNode } from "./path-node.ts";
import { pivotOf } from "./pivot.ts";
import { type Entry, Rest, RuleBranch, SharedGuard } from "./rule-branch.ts";
import { Scanner } from "./scanner.ts";
import { Straight } from "./straight.ts";
import type { SharedCondition } from "./shared-condition.ts";

/** The rules of a matcher, and how an event finds those that it fulfils (SPEC.md, "How it works"). */
export class Machine {
  private readonly root = new PathNode(null, "");
  private readonly buffer = BUFFER;
  private readonly leaves = new Leaves(this.buffer);
  private readonly scanner = new Scanner(this.buffer, this.leaves);
  private readonly walk = new ObjectWalk(this.leaves);
  /** Branches of which every condition may be absent. */
  private readonly unpivoted: BranchList = { first: null, count: 0 };
  private readonly fired: SharedCondition[] = [];
  private readonly onCondition = (condition: SharedCondition): void => this.fire(condition);
  private readonly straight = new Straight();
  private readonly onStraight = (number: number): void => this.straight.find(number);
  private readonly fields = new Set<Field>();
  private branchCount = 0;
  /** The event as JSON.parse gives it, once somebody needs it. */
  private event: object | null = null;
  private input: EventInput = "";
  private readonly countTo: number;

  constructor(countTo = COUNT_TO) {
    this.countTo = countTo;
  }

  /** A rule's branches; `guard` decides what they leave open. */
  add(entry: Entry, branches: readonly Branch[], guard: Guard | undefined): void {
    const shared =
      guard === undefined
        ? null
        : new SharedGuard(
            guard,
            guard.attributes.map((name) => this.fieldAt(name)),
          );
    for (const branch of branches) this.addBranch(entry, branch, shared);
  }

  delete(entry: Entry): void {
    this.bend(entry);
    if (entry.isHung) this.deleteBranch(entry);
    for (const branch of entry.others ?? []) this.deleteBranch(branch);
    entry.isHung = false;
    entry.others = null;
  }

  /** The ids that the event matches, each once, in the order of their entries. With `strict` the whole event is validated. */
  match(input: EventInput, strict: boolean): unknown[] {
    this.buffer.take();
    this.input = input;
    if (this.leaves.serial >= this.countTo) this.countAnew();
    this.leaves.begin();
    try {
      this.findLeaves(input, strict);
      return inOrder(this.collect(), this.straight);
    } finally {
      this.event = null;
      this.input = "";
      this.fired.length = 0;
      this.leaves.forget();
      this.buffer.release();
      this.scanner.forget();
    }
  }

  get counts(): { branches: number; conditions: number; fields: number; indexBytes: number } {
    let conditions = 0;
    let indexBytes = 0;
    for (const field of this.fields) {
      conditions += field.conditionCount;
      indexBytes += field.index?.sizeBytes ?? 0;
    }
    return { branches: this.branchCount, conditions, fields: this.fields.size, indexBytes };
  }

  private findLeaves(input: EventInput, strict: boolean): void {
    const isText = typeof input === "string";
    const isRaw = isText ? input.isWellFormed() : input instanceof Uint8Array;
    if (isRaw && !strict) {
      if (isText) this.buffer.loadText(input);
      else this.buffer.load(input as Uint8Array);
      this.scanner.scan(this.root, isText ? 0 : lengthOfMark(this.buffer.bytes));
      if (!this.scanner.isHard) return;
      this.leaves.begin();
    }
    this.buffer.clear();
    this.walk.object(this.parsed(), this.root, 0);
  }

  private parsed(): object {
    return (this.event ??= readEvent(this.input));
  }

  private collect(): Entry[] {
    const { leaves, fired } = this;
    this.straight.begin();
    for (let leaf = 0; leaf < leaves.count; leaf++) leaves.field(leaf).index?.look(leaves, leaf, this.onCondition, this.onStraight);
    const matched: Entry[] = [];
    for (const condition of fired) this.considerAll(condition, matched);
    this.considerAll(this.unpivoted, matched);
    return matched;
  }

  private fire(condition: SharedCondition): void {
    if (condition.firedIn === this.leaves.serial) return;
    condition.firedIn = this.leaves.serial;
    this.fired.push(condition);
  }

  /** The conditions of these branches that they hang on hold already. */
  private considerAll({ first }: BranchList, matched: Entry[]): void {
    const { leaves } = this;
    const { serial } = leaves;
    for (let branch = first; branch !== null; branch = branch.next) {
      const { entry, other, rest } = branch;
      if (other !== null && !isMet(other.judge(leaves), rest)) continue;
      if (entry.matchedIn === serial || (rest !== null && !this.holds(rest, other))) continue;
      entry.matchedIn = serial;
      matched.push(entry);
    }
  }

  private holds(rest: Rest, other: SharedCondition | null): boolean {
    const { leaves } = this;
    const isParted = rest.isParted(leaves.serial);
    if (!isParted && other !== null && other.judge(leaves) === MAYBE) return false;
    for (const condition of rest.conditions) {
      const verdict = condition.judge(leaves);
      if (verdict === FAILS || (verdict === MAYBE && !isParted)) return false;
    }
    if (rest.guard !== null && !rest.guard.lets(leaves)) return false;
    // Each condition holds by itself. Whether they do together, in the same elements of an array, only the event as a whole can tell.
    return !isParted || matchesTree(this.parsed(), rest.tree);
  }

  /** Whatever bears the number of a match forgets it: the numbers begin again. */
  private countAnew(): void {
    this.leaves.serial = 0;
    forgetMatches(this.unpivoted);
    for (const field of this.fields) {
      field.foundIn = 0;
      field.index?.forgetMatches();
      for (let { node } = field; node.parent !== null; node = node.parent) node.splitIn = 0;
      for (const condition of field.shared()) {
        condition.forgetMatches();
        forgetMatches(condition);
      }
    }
  }

  private addBranch(entry: Entry, branch: Branch, guard: SharedGuard | null): void {
    const conditions = branch.conditions.map((condition) => this.fieldAt(condition.path).share(condition));
    this.bend(entry);
    for (const { first } of conditions) if (first !== null) this.bend(first.entry);
    const pivot = pivotOf(conditions);
    const [other = null, ...others] =
      conditions.length === 1 && pivot !== null ? NO_CONDITIONS : conditions.filter((condition) => condition !== pivot);
    const forks = forksOf(conditions);
    const isAll = others.length === 0 && forks.length === 0 && guard === null;
    const added = freeBranchOf(entry);
    added.pivot = pivot;
    added.other = other;
    added.rest = isAll ? null : new Rest({ conditions: others, forks, guard, branch });
    hang(pivot ?? this.unpivoted, added);
    if (pivot?.count === 1) pivot.field.file(pivot);
    if (guard !== null) for (const field of guard.fields) field.uses++;
    this.branchCount++;
    if (pivot !== null && isStraight(added, pivot)) {
      entry.straight = this.straight.take(entry);
      pivot.field.index?.answer(pivot, entry.straight);
    }
  }

  /** It is no longer alone with its text and its id: it is found as the others are. */
  private bend(entry: Entry): void {
    if (entry.straight === 0) return;
    this.straight.giveBack(entry.straight);
    entry.straight = 0;
    if (entry.pivot !== null) entry.pivot.field.index?.answer(entry.pivot, 0);
  }

  private deleteBranch(branch: RuleBranch): void {
    const { pivot, other, rest } = branch;
    unhang(pivot ?? this.unpivoted, branch);
    if (pivot !== null) {
      if (pivot.count === 0) pivot.field.unfile(pivot);
      this.release(pivot);
    }
    if (other !== null) this.release(other);
    for (const condition of rest?.conditions ?? []) this.release(condition);
    for (const field of rest?.guard?.fields ?? []) {
      field.uses--;
      this.prune(field);
    }
    this.branchCount--;
  }

  private release(condition: SharedCondition): void {
    condition.field.release(condition);
    this.prune(condition.field);
  }

  private fieldAt(path: string): Field {
    let node = this.root;
    let isNew = false;
    for (const name of path.split(".")) {
      const below = node.child(name);
      isNew ||= below === undefined;
      node = below ?? node.grow(name);
    }
    if (isNew) this.walk.pathsChanged();
    if (node.field === null) this.fields.add((node.field = new Field(node)));
    return node.field;
  }

  private prune(field: Field): void {
    if (field.uses > 0) return;
    this.fields.delete(field);
    field.node.field = null;
    for (let { node } = field; node.isBare && node.parent !== null; node = node.parent) node.parent.drop(node);
    this.walk.pathsChanged();
  }
}

const NO_NODES: readonly PathNode[] = [];

const NO_CONDITIONS: readonly SharedCondition[] = [];

/** It wants one text, and neither that nor its id is another's as well. */
function isStraight(branch: RuleBranch, { uses, count, tests }: SharedCondition): boolean {
  const [test] = tests;
  const isAlone = branch.entry === branch && branch.others === null && uses === 1 && count === 1;
  return isAlone && branch.other === null && branch.rest === null && tests.length === 1 && test?.kind === "text" && !test.fold;
}

/** Mostly they are, and asking costs a tenth of sorting. */
function inOrder(entries: readonly Entry[], straight: Straight): unknown[] {
  const ids: unknown[] = [];
  const ordinals: number[] = [];
  for (const { id, ordinal } of entries) {
    ids.push(id);
    ordinals.push(ordinal);
  }
  straight.collect(ids, ordinals);
  for (let i = 1; i < ordinals.length; i++) {
    if ((ordinals[i] as number) < (ordinals[i - 1] as number)) return sorted(ids, ordinals);
  }
  return ids;
}

function sorted(ids: readonly unknown[], ordinals: readonly number[]): unknown[] {
  const places = [...ordinals.keys()].sort((a, b) => (ordinals[a] as number) - (ordinals[b] as number));
  return places.map((place) => ids[place]);
}

/** The entry itself, or one more of its branches. */
function freeBranchOf(entry: Entry): RuleBranch {
  if (!entry.isHung) {
    entry.isHung = true;
    return entry;
  }
  const branch = new RuleBranch(entry.id, entry.ordinal, entry);
  (entry.others ??= []).push(branch);
  return branch;
}

const BUFFER = new EventBuffer();

function forgetMatches({ first }: BranchList): void {
  for (let branch = first; branch !== null; branch = branch.next) {
    branch.entry.matchedIn = 0;
    branch.rest?.guard?.forgetMatches();
  }
}

/** The nodes, below the event itself, at or above which more than one of the conditions stands. */
function forksOf(conditions: readonly SharedCondition[]): readonly PathNode[] {
  if (conditions.length < 2) return NO_NODES;
  const met = new Set<PathNode>();
  const forks = new Set<PathNode>();
  for (const { field } of conditions) {
    for (let node: PathNode = field.node; node.parent !== null; node = node.parent) {
      if (met.has(node)) forks.add(node);
      met.add(node);
    }
  }
  return forks.size === 0 ? NO_NODES : [...forks];
}

/** What may be absent from the chosen elements is looked at again where there are elements. */
function isMet(verdict: Verdict, rest: Rest | null): boolean {
  return verdict === HOLDS || (verdict === MAYBE && rest !== null);
}

/** A byte order mark is let pass, as decoders do. */
function lengthOfMark(bytes: Uint8Array): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}
