import type { Clock } from "../core/clock.ts";
import { MillraceError } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import type { Observer } from "../core/observer.ts";
import type { Service } from "../core/service.ts";
import { type CloudEvent, canonicalJson, isReservedType, parseCloudEvent } from "../events/index.ts";
import type { Pool } from "../pool/pool.ts";
import type { FunctionManifest, Release } from "../protocol/manifest.ts";
import type {
  DeadSelection,
  DueTimer,
  Lease,
  LogLine,
  Member,
  MemberResult,
  NewEvent,
  NewTimer,
  ReadyDelivery,
  Seq,
  SettleOutcome,
  Store,
} from "../store/store.ts";
import { Counts } from "./counts.ts";
import type { Delivery, DeliveryStats, HttpRequest, HttpResult, Ingested, IngestResult, InvokeResult } from "./delivery.ts";
import { type DelayedEvent, delayed, EMIT_TIMER, newEvent } from "./effects.ts";
import { FunctionQueue } from "./function-queue.ts";
import { runHttp } from "./http-run.ts";
import { runDelivery, type RunEnd } from "./delivery-run.ts";
import { deliveryTo, Router } from "./router.ts";
import type { Deps } from "./run.ts";
import { EventSchemas } from "./schemas.ts";
import { TimerLoop, type TimerHandler } from "./timer-loop.ts";

const DEFAULT_HOP_LIMIT = 32;
/** Deliveries of one function whose handler has returned and whose commit is under way. */
const MOST_COMMITTING = 1024;
const REST_STORE_MS = 500;
const REST_BUSY_MS = 50;
const FIRST_PAUSE_LOAD_MS = 500;
const LONGEST_PAUSE_LOAD_MS = 30_000;

export interface EngineOptions {
  readonly store: Store;
  readonly pool: Pool;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly log: (line: LogLine) => void;
  /** Names this node in the store's leases. */
  readonly owner: string;
  readonly random?: () => number;
  readonly hopLimit?: number;
}

type Committed = Extract<MemberResult, { kind: "committed" }>;

/** A function as the engine keeps it across releases: its queue, its history of trouble. */
interface Lane {
  readonly queue: FunctionQueue;
  /** null while the function does not exist (D23). */
  fn: FunctionManifest | null;
  /** Calls handed to the pool and not yet back. */
  calling: number;
  loadFailures: number;
  /** Rounds of conflicts of deliveries that wait after one. */
  readonly conflictRounds: Map<Seq, number>;
}

/** Puts the parts of this room together: in by a door, through the store, to a queue, to an instance, back into the store. */
export class DeliveryEngine implements Delivery, Service {
  private readonly options: EngineOptions;
  private readonly deps: Deps;
  private readonly lanes = new Map<string, Lane>();
  private readonly counts = new Counts();
  private readonly schemas = new EventSchemas();
  private readonly timers: TimerLoop;
  private readonly idempotencyInProgress = new Set<string>();
  private readonly watchers = new Map<Seq, (end: RunEnd) => void>();
  private router = new Router({ functions: [], events: [] });
  private hasRelease = false;
  private functions = new Map<string, FunctionManifest>();
  private lease: Lease | null = null;
  private stopping = false;
  /** Doors' calls and commits under way. */
  private pending = 0;
  private readonly waitingForQuiet = new Set<() => void>();

  constructor(options: EngineOptions) {
    this.options = options;
    const { store, pool, clock } = options;
    this.deps = {
      store,
      pool,
      clock,
      random: options.random ?? Math.random,
      log: options.log,
      hopLimit: options.hopLimit ?? DEFAULT_HOP_LIMIT,
    };
    this.timers = new TimerLoop({
      store,
      clock,
      epoch: () => this.epoch(),
      committed: (result, member) => this.absorb(result, member),
      onFailure: (error) => this.note("timers", error),
      onQuiet: () => this.checkQuiet(),
    });
    this.timers.handle(EMIT_TIMER, (timer, nowMs) => this.emitDelayed(timer, nowMs));
    pool.onChange(() => this.dispatchAll());
  }

