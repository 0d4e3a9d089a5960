/** A surge is over in a second: the node must know sooner whose loop is full. */
const INTERVAL_MS = 100;

export interface LoadReport {
  readonly utilisation: number;
  readonly heapBytes: number;
}

/** Tells the load every tenth of a second while calls run; an idle instance does not wake for it. */
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
      const { heapUsed, external } = process.memoryUsage();
      this.send({ utilisation: performance.eventLoopUtilization(now, before).utilization, heapBytes: heapUsed + external });
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
