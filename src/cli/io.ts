import { stripVTControlCharacters } from "node:util";
import pc from "picocolors";

export type Colors = ReturnType<typeof pc.createColors>;

/** What a command has of the world: so that a test can give it another. */
export interface Io {
  /** Results. */
  out(text: string): void;
  /** Everything else. */
  err(text: string): void;
  readonly outColors: Colors;
  readonly errColors: Colors;
  /** Whether a person reads results, and what else is said, on a terminal. */
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  /** Width of the terminal, or null when there is none. */
  readonly columns: number | null;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  now(): number;
  /** All of standard input. */
  readInput(): Promise<string>;
  /** Asks a person; null when there is none to ask. */
  ask(question: string): Promise<string | null>;
  /** Calls `handler` at every Ctrl-C or request to end, instead of ending; returns how to take it back. */
  onInterrupt(handler: () => void): () => void;
  /** Ends the process at once. */
  exit(code: number): void;
}

/** Colours are for people at a terminal who did not decline them (https://no-color.org). */
export function wantsColor(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  return isTerminal && (env.NO_COLOR ?? "") === "" && env.TERM !== "dumb";
}

export function makeColors(enabled: boolean): Colors {
  return pc.createColors(enabled);
}

export function plain(text: string): string {
  return stripVTControlCharacters(text);
}

export function line(io: Io, text: string): void {
  io.out(`${text}\n`);
}

/** One JSON document a line: what programs read. */
export function jsonLine(io: Io, value: unknown): void {
  io.out(`${JSON.stringify(value)}\n`);
}

export function note(io: Io, text: string): void {
  io.err(`${text}\n`);
}
