import type { InstanceReport } from "./instance-roles.ts";

/** An instance at work tells its load that often (F13), a little sooner by this clock. */
const REPORTED_MS = 90;
/** Without calls for longer than this an instance is at work anew: what it told before says nothing of the calls to come. */
const PAUSE_MS = 20;
/** By each report: to a third in a second. A full loop has a pause whenever the node is slow to send more, and is no less full for it. */
const PEAK_FADING = 0.9;
/** Three reports did not come. */
const SILENT_MS = 300;

/** How busy an instance's loop is, by its own reports, and what its calls say beside them. */
export class LoopGauge {
  /** The share of its last tenth of a second that its event loop was busy; null: it has not been at work for that long. */
  utilisation: number | null = null;
  /** What its loop is known to be capable of: as busy as ever in the last second, fading. */
  peakUtilisation = 0;
  endedCalls = 0;
  /** A run ends late or never: what it did on its way counts like a call. */
  endedSteps = 0;
  /** When it last told of its loop, or got a call after a pause. */
  private beganMs = 0;
  private endedBefore = 0;
  private mostRunning = 0;

  /** `running`: how many there are with it. `idleMs`: how long there was none. */
  callBegins(running: number, idleMs: number, nowMs: number): void {
    if (running === 1 && idleMs > PAUSE_MS) {
      this.utilisation = null;
      this.peakUtilisation = 0;
      this.begin(0, nowMs);
    }
    if (running > this.mostRunning) this.mostRunning = running;
  }

  /** Null where the loop had nothing to do for a part of the time: of the rest it says too little. */
  report(utilisation: number, heapBytes: number, at: { running: number; loadedMs: number; nowMs: number }): InstanceReport | null {
    const tookMs = at.nowMs - Math.max(this.beganMs, at.loadedMs);
    if (tookMs < REPORTED_MS) return null;
    const endedPerSecond = ((this.ended - this.endedBefore) * 1000) / tookMs;
    const { mostRunning } = this;
    this.begin(at.running, at.nowMs);
    this.utilisation = utilisation;
    this.peakUtilisation = Math.max(utilisation, this.peakUtilisation * PEAK_FADING);
    return { utilisation, heapBytes, endedPerSecond, mostRunning };
  }

  /** At work and without a word for so long that something holds its loop. */
  isSilent(loadedMs: number, nowMs: number): boolean {
    return nowMs - Math.max(this.beganMs, loadedMs) > SILENT_MS;
  }

  private get ended(): number {
    return this.endedCalls + this.endedSteps;
  }

  private begin(running: number, nowMs: number): void {
    this.beganMs = nowMs;
    this.endedBefore = this.ended;
    this.mostRunning = running;
  }
}
