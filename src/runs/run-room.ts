import type { LeaveSignal } from "../core/departure.ts";
import { MillraceError } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import type { Service } from "../core/service.ts";
import { TransientMap } from "../core/transient-map.ts";
import type { HttpRequest } from "../delivery/delivery.ts";
import type { DeliveryEngine } from "../delivery/engine.ts";
import type { RunContext, RunEnd } from "../delivery/delivery-run.ts";
import { errorText } from "../delivery/error-text.ts";
import type { FlowHost, FlowRunner } from "../delivery/flow-runner.ts";
import { runEvent } from "../delivery/run-event.ts";
import type { CloudEvent } from "../events/index.ts";
import type { Pool } from "../pool/pool.ts";
import type { FunctionManifest, Release } from "../protocol/manifest.ts";
import { valueForPeople } from "../protocol/value-for-people.ts";
import type { Arrival, JournalEntry, NewArrival, NewEvent, ReadyDelivery, RunQuery, RunView, Seq, Store } from "../store/store.ts";
import { callbackToken, runIdOf, tokenHash } from "./callback-token.ts";
import { EarlyRuns } from "./early-run.ts";
import { HeldReleases } from "./held-releases.ts";
import { answerOfRun } from "./run-answer.ts";
import { RunDrive } from "./run-drive.ts";
import { type DriveRoom, HTTP_TYPE, type RunHooks } from "./run-driven.ts";
import { RunEnds } from "./run-ends.ts";
import { RunViews } from "./run-views.ts";
import { commandOf } from "./run-entries.ts";
import { isOver } from "./states.ts";
import type {
  Begun,
  CallbackAnswered,
  CallbackOutcome,
  HeldRelease,
  HttpRunResult,
  RunCheck,
  RunDetails,
  RunProgress,
  Runs,
} from "./runs.ts";

export interface RunRoomDeps {
  readonly engine: DeliveryEngine;
  readonly store: Store;
  readonly pool: Pool;
  /** What callback tokens are made from; the node's own. */
  readonly secret: string;
  /** What the addresses of callbacks begin with. */
  readonly publicUrl: () => string;
  readonly openRelease: (id: string) => Promise<Release | null>;
  /** A release of a folder, made to be tried. */
  readonly loadAside: (appDirectory: string) => Promise<Release>;
  readonly hooks?: RunHooks;
}

/** Beyond so many every run's store is asked, whatever is known of its beginning. */
const MOST_STRAYS = 100_000;

/** Everything about runs that is not one activation of one of them: their beginning, what people order, who waits for their ends. */
export class RunRoom implements Runs, FlowRunner, Service {
  private readonly deps: RunRoomDeps;
  private readonly host: FlowHost;
  private readonly releasesHeld: HeldReleases;
  private readonly drives = new TransientMap<Seq, RunDrive>();
  private readonly ends = new RunEnds();
  /** Runs for which something came while they were not here: what is known of their beginning is not all. */
  private readonly strays = new Set<Seq>();
  private readonly early: EarlyRuns;
  private readonly views: RunViews;
  private release: Release | null = null;
  private stopped = false;

  constructor(deps: RunRoomDeps) {
    this.deps = deps;
    this.host = deps.engine.runFlows(this);
    this.early = new EarlyRuns({ host: this.host, hooks: deps.hooks ?? {}, append: (...begins) => this.append(...begins) });
    this.releasesHeld = new HeldReleases({ store: deps.store, pool: deps.pool, open: deps.openRelease });
    this.views = new RunViews({
      ...deps,
      host: this.host,
      releasesHeld: this.releasesHeld,
      functionOf: (release, fn) => this.functionOf(release, fn),
      liveFlow: (name) => this.flow(name),
      isRunning: (run) => this.drives.has(run),
      untilEnd: (run, waitMs) => this.untilEnd(run, waitMs, null),
      isStopped: () => this.stopped,
    });
  }

