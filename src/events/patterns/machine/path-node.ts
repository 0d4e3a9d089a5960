import type { Field } from "./field.ts";
import { HASH_SEED, hashForwards, hashStep } from "./byte-hash.ts";
import { ByteTable } from "./byte-table.ts";
import { toUtf8 } from "./utf8.ts";

/** Up to so many names are compared one by one; more are looked up. */
const FEW = 8;

/** One place in the tree of paths that the rules ask for. The root is the event. */
export class PathNode {
  readonly parent: PathNode | null;
  readonly name: string;
  /** What is asked of the leaves at this very path. */
  field: Field | null = null;
  /** The object in which this key was met last: twice in one object, and the first does not count. */
  metIn = 0;
  /** The match in which an array with several objects or arrays in it stood here: conditions on them may come apart (P13). */
  splitIn = 0;
  private readonly key: Uint8Array;
  private readonly byName = new Map<string, PathNode>();
  /** While they are few. */
  private nodes: PathNode[] = [];
  private table: ByteTable<PathNode> | null = null;
  /** The lengths of the names, modulo 32, as bits: most keys of an event are told by theirs. */
  private lengths = 0;

  constructor(parent: PathNode | null, name: string) {
    this.parent = parent;
    this.name = name;
    this.key = toUtf8(name);
  }

  get children(): Iterable<PathNode> {
    return this.byName.values();
  }

  get isBare(): boolean {
    return this.field === null && this.byName.size === 0;
  }

  get hasChildren(): boolean {
    return this.byName.size > 0;
  }

  child(name: string): PathNode | undefined {
    return this.byName.get(name);
  }

  /** The node below along this key of an event, dots and all. */
  along(key: string): PathNode | undefined {
    const direct = this.byName.get(key);
    if (direct !== undefined || !key.includes(".")) return direct;
    return key.split(".").reduce<PathNode | undefined>((node, name) => node?.byName.get(name), this);
  }

  find(bytes: Uint8Array, start: number, length: number): PathNode | undefined {
    if ((this.lengths & (1 << (length & 31))) === 0) return undefined;
    if (this.table !== null) return this.lookUp(this.table, bytes, start, length);
    for (const node of this.nodes) if (isKey(node.key, bytes, start, length)) return node;
    return undefined;
  }

  grow(name: string): PathNode {
    const node = new PathNode(this, name);
    this.byName.set(name, node);
    this.lengths |= 1 << (node.key.length & 31);
    if (this.table !== null) this.table.set(node.key, hashForwards(node.key), node);
    else if (this.nodes.push(node) > FEW) this.fillTable();
    return node;
  }

  drop(node: PathNode): void {
    this.byName.delete(node.name);
    if (this.table !== null) return this.table.delete(node.key, hashForwards(node.key));
    this.nodes = this.nodes.filter((other) => other !== node);
    this.lengths = 0;
    for (const { key } of this.nodes) this.lengths |= 1 << (key.length & 31);
  }

  private fillTable(): void {
    this.table = new ByteTable();
    for (const node of this.nodes) this.table.set(node.key, hashForwards(node.key), node);
    this.nodes = [];
  }

  private lookUp(table: ByteTable<PathNode>, bytes: Uint8Array, start: number, length: number): PathNode | undefined {
    let hash = HASH_SEED;
    for (let i = start; i < start + length; i++) hash = hashStep(hash, bytes[i] as number);
    return table.find(bytes, start, length, hash);
  }
}

function isKey(key: Uint8Array, bytes: Uint8Array, start: number, length: number): boolean {
  if (key.length !== length) return false;
  for (let i = 0; i < length; i++) if (key[i] !== bytes[start + i]) return false;
  return true;
}
