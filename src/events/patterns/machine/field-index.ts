import { COUNT_TO } from "./count-to.ts";
import { foldCase } from "../fold-case.ts";
import { type IpAddress, type IpBlock, parseIp } from "../ip.ts";
import type { ExceptTest, NumberTest, Test, TextTest } from "../test.ts";
import { AffixTable } from "./affix-table.ts";
import { ByteWildcard } from "./byte-wildcard.ts";
import { type Gram, GramTable, rankOf } from "./gram-table.ts";
import { chained, Except, Hit, without } from "./hit.ts";
import { IntervalTree } from "./interval-tree.ts";
import { FALSE, type Leaves, NULL, NUMBER, TEXT, TRUE } from "./leaves.ts";
import type { SharedCondition } from "./shared-condition.ts";
import { borrowUtf8, writeUtf8 } from "./utf8.ts";

/** A chain of so many hits is long: beyond, one crowd is as bad as another. */
const CROWD = 32;

/** What a condition has in the index besides what its tests say: found again when it leaves. Most have nothing. */
export interface Filed {
  readonly excepts: Except[];
  readonly wildcards: FiledWildcard[];
}

const NOTHING_ELSE: Filed = { excepts: [], wildcards: [] };

interface FiledWildcard {
  readonly wildcard: ByteWildcard;
  readonly under: "first" | "last" | Gram;
}

/**
 * All that the rules ask of the leaves at one path, in one structure for each thing that can be asked: a leaf is looked up once,
 * at a cost that hangs on the leaf and on what is found, not on how many rules there are.
 */
export class FieldIndex {
  private readonly plain = new AffixTable("forwards");
  private readonly plainEnds = new AffixTable("backwards");
  private readonly folded = new AffixTable("forwards");
  private readonly foldedEnds = new AffixTable("backwards");
  private readonly grams = new GramTable();
  private readonly numbers = new Map<number, Hit>();
  private readonly ranges = new IntervalTree<Hit>();
  private readonly words: (Hit | null)[] = [null, null, null];
  private readonly addresses = new Map<string, Hit>();
  /** By the number of words and of mask bits, then by what the mask leaves. */
  private readonly blocks = new Map<string, { words: number; bits: number; masked: Map<string, Hit> }>();
  private present: Hit | null = null;
  private readonly excepts: Except[] = [];
  private count = 0;
  /** The number of the look-up that goes on, and that of its match. */
  private lookUp = 0;
  private match = 0;
  /** What the match's look-ups at this path have left to find out: the `anything-but` that each leaf so far was excluded from. */
  private readonly open: Except[] = [];
  /** Long chains of which every condition was told already: an array may hold one value a thousand times. */
  private settled: Set<Hit> | null = null;
  private leaves: Leaves | null = null;
  private leaf = 0;
  private onCondition: (condition: SharedCondition) => void = ignore;
  private onStraight: (straight: number) => void = ignore;
  private readonly onHit = (hit: Hit): void => this.meet(hit);
  private readonly onGram = (hit: Hit): void => this.meetGram(hit);

  get isEmpty(): boolean {
    return this.count === 0;
  }

  get sizeBytes(): number {
    const tables = this.plain.sizeBytes + this.plainEnds.sizeBytes + this.folded.sizeBytes + this.foldedEnds.sizeBytes;
    const entries = this.grams.size + this.numbers.size + this.ranges.size + this.addresses.size + this.excepts.length;
    return tables + entries * ENTRY_BYTES;
  }

  add(condition: SharedCondition): Filed {
    const isPlain = condition.tests.every(({ kind }) => kind !== "except" && kind !== "wildcard");
    const filed: Filed = isPlain ? NOTHING_ELSE : { excepts: [], wildcards: [] };
    for (const test of condition.tests) this.addTest(condition, test, filed);
    this.count++;
    return filed;
  }

  delete(condition: SharedCondition, filed: Filed): void {
    for (const test of condition.tests) this.deleteTest(condition, test);
    for (const { wildcard, under } of filed.wildcards) {
      if (under === "first") this.plain.deleteAffix(wildcard.first, condition);
      else if (under === "last") this.plainEnds.deleteAffix(wildcard.last, condition);
      else this.grams.delete(under, condition);
    }
    this.forgetMatches();
    for (const except of filed.excepts) {
      const last = this.excepts.pop() as Except;
      if (last === except) continue;
      last.slot = except.slot;
      this.excepts[except.slot] = last;
    }
    this.count--;
  }

