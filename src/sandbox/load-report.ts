const INTERVAL_MS = 1000;

export interface LoadReport {
  readonly utilisation: number;
  readonly heapBytes: number;
}

/** Tells the load every second while calls run; an idle instance does not wake for it. */
export class LoadReporter {
  private readonly send: (report: LoadReport) => void;
  private readonly isBusy: () => boolean;
  private timer: NodeJS.Timeout | null = null;
  private callsSince = false;

  constructor(send: (report: LoadReport) => void, isBusy: () => boolean) {
    this.send = send;
    this.isBusy = isBusy;
  }

  /** A call has come. */
  note(): void {
    this.callsSince = true;
    if (this.timer !== null) return;
    let before: ReturnType<typeof performance.eventLoopUtilization> | undefined;
    // Not now: its first use loads 1 ms of Node, and a call is waiting.
    setImmediate(() => (before = performance.eventLoopUtilization()));
    this.timer = setInterval(() => {
      const now = performance.eventLoopUtilization();
      this.send({ utilisation: performance.eventLoopUtilization(now, before).utilization, heapBytes: process.memoryUsage().heapUsed });
      before = now;
      if (!this.callsSince && !this.isBusy()) this.rest();
      this.callsSince = false;
    }, INTERVAL_MS);
    this.timer.unref();
  }

  private rest(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }
}
