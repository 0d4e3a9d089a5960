import { availableParallelism, totalmem } from "node:os";
import { type Service, toError } from "../core/index.ts";
import type { FunctionError, Manifest, Release } from "../protocol/index.ts";
import { CallbackDeadline, Deadlines } from "./deadlines.ts";
import { ColdStarts } from "./cold-starts.ts";
import { compileBundle } from "./compile-bundle.ts";
import { type DescribeContext, DESCRIBER, describeBundle, type Entry, NATIVE_DESCRIBER } from "./describe.ts";
import { CLIENT_LEFT, type ColdStart, errorOf, Fleet, type FleetContext } from "./fleet.ts";
import { fleetStats } from "./fleet-stats.ts";
import { Fleets } from "./fleets.ts";
import { InstanceDirectories } from "./instance-directory.ts";
import type { InstanceContext, StrayLog } from "./instance-roles.ts";
import type { Instance } from "./instance.ts";
import { insistOn, MemoryGroups, raiseWall } from "./jail/index.ts";
import type { Call, Outcome, Pool, PoolStats, RunCall, RunOutcome, Unfinished } from "./pool.ts";
import { decideScale } from "./scale.ts";
import { Spares } from "./spares.ts";
import { nodeSpawner, type SpawnInstance } from "./spawn.ts";
import { CallTicket, RunTicket, type Ticket } from "./ticket.ts";
import { UsageWatch } from "./usage-watch.ts";

export interface InstancePoolOptions {
  /** The node's own; instances have their folders in `instances/` below it. */
  readonly dataDirectory: string;
  /** The one-file runtime that every instance runs. */
  readonly runtimeFile: string;
  /** The sum that the memory limits of all instances may reach. Default: 75 % of what the machine (or its container) has. */
  readonly budgetBytes?: number;
  readonly cores?: number;
  /** How long a call may wait for room before it ends as `overloaded`. Default: 10 s. */
  readonly waitMs?: number;
  /** HTTP calls of one function that may wait. Default: 10,000. */
  readonly mostWaiting?: number;
  /** How long an abort may go unheard, and then unobeyed. Default: 250 ms. */
  readonly graceMs?: number;
  /** How long the code may take to be imported. Default: 10 s. */
  readonly loadLimitMs?: number;
  /** How long `stop` waits for the calls at hand. Default: 10 s. */
  readonly stopLimitMs?: number;
  /** Processes started ahead: of how many classes, how many each. Default: one of the two commonest. */
  readonly spares?: { readonly classes: number; readonly perClass: number };
  /** Spares compile the release's code before it is known which function they will run. Default: no. */
  readonly prepareSpares?: boolean;
  /** A process stands ready to describe an app: for the first time, or again and again (dev). Default: none does. */
  readonly describeAhead?: "once" | "always";
  /** Lines that belong to no call. */
  readonly onStrayLog?: StrayLog;
  readonly onColdStart?: (start: ColdStart) => void;
  /** "jail": refuse to start where none stands; "permission": put up none. Default: the strongest that stands. */
  readonly wall?: "permission" | "jail";
  /** How processes are started; tests put their own here. */
  readonly spawn?: SpawnInstance;
}

const LOOK_MS = 500;

/** The pool over real processes. SPEC.md has its rules. */
export class InstancePool implements Pool, Service {
  private readonly options: InstancePoolOptions;
  private readonly budgetBytes: number;
  private readonly cores: number;
  private readonly deadlines = new Deadlines();
  private readonly fleetContext: FleetContext;
  private readonly wake: CallbackDeadline;
  private readonly usageLook: CallbackDeadline;
  private readonly usage = new UsageWatch();
  private readonly listeners: (() => void)[] = [];
  /** Every process that is still there. */
  private readonly processes = new Set<Instance>();
  private readonly fleets: Fleets;
  private started: { readonly context: InstanceContext; readonly directories: InstanceDirectories; readonly spares: Spares } | null = null;
  private stopping: Promise<void> | null = null;
  private memoryGroups: MemoryGroups | null = null;
  private release: Release | null = null;
  private readonly coldStarts = new ColdStarts();
  private deciding = false;
  private wakeAtMs = Infinity;
  private watchingUsage = false;
  private drained: (() => void) | null = null;

