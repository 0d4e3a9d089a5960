import { COUNT_TO } from "./count-to.ts";
import { MillraceError } from "../../../core/index.ts";
import { checkArrayLevels } from "../limits.ts";
import type { EventBuffer } from "./event-buffer.ts";
import type { Field } from "./field.ts";
import { FALSE, type Leaves, NULL, TRUE } from "./leaves.ts";
import type { PathNode } from "./path-node.ts";
import { NumberReader, skipNumber } from "./read-number.ts";
import { skipString } from "./skip.ts";
import { faultInUtf8, writePoint } from "./utf8.ts";

/**
 * Finds the leaves that rules ask for in an event's bytes, and parses nothing else.
 *
 * It walks the objects along the tree of paths; whatever no rule asks for is skipped by counting brackets. What it reads it
 * checks: the grammar around the paths, the values at them, strings' ends and brackets' kinds in what it skips.
 *
 * Rare things it leaves to JSON.parse, and says so by `isHard`: a key that comes twice in an object (the last one counts,
 * and it may be far away), a key with dots that spells a path, a key with escapes, and what is no object. So the common case knows nothing of them, and
 * the answer is the same.
 */
export class Scanner {
  /** What was found does not count: parse the event. */
  isHard = false;
  private readonly buffer: EventBuffer;
  private readonly leaves: Leaves;
  private readonly numbers = new NumberReader();
  private bytes: Uint8Array;
  private objects = 0;
  private rareChild: PathNode | undefined;

  constructor(buffer: EventBuffer, leaves: Leaves) {
    this.buffer = buffer;
    this.leaves = leaves;
    this.bytes = buffer.bytes;
  }

  /** Reads the event in the buffer from `start` on; throws `bad_json` and `bad_event`. */
  scan(root: PathNode, start: number): void {
    this.isHard = false;
    // Unescaped texts take no more room than the event: afterwards the buffer stays the same one.
    this.buffer.reserve(this.buffer.end + 1);
    this.bytes = this.buffer.bytes;
    let at = this.space(start);
    if (this.bytes[at] !== OPEN_BRACE) {
      this.isHard = true;
      return;
    }
    at = this.space(this.object(at + 1, root, 0));
    if (at !== this.buffer.end) this.refuse(at);
  }

  /** Does not hold on to the buffer of a large event. */
  forget(): void {
    this.bytes = this.buffer.bytes;
  }

  /** `start` is behind the brace; gives the place behind the closing one. */
  private object(start: number, node: PathNode, arrays: number): number {
    const { bytes } = this;
    // Begun again, a key may seem to come twice: that costs a parse, no more.
    const serial = (this.objects = this.objects === COUNT_TO ? 1 : this.objects + 1);
    let at = start;
    if ((bytes[at] as number) <= SPACE) at = this.space(at);
    if (bytes[at] === CLOSE_BRACE) return at + 1;
    for (;;) {
      if (bytes[at] !== QUOTE) this.refuse(at);
      const keyStart = ++at;
      while (IN_KEY[bytes[at] as number] === 1) at++;
      let child: PathNode | undefined;
      if (bytes[at] === QUOTE) child = node.find(bytes, keyStart, at - keyStart);
      else {
        at = this.rareKey(keyStart, at, node);
        child = this.rareChild;
      }
      at++;
      if ((bytes[at] as number) <= SPACE) at = this.space(at);
      if (bytes[at] !== COLON) this.refuse(at);
      at++;
      if ((bytes[at] as number) <= SPACE) at = this.space(at);
      if (child === undefined) at = this.skip(at);
      else {
        if (child.metIn === serial) this.isHard = true;
        child.metIn = serial;
        at = this.value(at, child, arrays, false);
      }
      if ((bytes[at] as number) <= SPACE) at = this.space(at);
      const byte = bytes[at];
      if (byte === COMMA) {
        at++;
        if ((bytes[at] as number) <= SPACE) at = this.space(at);
      } else if (byte === CLOSE_BRACE) return at + 1;
      else this.refuse(at);
    }
  }

