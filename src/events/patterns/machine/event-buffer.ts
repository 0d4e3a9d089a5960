import { skipComposite } from "./skip.ts";
import { SKIP_MODULE } from "./skip-module.ts";
import { writeUtf8 } from "./utf8.ts";
import { type WasmMemory, webAssembly } from "./web-assembly.ts";

const PAGE_BYTES = 65_536;
/** Up to here an event lies in the memory that WebAssembly sees, which never shrinks again; larger ones get a buffer of their own. */
const SHARED_BYTES = 16 * PAGE_BYTES;

/** Finds the end of a composite; see skip.ts. */
type Skip = (start: number, eventEnd: number) => number;

/**
 * The bytes a match works on: the event, a zero behind it (no JSON holds one, so every loop that reads on stops there without
 * counting), and behind that texts that do not stand in the event as they are: unescaped, folded, or of an event that came
 * parsed. To copy 850 bytes costs 0.04 µs. It buys the zero, a buffer of one kind, which V8 makes fast code for, and one that
 * WebAssembly can read: skip.wat goes through sixteen bytes at once.
 *
 * A thread has one of these: a match ends before the next begins, whichever matcher it is of. `take` holds them to it.
 */
export class EventBuffer {
  bytes = new Uint8Array(0);
  /** The same bytes, for Buffer's decoders. */
  text = Buffer.alloc(0);
  /** Where the event ends and the zero stands. */
  end = 0;
  /** Where the next text may be written. */
  free = 0;
  private readonly shared = new SharedMemory();
  private isShared = false;
  private isTaken = false;

  /** Begins a match, which `release` ends. */
  take(): void {
    if (this.isTaken) throw new Error("a match began inside another: neither a guard nor a getter of an event may match events");
    this.isTaken = true;
  }

  load(event: Uint8Array): void {
    this.begin(event.length);
    this.bytes.set(event, 0);
    this.close(event.length);
  }

  /** The text must be well formed: UTF-8 has no halves of surrogate pairs. */
  loadText(text: string): void {
    this.begin(text.length * 3);
    this.close(encoder.encodeInto(text, this.bytes).written);
  }

  clear(): void {
    this.begin(0);
    this.close(0);
  }

  /** Ends the match, and gives up the buffer of a large event. */
  release(): void {
    this.isTaken = false;
    if (!this.isShared) this.use(this.shared.bytes, true);
  }

  /** Where a text of at most so many bytes may be written; `bytes` may be another afterwards. */
  reserve(sizeBytes: number): number {
    if (this.free + sizeBytes > this.bytes.length) this.grow(this.free + sizeBytes);
    return this.free;
  }

  /** Writes a text behind the event, up to the new `free`; gives its start. */
  write(text: string): number {
    const start = this.reserve(text.length * 3);
    this.free = writeUtf8(text, this.bytes, start);
    return start;
  }

  /** The place behind the object or array that begins at `start`, or -1 - the place of what is wrong with it. */
  skip(start: number): number {
    const { skip } = this.shared;
    return this.isShared && skip !== null ? skip(start, this.end) : skipComposite(this.bytes, start, this.end);
  }

  private begin(sizeBytes: number): void {
    if (sizeBytes < SHARED_BYTES) this.use(this.shared.atLeast(sizeBytes + 1), true);
    else this.use(new Uint8Array(sizeBytes + 1), false);
  }

  private close(end: number): void {
    this.bytes[end] = 0;
    this.end = end;
    this.free = end + 1;
  }

  private grow(sizeBytes: number): void {
    if (this.isShared && sizeBytes <= SHARED_BYTES) return this.use(this.shared.atLeast(sizeBytes), true);
    const old = this.bytes;
    this.use(new Uint8Array(Math.max(old.length * 2, sizeBytes)), false);
    this.bytes.set(old, 0);
  }

  private use(bytes: Uint8Array<ArrayBuffer>, isShared: boolean): void {
    this.isShared = isShared;
    if (bytes === this.bytes) return;
    this.bytes = bytes;
    this.text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }
}

/** Memory that both JavaScript and skip.wat see. Where WebAssembly is not to be had it is JavaScript's alone. */
class SharedMemory {
  bytes: Uint8Array<ArrayBuffer>;
  readonly skip: Skip | null;
  private readonly memory: WasmMemory | null;

  constructor() {
    this.memory = webAssembly === undefined ? null : new webAssembly.Memory({ initial: 1 });
    this.skip = this.memory === null ? null : loadSkip(this.memory);
    this.bytes = new Uint8Array(this.memory?.buffer ?? new ArrayBuffer(PAGE_BYTES));
  }

  atLeast(sizeBytes: number): Uint8Array<ArrayBuffer> {
    if (sizeBytes <= this.bytes.length) return this.bytes;
    const old = this.bytes;
    const missing = Math.max(old.length, sizeBytes - old.length);
    if (this.memory === null) {
      this.bytes = new Uint8Array(old.length + missing);
      this.bytes.set(old, 0);
    } else {
      this.memory.grow(Math.ceil(missing / PAGE_BYTES));
      this.bytes = new Uint8Array(this.memory.buffer);
    }
    return this.bytes;
  }
}

/** null on a machine without 128-bit vectors. */
function loadSkip(memory: WasmMemory): Skip | null {
  const code = Buffer.from(SKIP_MODULE, "base64");
  if (webAssembly === undefined || !webAssembly.validate(code)) return null;
  const { exports } = new webAssembly.Instance(new webAssembly.Module(code), { event: { memory } });
  return exports["skip"] as Skip;
}

const encoder = new TextEncoder();
