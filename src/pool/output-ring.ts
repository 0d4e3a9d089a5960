/** The last bytes of what a process printed, for the message when it crashes; the pipe is always drained, so it never blocks. */
export class OutputRing {
  private readonly limitBytes: number;
  private pieces: Buffer[] = [];
  private sizeBytes = 0;

  constructor(limitBytes = 64 * 1024) {
    this.limitBytes = limitBytes;
  }

  push(piece: Buffer): void {
    // A copy: the piece may be a small view that would keep a large read buffer alive.
    this.pieces.push(Buffer.from(piece.length > this.limitBytes ? piece.subarray(piece.length - this.limitBytes) : piece));
    this.sizeBytes += Math.min(piece.length, this.limitBytes);
    while (this.sizeBytes - (this.pieces[0]?.length ?? 0) >= this.limitBytes) this.sizeBytes -= this.pieces.shift()?.length ?? 0;
    // A flood of tiny writes must not keep thousands of small buffers.
    if (this.pieces.length > 1024) this.pieces = [Buffer.concat(this.pieces)];
  }

  text(): string {
    const all = Buffer.concat(this.pieces);
    return all.subarray(Math.max(0, all.length - this.limitBytes)).toString("utf8");
  }
}