  /** After the engine, before the first event. */
  async start(): Promise<void> {
    for (const topic of await this.deps.store.waitTopics()) this.host.live.topics.add(topic);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.early.stop();
    this.ends.stop();
  }

  /** A release is live. */
  async use(release: Release): Promise<void> {
    this.release = release;
    for (const { flow } of release.manifest.functions)
      for (const { type, match } of flow?.cancelOn ?? []) this.host.live.topics.add(JSON.stringify([type, ...match.map(([path]) => path)]));
    await this.releasesHeld.use(release, this.host);
  }

  // ── for the dispatcher ──

  async drive(entry: ReadyDelivery, _fn: FunctionManifest, context: RunContext): Promise<RunEnd> {
    const { seq } = entry;
    const early = entry.begun === undefined ? null : this.early.take(entry.begun.id);
    const known = this.strays.delete(seq) || this.strays.size > MOST_STRAYS ? withoutBeginning(entry) : entry;
    const room: DriveRoom = {
      host: this.host,
      functionOf: (release, fn) => this.functionOf(release, fn),
      urlOf: (run, command) => `${this.deps.publicUrl()}/_/callbacks/${callbackToken(this.deps.secret, run, command)}`,
      tokenHashOf: (run, command) => tokenHash(callbackToken(this.deps.secret, run, command)),
      hooks: this.deps.hooks ?? {},
    };
    const drive = new RunDrive(known, context, room, early);
    this.drives.set(seq, drive);
    let end: RunEnd;
    try {
      end = await drive.drive();
    } finally {
      this.drives.delete(seq);
    }
    const move = end.kind === "moved" ? end.member.run?.move : undefined;
    if (move?.kind === "end") this.ends.ended(seq, move);
    // Its end may have been committed by a call that was said to have failed.
    if (end.kind === "fenced") void this.tellEnd(seq);
    return end;
  }

  private async tellEnd(seq: Seq): Promise<void> {
    const run = await this.deps.store.run(seq).catch(() => null);
    if (run !== null && (run.state === "done" || run.state === "failed" || run.state === "cancelled"))
      this.ends.ended(seq, { state: run.state, value: run.value });
  }

  isEarly(id: string): boolean {
    return this.early.has(id);
  }

  arrived(arrivals: readonly Arrival[]): void {
    for (const arrival of arrivals) {
      const drive = this.drives.get(arrival.run);
      if (drive === undefined) this.strays.add(arrival.run);
      else drive.arrived([arrival]);
    }
  }

  private functionOf(release: string, fn: string): Promise<FunctionManifest | null> {
    const { live } = this.host;
    if (release !== live.id) return this.releasesHeld.functionOf(release, fn);
    const found = live.functions.get(fn);
    return Promise.resolve(found?.flow === undefined ? null : found);
  }

  // ── how runs begin ──

  begin({ flow, input, id }: { readonly flow: string; readonly input: string; readonly id: string | null }): Promise<Begun> {
    return this.host.during(async () => {
      const fn = this.flow(flow);
      const nowMs = this.host.deps.clock.now();
      const facts = { text: input, source: "/millrace/runs", nowMs, origin: "outside", hops: 0, cause: null } as const;
      return await this.append(fn, runEvent(fn, facts, this.host.live.router, beginning(id, nowMs)), nowMs);
    });
  }

  async http(request: HttpRequest, waitMs: number): Promise<HttpRunResult> {
    const fn = this.flow(request.fn);
    const nowMs = this.host.deps.clock.now();
    const { idempotencyKey } = request;
    const id = idempotencyKey === null ? null : runIdOf(this.deps.secret, fn.name, idempotencyKey);
    const event = this.requestEvent(fn, request, id, nowMs);
    const going = waitMs === 0 ? null : this.early.begin(fn, event, nowMs);
    const early = going === null ? null : await this.host.during(() => going);
    if (early?.kind === "ended") return answerOfRun(early.id, early.state, early.value);
    const begun = early?.begun ?? (await this.host.during(() => this.append(fn, event, nowMs)));
    if (begun.existing) {
      await this.checkSameRequest(request, begun);
      const run = await this.ended(begun.id, waitMs, request.signal);
      if (run === null || run.endedMs === null) return { kind: "accepted", id: begun.id };
      return answerOfRun(run.id, run.state as "done", run.value, true);
    }
    const end = waitMs === 0 ? null : await this.ends.wait(begun.run, waitMs, request.signal);
    return end === null ? { kind: "accepted", id: begun.id } : answerOfRun(begun.id, end.state, end.value);
  }

