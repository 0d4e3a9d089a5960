import type { Observer } from "../core/observer.ts";
import type { FunctionManifest } from "../protocol/manifest.ts";
import type { AppendedEvent, Member, NewEvent, NewRun, ReadyDelivery, Seq } from "../store/store.ts";
import { Counts } from "./counts.ts";
import { flatten, type RunEnd, runDelivery } from "./delivery-run.ts";
import type { FlowRunner, Place } from "./flow-runner.ts";
import { FunctionQueue } from "./function-queue.ts";
import type { LiveRelease } from "./live-release.ts";
import { MemoryBudget } from "./memory-budget.ts";
import type { Committed, Deps } from "./run.ts";

/** Deliveries of one function whose handler has returned and whose commit is under way. */
const MOST_COMMITTING = 1024;
/** Runs of a flow that are made ready (journal read, what came for them committed) while others have all the room. Each holds its journal. */
const MOST_AHEAD = 32;
/** All queues together, besides the little that each may always have. */
const MOST_QUEUED_BYTES = 64 * 1024 * 1024;
const REST_STORE_MS = 500;
const REST_BUSY_MS = 50;
const FIRST_PAUSE_LOAD_MS = 500;
const LONGEST_PAUSE_LOAD_MS = 30_000;

export interface DispatcherDeps {
  readonly deps: Deps;
  readonly live: LiveRelease;
  readonly observer: Observer;
  readonly flows: () => FlowRunner;
  readonly epoch: () => number;
  /** A run of this delivery came to an end. */
  readonly onEnd: (seq: Seq, end: RunEnd) => void;
  /** A timer was set. */
  readonly onTimer: (dueMs: number) => void;
  /** A queue may have come to rest. */
  readonly onQuiet: () => void;
}

/** A function as it is kept across releases: its queue, its history of trouble. */
interface Lane {
  readonly queue: FunctionQueue;
  /** null when the function is gone and something of it still runs (D23). */
  fn: FunctionManifest | null;
  /** Calls handed to the pool and not yet back. */
  calling: number;
  /** Runs that were taken and have not been called yet. */
  ahead: number;
  /** Those of the calls that are runs of which the store does not know yet. */
  early: number;
  /** Those of them that are ready, in the order in which they became so. */
  readonly waiting: ((goes: boolean) => void)[];
  loadFailures: number;
  /** Rounds of conflicts of deliveries that wait after one. */
  readonly conflictRounds: Map<Seq, number>;
}

/** From commits to queues, from queues to instances, and back into the store: one lane a function, none for those that are gone. */
export class Dispatcher {
  readonly counts = new Counts();
  private readonly rooms: DispatcherDeps;
  private readonly lanes = new Map<string, Lane>();
  private readonly budget = new MemoryBudget(MOST_QUEUED_BYTES);
  private stopping = false;

  constructor(rooms: DispatcherDeps) {
    this.rooms = rooms;
  }

  /** Nothing runs and nothing is due; when stopping, nothing is under way. */
  get quiet(): boolean {
    for (const { queue, fn } of this.lanes.values()) {
      const quiet = this.stopping || fn === null ? queue.idle : queue.quiet;
      if (!quiet) return false;
    }
    return true;
  }

  running(fn: string): number {
    const lane = this.lanes.get(fn);
    return lane === undefined ? 0 : lane.queue.running + lane.early;
  }

  /** The live release has changed. */
  release(): void {
    const { live } = this.rooms;
    for (const [name, lane] of this.lanes) {
      lane.fn = live.runnable(name) ?? null;
      this.dropIfGone(name, lane);
    }
    for (const name of live.runnableNames()) {
      const lane = this.laneOf(name);
      if (lane === undefined) continue;
      lane.loadFailures = 0;
      lane.queue.resume();
    }
    this.counts.forget((fn) => live.runnable(fn) === undefined);
    this.dispatchAll();
  }

  dispatchAll(): void {
    for (const lane of this.lanes.values()) this.dispatch(lane);
  }

  /** Rows of these functions changed without a commit of ours. */
  rewind(fns: readonly string[]): void {
    for (const fn of fns) this.laneOf(fn)?.queue.rewind();
  }

  /** A commit failed that may have been made all the same: its rows are in the store, and no queue knows of them. */
  suspect(): void {
    for (const { queue } of this.lanes.values()) queue.rewind();
  }

  /** Hands out nothing more; what runs comes to its end. */
  stop(): void {
    this.stopping = true;
    for (const { queue, waiting } of this.lanes.values()) {
      queue.stop();
      for (const tell of waiting.splice(0)) tell(false);
    }
  }

