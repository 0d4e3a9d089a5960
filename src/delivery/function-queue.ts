import type { Alarm, Clock } from "../core/clock.ts";
import type { MemoryBudget } from "./memory-budget.ts";
import { CURSOR_START, type Cursor, type ReadyDelivery, type Seq, type Store } from "../store/store.ts";

const MOST_ENTRIES = 2048;
const MOST_BYTES = 8 * 1024 * 1024;
/** What a queue may hold however much the others do. */
const LEAST_BYTES = 256 * 1024;
/** An entry without its event's JSON, roughly. */
const ENTRY_BYTES = 512;
const PAGE_ENTRIES = 512;
const REST_AFTER_FAILED_LOAD_MS = 500;

/**
 * What one function has to do, as far as it fits in memory (D18). Everything in it is also a ready row in the store.
 *
 * Two ways lead in: `offer`, straight from a commit of this node, and `load`, pages of the store's ready index behind
 * `cursor`. While nothing is left on disk, offers are kept; once something is (`more`), offers stay on disk too and are
 * found by `load`, which keeps the order. Invariants:
 * 1. `held` has exactly the seqs that are queued or running: whatever arrives a second time is dropped. A run may be given another place
 *    while it is held (what it waits for arrives as it parks): that place is kept in `moved`, and left on disk when the run is released.
 * 2. A ready row that is not held stands behind `cursor`, else the cursor is moved back before it (`leaveOnDisk`).
 * 3. A row settled while a page was being read may still be on that page, at its old place; `settledMeanwhile` keeps it out.
 */
export class FunctionQueue {
  readonly fn: string;
  running = 0;
  /** What was taken out leaves a hole until the array is cut: an event may have a megabyte. */
  private entries: (ReadyDelivery | undefined)[] = [];
  private head = 0;
  private bytes = 0;
  private readonly held = new Set<Seq>();
  private readonly moved = new Map<Seq, Cursor>();
  private cursor: Cursor = CURSOR_START;
  private more = true;
  private loading = false;
  private readonly settledMeanwhile = new Map<Seq, Cursor>();
  /** The earliest place left on disk while a page was being read. */
  private leftMeanwhile: Cursor | null = null;
  /** Set for the earliest row known to fall due later. */
  private alarm: { readonly atMs: number; readonly alarm: Alarm } | null = null;
  private pausedUntilMs = 0;
  /** Set during a rest. */
  private resting: NodeJS.Timeout | null = null;
  private stopped = false;
  private readonly store: Pick<Store, "ready">;
  private readonly clock: Clock;
  private readonly budget: MemoryBudget;
  private readonly onWork: () => void;
  private readonly onLoadFailure: (error: unknown) => void;

  constructor(
    fn: string,
    deps: {
      readonly store: Pick<Store, "ready">;
      readonly clock: Clock;
      readonly budget: MemoryBudget;
      readonly onWork: () => void;
      readonly onLoadFailure: (error: unknown) => void;
    },
  ) {
    this.fn = fn;
    this.budget = deps.budget;
    this.store = deps.store;
    this.clock = deps.clock;
    this.onWork = deps.onWork;
    this.onLoadFailure = deps.onLoadFailure;
  }

  get length(): number {
    return this.entries.length - this.head;
  }

  /** Nothing of it is under way. */
  get idle(): boolean {
    return this.running === 0 && !this.loading;
  }

  get paused(): boolean {
    return this.pausedUntilMs > this.clock.now();
  }

  /** Nothing that is due waits, here or on disk, and whatever came would be taken at once. */
  get clear(): boolean {
    return !this.stopped && this.length === 0 && !this.more && !this.loading && this.resting === null && !this.paused;
  }

  /** Nothing to do now: what is left waits for a time, or for the end of a pause. */
  get quiet(): boolean {
    return this.running === 0 && !this.loading && this.resting === null && (this.paused || (this.length === 0 && !this.more));
  }

  /** A row that became ready by a commit of this node. */
  offer(entry: ReadyDelivery): void {
    if (this.held.has(entry.seq)) {
      this.moved.set(entry.seq, entry.ready);
      return;
    }
    const due = entry.ready.dueMs <= this.clock.now();
    const inOrder = !this.more && !this.loading && (this.alarm === null || entry.ready.dueMs < this.alarm.atMs);
    if (due && inOrder && this.hasRoom()) {
      this.push(entry);
      if (isBehind(this.cursor, entry.ready)) this.cursor = entry.ready;
    } else {
      this.leaveOnDisk(entry.ready);
    }
  }

  /** A row that is ready in the store but not in memory (a retry, a redrive): it will be found in its time. */
  leaveOnDisk(ready: Cursor): void {
    const before = { dueMs: ready.dueMs, pos: ready.pos - 1 };
    if (!isBehind(this.cursor, ready)) this.cursor = before;
    if (this.loading && (this.leftMeanwhile === null || isBehind(before, this.leftMeanwhile))) this.leftMeanwhile = before;
    if (ready.dueMs <= this.clock.now()) this.more = true;
    else this.expect(ready.dueMs);
  }

  /** Reads everything again from the start: after a redrive, or when another hand may have changed rows. */
  rewind(): void {
    this.cursor = CURSOR_START;
    if (this.loading) this.leftMeanwhile = CURSOR_START;
    this.more = true;
    this.onWork();
  }

  /** A row that is run already, out of turn; false: it is queued or running. `release` or `putBack` must follow, as after `take`. */
  admit(entry: ReadyDelivery): boolean {
    if (this.stopped || this.held.has(entry.seq)) return false;
    this.held.add(entry.seq);
    this.running++;
    return true;
  }

