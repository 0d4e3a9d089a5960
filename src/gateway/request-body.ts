import type { IncomingMessage } from "node:http";
import { formatSize, MillraceError } from "../core/index.ts";

export type Collected =
  | { readonly kind: "whole"; readonly bytes: Uint8Array }
  /** It did not end within the bounds: `stream()` gives all of it, from the beginning. */
  | { readonly kind: "more" }
  | { readonly kind: "failed"; readonly error: MillraceError }
  /** The client went away in the middle. */
  | { readonly kind: "left" };

type End = { readonly kind: "ended" } | { readonly kind: "failed"; readonly error: MillraceError } | { readonly kind: "left" };

/** So much is read ahead of a function that reads slower than its client sends. */
const READ_AHEAD_BYTES = 256 * 1024;

/** What a client may still send after the answer, so that it gets to read it before the connection closes. */
const DISCARD_BYTES = 1024 * 1024;
const DISCARD_MS = 1000;

/**
 * One request's body: read at the pace of its reader, refused beyond a limit. It is read by hand because an
 * IncomingMessage's own iterator takes the connection down when a reader stops early, and with it the answer.
 */
export class RequestBody {
  /** What Content-Length says; null when the body comes in chunks. */
  readonly declaredBytes: number | null;
  /** Told once, when there is nothing more to come. */
  onOver: (() => void) | undefined;
  private readonly request: IncomingMessage;
  private readonly limitBytes: number;
  private readonly queue: Uint8Array[] = [];
  private queuedBytes = 0;
  private received = 0;
  private end: End | undefined;
  private paused = false;
  private readAheadBytes = READ_AHEAD_BYTES;
  private discarding = false;
  private wake: (() => void) | undefined;

  constructor(request: IncomingMessage, limitBytes: number) {
    this.request = request;
    this.limitBytes = limitBytes;
    const length = request.headers["content-length"];
    this.declaredBytes = length === undefined ? null : Number(length);
  }

  /** Set when the request itself is at fault: too large, too slow. */
  get fault(): MillraceError | undefined {
    return this.end?.kind === "failed" ? this.end.error : undefined;
  }

  /** True once there is nothing more to come. */
  get complete(): boolean {
    return this.request.complete;
  }

  /** True while it is the client who keeps us waiting. */
  get waitsForClient(): boolean {
    return this.end === undefined && !this.paused;
  }

  get over(): boolean {
    return this.end !== undefined;
  }

  get receivedBytes(): number {
    return this.received;
  }

  /** The refusal of a body whose declared length is over the limit: known before a byte of it is read. */
  get refusal(): MillraceError | undefined {
    return this.declaredBytes !== null && this.declaredBytes > this.limitBytes ? this.tooLarge() : undefined;
  }

  begin(): void {
    const { request } = this;
    request.on("data", (chunk: Uint8Array) => this.take(chunk));
    request.on("end", () => this.finish({ kind: "ended" }));
    request.on("close", () => this.finish({ kind: "left" }));
    // A connection that breaks is reported by `close` as well.
    request.on("error", () => this.finish({ kind: "left" }));
  }

  /** All of the body if it ends within `maxBytes` and, where given, within `patienceMs`. */
  async collect(maxBytes: number, patienceMs: number | null): Promise<Collected> {
    const patience = { over: false };
    const timer =
      patienceMs === null
        ? undefined
        : setTimeout(() => {
            patience.over = true;
            this.wake?.();
          }, patienceMs);
    this.readAheadBytes = maxBytes;
    try {
      while (this.end === undefined && this.queuedBytes <= maxBytes && !patience.over) await this.change();
    } finally {
      clearTimeout(timer);
      this.readAheadBytes = READ_AHEAD_BYTES;
    }
    if (this.end?.kind === "failed" || this.end?.kind === "left") return this.end;
    if (this.end === undefined || this.queuedBytes > maxBytes) return { kind: "more" };
    return { kind: "whole", bytes: this.takeAll() };
  }

  /** The body from its beginning, once. Throws the fault when the client breaks a limit or goes away. */
  async *stream(): AsyncGenerator<Uint8Array, void, void> {
    for (;;) {
      const piece = this.queue.shift();
      if (piece !== undefined) {
        this.queuedBytes -= piece.length;
        this.flow();
        yield piece;
      } else if (this.end === undefined) {
        await this.change();
      } else if (this.end.kind === "ended") {
        return;
      } else {
        throw this.end.kind === "failed"
          ? this.end.error
          : new MillraceError("bad_request", "the client went away before its body had ended");
      }
    }
  }

  fail(error: MillraceError): void {
    this.finish({ kind: "failed", error });
  }

  /** Reads and drops what still comes, within bounds. Resolves when the client has had its chance to read the answer. */
  async discard(): Promise<void> {
    this.discarding = true;
    this.queue.length = 0;
    this.queuedBytes = 0;
    if (this.request.complete || this.request.destroyed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, DISCARD_MS);
    let dropped = 0;
    this.request.on("data", (chunk: Uint8Array) => {
      dropped += chunk.length;
      if (dropped > DISCARD_BYTES) resolve();
    });
    this.request.on("end", resolve);
    this.request.on("close", resolve);
    this.request.resume();
    await promise;
    clearTimeout(timer);
    this.request.pause();
  }

  private take(chunk: Uint8Array): void {
    this.received += chunk.length;
    if (this.discarding || this.end !== undefined) return;
    if (this.received > this.limitBytes) {
      this.finish({ kind: "failed", error: this.tooLarge() });
      return;
    }
    this.queue.push(chunk);
    this.queuedBytes += chunk.length;
    if (this.queuedBytes > this.readAheadBytes) this.hold();
    this.wake?.();
  }

  private finish(end: End): void {
    if (this.end !== undefined) return;
    this.end = end;
    if (end.kind === "failed") this.request.pause();
    this.onOver?.();
    this.wake?.();
  }

  private hold(): void {
    this.paused = true;
    this.request.pause();
  }

  private flow(): void {
    if (!this.paused || this.queuedBytes > this.readAheadBytes) return;
    this.paused = false;
    this.request.resume();
  }

  private change(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = () => {
        this.wake = undefined;
        resolve();
      };
    });
  }

  private takeAll(): Uint8Array {
    const all = this.queue.length === 1 ? this.queue[0] : Buffer.concat(this.queue, this.queuedBytes);
    this.queue.length = 0;
    this.queuedBytes = 0;
    return all ?? new Uint8Array();
  }

  private tooLarge(): MillraceError {
    return new MillraceError("too_large", `the request body is larger than ${formatSize(this.limitBytes)}`);
  }
}
