import type { FunctionManifest } from "../protocol/index.ts";
import { afterFailure, type BackOff, NO_BACK_OFF } from "./back-off.ts";
import { CallbackDeadline } from "./deadlines.ts";
import { Instance, type InstanceContext, type InstanceOwner } from "./instance.ts";
import { classKey, type InstanceClass } from "./spawn.ts";

/** After one was handed over, until the next is started: the call at hand has the processor first. */
const REFILL_AFTER_MS = 50;

interface Shelf {
  readonly instanceClass: InstanceClass;
  wanted: number;
  /** Wanted whatever the app's functions need. */
  kept: boolean;
  readonly ready: Instance[];
  readonly starting: Instance[];
  backOff: BackOff;
}

export interface SparesOptions {
  /** How many of the app's classes, the commonest first, have spares. */
  readonly classes: number;
  readonly perClass: number;
  /** Started at once in one class. */
  readonly cores: number;
  /** True while instances start that calls wait for. */
  readonly isBusy: () => boolean;
}

/** Processes started ahead, by class: what is fixed at their start. */
export class Spares implements InstanceOwner {
  private readonly context: InstanceContext;
  private readonly options: SparesOptions;
  private readonly shelves = new Map<string, Shelf>();
  private readonly refill: CallbackDeadline;
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
  want(functions: readonly FunctionManifest[]): void {
    const wanted = commonest(functions, this.options.classes);
    for (const [key, shelf] of this.shelves) if (!wanted.has(key) && !shelf.kept) this.clear(shelf);
    for (const [key, instanceClass] of wanted) this.shelf(key, instanceClass).wanted = this.options.perClass;
    this.restock();
  }

  /** Keeps one of a class ahead from now on, or no longer. */
  keep(instanceClass: InstanceClass, kept: boolean): void {
    const shelf = this.shelf(classKey(instanceClass), instanceClass);
    shelf.kept = kept;
    if (kept) shelf.wanted = Math.max(shelf.wanted, 1);
    else this.clear(shelf);
    this.restock();
  }

  /** One of this class: ready, or starting, or started now. */
  take(instanceClass: InstanceClass, owner: InstanceOwner): Instance {
    const shelf = this.shelves.get(classKey(instanceClass));
    const spare = shelf?.ready.shift() ?? shelf?.starting.shift();
    if (spare === undefined) return new Instance(this.context, instanceClass, owner);
    this.context.deadlines.set(this.refill, this.context.nowMs() + REFILL_AFTER_MS);
    return spare;
  }

  stop(): void {
    this.stopped = true;
    this.context.deadlines.clear(this.refill);
    for (const shelf of this.shelves.values()) this.clear(shelf);
  }

  instanceReady(instance: Instance): void {
    const shelf = this.shelfOf(instance);
    remove(shelf.starting, instance);
    shelf.ready.push(instance);
    shelf.backOff = NO_BACK_OFF;
    this.restock();
  }

  instanceEnded(instance: Instance): void {
    const shelf = this.shelfOf(instance);
    remove(shelf.starting, instance);
    remove(shelf.ready, instance);
    if (this.stopped || shelf.wanted === 0) return;
    shelf.backOff = afterFailure(shelf.backOff, this.context.nowMs());
    this.context.deadlines.set(this.refill, shelf.backOff.untilMs);
  }

  instanceLoaded(): void {}
  instanceFreed(): void {}

  private restock(): void {
    if (this.stopped) return;
    const nowMs = this.context.nowMs();
    let againMs = Infinity;
    for (const shelf of this.shelves.values()) {
      const { wanted, ready, starting, backOff } = shelf;
      if (ready.length + starting.length >= wanted) continue;
      if (this.options.isBusy()) againMs = Math.min(againMs, nowMs + REFILL_AFTER_MS);
      else if (nowMs < backOff.untilMs) againMs = Math.min(againMs, backOff.untilMs);
      else this.fill(shelf, nowMs);
    }
    if (againMs < Infinity) this.context.deadlines.set(this.refill, againMs);
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

  private clear(shelf: Shelf): void {
    shelf.wanted = 0;
    for (const instance of [...shelf.ready, ...shelf.starting]) instance.endNow();
  }

  private shelfOf({ instanceClass }: Instance): Shelf {
    return this.shelf(classKey(instanceClass), instanceClass);
  }

  private shelf(key: string, instanceClass: InstanceClass): Shelf {
    const known = this.shelves.get(key);
    if (known !== undefined) return known;
    const shelf: Shelf = { instanceClass, wanted: 0, kept: false, ready: [], starting: [], backOff: NO_BACK_OFF };
    this.shelves.set(key, shelf);
    return shelf;
  }
}

function commonest(functions: readonly FunctionManifest[], most: number): Map<string, InstanceClass> {
  const counts = new Map<string, { instanceClass: InstanceClass; count: number }>();
  for (const { memoryBytes, allow, network } of functions) {
    const instanceClass = { memoryBytes, allow, network };
    const key = classKey(instanceClass);
    counts.set(key, { instanceClass, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  const ordered = [...counts].sort(([, a], [, b]) => b.count - a.count).slice(0, most);
  return new Map(ordered.map(([key, { instanceClass }]) => [key, instanceClass]));
}

function remove<T>(from: T[], what: T): void {
  const at = from.indexOf(what);
  if (at >= 0) from.splice(at, 1);
}