  /** Calls `onCondition` with every condition that the leaf satisfies; with one it may do so several times. */
  look(leaves: Leaves, leaf: number, onCondition: (condition: SharedCondition) => void, onStraight: (straight: number) => void): void {
    if (++this.lookUp > COUNT_TO) this.countAnew();
    const isFirst = this.match !== leaves.serial;
    if (isFirst) this.settled = null;
    this.match = leaves.serial;
    this.leaves = leaves;
    this.leaf = leaf;
    this.onCondition = onCondition;
    this.onStraight = onStraight;
    if (this.present !== null) this.meet(this.present);
    const kind = leaves.kind(leaf);
    switch (kind) {
      case TEXT:
        this.lookAtText(leaves, leaf);
        break;
      case NUMBER:
        this.lookAtNumber(leaves.number(leaf));
        break;
      case TRUE:
      case FALSE:
      case NULL: {
        const hit = this.words[kind - TRUE];
        if (hit !== null && hit !== undefined) this.meet(hit);
        break;
      }
      default:
        kind satisfies never;
    }
    if (this.excepts.length > 0) this.lookAtExcepts(isFirst ? this.excepts : this.open);
  }

  /** From now on the number is the answer to the one text that the condition wants; 0: the condition is again. */
  answer(condition: SharedCondition, straight: number): void {
    const [test] = condition.tests;
    if (test?.kind === "text") this.tablesFor(test.fold).starts.answerWhole(borrowUtf8(test.text), straight);
  }

  /** Matches are counted from one again, or rules have gone. */
  forgetMatches(): void {
    this.match = 0;
    this.open.length = 0;
    this.settled = null;
  }

  private lookAtExcepts(excepts: readonly Except[]): void {
    let left = 0;
    for (const except of excepts) {
      if (except.excludedIn === this.lookUp) this.open[left++] = except;
      else this.onCondition(except.condition);
    }
    this.open.length = left;
  }

  private countAnew(): void {
    this.lookUp = 1;
    for (const except of this.excepts) except.excludedIn = 0;
    this.grams.forgetLookUps();
  }

  private lookAtText(leaves: Leaves, leaf: number): void {
    const start = leaves.start(leaf);
    const end = leaves.end(leaf);
    const { bytes } = leaves.buffer;
    if (!this.plain.isEmpty) this.plain.look(bytes, start, end, this.onHit, this.onStraight);
    if (!this.plainEnds.isEmpty) this.plainEnds.look(bytes, start, end, this.onHit, this.onStraight);
    if (!this.grams.isEmpty) this.grams.look(bytes, start, end, this.onGram);
    if (this.addresses.size > 0 || this.blocks.size > 0) this.lookAtAddress(leaves, leaf);
    if (!this.folded.isEmpty || !this.foldedEnds.isEmpty) this.lookAtFolded(leaves, leaf);
  }

  private lookAtFolded(leaves: Leaves, leaf: number): void {
    const { buffer } = leaves;
    const start = leaves.start(leaf);
    const end = leaves.end(leaf);
    const place = buffer.reserve(end - start);
    const { bytes } = buffer;
    let to = place;
    for (let at = start; at < end; at++, to++) {
      const byte = bytes[at] as number;
      if (byte > 127) return this.lookAtFoldedText(leaves, foldCase(leaves.value(leaf) as string));
      bytes[to] = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
    }
    this.folded.look(bytes, place, to, this.onHit, this.onStraight);
    this.foldedEnds.look(bytes, place, to, this.onHit, this.onStraight);
  }

  private lookAtFoldedText({ buffer }: Leaves, text: string): void {
    const place = buffer.reserve(text.length * 3);
    const { bytes } = buffer;
    const end = writeUtf8(text, bytes, place);
    this.folded.look(bytes, place, end, this.onHit, this.onStraight);
    this.foldedEnds.look(bytes, place, end, this.onHit, this.onStraight);
  }

