import { MillraceError } from "../core/index.ts";
import type { FunctionError, FunctionManifest, Release } from "../protocol/index.ts";
import { afterFailure, type BackOff, NO_BACK_OFF } from "./back-off.ts";
import { FIRST_LIMIT, FIRST_LIMIT_OF_RUNS, nextLimit } from "./call-limit.ts";
import { chooseInstance } from "./choose.ts";
import { CallbackDeadline, type Deadlines } from "./deadlines.ts";
import type { Assignment, InstanceReport, InstanceUser } from "./instance-roles.ts";
import type { Instance } from "./instance.ts";
import type { Outcome } from "./pool.ts";
import { type FunctionView, type InstanceView, PATIENCE_MS } from "./scale.ts";
import type { InstanceClass } from "./spawn.ts";
import { TicketQueue } from "./ticket-queue.ts";
import type { Ticket, TicketHolder } from "./ticket.ts";
import { WaitingCalls } from "./waiting-calls.ts";

/** What a fleet needs of the pool. */
export interface FleetContext {
  readonly deadlines: Deadlines;
  readonly nowMs: () => number;
  /** How long a call may wait for room. */
  readonly waitMs: number;
  /** Calls of one function that may wait. */
  readonly mostWaiting: number;
  /** There may be something to start or to retire. */
  readonly decideSoon: () => void;
  /** The last call has left: it will be idle long enough at this time. */
  readonly decideAt: (atMs: number) => void;
  readonly changed: () => void;
  readonly onColdStart: (start: ColdStart) => void;
}

/** What the first call of an instance waited for, by phase. */
export interface ColdStart {
  readonly fn: string;
  /** From the decision to start until a process stood ready: near 0 with a spare. */
  readonly waitMs: number;
  /** Until the code was loaded. */
  readonly loadMs: number;
  /** Until the first call was answered. */
  readonly firstCallMs: number;
}

/** Why a function has no instances although it is called. */
export interface StartFailure {
  readonly error: FunctionError;
  /** In a row. */
  readonly failures: number;
  /** When it is tried again: milliseconds since the epoch. */
  readonly retryAtMs: number;
}

interface Starting {
  readonly calledMs: number;
}

export interface FleetFacts {
  readonly release: Release;
  readonly fn: FunctionManifest;
  /** Instances at once. */
  readonly max: number;
  /** Of an earlier release: only for the runs that are on it. */
  readonly kept: boolean;
}

/** All instances of one function of one release, and the calls that wait for them. */
export class Fleet implements InstanceUser, TicketHolder {
  readonly fn: FunctionManifest;
  readonly kept: boolean;
  /** Names it where decisions are made; no function's name has an @. */
  readonly key: string;
  readonly instanceClass: InstanceClass;
  readonly max: number;
  readonly instances: Instance[] = [];
  private readonly context: FleetContext;
  private readonly assignment: Assignment;
  private readonly queue = new WaitingCalls();
  /** Calls that want an instance of their own. */
  private readonly aloneQueue = new TicketQueue();
  private readonly coldStarts = new Map<Instance, Starting>();
  private readonly backOffEnd: CallbackDeadline;
  private backOff: BackOff = NO_BACK_OFF;
  private lastFailure: FunctionError | null = null;
  private closed = false;
  /** Calls at once that one more instance is to take, as the others have shown. */
  private callLimit: number;
  private lastHadMs = 0;
  /** Nothing could be had when it was last decided: not every call that comes or goes must ask again. */
  private askAgainMs = 0;

  constructor(context: FleetContext, { release, fn, max, kept }: FleetFacts) {
    this.context = context;
    this.fn = fn;
    this.max = max;
    this.kept = kept;
    this.key = kept ? `${fn.name}@${release.id}` : fn.name;
    this.callLimit = Math.min(fn.flow === undefined ? FIRST_LIMIT : FIRST_LIMIT_OF_RUNS, fn.concurrency.instance);
    this.instanceClass = { memoryBytes: fn.memoryBytes, allow: fn.allow, network: fn.network };
    // An app without flows has nobody that starts or calls another function.
    const hasFlows = release.manifest.functions.some(({ flow }) => flow !== undefined);
    const targets = hasFlows ? { targets: Object.fromEntries(release.manifest.functions.map(targetOf)) } : {};
    const schemas = Object.fromEntries(release.manifest.events.map(({ type, entry }) => [type, entry]));
    this.assignment = {
      fn: fn.name,
      file: fn.file,
      directory: release.directory,
      loadHead: {
        fn: fn.name,
        exportName: fn.exportName,
        entry: fn.entry,
        env: release.env,
        schemas,
        ...targets,
        ...(fn.flow === undefined ? {} : { flow: true }),
      },
    };
    this.backOffEnd = new CallbackDeadline(() => {
      context.changed();
      context.decideSoon();
    });
  }

