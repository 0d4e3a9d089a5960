import type { Clock } from "../core/clock.ts";
import { MillraceError, toError } from "../core/errors.ts";
import type { KvReader, WireValue } from "../protocol/messages.ts";
import type { KvValue, RangeRead, ReadSet, Store } from "../store/store.ts";

/** What one call reads of the store, remembered for the validation at its end (D13). */
export class KvSession implements KvReader {
  private readonly versions = new Map<string, number>();
  private readonly ranges: RangeRead[] = [];
  private storeFailure: Error | null = null;
  private readonly store: Pick<Store, "kvGet" | "kvList">;
  private readonly clock: Clock;

  constructor(store: Pick<Store, "kvGet" | "kvList">, clock: Clock) {
    this.store = store;
    this.clock = clock;
  }

  async get(keys: readonly string[]): Promise<readonly (WireValue | null)[]> {
    const entries = await this.reading(this.store.kvGet(keys, this.clock.now()));
    return keys.map((key, i) => {
      const entry = entries[i] ?? null;
      this.remember(key, entry?.version ?? 0);
      return entry === null ? null : toWire(entry.value);
    });
  }

  async list(query: { prefix: string; after: string | null; limit: number }): Promise<readonly { key: string; value: WireValue }[]> {
    const page = await this.reading(this.store.kvList(query, this.clock.now()));
    this.ranges.push(page.read);
    return page.entries.map(({ key, value }) => ({ key, value: toWire(value) }));
  }

  /** The store could not be read: whatever the handler made of that, nothing may be decided on it (D22). */
  get failure(): Error | null {
    return this.storeFailure;
  }

  /** Nothing was asked of it, or nothing came of that which could decide anything. */
  get isUnused(): boolean {
    return this.storeFailure === null && this.reads() === undefined;
  }

  /** Undefined when nothing was read: then there is nothing to validate. */
  reads(): ReadSet | undefined {
    if (this.versions.size === 0 && this.ranges.length === 0) return undefined;
    return { keys: this.versions, ranges: this.ranges };
  }

  private async reading<T>(read: Promise<T>): Promise<T> {
    try {
      return await read;
    } catch (error) {
      if (!(error instanceof MillraceError) || error.fault === "operator" || error.fault === "platform") this.storeFailure = toError(error);
      throw error;
    }
  }

  private remember(key: string, version: number): void {
    const before = this.versions.get(key);
    // Two versions in one call: no state ever had both, and no version is -1, so the validation fails as it must.
    if (before !== undefined && before !== version) this.versions.set(key, -1);
    else this.versions.set(key, version);
  }
}

function toWire(value: KvValue): WireValue {
  if (value.kind === "json") return { json: value.json };
  return { base64: Buffer.from(value.bytes.buffer, value.bytes.byteOffset, value.bytes.byteLength).toString("base64") };
}
