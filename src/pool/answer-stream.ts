import { INITIAL_CREDIT_BYTES, CHUNK_BYTES, FLAG_BROKEN, FLAG_LAST, ProtocolError } from "../protocol/index.ts";

export interface AnswerSource {
  /** The reader has come: the body may flow (F7). */
  readonly go: () => void;
  readonly credit: (bytes: number) => void;
  /** The reader does not want the rest. */
  readonly discard: () => void;
}

/** A streamed answer: what the instance sends waits here, at most the credit it has, until the client takes it. */
export class AnswerStream implements AsyncIterable<Uint8Array> {
  private readonly source: AnswerSource;
  private readonly queue: Buffer[] = [];
  private end: { readonly error: Error | null } | null = null;
  private going = false;
  private creditBytes = INITIAL_CREDIT_BYTES;
  private consumedBytes = 0;
  private wake: (() => void) | null = null;

  constructor(source: AnswerSource) {
    this.source = source;
  }

  /** True when this was the last piece. */
  push(piece: Buffer, flags: number): boolean {
    if (!this.going) throw new ProtocolError("a streamed answer flowed before `go`");
    if (piece.length > this.creditBytes) throw new ProtocolError("a streamed answer went beyond its credit");
    this.creditBytes -= piece.length;
    if (piece.length > 0) this.queue.push(piece);
    if ((flags & FLAG_BROKEN) !== 0) this.finish(new Error("the function's answer broke off"));
    else if ((flags & FLAG_LAST) !== 0) this.finish(null);
    this.wake?.();
    return this.end !== null;
  }

  /** Nothing more will come; what came is still read. */
  finish(error: Error | null): void {
    this.end ??= { error };
    this.wake?.();
  }

  discard(): void {
    if (this.end !== null) return;
    this.queue.length = 0;
    this.finish(new Error("the answer was discarded"));
    this.source.discard();
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return {
      next: () => this.next(),
      return: async () => {
        this.discard();
        return { done: true, value: undefined };
      },
    };
  }

  private async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (!this.going) {
      this.going = true;
      this.source.go();
    }
    for (;;) {
      const piece = this.queue.shift();
      if (piece !== undefined) {
        this.consume(piece.length);
        return { done: false, value: piece };
      }
      if (this.end?.error) throw this.end.error;
      if (this.end !== null) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      this.wake = null;
    }
  }

  /** Credit is given back in portions: one frame a small piece would double the traffic. */
  private consume(bytes: number): void {
    this.consumedBytes += bytes;
    if (this.consumedBytes < CHUNK_BYTES || this.end !== null) return;
    this.creditBytes += this.consumedBytes;
    this.source.credit(this.consumedBytes);
    this.consumedBytes = 0;
  }
}
