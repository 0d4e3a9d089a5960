/** Memory that many share: each asks before it takes, and everyone may have a little however much the others hold. */
export class MemoryBudget {
  private usedBytes = 0;
  private readonly mostBytes: number;

  constructor(mostBytes: number) {
    this.mostBytes = mostBytes;
  }

  get leftBytes(): number {
    return Math.max(0, this.mostBytes - this.usedBytes);
  }

  take(bytes: number): void {
    this.usedBytes += bytes;
  }

  giveBack(bytes: number): void {
    this.usedBytes -= bytes;
  }
}
