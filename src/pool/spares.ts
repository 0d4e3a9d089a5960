import type { FunctionManifest, Release } from "../protocol/index.ts";
import { afterFailure, type BackOff, NO_BACK_OFF } from "./back-off.ts";
import { CallbackDeadline } from "./deadlines.ts";
import type { InstanceContext, InstanceOwner } from "./instance-roles.ts";
import { Instance } from "./instance.ts";
import { decideSpares } from "./spare-demand.ts";
import { classKey, type InstanceClass } from "./spawn.ts";

/** After one was handed over, until the next is started: the call at hand has the processor first. */
const REFILL_AFTER_MS = 50;
/** Of source text, compiled ahead in each spare. */
const MOST_PREPARED_BYTES = 8 * 2 ** 20;
/** When one was taken: older ones than these say nothing more about bursts. */
const REMEMBERED = 256;

interface Shelf {
  readonly instanceClass: InstanceClass;
  wanted: number;
  /** What the app's functions of this class are worth without any demand. */
  least: number;
  /** Wanted whatever the app's functions need. */
  kept: boolean;
  readonly ready: Instance[];
  readonly starting: Instance[];
  readonly takenMs: number[];
  /** Entries of the class's functions, those whose instances were asked for last first. */
  entries: readonly string[];
  backOff: BackOff;
}

export interface SparesOptions {
  /** How many of the app's classes, the commonest first, have spares though nobody asks. 0: no spares at all. */
  readonly classes: number;
  readonly perClass: number;
  /** Started at once in one class. */
  readonly cores: number;
  /** Spares compile the release's code ahead. */
  readonly prepare: boolean;
  /** True while instances start that calls wait for. */
  readonly isBusy: () => boolean;
  /** How much of the memory budget no instance has been promised. */
  readonly freeBytes: () => number;
}

/** Processes started ahead, by class: what is fixed at their start. */
export class Spares implements InstanceOwner {
  private readonly context: InstanceContext;
  private readonly options: SparesOptions;
  private readonly shelves = new Map<string, Shelf>();
  private readonly refill: CallbackDeadline;
  private directory: string | null = null;
  private stopped = false;

  constructor(context: InstanceContext, options: SparesOptions) {
    this.context = context;
    this.options = options;
    this.refill = new CallbackDeadline(() => this.restock());
  }

  /** How many stand ready. */
  get count(): number {
    let count = 0;
    for (const { ready } of this.shelves.values()) count += ready.length;
    return count;
  }

  /** Sets what is kept ahead by what the app's functions need. */
  use({ directory, manifest: { functions } }: Release): void {
    const common = commonest(functions, this.options.classes);
    this.directory = directory;
    for (const shelf of this.shelves.values()) {
      shelf.least = 0;
      shelf.entries = [];
    }
    for (const fn of functions) {
      const key = classKey(classOf(fn));
      const shelf = this.shelf(key, classOf(fn));
      shelf.least = common.has(key) ? this.options.perClass : 0;
      if (!shelf.entries.includes(fn.entry)) shelf.entries = [...shelf.entries, fn.entry];
    }
    for (const shelf of this.shelves.values())
      for (const spare of shelf.ready) if (spare.folder.placed !== directory) this.prepare(shelf, spare);
    this.restock();
  }

  /** Keeps one of a class ahead from now on, or no longer. */
  keep(instanceClass: InstanceClass, kept: boolean): void {
    this.shelf(classKey(instanceClass), instanceClass).kept = kept;
    this.restock();
  }

  /** One of this class: ready, or starting, or started now. `entry`: what it is to run. */
  take(instanceClass: InstanceClass, owner: InstanceOwner, entry: string | null = null): Instance {
    const shelf = this.shelves.get(classKey(instanceClass));
    if (shelf !== undefined && entry !== null) this.note(shelf, entry);
    const spare = shelf?.ready.shift() ?? shelf?.starting.shift();
    if (spare === undefined) return new Instance(this.context, instanceClass, owner);
    this.context.deadlines.set(this.refill, this.context.nowMs() + REFILL_AFTER_MS);
    return spare;
  }

  stop(): void {
    this.stopped = true;
    this.context.deadlines.clear(this.refill);
    for (const shelf of this.shelves.values()) this.shrink(shelf, 0);
  }

  instanceReady(instance: Instance): void {
    const shelf = this.shelfOf(instance);
    remove(shelf.starting, instance);
    shelf.ready.push(instance);
    shelf.backOff = NO_BACK_OFF;
    this.prepare(shelf, instance);
    this.restock();
  }

