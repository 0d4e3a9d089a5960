import type { LogLine } from "../store.ts";
import { type Flat, putLogLine } from "./wire.ts";

const MAX_LINES = 10_000;

/** Log lines on their way to the file. Flooded, it drops the oldest and says how many. */
export class LogQueue {
  private lines: LogLine[] = [];
  private dropped = 0;

  get empty(): boolean {
    return this.lines.length === 0;
  }

  add(lines: readonly LogLine[]): void {
    for (const line of lines) this.lines.push(line);
    // Cutting at twice the bound keeps the cost of dropping off each single line.
    if (this.lines.length > 2 * MAX_LINES) this.cut();
  }

  /** Appends `[count, …lines]` and is empty then. */
  moveTo(flat: Flat): void {
    if (this.lines.length > MAX_LINES) this.cut();
    const first = this.lines[0];
    const note = this.dropped > 0 && first !== undefined ? [droppedNote(first, this.dropped)] : [];
    flat.push(note.length + this.lines.length);
    for (const line of note) putLogLine(flat, line);
    for (const line of this.lines) putLogLine(flat, line);
    this.lines = [];
    this.dropped = 0;
  }

  private cut(): void {
    this.dropped += this.lines.length - MAX_LINES;
    this.lines = this.lines.slice(-MAX_LINES);
  }
}

function droppedNote(first: LogLine, dropped: number): LogLine {
  return { atMs: first.atMs, fn: first.fn, invocation: "", level: "warn", text: `${dropped} log lines were dropped: too many at once` };
}