  async start(): Promise<void> {
    this.lease = await this.options.store.acquire(this.options.owner);
    this.counts.reset(await this.options.store.counts());
    // Timers are looked at when there is a release: a delayed event that fires before it would be routed to nobody.
  }

  /** Hands out nothing more and waits for what runs; the pool bounds how long that takes. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.timers.stop();
    for (const { queue } of this.lanes.values()) queue.stop();
    await new Promise<void>((resolve) => {
      this.waitingForQuiet.add(resolve);
      this.checkQuiet();
    });
  }

  /** What a kind of timer does when it fires (schedules, later flows). */
  onTimer(kind: string, handler: TimerHandler): void {
    this.timers.handle(kind, handler);
  }

  /** A timer was set by a commit that did not pass through here. */
  expectTimer(dueMs: number): void {
    this.timers.expect(dueMs);
  }

  async use(release: Release): Promise<void> {
    const router = new Router(release.manifest);
    this.schemas.use(release.manifest);
    this.router = router;
    this.hasRelease = true;
    this.functions = new Map(release.manifest.functions.map((fn) => [fn.name, fn]));
    for (const [name, lane] of this.lanes) lane.fn = this.functions.get(name) ?? null;
    for (const fn of release.manifest.functions) {
      const lane = this.laneOf(fn.name);
      lane.fn = fn;
      lane.loadFailures = 0;
      lane.queue.resume();
    }
    this.dispatchAll();
    this.timers.look();
  }

  async ingest(events: readonly Ingested[]): Promise<IngestResult> {
    if (!this.hasRelease) return this.refuse(notLoaded());
    const fault = this.schemas.check(events);
    if (fault !== null) return this.refuse(fault);
    if (events.length === 0) return { kind: "accepted", events: [] };
    const nowMs = this.deps.clock.now();
    let member: Member;
    let result: MemberResult;
    this.pending++;
    try {
      member = this.ingress(events, nowMs);
      result = await this.deps.store.commit(member);
    } catch (error) {
      if (error instanceof MillraceError) return this.refuse(error);
      throw error;
    } finally {
      this.pending--;
      this.checkQuiet();
    }
    if (result.kind === "clash") return this.refuse(clashOf(events, result.indexes));
    if (result.kind !== "committed") throw new MillraceError("internal", `an ingress commit ended as ${result.kind}`);
    this.absorb(result, member);
    this.options.observer.ingested(
      events.length,
      result.events.reduce((sum, { duplicate }) => sum + (duplicate ? 1 : 0), 0),
    );
    return { kind: "accepted", events: inOrderOf(events, nowMs, result.events) };
  }

  /** One member for all of them: a batch is kept whole or not at all. */
  private ingress(events: readonly Ingested[], nowMs: number): Member {
    const appended: NewEvent[] = [];
    const timers: NewTimer[] = [];
    for (const { event, json, atMs } of events) {
      const facts = { json, origin: "outside", hops: 0, cause: null } as const;
      if (atMs !== undefined && atMs > nowMs) timers.push(delayed(event, facts, atMs));
      else appended.push(newEvent(event, facts, this.router, true));
    }
    return { id: newId(nowMs), nowMs, events: appended, ...(timers.length === 0 ? {} : { timers }) };
  }

  async http(request: HttpRequest): Promise<HttpResult> {
    const fn = this.functions.get(request.fn);
    if (fn === undefined)
      return { kind: "failed", invocation: newId(), error: unknownFunction(request.fn, this.functions), retryAfterMs: null };
    this.pending++;
    try {
      return await runHttp(request, fn, {
        deps: this.deps,
        observer: this.options.observer,
        router: this.router,
        inProgress: this.idempotencyInProgress,
        committed: (result, member) => this.absorb(result, member),
      });
    } finally {
      this.pending--;
      this.checkQuiet();
    }
  }