  /** A key with dots, escapes or other than ASCII: leaves its child in `rareChild`, and gives the place of its closing quote. */
  private rareKey(start: number, from: number, node: PathNode): number {
    const { bytes } = this;
    let at = from;
    let hasEscape = false;
    let hasDot = false;
    for (; bytes[at] !== QUOTE; at++) {
      const byte = bytes[at] as number;
      if (byte < SPACE) this.refuse(at);
      if (byte === BACKSLASH) {
        hasEscape = true;
        at++;
        if ((bytes[at] as number) < SPACE) this.refuse(at);
      } else if (byte === DOT) hasDot = true;
    }
    const fault = faultInUtf8(bytes, start, at);
    if (fault !== -1) this.refuse(fault);
    this.rareChild = hasEscape || hasDot ? undefined : node.find(bytes, start, at - start);
    if (hasEscape || (hasDot && node.along(this.buffer.text.toString("utf8", start, at)) !== undefined)) this.isHard = true;
    return at;
  }

  private value(at: number, node: PathNode, arrays: number, inArray: boolean): number {
    const { bytes } = this;
    const { field } = node;
    switch (bytes[at]) {
      case QUOTE:
        return field === null ? this.string(at) : this.text(at, field, inArray);
      case OPEN_BRACE:
        return node.hasChildren ? this.object(at + 1, node, arrays) : this.composite(at);
      case OPEN_BRACKET:
        return this.array(at + 1, node, arrays + 1);
      default:
        return this.scalar(at, field, inArray);
    }
  }

  private array(start: number, node: PathNode, arrays: number): number {
    const { bytes } = this;
    checkArrayLevels(arrays);
    let composites = 0;
    let at = this.space(start);
    if (bytes[at] === CLOSE_BRACKET) return at + 1;
    for (;;) {
      const byte = bytes[at];
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) composites++;
      at = this.value(at, node, arrays, true);
      if ((bytes[at] as number) <= SPACE) at = this.space(at);
      if (bytes[at] === COMMA) {
        at++;
        if ((bytes[at] as number) <= SPACE) at = this.space(at);
      } else if (bytes[at] === CLOSE_BRACKET) break;
      else this.refuse(at);
    }
    if (composites > 1) node.splitIn = this.leaves.serial;
    return at + 1;
  }

  private text(at: number, field: Field, inArray: boolean): number {
    const { bytes } = this;
    const start = at + 1;
    let end = start;
    while (IN_TEXT[bytes[end] as number] === 1) end++;
    if (bytes[end] === QUOTE) {
      this.leaves.addText(field, start, end, inArray);
      return end + 1;
    }
    return this.rareText(start, end, field, inArray);
  }

  /** A string with escapes or other than ASCII. */
  private rareText(start: number, from: number, field: Field, inArray: boolean): number {
    const { bytes } = this;
    let end = from;
    let hasEscape = false;
    for (; bytes[end] !== QUOTE; end++) {
      const byte = bytes[end] as number;
      if (byte < SPACE) this.refuse(end);
      if (byte !== BACKSLASH) continue;
      hasEscape = true;
      end++;
      if ((bytes[end] as number) < SPACE) this.refuse(end);
    }
    const fault = faultInUtf8(bytes, start, end);
    if (fault !== -1) this.refuse(fault);
    if (hasEscape) {
      const place = this.buffer.reserve(end - start);
      const written = this.unescape(start, end, place);
      this.buffer.free = written;
      this.leaves.addText(field, place, written, inArray);
    } else this.leaves.addText(field, start, end, inArray);
    return end + 1;
  }

  private unescape(start: number, end: number, place: number): number {
    const { bytes } = this;
    let to = place;
    for (let at = start; at < end;) {
      const byte = bytes[at++] as number;
      if (byte !== BACKSLASH) {
        bytes[to++] = byte;
        continue;
      }
      const kind = bytes[at++] as number;
      if (kind !== LOWER_U) {
        const plain = ESCAPES[kind] as number;
        if (plain === 0) this.refuse(at - 1);
        bytes[to++] = plain;
        continue;
      }
      let point = this.unit(at, end);
      at += 4;
      if (point >= 0xd800 && point < 0xdc00 && bytes[at] === BACKSLASH && bytes[at + 1] === LOWER_U) {
        const low = this.unit(at + 2, end);
        if (low >= 0xdc00 && low < 0xe000) {
          point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
          at += 6;
        }
      }
      to = writePoint(point, bytes, to);
    }
    return to;
  }

  /** The UTF-16 unit that four hexadecimal digits spell. */
  private unit(at: number, end: number): number {
    let unit = 0;
    for (let i = at; i < at + 4; i++) {
      const digit = i < end ? (HEX[this.bytes[i] as number] as number) : NO_DIGIT;
      if (digit === NO_DIGIT) this.refuse(i);
      unit = unit * 16 + digit;
    }
    return unit;
  }

  /** A number, true, false or null. */
  private scalar(at: number, field: Field | null, inArray: boolean): number {
    const { bytes, leaves } = this;
    switch (bytes[at]) {
      case LOWER_T:
        this.expect(at, "true");
        if (field !== null) leaves.addWord(field, TRUE, inArray);
        return at + 4;
      case LOWER_F:
        this.expect(at, "false");
        if (field !== null) leaves.addWord(field, FALSE, inArray);
        return at + 5;
      case LOWER_N:
        this.expect(at, "null");
        if (field !== null) leaves.addWord(field, NULL, inArray);
        return at + 4;
      default: {
        const end = field === null ? skipNumber(bytes, at) : this.numbers.read(bytes, at);
        if (end < 0) this.refuse(-1 - end);
        if (field !== null) leaves.addNumber(field, this.numbers.value, inArray);
        return end;
      }
    }
  }

  private expect(at: number, word: string): void {
    for (let i = 0; i < word.length; i++) if (this.bytes[at + i] !== word.charCodeAt(i)) this.refuse(at + i);
  }

  /** The place behind a value that no rule asks for. */
  private skip(at: number): number {
    switch (this.bytes[at]) {
      case QUOTE:
        return this.string(at);
      case OPEN_BRACE:
      case OPEN_BRACKET:
        return this.composite(at);
      default:
        return this.scalar(at, null, false);
    }
  }

  private string(at: number): number {
    const end = skipString(this.bytes, at);
    if (end < 0) this.refuse(-1 - end);
    return end;
  }

  private composite(at: number): number {
    const end = this.buffer.skip(at);
    if (end < 0) this.refuse(-1 - end);
    return end;
  }

  private space(start: number): number {
    let at = start;
    while (IS_SPACE[this.bytes[at] as number] === 1) at++;
    return at;
  }

  private refuse(at: number): never {
    throw badJson(this.bytes, at, this.buffer.end);
  }
}