  instanceEnded(instance: Instance): void {
    const shelf = this.shelfOf(instance);
    remove(shelf.starting, instance);
    remove(shelf.ready, instance);
    if (this.stopped || shelf.wanted === 0) return;
    // One that was ended, for a newer release or for want of demand, did not fail.
    if (!instance.dismissed) shelf.backOff = afterFailure(shelf.backOff, this.context.nowMs());
    this.context.deadlines.set(this.refill, shelf.backOff.untilMs);
  }

  instanceLoaded(): void {}
  instanceFreed(): void {}

  private prepare(shelf: Shelf, instance: Instance): void {
    const { directory } = this;
    if (!this.options.prepare || directory === null || shelf.entries.length === 0) return;
    try {
      instance.prepare({ directory, entries: shelf.entries, mostBytes: MOST_PREPARED_BYTES });
    } catch {
      // The release cannot be laid out (a full disk): whoever is given this process is told so when it matters.
    }
  }

  private note(shelf: Shelf, entry: string): void {
    shelf.takenMs.push(this.context.nowMs());
    if (shelf.takenMs.length > REMEMBERED) shelf.takenMs.shift();
    if (shelf.entries[0] !== entry) shelf.entries = [entry, ...shelf.entries.filter((other) => other !== entry)];
  }

  private restock(): void {
    if (this.stopped) return;
    const nowMs = this.context.nowMs();
    let againMs = this.decide(nowMs);
    for (const shelf of this.shelves.values()) {
      const { wanted, ready, starting, backOff } = shelf;
      if (ready.length + starting.length > wanted) this.shrink(shelf, wanted);
      if (ready.length + starting.length >= wanted) continue;
      if (this.options.isBusy()) againMs = Math.min(againMs, nowMs + REFILL_AFTER_MS);
      else if (nowMs < backOff.untilMs) againMs = Math.min(againMs, backOff.untilMs);
      else this.fill(shelf, nowMs);
    }
    if (againMs < Infinity) this.context.deadlines.set(this.refill, againMs);
  }

  /** Sets what each shelf is to hold; returns when that changes by itself. */
  private decide(nowMs: number): number {
    const { cores, classes, freeBytes } = this.options;
    const shelves = classes === 0 ? [] : [...this.shelves].sort(([, a], [, b]) => b.least - a.least);
    const views = shelves.map(([key, { least, takenMs }]) => ({ key, least, takenMs }));
    const { wanted, againMs } = decideSpares({ nowMs, cores, freeBytes: freeBytes(), classes: views });
    for (const [key, shelf] of this.shelves) shelf.wanted = Math.max(wanted.get(key) ?? 0, shelf.kept ? 1 : 0);
    return againMs ?? Infinity;
  }

  private fill(shelf: Shelf, nowMs: number): void {
    const { wanted, ready, starting, instanceClass } = shelf;
    try {
      while (starting.length < this.options.cores && ready.length + starting.length < wanted)
        starting.push(new Instance(this.context, instanceClass, this));
    } catch {
      // No room on disk for its folder, no process to be had: a spare is a comfort, so it is tried again later.
      shelf.backOff = afterFailure(shelf.backOff, nowMs);
      this.context.deadlines.set(this.refill, shelf.backOff.untilMs);
    }
  }

  private shrink(shelf: Shelf, count: number): void {
    shelf.wanted = count;
    for (const instance of [...shelf.ready, ...shelf.starting].slice(count)) instance.endNow();
  }

  private shelfOf({ instanceClass }: Instance): Shelf {
    return this.shelf(classKey(instanceClass), instanceClass);
  }

  private shelf(key: string, instanceClass: InstanceClass): Shelf {
    const known = this.shelves.get(key);
    if (known !== undefined) return known;
    const shelf: Shelf = {
      instanceClass,
      wanted: 0,
      least: 0,
      kept: false,
      ready: [],
      starting: [],
      takenMs: [],
      entries: [],
      backOff: NO_BACK_OFF,
    };
    this.shelves.set(key, shelf);
    return shelf;
  }
}

/** The keys of the classes that most functions have. */
function commonest(functions: readonly FunctionManifest[], most: number): ReadonlySet<string> {
  const counts = new Map<string, number>();
  for (const fn of functions) {
    const key = classKey(classOf(fn));
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const ordered = [...counts].sort(([, a], [, b]) => b - a).slice(0, most);
  return new Set(ordered.map(([key]) => key));
}

function classOf({ memoryBytes, allow, network }: FunctionManifest): InstanceClass {
  return { memoryBytes, allow, network };
}

function remove<T>(from: T[], what: T): void {
  const at = from.indexOf(what);
  if (at >= 0) from.splice(at, 1);
}