  private lookAtAddress(leaves: Leaves, leaf: number): void {
    const length = leaves.end(leaf) - leaves.start(leaf);
    if (length < SHORTEST_ADDRESS || length > LONGEST_ADDRESS) return;
    const text = leaves.value(leaf) as string;
    const address = parseIp(text);
    if (address === undefined) return;
    // An IPv4 address is plain text to a literal, even to one that spells it mapped into IPv6; to a block it is an address.
    const hit = text.includes(":") ? this.addresses.get(addressKey(address)) : undefined;
    if (hit !== undefined) this.meet(hit);
    for (const { words, bits, masked } of this.blocks.values()) {
      if (words !== address.length) continue;
      const inBlock = masked.get(blockKey({ address, bits }));
      if (inBlock !== undefined) this.meet(inBlock);
    }
  }

  private lookAtNumber(value: number): void {
    if (this.numbers.size > 0) {
      const hit = this.numbers.get(value);
      if (hit !== undefined) this.meet(hit);
    }
    if (this.ranges.size > 0) this.ranges.stab(value, this.onHit);
  }

  private meet(first: Hit): void {
    if (first.next === null) {
      this.tell(first);
      return;
    }
    if (this.settled !== null && this.settled.has(first)) return;
    let length = 0;
    let isSettled = true;
    for (let hit: Hit | null = first; hit !== null; hit = hit.next, length++) if (!this.tell(hit)) isSettled = false;
    if (isSettled && length >= CROWD) (this.settled ??= new Set()).add(first);
  }

  /** A gram may stand in a text many times. */
  private meetGram(first: Hit): void {
    if (first.metIn === this.lookUp) return;
    first.metIn = this.lookUp;
    for (let hit: Hit | null = first; hit !== null; hit = hit.next) this.tell(hit);
  }

  /** Whether nothing is left that the hit could tell in this match. */
  private tell({ condition, except, wildcard }: Hit): boolean {
    if (except !== null) {
      if (wildcard === null || (except.excludedIn !== this.lookUp && this.tries(wildcard))) except.excludedIn = this.lookUp;
      return false;
    }
    if (condition.firedIn === this.match) return true;
    if (wildcard !== null && !this.tries(wildcard)) return false;
    this.onCondition(condition);
    return true;
  }

  private tries(wildcard: ByteWildcard): boolean {
    const { leaves, leaf } = this;
    return leaves !== null && wildcard.matches(leaves.buffer.bytes, leaves.start(leaf), leaves.end(leaf));
  }

  private addTest(condition: SharedCondition, test: Test, filed: Filed): void {
    switch (test.kind) {
      case "text":
      case "prefix":
      case "suffix":
      case "wildcard":
        return this.addText(test, condition, null, filed);
      case "number":
        return this.addNumber(test, this.hitOf(condition));
      case "range":
        return this.ranges.set(test.low, test.high, chained(this.hitOf(condition), this.ranges.get(test.low, test.high)));
      case "word": {
        const word = wordOf(test.value);
        this.words[word] = chained(this.hitOf(condition), this.words[word]);
        return;
      }
      case "ip": {
        const key = addressKey(test.address);
        this.addresses.set(key, chained(this.hitOf(condition), this.addresses.get(key)));
        return;
      }
      case "cidr":
        return this.addBlock(test.block, this.hitOf(condition));
      case "present":
        this.present = chained(this.hitOf(condition), this.present);
        return;
      case "absent":
        return;
      case "except":
        return this.addExcept(test, condition, filed);
      default:
        test satisfies never;
    }
  }

  /** The condition itself, where no second hit of it will be filed. */
  private hitOf(condition: SharedCondition): Hit {
    return condition.tests.length === 1 ? condition : new Hit(condition, null, null);
  }

  private addExcept({ tests }: ExceptTest, condition: SharedCondition, filed: Filed): void {
    const except = new Except(condition);
    except.slot = this.excepts.push(except) - 1;
    filed.excepts.push(except);
    for (const test of tests) {
      if (test.kind === "number") this.addNumber(test, new Hit(condition, except, null));
      else this.addText(test, condition, except, filed);
    }
  }

  private addText(test: TextTest, condition: SharedCondition, except: Except | null, filed: Filed): void {
    if (test.kind === "wildcard") {
      filed.wildcards.push(this.addWildcard(new ByteWildcard(test.wildcard), condition, except));
      return;
    }
    const text = borrowUtf8(test.text);
    const hit = except === null ? this.hitOf(condition) : new Hit(condition, except, null);
    const { starts, ends } = this.tablesFor(test.fold);
    if (test.kind === "text") starts.addWhole(text, hit);
    else if (test.kind === "prefix") starts.addAffix(text, hit);
    else ends.addAffix(text, hit);
  }

