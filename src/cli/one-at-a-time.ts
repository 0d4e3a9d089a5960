/** Runs a task when asked, never two at once; being asked while it runs means once more, not once for each. */
export class OneAtATime {
  private readonly task: () => Promise<void>;
  private running: Promise<void> | undefined;
  private again = false;
  private ended = false;

  constructor(task: () => Promise<void>) {
    this.task = task;
  }

  ask(): void {
    if (this.ended) return;
    this.again = true;
    this.running ??= this.work().finally(() => (this.running = undefined));
  }

  /** Waits for what runs; nothing is begun any more. */
  async end(): Promise<void> {
    this.ended = true;
    await this.running;
  }

  private async work(): Promise<void> {
    while (this.again && !this.ended) {
      this.again = false;
      await this.task();
    }
  }
}
