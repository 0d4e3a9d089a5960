import type { Command } from "./command.ts";

const MOST = 256;

/** After which steps runs of this flow came to their end in this instance: those that end here after the same step need not wait for its commit first. */
export class LastSteps {
  private readonly keys = new Set<string>();

  has({ key }: Command): boolean {
    return this.keys.has(key);
  }

  add({ key }: Command): void {
    if (this.keys.size < MOST) this.keys.add(key);
  }

  /** This time the run went on. */
  remove({ key }: Command): void {
    this.keys.delete(key);
  }
}
