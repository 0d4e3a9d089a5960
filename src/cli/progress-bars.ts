import type { Io } from "./io.ts";
import { progressText } from "./progress-line.ts";
import { cut } from "./table.ts";

export interface Bar {
  readonly label: string;
  readonly done: number;
  readonly total: number;
}

/** How far several works are, a line each, at the end of what a terminal shows; nothing where no person looks on. */
export class ProgressBars {
  private readonly io: Io;
  private bars: readonly Bar[] = [];
  private lines = 0;

  constructor(io: Io) {
    this.io = io;
  }

  show(bars: readonly Bar[]): void {
    this.bars = bars;
    this.draw();
  }

  /** What is written meanwhile stands above them. */
  above(write: () => void): void {
    this.clear();
    write();
    this.draw();
  }

  end(): void {
    this.bars = [];
    this.clear();
  }

  private draw(): void {
    if (!this.io.errIsTerminal) return;
    this.clear();
    const columns = this.io.columns ?? 80;
    for (const { label, done, total } of this.bars)
      this.io.err(`${cut(`${progressText(done, total - done, "done")}  ${label}`, columns)}\n`);
    this.lines = this.bars.length;
  }

  private clear(): void {
    if (this.lines > 0) this.io.err(`\u001B[${this.lines}A\u001B[J`);
    this.lines = 0;
  }
}