  /** A key stands for one request, as with functions: method, address and body. */
  private async checkSameRequest({ head: { method, url }, body }: HttpRequest, { run }: Begun): Promise<void> {
    const delivery = await this.deps.store.delivery(run);
    if (delivery === null) return;
    const first = (JSON.parse(delivery.eventJson) as CloudEvent).data as { method: string; url: string; body: string | null };
    if (first.method === method && first.url === url && first.body === bodyText(body)) return;
    throw new MillraceError(
      "idempotency_reused",
      "this Idempotency-Key was used for another request (its method, address or body differs), which began a run",
    );
  }

  private requestEvent(fn: FunctionManifest, request: HttpRequest, id: string | null, nowMs: number): NewEvent {
    const { head, body } = request;
    if (body !== null && !(body instanceof Uint8Array))
      throw new MillraceError("too_large", "a request that begins a run comes whole, and is at most 1 MiB");
    const event: CloudEvent = {
      specversion: "1.0",
      id: newId(nowMs),
      source: "/millrace/http",
      type: HTTP_TYPE,
      time: new Date(nowMs).toISOString(),
      datacontenttype: "application/json",
      data: { ...head, body: bodyText(body) },
    };
    return this.newEvent(fn, event, beginning(id, nowMs));
  }

  private newEvent(fn: FunctionManifest, event: CloudEvent, begins: Parameters<FlowHost["live"]["router"]["deliveryTo"]>[2]): NewEvent {
    const delivery = this.host.live.router.deliveryTo(fn, event, begins);
    const { id, source, type } = event;
    return {
      id,
      source,
      type,
      json: JSON.stringify(event),
      origin: "outside",
      hops: 0,
      cause: null,
      dedupe: false,
      deliveries: [delivery],
    };
  }

  private async append(fn: FunctionManifest, event: NewEvent, nowMs: number): Promise<Begun> {
    this.host.live.demand();
    const result = await this.host.commit({ id: newId(nowMs), nowMs, events: [event] });
    const appended = result.kind === "committed" ? result.events[0] : undefined;
    if (appended === undefined) throw new MillraceError("internal", `the beginning of a run ended as ${result.kind}`);
    const id = event.deliveries[0]?.run?.id ?? "";
    // Whoever changed the release meanwhile did not know of it.
    if (this.release !== null && this.host.live.runnable(fn.name) === undefined) await this.releasesHeld.use(this.release, this.host);
    if (appended.existing === undefined) return { id, run: appended.deliveries[0]?.seq ?? 0, flow: fn.name, existing: false };
    const run = await this.deps.store.run(appended.existing);
    if (run !== null && run.fn !== fn.name)
      throw new MillraceError("run_state", `the id "${id}" is that of a run of "${run.fn}"`, { cure: "Give the run an id of its own." });
    return { id, run: appended.existing, flow: fn.name, existing: true };
  }

  private flow(name: string): FunctionManifest {
    const { live } = this.host;
    const fn = live.functions.get(name);
    if (fn === undefined) throw live.unknown(name);
    if (fn.flow === undefined) throw new MillraceError("not_found", `"${name}" is a function, not a flow: it has no runs`);
    return fn;
  }

  // ── what runs come to ──

