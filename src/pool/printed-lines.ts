import type { LogLevel } from "../protocol/messages.ts";
import type { PrintedStream } from "./spawn.ts";

const LINE_LIMIT_BYTES = 16 * 1024;
const LIMIT_LINES = 1000;
const LIMIT_BYTES = 256 * 1024;
/** Reading costs the node about 1 ms for 3 MiB: a writer that goes on and on is not read any further. */
const FLOOD_BYTES = 64 * 2 ** 20;

const NEWLINE = 10;
const LEVELS = { stdout: "info", stderr: "error" } as const satisfies Record<PrintedStream, LogLevel>;

export type OnLine = (level: LogLevel, text: string) => void;

/**
 * Log lines of what reaches an instance's own standard streams: native code, child processes, writes to the descriptors. (`console` and
 * `process.stdout` go another way, with their call's name.) Bounded from one call's beginning to the next, as a call's log lines are.
 */
export class PrintedLines {
  private readonly onLine: OnLine;
  private readonly unfinished: Record<PrintedStream, Buffer[]> = { stdout: [], stderr: [] };
  private readonly unfinishedBytes: Record<PrintedStream, number> = { stdout: 0, stderr: 0 };
  private lines = 0;
  private bytes = 0;
  private seenBytes = 0;
  private dropped = 0;

  constructor(onLine: OnLine) {
    this.onLine = onLine;
  }

  /** A call begins: it may print as much as any other. */
  renew(): void {
    this.tellDropped();
    this.lines = 0;
    this.bytes = 0;
    this.seenBytes = 0;
  }

  /** False: this is a flood, and the stream is to be closed. */
  push(stream: PrintedStream, piece: Buffer): boolean {
    this.seenBytes += piece.length;
    if (this.seenBytes > FLOOD_BYTES) {
      this.onLine("warn", `… more than ${FLOOD_BYTES / 2 ** 20} MiB were printed: what comes now is not read, and writing it fails`);
      return false;
    }
    let from = 0;
    while (this.isWithin() && from < piece.length) {
      const end = piece.indexOf(NEWLINE, from);
      this.keep(stream, piece.subarray(from, end < 0 ? piece.length : end));
      from = end < 0 ? piece.length : end + 1;
      if (end >= 0 || this.unfinishedBytes[stream] > LINE_LIMIT_BYTES) this.finish(stream);
    }
    if (from < piece.length) this.dropped += piece.length - from;
    return true;
  }

  /** A call has ended, or the process: what has no line end yet is a line. */
  flush(): void {
    this.finish("stdout");
    this.finish("stderr");
    this.tellDropped();
  }

  private keep(stream: PrintedStream, part: Buffer): void {
    // A copy: the part may be a small view that would keep a large read buffer alive.
    this.unfinished[stream].push(Buffer.from(part.subarray(0, LINE_LIMIT_BYTES)));
    this.unfinishedBytes[stream] += part.length;
    // An empty line costs as well.
    this.bytes += part.length + 1;
  }

  private finish(stream: PrintedStream): void {
    const text = Buffer.concat(this.unfinished[stream]).toString("utf8");
    this.unfinished[stream] = [];
    this.unfinishedBytes[stream] = 0;
    if (text === "") return;
    this.lines++;
    this.onLine(LEVELS[stream], text);
  }

  private isWithin(): boolean {
    return this.lines < LIMIT_LINES && this.bytes < LIMIT_BYTES;
  }

  private tellDropped(): void {
    if (this.dropped > 0) this.onLine("warn", `… ${this.dropped} more bytes were printed and dropped`);
    this.dropped = 0;
  }
}