  constructor(options: InstancePoolOptions) {
    this.options = options;
    this.budgetBytes = options.budgetBytes ?? defaultBudgetBytes();
    this.cores = options.cores ?? availableParallelism();
    this.wake = new CallbackDeadline(() => {
      this.wakeAtMs = Infinity;
      this.decide();
    });
    this.usageLook = new CallbackDeadline(() => this.watchUsage());
    this.fleetContext = {
      deadlines: this.deadlines,
      nowMs,
      waitMs: options.waitMs ?? 10_000,
      mostWaiting: options.mostWaiting ?? 10_000,
      decideSoon: () => this.decideSoon(),
      decideAt: (atMs) => this.decideAt(atMs),
      changed: () => this.changed(),
      onColdStart: (start) => {
        this.coldStarts.called(start);
        options.onColdStart?.(start);
      },
    };
    this.fleets = new Fleets((release, fn, kept) => {
      const max = fn.instances.max ?? Math.max(2, 2 * this.cores);
      return new Fleet(this.fleetContext, { release, fn, max, kept });
    });
  }

  /** To be called when the data directory is the node's own (the store's lock): it ends what a crashed node has left there. */
  async start(): Promise<void> {
    const { options } = this;
    const directories = await InstanceDirectories.open(options.dataDirectory);
    const context: InstanceContext = {
      spawn: options.spawn ?? (await this.spawner()),
      directories,
      deadlines: this.deadlines,
      nowMs,
      graceMs: options.graceMs ?? 250,
      loadLimitMs: options.loadLimitMs ?? 10_000,
      onSpawned: (instance) => this.track(instance),
      onStrayLog: options.onStrayLog ?? (() => {}),
    };
    const spares = new Spares(context, {
      ...(options.spares ?? { classes: 2, perClass: 1 }),
      cores: this.cores,
      prepare: options.prepareSpares ?? false,
      isBusy: () => this.isStarting(),
      freeBytes: () => this.freeBytes(),
    });
    this.started = { context, directories, spares };
    // It starts while the app is being bundled.
    if (options.describeAhead !== undefined) spares.keep(DESCRIBER, true);
    if (this.release !== null) spares.use(this.release);
    this.decideSoon();
  }

  private async spawner(): Promise<SpawnInstance> {
    const wall = insistOn(this.options.wall, await raiseWall(this.options.wall));
    this.memoryGroups = MemoryGroups.open();
    return nodeSpawner(this.options.runtimeFile, wall, this.memoryGroups);
  }

  stop(): Promise<void> {
    return (this.stopping ??= this.end());
  }

  use(release: Release): void {
    this.release = release;
    this.fleets.use(release);
    this.started?.spares.use(release);
    this.changed();
    this.decideSoon();
  }

  keep(release: Release): void {
    this.fleets.keep(release);
    this.changed();
    this.decideSoon();
  }

  capacity(fn: string): number {
    if (this.stopping !== null) return 0;
    return total(this.fleets.of(fn), (fleet) => fleet.capacity(this.affordable(fleet)));
  }

  call(call: Call): Promise<Outcome> {
    const fleet = this.fleets.ofLive(call.fn);
    if (this.stopping !== null) return notRun("stopping", STOPPING);
    if (fleet === undefined) return notRun("load-failed", errorOf("not_found", `there is no function ${call.fn}`));
    if (call.kind === "http" && call.signal?.aborted === true) return notRun("aborted", CLIENT_LEFT);
    return new Promise((resolve) => this.admit(new CallTicket(call, fleet, nowMs(), resolve), fleet));
  }

  run(call: RunCall): Promise<RunOutcome> {
    const fleet = this.fleets.at(call.fn, call.release);
    if (this.stopping !== null) return notRun("stopping", STOPPING);
    if (fleet === undefined) return notRun("load-failed", this.fleets.missing(call.fn, call.release));
    return new Promise((resolve) => this.admit(new RunTicket(call, fleet, nowMs(), resolve), fleet));
  }

  private admit(ticket: Ticket, fleet: Fleet): void {
    if (!this.watchingUsage) this.watchUsageSoon();
    fleet.admit(ticket, this.affordable(fleet));
  }

  /** What a bundle's code declares: its functions and events, extracted in a sandbox of its own. */
  async describe(directory: string, entries: readonly Entry[], { env, native }: DescribeContext): Promise<Manifest> {
    if (this.started === null) throw new Error("the pool has not been started");
    const { spares } = this.started;
    try {
      const describer = native ? NATIVE_DESCRIBER : DESCRIBER;
      return await describeBundle((owner) => spares.take(describer, owner), directory, entries, env);
    } finally {
      if (this.options.describeAhead === "once") spares.keep(DESCRIBER, false);
    }
  }

  /** Lays code caches beside a bundle's files, for instances to start with. Returns how many. */
  async compile(directory: string): Promise<number> {
    if (this.started === null) throw new Error("the pool has not been started");
    const { spares } = this.started;
    return compileBundle((owner) => spares.take(DESCRIBER, owner), directory);
  }

