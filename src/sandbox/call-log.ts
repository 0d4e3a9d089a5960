import type { LogLevel } from "../protocol/messages.ts";

export const LINE_LIMIT_CHARS = 16 * 1024;
export const CALL_LIMIT_LINES = 1000;
export const CALL_LIMIT_CHARS = 256 * 1024;

export type SendLog = (level: LogLevel, text: string, atMs: number) => void;

/** The log lines of one call, bounded: a loop that logs must not drown the node. */
export class CallLog {
  /** How deep console.group has gone. */
  depth = 0;
  private readonly send: SendLog;
  private lines = 0;
  private chars = 0;
  private dropped = 0;
  /** What was written to stdout and stderr without a line end so far. */
  private readonly unfinished: Record<"stdout" | "stderr", string> = { stdout: "", stderr: "" };

  constructor(send: SendLog) {
    this.send = send;
  }

  line(level: LogLevel, text: string): void {
    const line =
      text.length <= LINE_LIMIT_CHARS ? text : `${text.slice(0, LINE_LIMIT_CHARS)}… (${text.length - LINE_LIMIT_CHARS} more characters)`;
    if (this.lines >= CALL_LIMIT_LINES || this.chars + line.length > CALL_LIMIT_CHARS) {
      this.dropped++;
      return;
    }
    this.lines++;
    this.chars += line.length;
    this.send(level, line, Date.now());
  }

  /** A write to stdout or stderr: cut into lines, the last one kept until it ends. */
  write(stream: "stdout" | "stderr", text: string): void {
    const lines = (this.unfinished[stream] + text).split("\n");
    this.unfinished[stream] = lines.pop() ?? "";
    for (const line of lines) this.line(levelOf(stream), line);
    if (this.unfinished[stream].length > LINE_LIMIT_CHARS) this.finish(stream);
  }

  /** Called once at the end of the call. */
  end(): void {
    this.finish("stdout");
    this.finish("stderr");
    if (this.dropped > 0) this.send("warn", `… ${this.dropped} more lines were dropped`, Date.now());
    this.dropped = 0;
  }

  private finish(stream: "stdout" | "stderr"): void {
    const text = this.unfinished[stream];
    this.unfinished[stream] = "";
    if (text !== "") this.line(levelOf(stream), text);
  }
}

function levelOf(stream: "stdout" | "stderr"): LogLevel {
  return stream === "stdout" ? "info" : "error";
}