  async invoke(name: string, data: unknown): Promise<InvokeResult> {
    const fn = this.functions.get(name);
    if (fn === undefined) throw unknownFunction(name, this.functions);
    const nowMs = this.deps.clock.now();
    const event = invocationEvent(fn, data, nowMs);
    const json = canonicalJson(event) ?? "";
    const fault = this.schemas.check([{ event, json }]);
    if (fault !== null) throw fault;
    const delivery = deliveryTo(fn, event);
    const appended: NewEvent = {
      id: event.id,
      source: event.source,
      type: event.type,
      json,
      origin: "outside",
      hops: 0,
      cause: null,
      dedupe: false,
      deliveries: [delivery],
    };
    const member: Member = { id: event.id, nowMs, events: [appended] };
    const result = await this.deps.store.commit(member);
    const seq = result.kind === "committed" ? result.events[0]?.deliveries[0]?.seq : undefined;
    if (result.kind !== "committed" || seq === undefined)
      throw new MillraceError("internal", `an invocation's commit ended as ${result.kind}`);
    const ended = new Promise<InvokeResult>((resolve, reject) => {
      this.watchers.set(seq, (end) => {
        if (end.kind !== "settled") reject(new MillraceError("fenced", "another node settled this delivery"));
        else resolve(invokeResult(end.outcome, { invocation: end.invocation, delivery: seq, ranMs: this.deps.clock.now() - nowMs }));
      });
    });
    this.absorb(result, member);
    return ended;
  }

  async redrive(selection: DeadSelection, limit: number): Promise<number> {
    const { redriven, fns } = await this.deps.store.redrive(selection, this.deps.clock.now(), limit);
    await this.afterHandwork(fns);
    return redriven;
  }

  async purge(selection: DeadSelection, limit: number): Promise<number> {
    const { purged, fns } = await this.deps.store.purge(selection, this.deps.clock.now(), limit);
    await this.afterHandwork(fns);
    return purged;
  }