  get waiting(): number {
    return this.queue.size + this.aloneQueue.size;
  }

  get running(): number {
    let running = 0;
    for (const instance of this.instances) running += instance.running;
    return running;
  }

  /** It has nothing, wants nothing and remembers nothing. */
  get isIdle(): boolean {
    return this.instances.length === 0 && this.waiting === 0 && this.backOff.failures === 0;
  }

  /** Null as soon as a call has come to its end. */
  get startFailure(): StartFailure | null {
    const { failures, untilMs } = this.backOff;
    return failures === 0 ? null : { error: this.failure(), failures, retryAtMs: Math.round(performance.timeOrigin + untilMs) };
  }

  /** Room for calls, were all instances there that may be. 0 while starts fail: nothing could take them. */
  capacity(affordable: number): number {
    if (this.isHopeless()) return 0;
    let live = 0;
    let room = 0;
    for (const { retiring, callLimit } of this.instances) {
      if (retiring) continue;
      live++;
      room += callLimit;
    }
    const more = Math.max(live === 0 ? 1 : 0, Math.min(this.max, affordable) - live);
    return Math.min(room + more * this.callLimit, this.fn.concurrency.function ?? Infinity);
  }

  admit(ticket: Ticket, affordable: number): void {
    if (this.isHopeless()) {
      this.refuse(ticket, "load-failed", this.failure());
      return;
    }
    if (!ticket.call.alone && this.queue.size === 0 && this.hasRoom()) {
      const instance = chooseInstance(this.instances);
      if (instance !== null) {
        this.send(ticket, instance);
        return;
      }
    }
    const most = ticket.call.kind === "http" ? this.context.mostWaiting : Math.max(1, this.capacity(affordable));
    const waiting = this.queue.sizeBefore(ticket) + this.aloneQueue.size;
    if (waiting >= most) {
      this.refuse(ticket, "overloaded", errorOf("overloaded", `${waiting} calls of ${this.fn.name} wait already`));
      return;
    }
    this.enqueue(ticket);
    if (ticket.call.alone) this.pump();
    this.askForMore();
  }

  /** Puts in calls that waited at an earlier release. */
  adopt(tickets: readonly Ticket[]): void {
    for (const ticket of tickets) {
      ticket.holder = this;
      this.enqueue(ticket);
    }
    this.askForMore();
  }

  takeWaiting(): Ticket[] {
    return [...this.aloneQueue.takeAll(), ...this.queue.takeAll()];
  }

  /** Gives a process to the fleet. */
  take(instance: Instance): void {
    this.instances.push(instance);
    instance.callLimit = this.callLimit;
    this.coldStarts.set(instance, { calledMs: this.context.nowMs() });
    instance.assign(this.assignment, this);
    if (instance.ready) this.instanceReady(instance);
    this.context.changed();
  }

  /** No new calls come; those at hand are finished. */
  close(): void {
    this.closed = true;
    this.context.deadlines.clear(this.backOffEnd);
    for (const instance of this.instances) instance.retire();
  }

  refuseWaiting(reason: "stopping" | "load-failed", error: FunctionError): void {
    this.refuseTickets(this.takeWaiting(), reason, error);
  }

  refuseTickets(tickets: readonly Ticket[], reason: "stopping" | "load-failed", error: FunctionError): void {
    for (const ticket of tickets) this.refuse(ticket, reason, error);
  }