  /** After any commit of this node: its deliveries to their queues, its timers to the alarm. */
  absorb(result: Committed, member: Member): void {
    if (result.arrivals !== undefined) this.rooms.flows().arrived(result.arrivals);
    for (const timer of member.timers ?? []) this.rooms.onTimer(timer.dueMs);
    const { events, promoted, woken } = result;
    // Most commits of a flow's steps bring nothing that could be handed out.
    if (events.length === 0 && promoted.length === 0 && woken === undefined) return;
    const touched = new Set<Lane>();
    events.forEach((appended, i) => {
      const event = member.events?.[i];
      if (event !== undefined && !appended.duplicate) this.absorbEvent(appended, event, member.nowMs, touched);
    });
    for (const entry of promoted) this.offer(entry, touched);
    for (const entry of woken ?? []) this.offer(entry, touched);
    for (const lane of touched) this.dispatch(lane);
  }

  private absorbEvent(appended: AppendedEvent, event: NewEvent, receivedMs: number, touched: Set<Lane>): void {
    const { json, type, origin, hops } = event;
    appended.deliveries.forEach(({ seq, ready }, i) => {
      const delivery = event.deliveries[i];
      if (delivery === undefined || delivery.ended !== undefined) return;
      this.counts.added(delivery.fn);
      if (ready === null) return;
      const stored = { seq: appended.seq, json, type, origin, hops, receivedMs };
      const { fn, key, partition, run } = delivery;
      const entry: ReadyDelivery = { seq, fn, key, partition, attempt: 0, ready, event: stored, ...begunBy(run) };
      if (run === undefined || !this.rooms.flows().isEarly(run.id) || !this.admit(entry)) this.offer(entry, touched);
    });
  }

  /** It has its place already: behind others it would wait for what it holds. */
  private admit(entry: ReadyDelivery): boolean {
    const lane = this.laneOf(entry.fn);
    if (lane === undefined || lane.fn === null || this.stopping || !lane.queue.admit(entry)) return false;
    void this.run(lane, lane.fn, entry);
    return true;
  }

  private offer(entry: ReadyDelivery, touched: Set<Lane>): void {
    const lane = this.laneOf(entry.fn);
    if (lane === undefined) return;
    lane.queue.offer(entry);
    touched.add(lane);
  }

  /** Undefined for a function that is gone: what it has waits in the store. */
  private laneOf(name: string): Lane | undefined {
    const known = this.lanes.get(name);
    if (known !== undefined) return known;
    const fn = this.rooms.live.runnable(name);
    if (fn === undefined || this.stopping) return undefined;
    const queue = new FunctionQueue(name, {
      store: this.rooms.deps.store,
      clock: this.rooms.deps.clock,
      budget: this.budget,
      onWork: () => this.dispatchNamed(name),
      onLoadFailure: (error) => this.note(name, flatten(error)),
    });
    const lane: Lane = { queue, fn, calling: 0, ahead: 0, early: 0, waiting: [], loadFailures: 0, conflictRounds: new Map() };
    this.lanes.set(name, lane);
    return lane;
  }

  /** With the last run of a function that is gone its memory goes; a lane made anew reads everything from the store. */
  private dropIfGone(name: string, lane: Lane): void {
    if (lane.fn !== null || lane.queue.running > 0) return;
    lane.queue.stop();
    this.lanes.delete(name);
  }

  private dispatchNamed(name: string): void {
    const lane = this.lanes.get(name);
    if (lane === undefined) this.rooms.onQuiet();
    else this.dispatch(lane);
  }

  private dispatch(lane: Lane): void {
    const { queue, fn } = lane;
    if (fn === null) this.giveTurns(lane, Infinity);
    else if (!this.stopping) {
      const room = this.rooms.deps.pool.capacity(fn.name);
      this.giveTurns(lane, room);
      // A limit of the function counts whole transactions: one more during a commit would read what is about to change.
      const most = Math.min(room + MOST_COMMITTING, fn.concurrency.function ?? Infinity);
      const mostCalled = fn.flow === undefined ? room : room + Math.min(room, MOST_AHEAD);
      while (lane.calling + lane.ahead < mostCalled && queue.running < most) {
        const entry = queue.take();
        if (entry === undefined) break;
        void this.run(lane, fn, entry);
      }
      queue.fill();
    }
    if (queue.running === 0) this.rooms.onQuiet();
  }

  /** One at least goes where there is no room at all: the pool says why. */
  private giveTurns(lane: Lane, room: number): void {
    while (lane.waiting.length > 0 && lane.calling < Math.max(1, room)) lane.waiting.shift()?.(true);
  }

