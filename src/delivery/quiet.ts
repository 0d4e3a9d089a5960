/** What is under way apart from the queues, and who waits for the moment in which nothing is. */
export class Quiet {
  private underWay = 0;
  private readonly waiting = new Set<() => void>();
  private readonly restIsQuiet: () => boolean;

  constructor(restIsQuiet: () => boolean) {
    this.restIsQuiet = restIsQuiet;
  }

  /** Work of a door: until it has ended, and what it committed lies in the queues, it is not quiet. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.underWay++;
    try {
      return await work();
    } finally {
      this.underWay--;
      this.check();
    }
  }

  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.add(resolve);
      // What was just set off (an alarm, a commit's answer) gets its turn before the first look.
      setImmediate(() => this.check());
    });
  }

  /** Something ended. */
  check(): void {
    if (this.waiting.size === 0 || this.underWay > 0 || !this.restIsQuiet()) return;
    const waiting = [...this.waiting];
    this.waiting.clear();
    for (const resolve of waiting) resolve();
  }
}