  /** Under that of its literals which the fewest others share. */
  private addWildcard(wildcard: ByteWildcard, condition: SharedCondition, except: Except | null): FiledWildcard {
    const hit = new Hit(condition, except, wildcard);
    const first = rankOf(wildcard.first.length, this.plain.crowd(wildcard.first, CROWD));
    const last = rankOf(wildcard.last.length, this.plainEnds.crowd(wildcard.last, CROWD));
    if (this.grams.rank(wildcard, CROWD) < Math.min(first, last)) {
      const under = this.grams.add(wildcard, hit, CROWD);
      if (under !== undefined) return { wildcard, under };
    }
    if (first <= last) {
      this.plain.addAffix(wildcard.first, hit);
      return { wildcard, under: "first" };
    }
    this.plainEnds.addAffix(wildcard.last, hit);
    return { wildcard, under: "last" };
  }

  private addNumber({ value }: NumberTest, hit: Hit): void {
    this.numbers.set(value, chained(hit, this.numbers.get(value)));
  }

  private addBlock(block: IpBlock, hit: Hit): void {
    const { address, bits } = block;
    const size = `${address.length}/${bits}`;
    let blocks = this.blocks.get(size);
    if (blocks === undefined) this.blocks.set(size, (blocks = { words: address.length, bits, masked: new Map() }));
    const key = blockKey(block);
    blocks.masked.set(key, chained(hit, blocks.masked.get(key)));
  }

  private deleteTest(condition: SharedCondition, test: Test): void {
    switch (test.kind) {
      case "text":
      case "prefix":
      case "suffix":
        return this.deleteText(test, condition);
      case "number":
        return removeFrom(this.numbers, test.value, condition);
      case "range": {
        const rest = without(this.ranges.get(test.low, test.high) ?? null, condition);
        if (rest === null) this.ranges.delete(test.low, test.high);
        else this.ranges.set(test.low, test.high, rest);
        return;
      }
      case "word": {
        const word = wordOf(test.value);
        this.words[word] = without(this.words[word] ?? null, condition);
        return;
      }
      case "ip":
        return removeFrom(this.addresses, addressKey(test.address), condition);
      case "cidr": {
        const size = `${test.block.address.length}/${test.block.bits}`;
        const blocks = this.blocks.get(size);
        if (blocks === undefined) return;
        removeFrom(blocks.masked, blockKey(test.block), condition);
        if (blocks.masked.size === 0) this.blocks.delete(size);
        return;
      }
      case "present":
        this.present = without(this.present, condition);
        return;
      case "except":
        for (const excluded of test.tests) this.deleteTest(condition, excluded);
        return;
      case "wildcard":
      case "absent":
        return;
      default:
        test satisfies never;
    }
  }

  private deleteText(test: Exclude<TextTest, { kind: "wildcard" }>, condition: SharedCondition): void {
    const text = borrowUtf8(test.text);
    const { starts, ends } = this.tablesFor(test.fold);
    if (test.kind === "text") starts.deleteWhole(text, condition);
    else if (test.kind === "prefix") starts.deleteAffix(text, condition);
    else ends.deleteAffix(text, condition);
  }

  private tablesFor(fold: boolean): { starts: AffixTable; ends: AffixTable } {
    return fold ? { starts: this.folded, ends: this.foldedEnds } : { starts: this.plain, ends: this.plainEnds };
  }
}

/** Roughly what a Map's entry or a node with its hit takes. */
const ENTRY_BYTES = 120;
const SHORTEST_ADDRESS = "::".length;
const LONGEST_ADDRESS = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255".length;

function wordOf(value: boolean | null): number {
  return (value === null ? NULL : value ? TRUE : FALSE) - TRUE;
}

function addressKey(address: IpAddress): string {
  return address.join(":");
}

function blockKey({ address, bits }: IpBlock): string {
  let key = "";
  for (let i = 0, left = bits; left > 0; i++, left -= 16) {
    const mask = left >= 16 ? 0xffff : (0xffff << (16 - left)) & 0xffff;
    key += `${(address[i] ?? 0) & mask}:`;
  }
  return key;
}

function removeFrom<K>(hits: Map<K, Hit>, key: K, condition: SharedCondition): void {
  const rest = without(hits.get(key) ?? null, condition);
  if (rest === null) hits.delete(key);
  else hits.set(key, rest);
}

function ignore(): void {}
