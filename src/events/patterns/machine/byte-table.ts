/** What a slot holds, side by side so that one line of the processor's cache tells most questions: 0 in LINK for an empty one. */
const HASH = 0;
const START = 1;
const LENGTH = 2;
/** The number of the value, plus one. */
const LINK = 3;
const WIDTH = 4;
/** Eight bits a slot: so many numbers of slots have one number of marks. */
const INTS_PER_MARKS = 16;
const FEWEST_SLOTS = 8;
/** What an empty table has, one for all: a path has eight tables, and most are never used. */
const NO_SLOTS = new Int32Array(WIDTH);
const NO_MARKS = new Int32Array(1);
const NO_BYTES = new Uint8Array(0);

/**
 * A hash table from byte strings to values, asked with a piece of a buffer: no string is made to look one up. The keys lie in
 * one arena, the rest in one typed array. Whoever asks brings the hash; keys that are looked up from the end are simply hashed
 * from the end. Open addressing with linear probing, at most half full and, when many have gone, no less than a sixteenth; a deletion
 * moves the slots behind it up, so nothing is left of what was deleted.
 */
export class ByteTable<V> {
  private slots = NO_SLOTS;
  /**
   * Two bits in one word for each hash, of eight bits a slot (a blocked Bloom filter). It is a sixteenth of the size of the slots, stays
   * in the processor's cache where they do not, and tells nearly all texts that are not there.
   */
  private marks = NO_MARKS;
  private values: (V | undefined)[] = [];
  /** A number to each value, 0 for none: what it says needs no look at the value, which may lie anywhere in memory. */
  private notes = new Int32Array(8);
  private arena = NO_BYTES;
  private arenaEnd = 0;
  /** Bytes of the arena that belong to no key any more. */
  private waste = 0;
  private readonly free: number[] = [];
  private count = 0;

  get size(): number {
    return this.count;
  }

  get sizeBytes(): number {
    return this.count === 0
      ? 0
      : this.slots.byteLength + this.marks.byteLength + this.arena.byteLength + this.notes.byteLength + 8 * this.values.length;
  }

  find(buffer: Uint8Array, start: number, length: number, hash: number): V | undefined {
    const at = this.slotOf(buffer, start, length, hash);
    return at === -1 ? undefined : this.values[(this.slots[at + LINK] as number) - 1];
  }

  /** The number of the key's value, for `valueAt` and `noteAt` until something changes, or -1. */
  locate(buffer: Uint8Array, start: number, length: number, hash: number): number {
    const at = this.slotOf(buffer, start, length, hash);
    return at === -1 ? -1 : (this.slots[at + LINK] as number) - 1;
  }

  valueAt(number: number): V {
    return this.values[number] as V;
  }

  noteAt(number: number): number {
    return this.notes[number] as number;
  }

  /** Notes a number to the value of a key that is there. */
  note(key: Uint8Array, hash: number, note: number): void {
    const number = this.locate(key, 0, key.length, hash);
    if (number !== -1) this.notes[number] = note;
  }

  set(key: Uint8Array, hash: number, value: V): void {
    const at = this.slotOf(key, 0, key.length, hash);
    if (at === -1) this.insert(key, hash, value);
    else this.values[(this.slots[at + LINK] as number) - 1] = value;
  }

  delete(key: Uint8Array, hash: number): void {
    const at = this.slotOf(key, 0, key.length, hash);
    if (at === -1) return;
    const value = (this.slots[at + LINK] as number) - 1;
    this.values[value] = undefined;
    this.free.push(value);
    this.waste += key.length;
    this.count--;
    this.closeGap(at);
    if (this.waste > 1024 && this.waste * 2 > this.arenaEnd) this.compact();
    if (this.count * 16 * WIDTH < this.slots.length && this.slots.length > FEWEST_SLOTS * WIDTH) this.shrink();
  }

  /** The place of its slot, or -1. */
  private slotOf(buffer: Uint8Array, start: number, length: number, hash: number): number {
    const { slots, marks } = this;
    const bits = bitsOf(hash);
    if (((marks[wordOf(hash) & (marks.length - 1)] as number) & bits) !== bits) return -1;
    const mask = slots.length - 1;
    for (let at = home(hash, mask); slots[at + LINK] !== 0; at = (at + WIDTH) & mask) {
      if (slots[at + HASH] === hash && slots[at + LENGTH] === length && this.isSame(slots[at + START] as number, buffer, start, length))
        return at;
    }
    return -1;
  }

