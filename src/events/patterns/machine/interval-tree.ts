/**
 * Closed ranges of numbers, asked which of them hold a number. A treap: a search tree by lower bound whose nodes know the
 * greatest upper bound below them, kept balanced by priorities drawn at random. A question costs the logarithm of the number of
 * ranges for each one found; ranges come and go one by one, without a rebuild.
 */
export class IntervalTree<V> {
  private root: Node<V> | null = null;
  private count = 0;
  private readonly random: () => number;

  constructor(random: () => number = Math.random) {
    this.random = random;
  }

  get size(): number {
    return this.count;
  }

  get(low: number, high: number): V | undefined {
    let node = this.root;
    while (node !== null) {
      const order = compare(low, high, node);
      if (order === 0) return node.value;
      node = order < 0 ? node.left : node.right;
    }
    return undefined;
  }

  set(low: number, high: number, value: V): void {
    this.root = this.insert(this.root, { low, high, value, most: high, priority: this.random(), left: null, right: null });
  }

  delete(low: number, high: number): void {
    this.root = this.remove(this.root, low, high);
  }

  /** Calls `found` with the value of each range that holds the number. */
  stab(at: number, found: (value: V) => void): void {
    stab(this.root, at, found);
  }

  private insert(node: Node<V> | null, added: Node<V>): Node<V> {
    if (node === null) {
      this.count++;
      return added;
    }
    const order = compare(added.low, added.high, node);
    if (order === 0) {
      node.value = added.value;
      return node;
    }
    if (order < 0) {
      node.left = this.insert(node.left, added);
      if (node.left.priority > node.priority) return rotateRight(node, node.left);
    } else {
      node.right = this.insert(node.right, added);
      if (node.right.priority > node.priority) return rotateLeft(node, node.right);
    }
    return measured(node);
  }

  private remove(node: Node<V> | null, low: number, high: number): Node<V> | null {
    if (node === null) return null;
    const order = compare(low, high, node);
    if (order === 0) {
      this.count--;
      return merge(node.left, node.right);
    }
    if (order < 0) node.left = this.remove(node.left, low, high);
    else node.right = this.remove(node.right, low, high);
    return measured(node);
  }
}

interface Node<V> {
  readonly low: number;
  readonly high: number;
  value: V;
  /** The greatest upper bound at and below the node. */
  most: number;
  readonly priority: number;
  left: Node<V> | null;
  right: Node<V> | null;
}

function stab<V>(node: Node<V> | null, at: number, found: (value: V) => void): void {
  let here = node;
  while (here !== null && here.most >= at) {
    stab(here.left, at, found);
    if (here.low > at) return;
    if (here.high >= at) found(here.value);
    here = here.right;
  }
}

function compare<V>(low: number, high: number, node: Node<V>): number {
  return low === node.low ? (high === node.high ? 0 : high < node.high ? -1 : 1) : low < node.low ? -1 : 1;
}

function rotateRight<V>(node: Node<V>, left: Node<V>): Node<V> {
  node.left = left.right;
  left.right = measured(node);
  return measured(left);
}

function rotateLeft<V>(node: Node<V>, right: Node<V>): Node<V> {
  node.right = right.left;
  right.left = measured(node);
  return measured(right);
}

/** Everything in `left` is less than everything in `right`. */
function merge<V>(left: Node<V> | null, right: Node<V> | null): Node<V> | null {
  if (left === null) return right;
  if (right === null) return left;
  if (left.priority > right.priority) {
    left.right = merge(left.right, right);
    return measured(left);
  }
  right.left = merge(left, right.left);
  return measured(right);
}

function measured<V>(node: Node<V>): Node<V> {
  let most = node.high;
  if (node.left !== null && node.left.most > most) most = node.left.most;
  if (node.right !== null && node.right.most > most) most = node.right.most;
  node.most = most;
  return node;
}