  private async run(lane: Lane, fn: FunctionManifest, entry: ReadyDelivery): Promise<void> {
    const { deps, observer, live, epoch } = this.rooms;
    observer.waited(entry.fn, Math.max(0, deps.clock.now() - entry.ready.dueMs));
    let end: RunEnd;
    let isAhead = entry.run === "flow";
    if (isAhead) lane.ahead++;
    const calling = (): void => {
      lane.calling++;
      if (isAhead) lane.ahead--;
      isAhead = false;
    };
    try {
      end = await this.driverOf(entry)(entry, fn, {
        deps,
        observer,
        live,
        epoch: epoch(),
        calling,
        turn: () => this.turn(lane, fn, calling),
        called: () => {
          lane.calling--;
          this.dispatch(lane);
        },
        conflictRounds: lane.conflictRounds.get(entry.seq) ?? 0,
      });
    } catch (thrown) {
      // A defect of ours: the delivery stays, and the reason is to be read.
      const error = flatten(thrown);
      this.note(entry.fn, error);
      end = { kind: "held-back", reason: "store-failed", error };
    }
    if (isAhead) lane.ahead--;
    this.finish(lane, entry, end);
  }

  /** For a run that is not in the store yet: its function's limits hold, and it overtakes nobody. */
  place(name: string): Place | null {
    const lane = this.laneOf(name);
    if (lane === undefined || lane.fn === null || this.stopping || lane.fn.concurrency.function !== null) return null;
    if (!lane.queue.clear || lane.waiting.length > 0 || lane.calling >= this.rooms.deps.pool.capacity(name)) return null;
    lane.calling++;
    lane.early++;
    return {
      leave: () => {
        lane.calling--;
        lane.early--;
        this.dispatch(lane);
      },
      ran: (ranMs) => {
        this.rooms.observer.waited(name, 0);
        this.rooms.observer.invoked(name, "event", "done", ranMs);
      },
    };
  }

  /** When there is room in the pool, those that were ready before have had theirs; false: the node stops before that. */
  private turn(lane: Lane, fn: FunctionManifest, calling: () => void): Promise<boolean> {
    if (lane.waiting.length === 0 && lane.calling < Math.max(1, this.rooms.deps.pool.capacity(fn.name))) {
      calling();
      return Promise.resolve(true);
    }
    if (this.stopping) return Promise.resolve(false);
    return new Promise((resolve) => {
      lane.waiting.push((goes) => {
        // Counted as it is told, or the next one would be told as well.
        if (goes) calling();
        resolve(goes);
      });
    });
  }

  private driverOf(entry: ReadyDelivery): FlowRunner["drive"] {
    if (entry.run !== "flow") return runDelivery;
    const flows = this.rooms.flows();
    return (...run) => flows.drive(...run);
  }

  private finish(lane: Lane, entry: ReadyDelivery, end: RunEnd): void {
    switch (end.kind) {
      case "settled":
        lane.queue.release(entry);
        lane.loadFailures = 0;
        this.afterSettling(lane, entry, end);
        break;
      case "moved":
        lane.queue.release(entry);
        lane.loadFailures = 0;
        this.counts.moved(entry.fn, end.from, end.to);
        if (end.dueMs !== null) lane.queue.leaveOnDisk({ dueMs: end.dueMs, pos: 0 });
        this.absorb(end.result, end.member);
        break;
      case "fenced":
        lane.queue.release(entry);
        lane.conflictRounds.delete(entry.seq);
        break;
      case "held-back":
        lane.queue.putBack(withoutBeginning(entry));
        this.holdBack(lane, end);
        break;
      default:
        end satisfies never;
    }
    this.rooms.onEnd(entry.seq, end);
    this.dropIfGone(entry.fn, lane);
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

  private holdBack(lane: Lane, { reason, error }: Extract<RunEnd, { kind: "held-back" }>): void {
    if (reason !== "load-failed") {
      lane.queue.rest(reason === "busy" ? REST_BUSY_MS : REST_STORE_MS);
      return;
    }
    // Of calls that failed together the first has set the pause.
    if (lane.queue.paused) return;
    if (lane.loadFailures === 0) this.note(lane.queue.fn, error);
    const pauseMs = Math.min(LONGEST_PAUSE_LOAD_MS, FIRST_PAUSE_LOAD_MS * 2 ** lane.loadFailures++);
    lane.queue.pause(this.rooms.deps.clock.now() + pauseMs);
  }

  private note(fn: string, { name, message, stack }: { name: string; message: string; stack: string | null }): void {
    const { log, clock } = this.rooms.deps;
    log({ atMs: clock.now(), fn, invocation: "", level: "error", text: stack ?? `${name}: ${message}` });
  }
}

/** What is known of a run at its beginning spares reading it; one that begins with a copy has a journal to be read. */
function begunBy(run: NewRun | undefined): Pick<ReadyDelivery, "run" | "begun"> {
  if (run === undefined) return {};
  return run.copies === undefined ? { run: run.kind, begun: run } : { run: run.kind };
}

/** Its journal may not be empty any more. */
function withoutBeginning(entry: ReadyDelivery): ReadyDelivery {
  if (entry.begun === undefined) return entry;
  const { begun: _, ...rest } = entry;
  return rest;
}
