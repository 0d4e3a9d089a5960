/**
 * The frames of SPEC.md: encoding into one buffer a tick, decoding from a stream in any pieces.
 *
 * Heads are JSON: at 300 bytes a parse costs about 1 µs, and it keeps the protocol writable from any language. An empty
 * head costs nothing, which is what most results have.
 */

export const HEADER_BYTES = 16;
export const LARGEST_PART_BYTES = 4 * 1024 * 1024;
export const CHUNK_BYTES = 64 * 1024;
export const INITIAL_CREDIT_BYTES = 256 * 1024;

export const FRAME = {
  speak: 14,
  load: 1,
  manifest: 2,
  event: 3,
  http: 4,
  reply: 5,
  abort: 6,
  go: 7,
  discard: 8,
  requestChunk: 9,
  responseCredit: 10,
  stop: 11,
  prepare: 12,
  compile: 13,
  run: 15,
  entries: 16,
  kept: 17,
  again: 18,
  ready: 32,
  loaded: 33,
  described: 34,
  started: 35,
  result: 36,
  threw: 37,
  read: 38,
  log: 39,
  responseChunk: 40,
  requestCredit: 41,
  aborted: 42,
  fatal: 43,
  loadReport: 44,
  compiled: 45,
  open: 46,
  step: 47,
  park: 48,
  extend: 49,
  begin: 50,
} as const;

export type FrameType = (typeof FRAME)[keyof typeof FRAME];

const KNOWN_TYPES: ReadonlySet<number> = new Set(Object.values(FRAME));

export const FLAG_LAST = 1;
export const FLAG_BROKEN = 2;

export interface Frame {
  readonly type: FrameType;
  readonly call: number;
  readonly flags: number;
  /** Parsed JSON; `{}` when it was empty. Whoever reads it checks what it needs. */
  readonly head: Readonly<Record<string, unknown>>;
  /** A view into the receive buffer, which it keeps alive: copy what is small and kept for long. */
  readonly body: Buffer;
}

/** The peer does not speak the protocol; the connection cannot go on. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

const NO_HEAD: Readonly<Record<string, unknown>> = Object.freeze({});
const NO_BODY = Buffer.alloc(0);
const COPY_BYTES = 8 * 1024;

/** Collects the frames of one tick and hands them to `write` as one buffer (F11). */
export class FrameWriter {
  private buffer = Buffer.allocUnsafe(64 * 1024);
  private length = 0;
  private scheduled = false;
  private readonly write: (bytes: Buffer) => void;

  constructor(write: (bytes: Buffer) => void) {
    this.write = write;
  }

  /** `head` is an object, JSON text already made, or null; `body` bytes or text. */
  send(type: FrameType, call: number, head: object | string | null, body: Uint8Array | string | null, flags = 0): void {
    const headText = head === null ? "" : typeof head === "string" ? head : JSON.stringify(head);
    const bodyMost = body === null ? 0 : typeof body === "string" ? body.length * 3 : body.length;
    this.reserve(HEADER_BYTES + headText.length * 3 + bodyMost);
    const { buffer } = this;
    const start = this.length;
    const headBytes = headText === "" ? 0 : buffer.write(headText, start + HEADER_BYTES);
    const bodyAt = start + HEADER_BYTES + headBytes;
    let bodyBytes = 0;
    if (typeof body === "string") bodyBytes = buffer.write(body, bodyAt);
    else if (body !== null) {
      buffer.set(body, bodyAt);
      bodyBytes = body.length;
    }
    buffer.writeUInt32LE(headBytes, start);
    buffer.writeUInt32LE(bodyBytes, start + 4);
    buffer.writeUInt32LE(call, start + 8);
    buffer.writeUInt32LE(type | (flags << 8), start + 12);
    this.length = bodyAt + bodyBytes;
    if (!this.scheduled) {
      this.scheduled = true;
      setImmediate(this.flush);
    }
  }

