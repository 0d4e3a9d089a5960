import type { Leaf } from "../pattern.ts";
import type { EventBuffer } from "./event-buffer.ts";
import type { Field } from "./field.ts";
import { readUtf8 } from "./utf8.ts";

export const TEXT = 0;
export const NUMBER = 1;
export const TRUE = 2;
export const FALSE = 3;
export const NULL = 4;
export type LeafKind = typeof TEXT | typeof NUMBER | typeof TRUE | typeof FALSE | typeof NULL;

/** The columns begin with room for so many leaves, and go back to it where an event made them longer than the other number. */
const FEW = 64;
const MOST_KEPT = 16_384;

/** No leaf: the end of a field's list. */
export const NONE = -1;

/**
 * The leaves of one event that stand at paths some rule asks for, in columns that are written anew for each event: a match
 * allocates nothing for them. A text is a piece of the event's buffer.
 */
export class Leaves {
  count = 0;
  readonly buffer: EventBuffer;
  /** Of the match that is going on; what bears another one's number is old. */
  serial = 0;
  private readonly fields: Field[] = [];
  private kinds = new Uint8Array(FEW);
  private starts = new Int32Array(FEW);
  private ends = new Int32Array(FEW);
  private numbers = new Float64Array(FEW);
  private nexts = new Int32Array(FEW);
  private inArrays = new Uint8Array(FEW);
  /** As JavaScript has them, where that is known: of a parsed event, or since somebody asked. */
  private values: (Leaf | undefined)[] = [];
  private known = new Uint8Array(FEW);

  constructor(buffer: EventBuffer) {
    this.buffer = buffer;
  }

  /** What was found before is no longer there. */
  begin(): void {
    this.count = 0;
    this.serial++;
  }

  /** Holds on to no value of the event, nor to the room that one with very many leaves took. */
  forget(): void {
    if (this.kinds.length > MOST_KEPT) return this.shrink();
    for (let leaf = 0; leaf < this.count; leaf++) if (this.known[leaf] === 1) this.values[leaf] = undefined;
  }

  addText(field: Field, start: number, end: number, inArray: boolean): void {
    const leaf = this.add(field, TEXT, inArray);
    this.starts[leaf] = start;
    this.ends[leaf] = end;
  }

  /** A text of a parsed event, which was written into the buffer. */
  addString(field: Field, value: string, start: number, end: number, inArray: boolean): void {
    this.addText(field, start, end, inArray);
    this.values[this.count - 1] = value;
    this.known[this.count - 1] = 1;
  }

  addNumber(field: Field, value: number, inArray: boolean): void {
    this.numbers[this.add(field, NUMBER, inArray)] = value;
  }

  addWord(field: Field, kind: typeof TRUE | typeof FALSE | typeof NULL, inArray: boolean): void {
    this.add(field, kind, inArray);
  }

  field(leaf: number): Field {
    return this.fields[leaf] as Field;
  }

  kind(leaf: number): LeafKind {
    return this.kinds[leaf] as LeafKind;
  }

  start(leaf: number): number {
    return this.starts[leaf] as number;
  }

  end(leaf: number): number {
    return this.ends[leaf] as number;
  }

  number(leaf: number): number {
    return this.numbers[leaf] as number;
  }

  isInArray(leaf: number): boolean {
    return this.inArrays[leaf] === 1;
  }

  /** The first leaf of a field in this event, or NONE. */
  first(field: Field): number {
    return field.foundIn === this.serial ? field.firstLeaf : NONE;
  }

  next(leaf: number): number {
    return this.nexts[leaf] as number;
  }

  value(leaf: number): Leaf {
    if (this.known[leaf] === 0) {
      this.values[leaf] = this.read(leaf);
      this.known[leaf] = 1;
    }
    return this.values[leaf] as Leaf;
  }

  private read(leaf: number): Leaf {
    const kind = this.kind(leaf);
    switch (kind) {
      case TEXT:
        return this.text(this.start(leaf), this.end(leaf));
      case NUMBER:
        return this.number(leaf);
      case TRUE:
        return true;
      case FALSE:
        return false;
      case NULL:
        return null;
      default:
        return kind satisfies never;
    }
  }

  private text(start: number, end: number): string {
    const { bytes } = this.buffer;
    for (let i = start; i < end; i++) if ((bytes[i] as number) > 127) return readUtf8(bytes, start, end);
    return this.buffer.text.toString("latin1", start, end);
  }

  private add(field: Field, kind: LeafKind, inArray: boolean): number {
    const leaf = this.count++;
    if (leaf === this.kinds.length) this.grow();
    this.fields[leaf] = field;
    this.kinds[leaf] = kind;
    this.inArrays[leaf] = inArray ? 1 : 0;
    this.known[leaf] = 0;
    this.nexts[leaf] = field.foundIn === this.serial ? field.firstLeaf : NONE;
    field.foundIn = this.serial;
    field.firstLeaf = leaf;
    return leaf;
  }

  private shrink(): void {
    this.fields.length = 0;
    this.kinds = new Uint8Array(FEW);
    this.starts = new Int32Array(FEW);
    this.ends = new Int32Array(FEW);
    this.numbers = new Float64Array(FEW);
    this.nexts = new Int32Array(FEW);
    this.inArrays = new Uint8Array(FEW);
    this.values = [];
    this.known = new Uint8Array(FEW);
  }

  private grow(): void {
    const length = this.kinds.length * 2;
    this.kinds = copied(this.kinds, new Uint8Array(length));
    this.starts = copied(this.starts, new Int32Array(length));
    this.ends = copied(this.ends, new Int32Array(length));
    this.numbers = copied(this.numbers, new Float64Array(length));
    this.nexts = copied(this.nexts, new Int32Array(length));
    this.inArrays = copied(this.inArrays, new Uint8Array(length));
    this.known = copied(this.known, new Uint8Array(length));
  }
}

function copied<A extends Uint8Array | Int32Array | Float64Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