  view(): FunctionView {
    const { fn } = this;
    const underLimit = fn.concurrency.function === null ? Infinity : Math.max(0, fn.concurrency.function - this.running);
    return {
      fn: this.key,
      memoryBytes: fn.memoryBytes,
      min: this.kept ? 0 : fn.instances.min,
      max: this.max,
      idleMs: fn.instances.idleMs,
      perInstance: this.callLimit,
      waiting: Math.min(this.queue.size, underLimit),
      waitingAlone: Math.min(this.aloneQueue.size, underLimit),
      waitingSinceMs: earlier(this.queue.sinceMs, this.aloneQueue.first()?.enteredMs ?? null),
      lastHadMs: this.lastHadMs,
      notBeforeMs: this.backOff.untilMs,
      instances: this.instances.map(viewInstance),
    };
  }

  /**
   * After a decision: when a call wants to be alone and no instance comes for it, the least loaded one takes no more calls
   * until it is empty (and then gets this one: calls that want to be alone go first).
   */
  decided(): void {
    this.askAgainMs = this.waiting === 0 ? 0 : this.context.nowMs() + PATIENCE_MS;
    if (this.aloneQueue.size === 0 || this.starting > 0 || this.instances.some(({ exclusive }) => exclusive)) return;
    const [least] = this.instances.filter(({ accepts, running }) => accepts && running > 0).sort((a, b) => a.running - b.running);
    if (least !== undefined) least.exclusive = true;
  }

  startFailed(error: FunctionError): void {
    this.failed(error);
  }

  // from instances

  instanceReady(instance: Instance): void {
    if (instance.retiring) return;
    this.pump();
    this.idled(instance);
  }

  instanceLoaded(instance: Instance): void {
    this.context.changed();
    this.idled(instance);
  }

  instanceFreed(instance: Instance): void {
    if (this.backOff.failures > 0) this.backOff = NO_BACK_OFF;
    this.reportColdStart(instance);
    if (this.waiting > 0) {
      this.pump();
      this.askForMore();
    }
    this.idled(instance);
  }

  instanceReported(instance: Instance, { utilisation, heapBytes, endedPerSecond, mostRunning }: InstanceReport): void {
    // The last calls of one that goes are not like those to come: the long ones are left.
    if (instance.retiring) return;
    const before = instance.callLimit;
    instance.callLimit = nextLimit(before, this.fn.concurrency.instance, {
      utilisation,
      endedPerSecond,
      usedUp: mostRunning >= before,
      memoryShare: heapBytes / this.fn.memoryBytes,
    });
    this.callLimit = instance.callLimit;
    if (instance.callLimit > before) this.context.changed();
    if (this.waiting === 0) return;
    this.pump();
    this.askAgainMs = 0;
    this.askForMore();
  }

  instanceEnded(instance: Instance, failure: FunctionError | null, lostCalls: number): void {
    this.coldStarts.delete(instance);
    const at = this.instances.indexOf(instance);
    if (at >= 0) this.instances.splice(at, 1);
    this.lastHadMs = this.context.nowMs();
    // One that ends by itself before it has ever had a call would be started again and again.
    const useless = !instance.retiring && instance.finishedCalls + lostCalls === 0;
    if (failure !== null || useless) this.failed(failure ?? NEVER_SERVED);
    this.context.changed();
    this.context.decideSoon();
  }

  // from tickets that wait

  ticketDue(ticket: Ticket): void {
    this.giveUp(ticket, "overloaded", errorOf("overloaded", `no room for a call of ${this.fn.name} within ${this.context.waitMs} ms`));
  }

  clientLeft(ticket: Ticket): void {
    this.giveUp(ticket, "aborted", CLIENT_LEFT);
  }

  private giveUp(ticket: Ticket, reason: "overloaded" | "aborted", error: FunctionError): void {
    if (ticket.phase !== "waiting") return;
    this.refuse(ticket, reason, error);
    if (ticket.call.alone) this.aloneQueue.gaveUp();
    else this.queue.gaveUp(ticket);
  }

  private enqueue(ticket: Ticket): void {
    (ticket.call.alone ? this.aloneQueue : this.queue).push(ticket);
    this.context.deadlines.set(ticket, ticket.enteredMs + this.context.waitMs);
  }

  private refuse(ticket: Ticket, reason: NotRunReason, error: FunctionError): void {
    this.context.deadlines.clear(ticket);
    ticket.close();
    ticket.settle({ kind: "not-run", reason, error });
  }

