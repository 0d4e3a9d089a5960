import type { Command } from "./command.ts";

const MOST = 256;
const LONG_MS = 5;

/** What steps of this flow did in this instance so far. */
export class StepHabits {
  private readonly lasts = new Set<string>();
  private readonly longs = new Set<string>();

  /** Runs came to their end after it: those that end here after the same step need not wait for its commit first. */
  isLast({ key }: Command): boolean {
    return this.lasts.has(key);
  }

  ended({ key }: Command): void {
    if (this.lasts.size < MOST) this.lasts.add(key);
  }

  /** This time the run went on. */
  wentOn({ key }: Command): void {
    this.lasts.delete(key);
  }

  /** It took so long the last time that a commit before it is nothing beside it. */
  isLong({ name }: Command): boolean {
    return this.longs.has(name);
  }

  took({ name }: Command, ms: number): void {
    if (ms < LONG_MS) this.longs.delete(name);
    else if (this.longs.size < MOST) this.longs.add(name);
  }
}
