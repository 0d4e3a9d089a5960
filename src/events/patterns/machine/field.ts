import type { Condition } from "../condition.ts";
import { FieldIndex } from "./field-index.ts";
import type { PathNode } from "./path-node.ts";
import { SharedCondition } from "./shared-condition.ts";

/** A path at which leaves are asked for. */
export class Field {
  readonly node: PathNode;
  /** Of the conditions that branches hang on; null while there are none. */
  index: FieldIndex | null = null;
  /** How many branches and guards need its leaves. */
  uses = 0;
  /** The match in which it had a leaf last, and the last one of these. */
  foundIn = 0;
  firstLeaf = 0;
  private readonly conditions = new Map<string, SharedCondition>();

  constructor(node: PathNode) {
    this.node = node;
  }

  share(condition: Condition): SharedCondition {
    const key = keyOf(condition);
    let shared = this.conditions.get(key);
    if (shared === undefined) this.conditions.set(key, (shared = new SharedCondition(this, key, condition)));
    shared.uses++;
    this.uses++;
    return shared;
  }

  release(shared: SharedCondition): void {
    this.uses--;
    if (--shared.uses === 0) this.conditions.delete(shared.key);
  }

  file(shared: SharedCondition): void {
    this.index ??= new FieldIndex();
    shared.filed = this.index.add(shared);
  }

  unfile(shared: SharedCondition): void {
    if (this.index === null || shared.filed === null) return;
    this.index.delete(shared, shared.filed);
    shared.filed = null;
    if (this.index.isEmpty) this.index = null;
  }

  shared(): Iterable<SharedCondition> {
    return this.conditions.values();
  }

  get conditionCount(): number {
    return this.conditions.size;
  }
}

/** Equal for equal conditions, as they are written. The commonest kind costs no text of its own; a list's text begins with a bracket. */
function keyOf({ written }: Condition): string {
  const [first] = written;
  return written.length === 1 && typeof first === "string" && !first.startsWith("[") ? first : JSON.stringify(written);
}
