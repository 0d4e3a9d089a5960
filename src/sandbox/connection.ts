import { writeSync } from "node:fs";
import { Socket } from "node:net";
import { type Frame, FrameReader, type FrameType, FrameWriter } from "../protocol/frame.ts";

/** The socket pair that an instance inherits. */
const NODE_FD = 3;
const FULL_PIPE_PAUSE_MS = 1;
const FULL_PIPE_PAUSES_MOST = 250;

/** The way to the node. Frames of one tick leave in one write (F11). */
export class Connection {
  private readonly socket: Socket;
  private readonly writer: FrameWriter;

  constructor(onFrame: (frame: Frame) => void, onEnd: () => void) {
    this.socket = new Socket({ fd: NODE_FD, readable: true, writable: true });
    this.writer = new FrameWriter((bytes) => this.socket.write(bytes));
    const reader = new FrameReader(onFrame);
    // A frame that cannot be read, a closed or a broken socket: either way there is nobody left to work for.
    this.socket.on("data", (bytes: Buffer) => {
      try {
        reader.push(bytes);
      } catch {
        onEnd();
      }
    });
    this.socket.on("end", onEnd);
    this.socket.on("close", onEnd);
    this.socket.on("error", onEnd);
  }

  send(type: FrameType, call: number, head: object | string | null, body: Uint8Array | string | null, flags = 0): void {
    this.writer.send(type, call, head, body, flags);
  }

  flush(): void {
    this.writer.flush();
  }

  /** Calls back once the kernel has everything that was sent. */
  drain(done: () => void): void {
    this.writer.flush();
    this.socket.write("", () => done());
  }

  /**
   * For the last words of a process that is about to end: written before this returns. When the kernel has not taken what
   * was sent earlier, a frame written past it would land in the middle of another; then nothing is said, and the node
   * sees a crash.
   */
  sendNow(type: FrameType, call: number, head: object): void {
    this.writer.flush();
    if (this.socket.writableLength > 0) return;
    const lastWords = new FrameWriter((bytes) => writeAll(bytes));
    lastWords.send(type, call, head, null);
    lastWords.flush();
  }
}

function writeAll(bytes: Buffer): void {
  let at = 0;
  for (let pauses = 0; at < bytes.length && pauses < FULL_PIPE_PAUSES_MOST;) {
    try {
      at += writeSync(NODE_FD, bytes, at);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) return;
      pauses++;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_PIPE_PAUSE_MS);
    }
  }
}
