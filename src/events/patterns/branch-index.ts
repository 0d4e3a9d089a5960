import type { Branch } from "./compile.ts";
import type { Condition } from "./condition.ts";
import { checkArrayLevels } from "./limits.ts";
import type { TreeNode } from "./tree.ts";
import { matchesTree } from "./walk.ts";

/** Fields that most patterns discriminate by, best first. */
const PREFERRED = ["type", "source"];

/** What branches are kept for. The index writes the number of the last match that found it, so that it is found once. */
export interface Owner {
  foundInMatch: number;
}

interface Slot<O> {
  readonly tree: TreeNode;
  readonly owner: O;
}

type Buckets<O> = Map<string, Slot<O>[]>;

/**
 * Holds branches so that an event meets few of them: a branch that wants exact strings at a top-level field is found by the
 * event's value there, the others are always met. A top-level path has one spelling, so no dotted key can hide a value.
 */
export class BranchIndex<O extends Owner> {
  private readonly byField = new Map<string, Buckets<O>>();
  private always: Slot<O>[] = [];
  /** `byField` as a list: iterating a Map costs an iterator a match. */
  private fields: { readonly name: string; readonly buckets: Buckets<O> }[] = [];
  private matches = 0;

  add({ conditions, tree }: Branch, owner: O): void {
    const slot = { tree, owner };
    const key = discriminator(conditions);
    if (key?.exactStrings === undefined) {
      this.always.push(slot);
      return;
    }
    const buckets = this.bucketsOf(key.path);
    for (const value of key.exactStrings) {
      const bucket = buckets.get(value);
      if (bucket === undefined) buckets.set(value, [slot]);
      else bucket.push(slot);
    }
  }

  delete({ conditions }: Branch, owner: O): void {
    const others = (slots: Slot<O>[]): Slot<O>[] => slots.filter((slot) => slot.owner !== owner);
    const key = discriminator(conditions);
    if (key?.exactStrings === undefined) {
      this.always = others(this.always);
      return;
    }
    const buckets = this.bucketsOf(key.path);
    for (const value of key.exactStrings) {
      const left = others(buckets.get(value) ?? []);
      if (left.length > 0) buckets.set(value, left);
      else buckets.delete(value);
    }
    if (buckets.size === 0) this.dropField(key.path);
  }

  /** The owners of the branches that match, each once, in no order. */
  match(event: object): O[] {
    this.matches++;
    const found: O[] = [];
    for (const { name, buckets } of this.fields) {
      const value = (event as Readonly<Record<string, unknown>>)[name];
      if (typeof value === "string") this.tryAll(buckets.get(value), event, found);
      else if (Array.isArray(value)) for (const text of stringsIn(value, new Set(), 1)) this.tryAll(buckets.get(text), event, found);
    }
    this.tryAll(this.always, event, found);
    return found;
  }

  private tryAll(slots: readonly Slot<O>[] | undefined, event: object, found: O[]): void {
    if (slots === undefined) return;
    for (const { tree, owner } of slots) {
      if (owner.foundInMatch === this.matches || !matchesTree(event, tree)) continue;
      owner.foundInMatch = this.matches;
      found.push(owner);
    }
  }

  private bucketsOf(field: string): Buckets<O> {
    let buckets = this.byField.get(field);
    if (buckets === undefined) {
      buckets = new Map();
      this.byField.set(field, buckets);
      this.fields.push({ name: field, buckets });
    }
    return buckets;
  }

  private dropField(field: string): void {
    this.byField.delete(field);
    this.fields = this.fields.filter(({ name }) => name !== field);
  }
}

function discriminator(conditions: readonly Condition[]): Condition | undefined {
  const usable = conditions.filter(({ path, exactStrings }) => exactStrings !== undefined && !path.includes("."));
  for (const preferred of PREFERRED) {
    const condition = usable.find(({ path }) => path === preferred);
    if (condition !== undefined) return condition;
  }
  return usable[0];
}

/** The strings of an array and of the arrays in it, each once: a value repeated does not repeat the work. */
function stringsIn(array: readonly unknown[], strings: Set<string>, levels: number): ReadonlySet<string> {
  checkArrayLevels(levels);
  for (const element of array) {
    if (typeof element === "string") strings.add(element);
    else if (Array.isArray(element)) stringsIn(element, strings, levels + 1);
  }
  return strings;
}
