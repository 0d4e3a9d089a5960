import type { Io } from "./io.ts";

const BAR_PLACES = 24;

/** How far a long work is, on one line of a terminal; nothing where no person looks on. */
export class ProgressLine {
  private readonly word: string;
  private readonly io: Io;
  private shown = false;

  constructor(word: string, io: Io) {
    this.word = word;
    this.io = io;
  }

  show(done: number, remaining: number | null): void {
    if (!this.io.errIsTerminal) return;
    this.shown = true;
    this.io.err(`\r\u001B[K${progressText(done, remaining, this.word)}`);
  }

  end(): void {
    if (this.shown) this.io.err("\r\u001B[K");
  }
}

export function progressText(done: number, remaining: number | null, word: string): string {
  if (remaining === null) return `${done} ${word} …`;
  const total = done + remaining;
  const full = total === 0 ? BAR_PLACES : Math.round((done / total) * BAR_PLACES);
  return `${"█".repeat(full)}${"░".repeat(BAR_PLACES - full)} ${done} of ${total} ${word}`;
}
