import { MillraceError } from "../core/errors.ts";

/** What one result frame carries at most (SPEC F2), less room for the answer's own head. */
export const EFFECTS_LIMIT_BYTES = 4 * 1024 * 1024 - 128 * 1024;

/**
 * What a transaction did so far, each effect already in the JSON of its frame. So the size is known exactly when an effect
 * is added, and the error for one too many names the line that added it.
 */
export class EffectLog {
  private readonly emits: string[] = [];
  /** One effect a key: the last write wins. */
  private readonly kv = new Map<string, string>();
  private readonly starts: string[] = [];
  private sizeBytes = 0;

  get isEmpty(): boolean {
    return this.emits.length === 0 && this.kv.size === 0 && this.starts.length === 0;
  }

  addEmit(json: string): void {
    this.grow(Buffer.byteLength(json) + 1);
    this.emits.push(json);
  }

  putKv(key: string, json: string): void {
    const before = this.kv.get(key);
    this.grow(Buffer.byteLength(json) + 1 - (before === undefined ? 0 : Buffer.byteLength(before) + 1));
    this.kv.set(key, json);
  }

  addStart(json: string): void {
    this.grow(Buffer.byteLength(json) + 1);
    this.starts.push(json);
  }

  /** The JSON of `Effects`. */
  toJson(): string {
    const starts = this.starts.length === 0 ? "" : `,"starts":[${this.starts.join(",")}]`;
    return `{"emits":[${this.emits.join(",")}],"kv":[${[...this.kv.values()].join(",")}]${starts}}`;
  }

  private grow(bytes: number): void {
    if (this.sizeBytes + bytes > EFFECTS_LIMIT_BYTES) {
      throw new MillraceError("too_large", `the effects of one call come to more than ${EFFECTS_LIMIT_BYTES} bytes`, {
        cure: "Emit and write less in one call: split the work over several events.",
      });
    }
    this.sizeBytes += bytes;
  }
}