  async ended(id: string, waitMs: number, signal: LeaveSignal | null): Promise<RunView | null> {
    const run = await this.deps.store.run(id);
    if (run === null || (await this.deps.store.delivery(run.seq))?.eventType !== HTTP_TYPE) return null;
    return await this.untilEnd(run, waitMs, signal);
  }

  /** Whoever began it. */
  async untilEnd(run: RunView, waitMs: number, signal: LeaveSignal | null): Promise<RunView> {
    if (run.endedMs !== null || waitMs === 0) return run;
    const ended = this.ends.wait(run.seq, waitMs, signal);
    // It may have ended while it was looked at.
    const again = await this.deps.store.run(run.seq);
    if (again === null || again.endedMs !== null) return again ?? run;
    await ended;
    return (await this.deps.store.run(run.seq)) ?? again;
  }

  async answer(token: string, outcome: CallbackOutcome): Promise<CallbackAnswered> {
    const value = outcome.ok
      ? { ok: true, value: outcome.value }
      : { ok: false, value: errorText({ name: "CallbackFailed", message: outcome.message, stack: null }) };
    const nowMs = this.host.deps.clock.now();
    const callback = { tokenHash: tokenHash(token), value: JSON.stringify(value) };
    const result = await this.host.during(() => this.host.commit({ id: newId(nowMs), nowMs, callback }));
    return result.kind === "committed" ? (result.callback ?? "unknown") : "unknown";
  }

  // ── what people order ──

  async cancel(id: string, order: { readonly rollback: boolean; readonly reason: string }): Promise<RunView> {
    const run = await this.live(id);
    if (run.state === "rolling-back" || run.state === "stuck")
      throw new MillraceError("run_state", `the run ${id} is being rolled back already (it is ${run.state})`);
    return await this.order(run, { kind: "cancel", value: JSON.stringify(order) });
  }

  async resume(id: string, order: { readonly result?: string; readonly release?: string }): Promise<RunView> {
    const run = await this.live(id);
    const moves = order.release !== undefined;
    if (run.state !== "paused" && run.state !== "stuck" && !moves)
      throw new MillraceError("run_state", `the run ${id} is ${run.state}: only a paused or stuck one is resumed`);
    const release = order.release === "live" ? this.host.live.id : order.release;
    if (release !== undefined && (await this.functionOf(release, run.fn)) === null)
      throw new MillraceError("not_found", `there is no release ${release} with a flow "${run.fn}"`);
    const value = { ...(order.result === undefined ? {} : { result: order.result }), ...(release === undefined ? {} : { release }) };
    return await this.order(run, { kind: "resume", value: JSON.stringify(value) });
  }

  async signal(id: string, { wait, data }: { readonly wait: string; readonly data: string }): Promise<RunView> {
    const value = data.startsWith("~") ? JSON.stringify(valueForPeople(data)) : data;
    return await this.order(await this.live(id), { kind: "signal", command: wait, value });
  }

  async rerun(id: string): Promise<Begun> {
    const run = await this.views.found(id);
    const fn = this.flow(run.fn);
    return await this.again(run, fn, {});
  }

  async fork(id: string, { from, release }: { readonly from: string; readonly release: "same" | "live" }): Promise<Begun> {
    const run = await this.views.found(id);
    const beforePos = await this.positionOf(run, from);
    const target = release === "live" ? this.host.live.id : run.release;
    const fn = await this.functionOf(target, run.fn);
    if (fn === null) throw new MillraceError("not_found", `the release ${target} has no flow "${run.fn}" any more`);
    const begun = await this.again(run, fn, { release: target, copies: { from: run.seq, beforePos } });
    await this.registerCallbacks(
      begun,
      (await this.views.journalOf(run.seq)).filter(({ pos }) => pos < beforePos),
    );
    return begun;
  }