  stats(): PoolStats {
    const { all, serving } = this.fleets;
    return {
      instances: total(all, ({ instances }) => instances.length),
      spares: this.started?.spares.count ?? 0,
      running: total(all, ({ running }) => running),
      waiting: total(all, ({ waiting }) => waiting),
      coldStarts: this.coldStarts.total,
      functions: fleetStats(serving, this.coldStarts),
    };
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  private async end(): Promise<void> {
    if (this.started === null) return;
    const { spares, directories } = this.started;
    spares.stop();
    this.deadlines.clear(this.wake);
    for (const fleet of this.fleets.all) {
      fleet.refuseWaiting("stopping", STOPPING);
      fleet.close();
    }
    await this.allGone(this.options.stopLimitMs ?? 10_000);
    const left = [...this.processes];
    for (const instance of left) instance.endNow();
    await Promise.all(left.map(({ gone }) => gone));
    await directories.removed();
    this.memoryGroups?.close();
    this.deadlines.clear(this.usageLook);
  }

  private async allGone(limitMs: number): Promise<void> {
    if (this.processes.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      this.drained = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private track(instance: Instance): void {
    this.processes.add(instance);
    void this.untrack(instance);
  }

  private async untrack(instance: Instance): Promise<void> {
    await instance.gone;
    this.processes.delete(instance);
    if (this.processes.size === 0) this.drained?.();
  }

  // scaling

  private decideSoon(): void {
    if (this.deciding || this.started === null || this.stopping !== null) return;
    this.deciding = true;
    queueMicrotask(() => {
      this.deciding = false;
      this.decide();
    });
  }

  private decideAt(atMs: number): void {
    if (atMs >= this.wakeAtMs || this.stopping !== null) return;
    this.wakeAtMs = atMs;
    this.deadlines.set(this.wake, atMs);
  }

  private decide(): void {
    if (this.started === null || this.stopping !== null) return;
    const { serving, leaving } = this.fleets;
    const byKey = new Map(serving.map((fleet) => [fleet.key, fleet]));
    const { actions, wakeAtMs } = decideScale({
      nowMs: nowMs(),
      budgetBytes: this.budgetBytes,
      cores: this.cores,
      drainingBytes: total(leaving, ({ instances, fn }) => instances.length * fn.memoryBytes),
      functions: serving.map((fleet) => fleet.view()),
    });
    for (const action of actions) {
      const fleet = byKey.get(action.fn);
      if (action.kind === "retire") fleet?.instances.find(({ id }) => id === action.instance)?.retire();
      else for (let i = 0; i < action.count; i++) if (fleet !== undefined) this.startInstance(fleet, this.started.spares);
    }
    for (const fleet of serving) fleet.decided();
    if (wakeAtMs !== null) this.decideAt(wakeAtMs);
  }

  private startInstance(fleet: Fleet, spares: Spares): void {
    this.coldStarts.started(fleet.fn.name);
    try {
      // Spares compile the live release's code only.
      fleet.take(spares.take(fleet.instanceClass, fleet, fleet.kept ? null : fleet.fn.entry));
    } catch (error) {
      fleet.startFailed({ name: "StartFailed", message: `an instance could not be started: ${toError(error).message}`, stack: null });
    }
  }

  private isStarting(): boolean {
    return this.fleets.serving.some(({ instances }) => instances.some(({ loaded }) => !loaded));
  }

  private changed(): void {
    this.fleets.forgetEmpty();
    for (const listener of this.listeners) listener();
  }

  private freeBytes(): number {
    return this.budgetBytes - total(this.fleets.all, ({ instances, fn }) => instances.length * fn.memoryBytes);
  }

  private affordable(fleet: Fleet): number {
    return Math.floor(this.budgetBytes / fleet.fn.memoryBytes);
  }

  // what instances use

  private watchUsageSoon(): void {
    this.watchingUsage = true;
    this.deadlines.set(this.usageLook, nowMs() + LOOK_MS);
  }

  private watchUsage(): void {
    this.watchingUsage = false;
    const works = this.usage.look(this.processes);
    // Who waits for an instance that starts will run without anybody calling again.
    if (works || this.fleets.serving.some(({ waiting }) => waiting > 0)) this.watchUsageSoon();
  }
}

const nowMs = (): number => performance.now();

const STOPPING = errorOf("stopping", "the node is shutting down");

function notRun(reason: Extract<Unfinished, { kind: "not-run" }>["reason"], error: FunctionError): Promise<Unfinished> {
  return Promise.resolve({ kind: "not-run", reason, error });
}

/** A container's limit counts, where there is one. */
function defaultBudgetBytes(): number {
  const limit = process.constrainedMemory();
  const machine = totalmem();
  return Math.floor((limit > 0 && limit < machine ? limit : machine) * 0.75);
}

function total<T>(all: readonly T[], of: (each: T) => number): number {
  return all.reduce((sum, each) => sum + of(each), 0);
}
