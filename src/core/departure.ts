/** Tells when somebody leaves: as much of an AbortSignal as that takes, so a real one will do. */
export interface LeaveSignal {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/**
 * The signal of one client. Every request has one that is listened to, and next to none aborts: a real AbortSignal, listened to and left
 * again, costs 0.3 µs in a loop, this one 0.04 µs.
 */
export class Departure implements LeaveSignal {
  private gone = false;
  private readonly listeners: (() => void)[] = [];

  get aborted(): boolean {
    return this.gone;
  }

  addEventListener(_type: "abort", listener: () => void): void {
    this.listeners.push(listener);
  }

  removeEventListener(_type: "abort", listener: () => void): void {
    const at = this.listeners.indexOf(listener);
    if (at >= 0) this.listeners.splice(at, 1);
  }

  abort(): void {
    if (this.gone) return;
    this.gone = true;
    for (const listener of this.listeners.splice(0)) listener();
  }
}