  private isSame(own: number, buffer: Uint8Array, start: number, length: number): boolean {
    const { arena } = this;
    for (let i = 0; i < length; i++) if (arena[own + i] !== buffer[start + i]) return false;
    return true;
  }

  private insert(key: Uint8Array, hash: number, value: V): void {
    if ((this.count + 1) * 2 * WIDTH > this.slots.length) this.rehash(Math.max(this.slots.length * 2, FEWEST_SLOTS * WIDTH));
    const number = this.free.pop() ?? this.values.length;
    this.values[number] = value;
    if (number >= this.notes.length) {
      const grown = new Int32Array(this.notes.length * 2);
      grown.set(this.notes);
      this.notes = grown;
    }
    this.notes[number] = 0;
    this.count++;
    this.put(hash, this.keep(key), key.length, number + 1);
  }

  private put(hash: number, start: number, length: number, link: number): void {
    this.mark(hash);
    const { slots } = this;
    const mask = slots.length - 1;
    let at = home(hash, mask);
    while (slots[at + LINK] !== 0) at = (at + WIDTH) & mask;
    slots[at + HASH] = hash;
    slots[at + START] = start;
    slots[at + LENGTH] = length;
    slots[at + LINK] = link;
  }

  private mark(hash: number): void {
    const { marks } = this;
    const word = wordOf(hash) & (marks.length - 1);
    marks[word] = (marks[word] as number) | bitsOf(hash);
  }

  private rehash(length: number): void {
    const old = this.slots;
    this.slots = new Int32Array(length);
    this.marks = new Int32Array(length / INTS_PER_MARKS);
    for (let at = 0; at < old.length; at += WIDTH) {
      const link = old[at + LINK] as number;
      if (link !== 0) this.put(old[at + HASH] as number, old[at + START] as number, old[at + LENGTH] as number, link);
    }
  }

  /** Slots behind the gap that would rather stand in it, or before it, move up. */
  private closeGap(from: number): void {
    const { slots } = this;
    const mask = slots.length - 1;
    let gap = from;
    for (let next = (gap + WIDTH) & mask; slots[next + LINK] !== 0; next = (next + WIDTH) & mask) {
      const wanted = home(slots[next + HASH] as number, mask);
      if (((next - wanted) & mask) < ((next - gap) & mask)) continue;
      slots.copyWithin(gap, next, next + WIDTH);
      gap = next;
    }
    slots[gap + LINK] = 0;
  }

  private keep(key: Uint8Array): number {
    const start = this.arenaEnd;
    if (start + key.length > this.arena.length) {
      const grown = new Uint8Array(Math.max(64, this.arena.length * 2, start + key.length));
      grown.set(this.arena);
      this.arena = grown;
    }
    this.arena.set(key, start);
    this.arenaEnd += key.length;
    return start;
  }

  private shrink(): void {
    const { slots, values, notes } = this;
    this.values = [];
    this.notes = new Int32Array(Math.max(8, this.count * 2));
    this.free.length = 0;
    for (let at = LINK; at < slots.length; at += WIDTH) {
      const link = slots[at] as number;
      if (link === 0) continue;
      this.notes[this.values.length] = notes[link - 1] as number;
      slots[at] = this.values.push(values[link - 1]);
    }
    this.rehash(Math.max(slots.length / 4, FEWEST_SLOTS * WIDTH));
  }

  /** Packs the arena, and takes the marks of what is gone away. */
  private compact(): void {
    const { arena: old, slots } = this;
    this.marks.fill(0);
    this.arena = new Uint8Array(Math.max(64, (this.arenaEnd - this.waste) * 2));
    this.arenaEnd = 0;
    this.waste = 0;
    for (let at = 0; at < slots.length; at += WIDTH) {
      if (slots[at + LINK] === 0) continue;
      const start = slots[at + START] as number;
      slots[at + START] = this.keep(old.subarray(start, start + (slots[at + LENGTH] as number)));
      this.mark(slots[at + HASH] as number);
    }
  }
}

/** The two bits that mark a hash, and the word in which they stand: of other mixtures of the hash than its slot. */
function bitsOf(hash: number): number {
  const mixed = Math.imul(hash, 0x5bd1e995);
  return (1 << (mixed >>> 27)) | (1 << ((mixed >>> 22) & 31));
}

function wordOf(hash: number): number {
  return Math.imul(hash ^ (hash >>> 13), 0x27d4eb2d) >>> 11;
}

/** The slot where a key would stand if it were alone. */
function home(hash: number, mask: number): number {
  return Math.imul(hash ^ (hash >>> 15), WIDTH) & mask;
}
