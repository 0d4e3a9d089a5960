import type { Clock } from "../core/clock.ts";
import { MillraceError, toError } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import type { Observer } from "../core/observer.ts";
import type { Service } from "../core/service.ts";
import type { Pool } from "../pool/pool.ts";
import type { CloudEvent } from "../events/index.ts";
import type { FunctionManifest, Release } from "../protocol/manifest.ts";
import type { DeadSelection, Lease, LogLine, MemberResult, NewDelivery, Store } from "../store/store.ts";
import type { Delivery, DeliveryStats, HttpRequest, HttpResult, Ingested, IngestResult, InvokeResult } from "./delivery.ts";
import { Dispatcher } from "./dispatcher.ts";
import { EMIT_TIMER, emitDelayed } from "./effects.ts";
import type { FlowHost, FlowRunner } from "./flow-runner.ts";
import { Handwork } from "./handwork.ts";
import { type HttpRunContext, runHttp } from "./http-run.ts";
import { Ingress } from "./ingress.ts";
import { LiveRelease } from "./live-release.ts";
import { Quiet } from "./quiet.ts";
import type { Committed, Deps } from "./run.ts";
import { TimerLoop, type TimerHandler } from "./timer-loop.ts";

const DEFAULT_HOP_LIMIT = 32;

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

/** Puts the parts of this room together: in by a door, through the store, to a queue, to an instance, back into the store. */
export class DeliveryEngine implements Delivery, Service {
  private readonly owner: string;
  private readonly deps: Deps;
  private readonly live: LiveRelease;
  private readonly dispatcher: Dispatcher;
  private readonly ingress: Ingress;
  private readonly handwork: Handwork;
  private readonly timers: TimerLoop;
  private readonly quiet = new Quiet(() => this.dispatcher.quiet && this.timers.quiet);
  private readonly httpRuns: HttpRunContext;
  private flowRunner: FlowRunner | null = null;
  private lease: Lease | null = null;
  private stopping: Promise<void> | undefined;

  constructor(options: EngineOptions) {
    const { store, pool, clock, log, observer } = options;
    this.owner = options.owner;
    this.deps = { store, pool, clock, log, random: options.random ?? Math.random, hopLimit: options.hopLimit ?? DEFAULT_HOP_LIMIT };
    this.live = new LiveRelease(() => clock.now());
    const { deps, live } = this;
    const epoch = (): number => this.epoch();
    const committed: (...commit: [Committed, Parameters<Store["commit"]>[0]]) => void = (...commit) => this.dispatcher.absorb(...commit);
    this.dispatcher = new Dispatcher({
      deps,
      live,
      observer,
      flows: () => this.flows(),
      epoch,
      onEnd: (seq, end) => this.handwork.ended(seq, end),
      onTimer: (dueMs) => this.timers.expect(dueMs),
      onQuiet: () => this.quiet.check(),
    });
    this.ingress = new Ingress({ deps, live, observer, committed });
    this.handwork = new Handwork(deps, live, this.dispatcher);
    this.httpRuns = { deps, observer, live, inProgress: new Set(), committed };
    this.timers = new TimerLoop({
      store,
      clock,
      epoch,
      committed,
      onFailure: (error) => this.note(error),
      onQuiet: () => this.quiet.check(),
    });
    this.timers.handle(EMIT_TIMER, (timer) => emitDelayed(timer, live.router));
    pool.onChange(() => this.dispatcher.dispatchAll());
  }

  /** Takes the lease. Functions, timers among them, are woken from the first release on. */
  async start(): Promise<void> {
    this.lease = await this.deps.store.acquire(this.owner);
    this.dispatcher.counts.reset(await this.deps.store.counts());
  }

  /** Hands out nothing more and waits for what runs; the pool bounds how long that takes. */
  stop(): Promise<void> {
    return (this.stopping ??= this.end());
  }

  private async end(): Promise<void> {
    this.timers.stop();
    this.dispatcher.stop();
    await this.quiet.wait();
    this.handwork.stop();
  }

  /** What a kind of timer does when it fires (schedules, later flows). */
  onTimer(kind: string, handler: TimerHandler): void {
    this.timers.handle(kind, handler);
  }

  /** Puts in the room of runs; before the first release. Returns what that room works with. */
  runFlows(runner: FlowRunner): FlowHost {
    this.flowRunner = runner;
    const { deps, live, dispatcher, quiet } = this;
    return {
      deps,
      live,
      epoch: () => this.epoch(),
      commit: async (member) => {
        let result: MemberResult;
        try {
          result = await deps.store.commit(member);
        } catch (error) {
          dispatcher.suspect();
          throw error;
        }
        if (result.kind === "committed") dispatcher.absorb(result, member);
        return result;
      },
      place: (fn) => dispatcher.place(fn),
      suspect: () => dispatcher.suspect(),
      during: (work) => quiet.during(work),
      keepFlows: (flows) => {
        live.keep(flows);
        dispatcher.release();
      },
    };
  }

  /** One that is due at this function whatever its triggers say. */
  deliveryTo(fn: FunctionManifest, event: CloudEvent): NewDelivery {
    return this.live.router.deliveryTo(fn, event);
  }

  /** A timer was set by a commit that did not pass through here. */
  expectTimer(dueMs: number): void {
    this.timers.expect(dueMs);
  }

  async use(release: Release): Promise<void> {
    this.live.use(release);
    this.dispatcher.release();
    this.timers.begin();
  }

  ingest(events: readonly Ingested[]): Promise<IngestResult> {
    return this.quiet.during(() => this.ingress.take(events));
  }

  http(request: HttpRequest): Promise<HttpResult> {
    const fn = this.live.functions.get(request.fn);
    if (fn === undefined)
      return Promise.resolve({ kind: "failed", invocation: newId(), error: this.live.unknown(request.fn), retryAfterMs: null });
    return this.quiet.during(() => runHttp(request, fn, this.httpRuns));
  }

  async invoke(fn: string, data: unknown): Promise<InvokeResult> {
    if (this.stopping !== undefined) throw new MillraceError("stopping", "the node is shutting down");
    const { ended } = await this.quiet.during(() => this.handwork.invoke(fn, data));
    return ended;
  }

  redrive(selection: DeadSelection, limit: number): Promise<number> {
    return this.quiet.during(() => this.handwork.redrive(selection, limit));
  }

  purge(selection: DeadSelection, limit: number): Promise<number> {
    return this.quiet.during(() => this.handwork.purge(selection, limit));
  }

  stats(): DeliveryStats {
    return this.dispatcher.counts.stats((fn) => ({ exists: this.live.functions.has(fn), running: this.dispatcher.running(fn) }));
  }

  settled(): Promise<void> {
    return this.quiet.wait();
  }

  private flows(): FlowRunner {
    if (this.flowRunner === null) throw new MillraceError("internal", "a flow was to be run by a node without the room of runs");
    return this.flowRunner;
  }

  private epoch(): number {
    if (this.lease === null) throw new MillraceError("internal", "the delivery engine was used before it was started");
    return this.lease.epoch;
  }

  private note(thrown: unknown): void {
    const error = toError(thrown);
    this.deps.log({ atMs: this.deps.clock.now(), fn: "", invocation: "", level: "error", text: error.stack ?? error.message });
  }
}