  /** Sends what is waiting now instead of at the end of the tick. */
  readonly flush = (): void => {
    this.scheduled = false;
    if (this.length === 0) return;
    const bytes = this.takeBytes();
    this.length = 0;
    this.write(bytes);
  };

  /**
   * The socket may keep the bytes until the kernel has taken them, so they cannot stay in a buffer that is used again.
   * Few bytes are copied out: a fresh 64 KiB for each small write kept the collector busier than the copy does.
   */
  private takeBytes(): Buffer {
    const bytes = this.buffer.subarray(0, this.length);
    if (this.length <= COPY_BYTES) return Buffer.from(bytes);
    this.buffer = Buffer.allocUnsafe(64 * 1024);
    return bytes;
  }

  private reserve(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.length + bytes));
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
  }
}

/**
 * Cuts a stream of bytes into frames. Throws ProtocolError on the first byte that cannot be right (F2).
 *
 * A frame that comes in pieces gets a buffer of its full size at once and each piece is copied once: joining the pieces
 * again at every arrival cost 60 copies of a 4 MiB body. Frames are views into buffers that are never written again.
 */
export class FrameReader {
  /** Fewer bytes than a header. */
  private stub: Buffer = NO_BODY;
  private partial: { readonly bytes: Buffer; filled: number; readonly headBytes: number } | null = null;
  private readonly onFrame: (frame: Frame) => void;

  constructor(onFrame: (frame: Frame) => void) {
    this.onFrame = onFrame;
  }

  push(bytes: Buffer): void {
    let at = this.fillPartial(bytes);
    let data = bytes;
    if (this.stub.length > 0) {
      data = Buffer.concat([this.stub, bytes]);
      this.stub = NO_BODY;
    }
    while (data.length - at >= HEADER_BYTES) {
      const headBytes = data.readUInt32LE(at);
      const bodyBytes = data.readUInt32LE(at + 4);
      checkHeader(headBytes, bodyBytes, data.readUInt8(at + 12));
      const end = at + HEADER_BYTES + headBytes + bodyBytes;
      if (end > data.length) {
        const whole = Buffer.allocUnsafe(end - at);
        this.partial = { bytes: whole, filled: data.copy(whole, 0, at), headBytes };
        return;
      }
      this.onFrame(decode(data, at, headBytes, end));
      at = end;
    }
    if (at < data.length) this.stub = data.subarray(at);
  }

  /** How many of the bytes went into the frame that had begun. */
  private fillPartial(bytes: Buffer): number {
    const { partial } = this;
    if (partial === null) return 0;
    const taken = bytes.copy(partial.bytes, partial.filled);
    partial.filled += taken;
    if (partial.filled === partial.bytes.length) {
      this.partial = null;
      this.onFrame(decode(partial.bytes, 0, partial.headBytes, partial.bytes.length));
    }
    return taken;
  }
}

function checkHeader(headBytes: number, bodyBytes: number, type: number): void {
  if (headBytes > LARGEST_PART_BYTES || bodyBytes > LARGEST_PART_BYTES)
    throw new ProtocolError(`a frame claims ${headBytes} + ${bodyBytes} bytes`);
  if (!KNOWN_TYPES.has(type)) throw new ProtocolError(`unknown frame type ${type}`);
}

function decode(data: Buffer, at: number, headBytes: number, end: number): Frame {
  const headAt = at + HEADER_BYTES;
  return {
    type: data.readUInt8(at + 12) as FrameType,
    flags: data.readUInt8(at + 13),
    call: data.readUInt32LE(at + 8),
    head: headBytes === 0 ? NO_HEAD : parseHead(data.toString("utf8", headAt, headAt + headBytes)),
    body: data.subarray(headAt + headBytes, end),
  };
}

function parseHead(text: string): Readonly<Record<string, unknown>> {
  let head: unknown;
  try {
    head = JSON.parse(text);
  } catch {
    throw new ProtocolError("a frame's head is no JSON");
  }
  if (typeof head !== "object" || head === null || Array.isArray(head)) throw new ProtocolError("a frame's head is no JSON object");
  return head as Readonly<Record<string, unknown>>;
}