  /** A callback whose answer was not copied has another address here, since that is made from the run's id. */
  private async registerCallbacks({ id, run }: Begun, copied: readonly JournalEntry[]): Promise<void> {
    const answered = new Set(copied.filter(({ verb }) => verb === "answer").map(commandOf));
    const open = copied
      .filter(({ verb, phase }) => verb === "callback" && phase === "done")
      .map(({ name, number }) => commandOf({ verb: "answer", name, number }))
      .filter((command) => !answered.has(command));
    if (open.length === 0) return;
    const callbacks = open.map((command) => ({ command, tokenHash: tokenHash(callbackToken(this.deps.secret, id, command)) }));
    const nowMs = this.host.deps.clock.now();
    await this.host.commit({ id: newId(nowMs), nowMs, run: { run, epoch: this.host.epoch(), entries: [], callbacks } });
  }

  private async again(run: RunView, fn: FunctionManifest, begins: object): Promise<Begun> {
    const delivery = await this.deps.store.delivery(run.seq);
    if (delivery === null) throw new MillraceError("not_found", `the input of the run ${run.id} is not kept any more`);
    const nowMs = this.host.deps.clock.now();
    const event: CloudEvent = { ...(JSON.parse(delivery.eventJson) as CloudEvent), id: newId(nowMs), time: new Date(nowMs).toISOString() };
    return await this.host.during(() => this.append(fn, this.newEvent(fn, event, begins), nowMs));
  }

  private async positionOf(run: RunView, from: string): Promise<number> {
    const [, name = from, number = "1"] = /^(.*)#(\d+)$/.exec(from) ?? [];
    const journal = await this.views.journalOf(run.seq);
    const first = journal.find((entry) => entry.name === name && entry.number === Number(number));
    if (first !== undefined) return first.pos;
    const names = [
      ...new Set(
        journal.filter(({ verb }) => verb !== "run").map((entry) => (entry.number === 1 ? entry.name : `${entry.name}#${entry.number}`)),
      ),
    ];
    throw new MillraceError("not_found", `the journal of ${run.id} has no "${from}"`, {
      cure: `It has: ${names.slice(0, 20).join(", ")}.`,
    });
  }

  private async order(run: RunView, arrival: Pick<NewArrival, "kind" | "value"> & { readonly command?: string }): Promise<RunView> {
    const nowMs = this.host.deps.clock.now();
    const arrivals = [{ run: run.seq, command: "", ...arrival }];
    await this.host.during(() => this.host.commit({ id: newId(nowMs), nowMs, arrivals }));
    return (await this.deps.store.run(run.seq)) ?? run;
  }

  private async live(id: string): Promise<RunView> {
    const run = await this.views.found(id);
    if (run.kind !== "flow") throw new MillraceError("run_state", `"${id}" is a function's call by a flow, not a flow's run`);
    if (isOver(run.state)) throw new MillraceError("run_state", `the run ${id} has ended (${run.state})`);
    return run;
  }

  // ── what people look at ──

  list(query: RunQuery): Promise<readonly RunView[]> {
    return this.deps.store.runs(query);
  }

  show(id: string): Promise<RunDetails> {
    return this.views.show(id);
  }

  watch(id: string, signal: AbortSignal): AsyncIterable<RunProgress> {
    return this.views.watch(id, signal);
  }

  releases(): Promise<readonly HeldRelease[]> {
    return this.views.releases();
  }

  check(release: string, query: { readonly flow?: string }, signal: AbortSignal): AsyncIterable<RunCheck> {
    return this.views.check(release, query, signal);
  }
}

function bodyText(body: HttpRequest["body"]): string | null {
  return body instanceof Uint8Array ? Buffer.from(body.buffer, body.byteOffset, body.length).toString("base64") : null;
}

/** A run that nobody named gets its id with the others. */
function beginning(id: string | null, nowMs: number): { id: string; named: boolean } {
  return id === null ? { id: newId(nowMs), named: false } : { id, named: true };
}

function withoutBeginning(entry: ReadyDelivery): ReadyDelivery {
  const { begun: _, ...rest } = entry;
  return rest;
}
