const EMPTY = -1;

/**
 * A hash table from byte strings to values, asked with a piece of a buffer: no string is made to look one up. The keys lie in
 * one arena, the rest in typed arrays, so an entry costs its bytes and some thirty more. Whoever asks brings the hash; keys that
 * are looked up from the end are simply hashed from the end. Open addressing with linear probing; a deletion moves the
 * entries behind it up, so nothing is left of what was deleted.
 */
export class ByteTable<V> {
  /** The number of an entry, or EMPTY; its length is a power of two and at least twice the number of entries. */
  private slots = new Int32Array(8).fill(EMPTY);
  private hashes = new Int32Array(4);
  private starts = new Int32Array(4);
  private lengths = new Int32Array(4);
  private values: (V | undefined)[] = [];
  private arena = new Uint8Array(64);
  private arenaEnd = 0;
  /** Bytes of the arena that belong to no entry any more. */
  private waste = 0;
  private readonly free: number[] = [];
  private count = 0;

  get size(): number {
    return this.count;
  }

  get sizeBytes(): number {
    return this.slots.byteLength + 3 * this.hashes.byteLength + this.arena.byteLength + 8 * this.values.length;
  }

  find(buffer: Uint8Array, start: number, length: number, hash: number): V | undefined {
    const slot = this.slotOf(buffer, start, length, hash);
    return slot === EMPTY ? undefined : this.values[this.slots[slot] as number];
  }

  set(key: Uint8Array, hash: number, value: V): void {
    const slot = this.slotOf(key, 0, key.length, hash);
    if (slot === EMPTY) this.insert(key, hash, value);
    else this.values[this.slots[slot] as number] = value;
  }

  delete(key: Uint8Array, hash: number): void {
    const slot = this.slotOf(key, 0, key.length, hash);
    if (slot === EMPTY) return;
    const entry = this.slots[slot] as number;
    this.values[entry] = undefined;
    this.free.push(entry);
    this.waste += this.lengths[entry] as number;
    this.count--;
    this.closeGap(slot);
    if (this.waste > 1024 && this.waste * 2 > this.arenaEnd) this.compact();
  }

  private slotOf(buffer: Uint8Array, start: number, length: number, hash: number): number {
    const { slots } = this;
    const mask = slots.length - 1;
    for (let slot = home(hash, mask); ; slot = (slot + 1) & mask) {
      const entry = slots[slot] as number;
      if (entry === EMPTY) return EMPTY;
      if (this.hashes[entry] === hash && this.lengths[entry] === length && this.isSame(this.starts[entry] as number, buffer, start, length))
        return slot;
    }
  }

  private isSame(own: number, buffer: Uint8Array, start: number, length: number): boolean {
    const { arena } = this;
    for (let i = 0; i < length; i++) if (arena[own + i] !== buffer[start + i]) return false;
    return true;
  }

  private insert(key: Uint8Array, hash: number, value: V): void {
    if ((this.count + 1) * 2 > this.slots.length) this.rehash();
    const entry = this.free.pop() ?? this.values.length;
    if (entry >= this.hashes.length) this.growEntries();
    this.hashes[entry] = hash;
    this.starts[entry] = this.keep(key);
    this.lengths[entry] = key.length;
    this.values[entry] = value;
    this.count++;
    this.put(entry, hash);
  }

  private put(entry: number, hash: number): void {
    const mask = this.slots.length - 1;
    let slot = home(hash, mask);
    while (this.slots[slot] !== EMPTY) slot = (slot + 1) & mask;
    this.slots[slot] = entry;
  }

  private rehash(): void {
    const old = this.slots;
    this.slots = new Int32Array(old.length * 2).fill(EMPTY);
    for (const entry of old) if (entry !== EMPTY) this.put(entry, this.hashes[entry] as number);
  }

  /** Entries behind the gap that would rather stand in it, or before it, move up. */
  private closeGap(slot: number): void {
    const { slots } = this;
    const mask = slots.length - 1;
    let gap = slot;
    slots[gap] = EMPTY;
    for (let next = (gap + 1) & mask; slots[next] !== EMPTY; next = (next + 1) & mask) {
      const entry = slots[next] as number;
      const wanted = home(this.hashes[entry] as number, mask);
      if (((next - wanted) & mask) < ((next - gap) & mask)) continue;
      slots[gap] = entry;
      slots[next] = EMPTY;
      gap = next;
    }
  }

  private keep(key: Uint8Array): number {
    const start = this.arenaEnd;
    if (start + key.length > this.arena.length) this.arena = longer(this.arena, Math.max(this.arena.length * 2, start + key.length));
    this.arena.set(key, start);
    this.arenaEnd += key.length;
    return start;
  }

  private compact(): void {
    const old = this.arena;
    this.arena = new Uint8Array(Math.max(64, (this.arenaEnd - this.waste) * 2));
    this.arenaEnd = 0;
    this.waste = 0;
    for (const entry of this.slots) {
      if (entry === EMPTY) continue;
      const start = this.starts[entry] as number;
      this.starts[entry] = this.keep(old.subarray(start, start + (this.lengths[entry] as number)));
    }
  }

  private growEntries(): void {
    const length = this.hashes.length * 2;
    this.hashes = longer(this.hashes, length);
    this.starts = longer(this.starts, length);
    this.lengths = longer(this.lengths, length);
  }
}

function home(hash: number, mask: number): number {
  return (hash ^ (hash >>> 16)) & mask;
}

function longer<A extends Int32Array | Uint8Array>(array: A, length: number): A {
  const grown = new (array.constructor as new (length: number) => A)(length);
  grown.set(array);
  return grown;
}
