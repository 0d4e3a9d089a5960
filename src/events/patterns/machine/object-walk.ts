import { isLeaf } from "../leaf.ts";
import { checkArrayLevels } from "../limits.ts";
import { FALSE, type Leaves, NULL, TRUE } from "./leaves.ts";
import type { PathNode } from "./path-node.ts";

/** An object is asked for so many names one by one; beyond, its own keys are looked through. */
const FEW_NAMES = 12;

/** A name under which an object may hold something that is asked for: a key, or keys joined by dots. */
interface Way {
  readonly name: string;
  readonly node: PathNode;
}

/** Finds the leaves that rules ask for in a parsed event. */
export class ObjectWalk {
  private readonly leaves: Leaves;
  /** What few names there are at a node; null for many. Forgotten when the tree of paths changes. */
  private ways = new Map<PathNode, readonly Way[] | null>();

  constructor(leaves: Leaves) {
    this.leaves = leaves;
  }

  pathsChanged(): void {
    if (this.ways.size > 0) this.ways = new Map();
  }

  object(object: object, node: PathNode, arrays: number): void {
    const ways = this.waysAt(node);
    if (ways === null) return this.manyWays(object, node, arrays);
    for (const { name, node: below } of ways) {
      const value = (object as Readonly<Record<string, unknown>>)[name];
      if (value !== undefined && Object.hasOwn(object, name)) this.value(value, below, arrays, false);
    }
  }

  private manyWays(object: object, node: PathNode, arrays: number): void {
    for (const name of Object.keys(object)) {
      const below = node.along(name);
      if (below !== undefined) this.value((object as Readonly<Record<string, unknown>>)[name], below, arrays, false);
    }
  }

  private value(value: unknown, node: PathNode, arrays: number, inArray: boolean): void {
    if (typeof value === "object" && value !== null) {
      if (Array.isArray(value)) this.array(value, node, arrays + 1);
      else if (node.hasChildren) this.object(value, node, arrays);
      return;
    }
    const { leaves } = this;
    const { field } = node;
    if (field === null || !isLeaf(value)) return;
    if (typeof value === "string") {
      const start = leaves.buffer.write(value);
      leaves.addString(field, value, start, leaves.buffer.free, inArray);
    } else if (typeof value === "number") leaves.addNumber(field, value, inArray);
    else leaves.addWord(field, value === null ? NULL : value ? TRUE : FALSE, inArray);
  }

  private array(array: readonly unknown[], node: PathNode, arrays: number): void {
    checkArrayLevels(arrays);
    let composites = 0;
    for (const element of array) {
      if (typeof element === "object" && element !== null) composites++;
      this.value(element, node, arrays, true);
    }
    if (composites > 1) node.splitIn = this.leaves.serial;
  }

  private waysAt(node: PathNode): readonly Way[] | null {
    let ways = this.ways.get(node);
    if (ways === undefined) this.ways.set(node, (ways = waysOf(node)));
    return ways;
  }
}

function waysOf(node: PathNode): readonly Way[] | null {
  const ways: Way[] = [];
  const collect = (from: PathNode, before: string): boolean => {
    for (const child of from.children) {
      const name = `${before}${child.name}`;
      ways.push({ name, node: child });
      if (ways.length > FEW_NAMES || !collect(child, `${name}.`)) return false;
    }
    return true;
  };
  return collect(node, "") ? ways : null;
}