  stats(): DeliveryStats {
    return this.counts.stats((fn) => ({ exists: this.functions.has(fn), running: this.lanes.get(fn)?.queue.running ?? 0 }));
  }

  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.waitingForQuiet.add(resolve);
      // What was just set off (an alarm, a commit's answer) gets its turn before the first look.
      setImmediate(() => this.checkQuiet());
    });
  }

  // ── dispatch ──────────────────────────────────────────────────────────────

  private laneOf(fn: string): Lane {
    let lane = this.lanes.get(fn);
    if (lane === undefined) {
      const queue = new FunctionQueue(fn, {
        store: this.deps.store,
        clock: this.deps.clock,
        onWork: () => this.dispatch(this.laneOf(fn)),
        onLoadFailure: (error) => this.note(fn, error),
      });
      lane = { queue, fn: this.functions.get(fn) ?? null, calling: 0, loadFailures: 0, conflictRounds: new Map() };
      this.lanes.set(fn, lane);
    }
    return lane;
  }

  private dispatchAll(): void {
    for (const lane of this.lanes.values()) this.dispatch(lane);
  }

  private dispatch(lane: Lane): void {
    const { queue, fn } = lane;
    if (fn !== null && !this.stopping) {
      const room = this.deps.pool.capacity(fn.name);
      // A limit of the function counts whole transactions: one more during a commit would read what is about to change.
      const most = Math.min(room + MOST_COMMITTING, fn.concurrency.function ?? Infinity);
      while (lane.calling < room && queue.running < most) {
        const entry = queue.take();
        if (entry === undefined) break;
        void this.run(lane, fn, entry);
      }
      queue.fill();
    }
    if (queue.running === 0) this.checkQuiet();
  }

  private async run(lane: Lane, fn: FunctionManifest, entry: ReadyDelivery): Promise<void> {
    const { clock } = this.deps;
    this.options.observer.waited(entry.fn, Math.max(0, clock.now() - entry.ready.dueMs));
    const conflictRounds = lane.conflictRounds.get(entry.seq) ?? 0;
    const end = await runDelivery(entry, fn, {
      deps: this.deps,
      observer: this.options.observer,
      router: this.router,
      epoch: this.epoch(),
      checkSchema: (type) => this.schemas.appliedByReceiver(type),
      calling: () => {
        lane.calling++;
      },
      called: () => {
        lane.calling--;
        this.dispatch(lane);
      },
      conflictRounds,
    });
    this.finish(lane, entry, end);
  }

  private finish(lane: Lane, entry: ReadyDelivery, end: RunEnd): void {
    const { queue } = lane;
    switch (end.kind) {
      case "settled":
        queue.release(entry);
        lane.loadFailures = 0;
        this.afterSettling(lane, entry, end);
        break;
      case "fenced":
        queue.release(entry);
        break;
      case "held-back":
        queue.putBack(entry);
        if (end.reason !== "load-failed") queue.rest(end.reason === "busy" ? REST_BUSY_MS : REST_STORE_MS);
        // The calls that one failed start took with it are one failure: each for itself they would double the pause to its longest at once.
        else if (!queue.paused) queue.pause(this.deps.clock.now() + this.loadPauseMs(lane, end));
        break;
      default:
        end satisfies never;
    }
    if (end.kind !== "held-back") {
      this.watchers.get(entry.seq)?.(end);
      this.watchers.delete(entry.seq);
    }
    this.dispatch(lane);
  }

  private afterSettling(lane: Lane, entry: ReadyDelivery, end: Extract<RunEnd, { kind: "settled" }>): void {
    const { outcome } = end;
    if (outcome.kind === "postpone") lane.conflictRounds.set(entry.seq, (lane.conflictRounds.get(entry.seq) ?? 0) + 1);
    else lane.conflictRounds.delete(entry.seq);
    if (outcome.kind === "retry" || outcome.kind === "postpone") lane.queue.leaveOnDisk({ dueMs: outcome.dueMs, pos: 0 });
    else this.counts.settled(entry.fn, outcome.kind);
    this.absorb(end.result, end.member);
  }

  private loadPauseMs(lane: Lane, end: Extract<RunEnd, { kind: "held-back" }>): number {
    if (lane.loadFailures === 0) this.note(lane.queue.fn, end.error);
    return Math.min(LONGEST_PAUSE_LOAD_MS, FIRST_PAUSE_LOAD_MS * 2 ** lane.loadFailures++);
  }

  /** After any commit of this node: its deliveries to their queues, its timers to the alarm. */
  private absorb(result: Committed, member: Member): void {
    const touched = new Set<Lane>();
    result.events.forEach((appended, i) => {
      const event = member.events?.[i];
      if (event === undefined || appended.duplicate) return;
      appended.deliveries.forEach((made, j) => {
        const delivery = event.deliveries[j];
        if (delivery === undefined) return;
        this.counts.added(delivery.fn);
        if (made.ready === null) return;
        const lane = this.laneOf(delivery.fn);
        lane.queue.offer({
          seq: made.seq,
          fn: delivery.fn,
          key: delivery.key,
          partition: delivery.partition,
          attempt: 0,
          ready: made.ready,
          event: {
            seq: appended.seq,
            json: event.json,
            type: event.type,
            origin: event.origin,
            hops: event.hops,
            receivedMs: member.nowMs,
          },
        });
        touched.add(lane);
      });
    });
    for (const entry of result.promoted) {
      const lane = this.laneOf(entry.fn);
      lane.queue.offer(entry);
      touched.add(lane);
    }
    for (const timer of member.timers ?? []) this.timers.expect(timer.dueMs);
    for (const lane of touched) this.dispatch(lane);
  }

  private emitDelayed(timer: DueTimer, _nowMs: number): { events: NewEvent[] } {
    const facts = JSON.parse(timer.payload) as DelayedEvent;
    return { events: [newEvent(JSON.parse(facts.json) as CloudEvent, facts, this.router, false)] };
  }

  // ── small things ──────────────────────────────────────────────────────────

  private async afterHandwork(fns: readonly string[]): Promise<void> {
    this.counts.reset(await this.deps.store.counts());
    for (const fn of fns) this.laneOf(fn).queue.rewind();
  }

  private refuse(error: MillraceError): IngestResult {
    this.options.observer.refused("events", error.code);
    return { kind: "refused", error };
  }

  private epoch(): number {
    if (this.lease === null) throw new MillraceError("internal", "the delivery engine was used before it was started");
    return this.lease.epoch;
  }

  private note(fn: string, error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String((error as { message?: unknown }).message ?? error);
    this.deps.log({ atMs: this.deps.clock.now(), fn, invocation: "", level: "error", text });
  }

  private checkQuiet(): void {
    if (this.waitingForQuiet.size === 0 || this.pending > 0) return;
    for (const { queue, fn } of this.lanes.values()) {
      const quiet = this.stopping || fn === null ? queue.running === 0 : queue.quiet;
      if (!quiet) return;
    }
    if (!this.stopping && !this.timers.quiet) return;
    for (const resolve of this.waitingForQuiet) resolve();
    this.waitingForQuiet.clear();
  }
}

