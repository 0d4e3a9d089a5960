import { CHUNK_BYTES, INITIAL_CREDIT_BYTES } from "../protocol/frame.ts";
import type { BodySource } from "./light-response.ts";

/** Where the pieces go: the chunk frames of a call. */
export interface ChunkSink {
  chunk(bytes: Uint8Array | null, end: "last" | "broken" | null): void;
}

/**
 * Sends a streamed answer (F7): nothing before `go`, then never more than the node has given credit for. It pulls a piece
 * from user code only when it may send, so nothing gathers here.
 */
export class AnswerStream {
  private readonly pieces: PieceReader;
  private readonly sink: ChunkSink;
  private credit = 0;
  private discarded = false;
  private readonly gone = Promise.withResolvers<null>();
  private wake: (() => void) | null = null;

  constructor(source: BodySource | Uint8Array, sink: ChunkSink) {
    this.pieces = readPieces(source);
    this.sink = sink;
  }

  go(): void {
    this.grant(INITIAL_CREDIT_BYTES);
  }

  grant(bytes: number): void {
    this.credit += bytes;
    this.wake?.();
  }

  /** Nobody wants the rest. */
  discard(): void {
    if (this.discarded) return;
    this.discarded = true;
    this.pieces.cancel();
    this.gone.resolve(null);
    this.wake?.();
  }

  /** Runs to the end of the stream, whichever it is. Returns what user code threw, if it did. */
  run(): Promise<{ readonly thrown: unknown } | null> {
    // A generator that waits for something that never comes cannot be cancelled; nobody waits for it then.
    return Promise.race([this.flow(), this.gone.promise]);
  }

  private async flow(): Promise<{ readonly thrown: unknown } | null> {
    try {
      for (;;) {
        await this.hasCredit();
        if (this.discarded) return null;
        const piece = await this.pieces.next();
        if (this.discarded) return null;
        if (piece === null) {
          this.sink.chunk(null, "last");
          return null;
        }
        await this.sendPiece(piece);
      }
    } catch (thrown) {
      if (this.discarded) return null;
      this.sink.chunk(null, "broken");
      return { thrown };
    }
  }

  private async sendPiece(piece: Uint8Array): Promise<void> {
    for (let at = 0; at < piece.length;) {
      await this.hasCredit();
      if (this.discarded) return;
      const end = Math.min(piece.length, at + Math.min(CHUNK_BYTES, this.credit));
      this.credit -= end - at;
      this.sink.chunk(piece.subarray(at, end), null);
      at = end;
    }
  }

  private async hasCredit(): Promise<void> {
    while (this.credit <= 0 && !this.discarded) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.wake = resolve;
      await promise;
      this.wake = null;
    }
  }
}

interface PieceReader {
  next(): Promise<Uint8Array | null>;
  cancel(): void;
}

function readPieces(source: BodySource | Uint8Array): PieceReader {
  if (source instanceof Uint8Array) return readWhole(source);
  return "getReader" in source ? readStream(source) : readIterable(source);
}

function readWhole(bytes: Uint8Array): PieceReader {
  let rest: Uint8Array | null = bytes;
  return {
    next: () => {
      const piece = rest;
      rest = null;
      return Promise.resolve(piece);
    },
    cancel: () => {
      rest = null;
    },
  };
}

/** Locked when it first flows, cancelled even while a read waits. */
function readStream(stream: ReadableStream<Uint8Array>): PieceReader {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  return {
    next: async () => {
      reader ??= stream.getReader();
      const { done, value } = await reader.read();
      return done ? null : toBytes(value);
    },
    cancel: () => {
      reader ??= stream.locked ? undefined : stream.getReader();
      reader?.cancel().catch(() => {});
    },
  };
}

function readIterable(source: AsyncIterable<unknown>): PieceReader {
  let iterator: AsyncIterator<unknown> | undefined;
  const open = (): AsyncIterator<unknown> => (iterator ??= source[Symbol.asyncIterator]());
  return {
    next: async () => {
      const { done, value } = await open().next();
      return done === true ? null : toBytes(value);
    },
    cancel: () => {
      open()
        .return?.()
        .catch(() => {});
    },
  };
}

function toBytes(piece: unknown): Uint8Array {
  if (piece instanceof Uint8Array) return piece;
  if (typeof piece === "string") return Buffer.from(piece);
  if (piece instanceof ArrayBuffer) return new Uint8Array(piece);
  throw new TypeError(`a streamed answer must be made of bytes or strings, not of ${piece === null ? "null" : typeof piece}`);
}
