import { CHUNK_BYTES, FLAG_BROKEN, FLAG_LAST, INITIAL_CREDIT_BYTES } from "../protocol/index.ts";

/** Sends a request body in pieces, as fast as the function reads it (F8). */
export class Upload {
  private readonly body: Uint8Array | AsyncIterable<Uint8Array>;
  private readonly send: (piece: Uint8Array, flags: number) => void;
  private creditBytes = INITIAL_CREDIT_BYTES;
  private stopped = false;
  private wake: (() => void) | null = null;

  constructor(body: Uint8Array | AsyncIterable<Uint8Array>, send: (piece: Uint8Array, flags: number) => void) {
    this.body = body;
    this.send = send;
  }

  start(): void {
    void this.run();
  }

  credit(bytes: number): void {
    this.creditBytes += bytes;
    this.wake?.();
  }

  /** The call is over: the rest of the body is nobody's. */
  stop(): void {
    this.stopped = true;
    this.wake?.();
  }

  /** Never rejects: a body that breaks off is told to the function. */
  private async run(): Promise<void> {
    try {
      if (this.body instanceof Uint8Array) await this.sendPieces(this.body);
      else {
        for await (const bytes of this.body) {
          await this.sendPieces(bytes);
          if (this.stopped) return;
        }
      }
      this.finish(FLAG_LAST);
    } catch {
      this.finish(FLAG_BROKEN);
    }
  }

  private finish(flag: number): void {
    if (!this.stopped) this.send(new Uint8Array(0), flag);
  }

  private async sendPieces(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      while (this.creditBytes <= 0 && !this.stopped) await this.credited();
      if (this.stopped) return;
      const piece = bytes.subarray(at, at + Math.min(CHUNK_BYTES, this.creditBytes));
      this.creditBytes -= piece.length;
      at += piece.length;
      this.send(piece, 0);
    }
  }

  private async credited(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.wake = resolve;
    });
    this.wake = null;
  }
}
