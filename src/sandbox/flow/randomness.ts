/** Numbers that are the same whenever a run is run again: the n-th is drawn from the run's seed and n. */
export class Randomness {
  private readonly seed: string;
  private drawn = 0;

  constructor(seed: string) {
    this.seed = seed;
  }

  /** From 0 up to 1, with 53 bits. */
  number(): number {
    const bytes = this.draw();
    return ((bytes.readUInt32BE(0) >>> 5) * 2 ** 26 + (bytes.readUInt32BE(4) >>> 6)) / 2 ** 53;
  }

  /** Of version 4 (RFC 9562). */
  uuid(): string {
    const bytes = this.draw();
    bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
    const hex = bytes.toString("hex", 0, 16);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }

  private draw(): Buffer {
    const { createHash } = process.getBuiltinModule("node:crypto");
    return createHash("sha256")
      .update(`${this.seed}\n${++this.drawn}`)
      .digest();
  }
}