  /** Takes the next entry out to run it; `release` or `putBack` must follow. */
  take(): ReadyDelivery | undefined {
    if (this.stopped || this.paused || this.resting !== null) return undefined;
    const entry = this.entries[this.head];
    if (entry === undefined) return undefined;
    this.entries[this.head++] = undefined;
    if (this.head > 1024 && this.head * 2 > this.entries.length) {
      this.entries = this.entries.slice(this.head);
      this.head = 0;
    }
    this.hold(-sizeOf(entry));
    this.running++;
    return entry;
  }

  /** The run ended and the store knows: the row is settled, or ready again at another place. */
  release(entry: ReadyDelivery): void {
    this.running--;
    this.held.delete(entry.seq);
    if (this.loading) this.settledMeanwhile.set(entry.seq, entry.ready);
    const moved = this.moved.get(entry.seq);
    if (moved === undefined) return;
    this.moved.delete(entry.seq);
    if (!isSame(moved, entry.ready)) this.leaveOnDisk(moved);
  }

  /** The run ended without a word to the store: the row is ready as before, and first in line. */
  putBack(entry: ReadyDelivery): void {
    this.running--;
    if (this.stopped) return;
    this.hold(sizeOf(entry));
    if (this.head > 0) this.entries[--this.head] = entry;
    else this.entries.unshift(entry);
  }

  /** The function cannot run for a while: waits on the app's clock, and is quiet meanwhile. */
  pause(untilMs: number): void {
    this.pausedUntilMs = Math.max(this.pausedUntilMs, untilMs);
    this.expect(untilMs);
  }

  /** The machine is not ready for a moment: real time, whatever the app's clock does, and there is work all the while. */
  rest(ms: number): void {
    if (this.stopped || this.resting !== null) return;
    this.resting = setTimeout(() => {
      this.resting = null;
      this.onWork();
    }, ms);
  }

  /** A new release may have mended what paused it. */
  resume(): void {
    this.pausedUntilMs = 0;
  }

  /** Fills up from the store when there is room and more to read. */
  fill(): void {
    if (!this.more || this.loading || this.stopped || this.paused || this.resting !== null) return;
    const pageBytes = this.shareBytes() / 2;
    if (this.length > MOST_ENTRIES / 2 || this.bytes > pageBytes) return;
    this.loading = true;
    void this.load(pageBytes);
  }

  /** Forgets everything but what runs; all of it is in the store. */
  stop(): void {
    this.stopped = true;
    this.entries = [];
    this.head = 0;
    this.hold(-this.bytes);
    this.alarm?.alarm.cancel();
    this.alarm = null;
    if (this.resting !== null) clearTimeout(this.resting);
    this.resting = null;
  }

  private async load(pageBytes: number): Promise<void> {
    this.budget.take(pageBytes);
    try {
      const nowMs = this.clock.now();
      this.more = false;
      const page = await this.store.ready(this.fn, this.cursor, nowMs, { count: PAGE_ENTRIES, bytes: pageBytes });
      if (this.stopped) return;
      for (const entry of page.deliveries) {
        const settled = this.settledMeanwhile.get(entry.seq);
        if (this.held.has(entry.seq)) this.moved.set(entry.seq, entry.ready);
        else if (settled === undefined || !isSame(settled, entry.ready)) this.push(entry);
      }
      const last = page.deliveries.at(-1);
      if (last !== undefined) this.cursor = earlier(last.ready, this.leftMeanwhile);
      if (page.more) this.more = true;
      // The store's time may have passed while it read: then the row is due already, and was not on this page.
      if (page.nextDueMs !== null && page.nextDueMs <= this.clock.now()) this.more = true;
      else if (page.nextDueMs !== null) this.expect(page.nextDueMs);
    } catch (error) {
      if (this.stopped) return;
      this.more = true;
      this.rest(REST_AFTER_FAILED_LOAD_MS);
      this.onLoadFailure(error);
    } finally {
      this.budget.giveBack(pageBytes);
      this.loading = false;
      this.leftMeanwhile = null;
      this.settledMeanwhile.clear();
      this.onWork();
    }
  }

  private push(entry: ReadyDelivery): void {
    this.held.add(entry.seq);
    this.entries.push(entry);
    this.hold(sizeOf(entry));
  }

  private hold(bytes: number): void {
    this.bytes += bytes;
    this.budget.take(bytes);
  }

  private hasRoom(): boolean {
    return this.length < MOST_ENTRIES && this.bytes < this.shareBytes();
  }

  /** As much as a queue may hold now, in view of all the others. */
  private shareBytes(): number {
    return Math.max(LEAST_BYTES, Math.min(MOST_BYTES, this.bytes + this.budget.leftBytes));
  }

  /** Something falls due then: wake up, once. */
  private expect(dueMs: number): void {
    if (this.stopped || (this.alarm !== null && this.alarm.atMs <= dueMs)) return;
    this.alarm?.alarm.cancel();
    const alarm = this.clock.alarm(dueMs, () => {
      this.alarm = null;
      this.more = true;
      if (this.paused) this.expect(this.pausedUntilMs);
      else this.onWork();
    });
    this.alarm = { atMs: dueMs, alarm };
  }
}

function sizeOf(entry: ReadyDelivery): number {
  return entry.event.json.length + ENTRY_BYTES;
}

/** True when `place` stands behind `cursor` in the ready index. */
function isSame(a: Cursor, b: Cursor): boolean {
  return a.dueMs === b.dueMs && a.pos === b.pos;
}

function isBehind(cursor: Cursor, place: Cursor): boolean {
  return place.dueMs > cursor.dueMs || (place.dueMs === cursor.dueMs && place.pos > cursor.pos);
}

function earlier(a: Cursor, b: Cursor | null): Cursor {
  return b === null || isBehind(a, b) ? a : b;
}