/** What became of each event, in the order in which they came: a delayed one has no place yet. */
function inOrderOf(events: readonly Ingested[], nowMs: number, appended: Committed["events"]): { seq: Seq; duplicate: boolean }[] {
  let next = 0;
  return events.map(({ atMs }) => {
    const made = atMs !== undefined && atMs > nowMs ? undefined : appended[next++];
    return { seq: made?.seq ?? 0, duplicate: made?.duplicate ?? false };
  });
}

function notLoaded(): MillraceError {
  return new MillraceError("overloaded", "the app is not loaded yet", {
    cure: "Repeat in a moment; the node's output says what keeps it.",
  });
}

function clashOf(events: readonly Ingested[], indexes: readonly number[]): MillraceError {
  const named = indexes.map((index) => ({ index, id: events[index]?.event.id, source: events[index]?.event.source }));
  const first = named[0];
  return new MillraceError(
    "duplicate_id",
    `the id "${first?.id}" of source "${first?.source}" was used within the last 24 hours for an event with other content`,
    {
      details: named,
    },
  );
}

function unknownFunction(name: string, functions: ReadonlyMap<string, unknown>): MillraceError {
  const known = [...functions.keys()];
  return new MillraceError("not_found", `there is no function "${name}"`, {
    cure:
      known.length === 0
        ? "The app has no functions yet."
        : `There are: ${known.slice(0, 20).join(", ")}${known.length > 20 ? ", …" : ""}.`,
  });
}

/** `millrace invoke`: an event that looks like what usually wakes the function. */
function invocationEvent(fn: FunctionManifest, data: unknown, nowMs: number): CloudEvent {
  const trigger = fn.triggers.find((trigger) => trigger.kind === "event" && !trigger.type.includes("*"));
  const event = {
    specversion: "1.0",
    id: newId(nowMs),
    source: "/millrace/invoke",
    type: trigger?.kind === "event" ? trigger.type : "millrace.invoke",
    time: new Date(nowMs).toISOString(),
    ...(data === undefined ? {} : { datacontenttype: "application/json", data }),
  } as const;
  if (isReservedType(event.type)) return event;
  const parsed = parseCloudEvent(event);
  if (!parsed.ok) throw new MillraceError("bad_event", parsed.faults.map(({ attribute, cause }) => `${attribute}: ${cause}`).join("; "));
  return parsed.event;
}

function invokeResult(outcome: SettleOutcome, facts: { invocation: string; delivery: Seq; ranMs: number }): InvokeResult {
  const { ranMs, ...which } = facts;
  switch (outcome.kind) {
    case "done":
      return { kind: "done", ...which, ranMs };
    case "retry":
      return { kind: "retrying", ...which, error: outcome.error, dueMs: outcome.dueMs };
    case "postpone":
      return {
        kind: "retrying",
        ...which,
        error: { name: "Conflict", message: "what it read kept changing", stack: null },
        dueMs: outcome.dueMs,
      };
    case "dead":
      return { kind: "dead", ...which, error: outcome.error };
    default:
      return outcome satisfies never;
  }
}