function badJson(bytes: Uint8Array, at: number, end: number): MillraceError {
  if (at >= end) return new MillraceError("bad_json", "the event is not JSON: it ends too early");
  const byte = bytes[at] as number;
  const shown = byte > 0x20 && byte < 0x7f ? `"${String.fromCharCode(byte)}"` : `the byte 0x${byte.toString(16).padStart(2, "0")}`;
  return new MillraceError("bad_json", `the event is not JSON: ${shown} at byte ${at}`);
}

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const DOT = 0x2e;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const LOWER_F = 0x66;
const LOWER_N = 0x6e;
const LOWER_T = 0x74;
const LOWER_U = 0x75;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const NO_DIGIT = 16;

const IS_SPACE = new Uint8Array(256);
for (const char of " \t\n\r") IS_SPACE[char.charCodeAt(0)] = 1;

/** What goes on in a string: ASCII but quotes, backslashes and control characters. */
const IN_TEXT = new Uint8Array(256).fill(1, SPACE, 128);
IN_TEXT[QUOTE] = 0;
IN_TEXT[BACKSLASH] = 0;

/** The same in a key, where a dot is not like the others. */
const IN_KEY = IN_TEXT.slice();
IN_KEY[DOT] = 0;

const ESCAPES = new Uint8Array(256);
for (const [name, plain] of Object.entries({ '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" }))
  ESCAPES[name.charCodeAt(0)] = plain.charCodeAt(0);

const HEX = new Uint8Array(256).fill(NO_DIGIT);
for (const [value, char] of "0123456789abcdef".split("").entries()) {
  HEX[char.charCodeAt(0)] = value;
  HEX[char.toUpperCase().charCodeAt(0)] = value;
}
