import { type Io, makeColors } from "../io.ts";

/** A terminal, or none, that a test reads. */
export class ScriptedIo implements Io {
  stdout = "";
  stderr = "";
  input = "";
  answer: string | null = null;
  outIsTerminal = false;
  errIsTerminal = false;
  columns: number | null = null;
  nowMs = 10_000;
  outColors = makeColors(false);
  errColors = makeColors(false);
  cwd: string;
  env: Record<string, string | undefined> = {};
  readonly questions: string[] = [];
  readonly exits: number[] = [];
  private readonly interrupts = new Set<() => void>();
  private readonly watchers = new Set<() => void>();

  constructor(cwd: string) {
    this.cwd = cwd;
  }

  out(text: string): void {
    this.stdout += text;
    this.changed();
  }

  err(text: string): void {
    this.stderr += text;
    this.changed();
  }

  now(): number {
    return this.nowMs;
  }

  readInput(): Promise<string> {
    return Promise.resolve(this.input);
  }

  ask(question: string): Promise<string | null> {
    this.questions.push(question);
    return Promise.resolve(this.answer);
  }

  onInterrupt(handler: () => void): () => void {
    this.interrupts.add(handler);
    return () => this.interrupts.delete(handler);
  }

  exit(code: number): void {
    this.exits.push(code);
  }

  interrupt(): void {
    for (const handler of this.interrupts) handler();
  }

  /** Resolves as soon as what was printed holds the text. */
  async printed(text: string): Promise<void> {
    while (!(this.stdout + this.stderr).includes(text)) {
      await new Promise<void>((resolve) => this.watchers.add(resolve));
    }
  }

  get json(): unknown[] {
    return this.stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line): unknown => JSON.parse(line));
  }

  private changed(): void {
    for (const wake of this.watchers) wake();
    this.watchers.clear();
  }
}