  /** Sends what waits, as far as there is room. */
  private pump(): void {
    this.pumpAlone();
    while (this.queue.size > 0 && this.hasRoom()) {
      const instance = chooseInstance(this.instances);
      if (instance === null) return;
      const ticket = this.queue.shift();
      if (ticket === null) return;
      this.send(ticket, instance);
    }
  }

  private pumpAlone(): void {
    while (this.aloneQueue.size > 0 && this.hasRoom()) {
      const free = this.instances.find((instance) => instance.accepts && instance.running === 0);
      const ticket = free === undefined ? null : this.aloneQueue.shift();
      if (free === undefined || ticket === null) return;
      free.exclusive = true;
      this.send(ticket, free);
    }
  }

  private send(ticket: Ticket, instance: Instance): void {
    instance.send(ticket);
  }

  private hasRoom(): boolean {
    const { function: most } = this.fn.concurrency;
    return most === null || this.running < most;
  }

  private askForMore(): void {
    if (this.waiting === 0 || this.context.nowMs() < this.askAgainMs) return;
    const coming = this.starting;
    if (this.aloneQueue.size > coming) this.context.decideSoon();
    else if (this.queue.size > coming * this.callLimit && this.liveCount < this.max) this.context.decideSoon();
  }

  private get starting(): number {
    return count(this.instances, ({ ready }) => !ready);
  }

  private get liveCount(): number {
    return count(this.instances, ({ retiring }) => !retiring);
  }

  private idled(instance: Instance): void {
    if (instance.running === 0 && !instance.ended) this.context.decideAt(instance.idleSinceMs + this.fn.instances.idleMs);
  }

  private reportColdStart(instance: Instance): void {
    const start = this.coldStarts.get(instance);
    if (start === undefined) return;
    this.coldStarts.delete(instance);
    const handedMs = Math.max(start.calledMs, instance.readyMs);
    this.context.onColdStart({
      fn: this.fn.name,
      waitMs: handedMs - start.calledMs,
      loadMs: Math.max(0, instance.loadedMs - handedMs),
      firstCallMs: this.context.nowMs() - Math.max(handedMs, instance.loadedMs),
    });
  }

  // failures

  private failed(error: FunctionError): void {
    const nowMs = this.context.nowMs();
    this.backOff = afterFailure(this.backOff, nowMs);
    this.lastFailure = error;
    if (this.closed) return;
    this.context.deadlines.set(this.backOffEnd, this.backOff.untilMs);
    if (this.isHopeless()) this.refuseWaiting("load-failed", this.failure());
  }

  /** Nothing runs that could take a call, and nothing may be started yet. */
  private isHopeless(): boolean {
    return this.backOff.untilMs > 0 && this.instances.length === 0 && this.context.nowMs() < this.backOff.untilMs;
  }

  private failure(): FunctionError {
    return this.lastFailure ?? NEVER_SERVED;
  }
}

type NotRunReason = Extract<Outcome, { kind: "not-run" }>["reason"];

export const CLIENT_LEFT: FunctionError = { name: "Aborted", message: "the client left before the call began", stack: null };

const NEVER_SERVED: FunctionError = { name: "Crashed", message: "the instance ended by itself before it had answered a call", stack: null };

export function errorOf(code: "overloaded" | "stopping" | "not_found", message: string): FunctionError {
  const { cure } = new MillraceError(code, message);
  return { name: code, message: `${message}. ${cure}`, stack: null };
}

function targetOf({ name, entry, exportName, flow }: FunctionManifest): [string, readonly [string, string, "fn" | "flow"]] {
  return [name, [entry, exportName, flow === undefined ? "fn" : "flow"]];
}

function viewInstance(instance: Instance): InstanceView {
  const { id, running, idleSinceMs, givenMs } = instance;
  const { silent } = instance;
  const utilisation = silent ? 1 : instance.gauge.utilisation;
  const peakUtilisation = silent ? 1 : instance.gauge.peakUtilisation;
  return {
    id,
    running,
    utilisation,
    peakUtilisation,
    idleSinceMs,
    givenMs,
    state: instance.retiring ? "retiring" : instance.ready ? "serving" : "starting",
  };
}

function earlier(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}

function count<T>(all: readonly T[], is: (each: T) => boolean): number {
  let count = 0;
  for (const each of all) if (is(each)) count++;
  return count;
}
