import { MillraceError } from "../core/errors.ts";
import { TransientMap } from "../core/transient-map.ts";
import type { FlowHost, Place } from "../delivery/flow-runner.ts";
import type { RunLink, RunMessage, RunOutcome } from "../pool/pool.ts";
import type { FunctionManifest } from "../protocol/manifest.ts";
import type { EndState, Member, NewEvent, NewRun, RunAtItsEnd } from "../store/store.ts";
import { goesAhead, runCall, type RunPeer } from "./run-call.ts";
import type { RunHooks } from "./run-driven.ts";
import type { Begun } from "./runs.ts";
import { type ChainedStep, joinedWrites, MOST_CHARS, charsOf, stepEntry, stepWrites } from "./step-chain.ts";

/** After this time a run that has not come to its end is put into the store, whatever it does. */
const MOST_EARLY_MS = 20;

/** So many runs of a flow at most are put into the store first because others could not begin before. */
const MOST_SKIPPED = 64;
/** The first runs of an instance may be late for other reasons. */
const FEW_MISSES = 3;

/** How a run that began early goes on. */
export type EarlyEnd =
  /** All of it is one commit. */
  | { readonly kind: "ended"; readonly id: string; readonly state: EndState; readonly value: string | null }
  /** It is like any other. */
  | { readonly kind: "begun"; readonly begun: Begun };

/** A run in its instance, which was handed to it before it was in the store. */
export interface EarlyCall {
  /** Tells what it has said since; `heard`: the way to it, as soon as there is one. */
  adopt(peer: Pick<RunPeer, "kvOf" | "onMessage">, heard: (link: RunLink) => void): Promise<RunOutcome>;
  /** What it did is not to be. */
  drop(): void;
}

export interface EarlyRunsDeps {
  readonly host: FlowHost;
  readonly hooks: RunHooks;
  /** Puts the beginning of a run into the store. */
  readonly append: (fn: FunctionManifest, event: NewEvent, nowMs: number) => Promise<Begun>;
}

/** Runs that are run before they are in the store: nothing can come of that before it is committed (sandbox R11), so nobody can tell. SPEC.md, N22. */
export class EarlyRuns {
  readonly deps: EarlyRunsDeps;
  private readonly early = new TransientMap<string, EarlyRun>();
  /** Those whose beginning is being committed. */
  private readonly beginning = new TransientMap<string, EarlyRun>();
  /** Flows whose runs could do nothing before they were in the store, and how many are not tried for that. */
  private readonly vain = new Map<string, { misses: number; skips: number }>();
  private timer: NodeJS.Timeout | null = null;
  private stopped = false;

  constructor(deps: EarlyRunsDeps) {
    this.deps = deps;
  }

  /** Nobody drives runs any more: the next start does, from the store. */
  stop(): void {
    this.stopped = true;
    for (const early of this.beginning.values()) early.drop();
    this.beginning.clear();
  }

  /** Null where it has to be in the store first: by its name or its key it may meet others, or it would overtake them, or what it does could be seen. */
  begin(fn: FunctionManifest, event: NewEvent, nowMs: number): Promise<EarlyEnd> | null {
    const { host, hooks } = this.deps;
    const delivery = event.deliveries[0];
    const run = delivery?.run;
    if (this.stopped || run === undefined || run.named || delivery?.key !== null) return null;
    if (hooks.mock !== undefined || goesAhead(host, fn, hooks) !== "steps") return null;
    if (this.skips(fn.name)) return null;
    host.live.demand();
    const place = host.place(fn.name);
    if (place === null) return null;
    const early = new EarlyRun({ fn, event, run, nowMs }, place, this);
    this.early.set(early.id, early);
    this.timer ??= setTimeout(() => this.look(), MOST_EARLY_MS).unref();
    return early.known;
  }

  private skips(fn: string): boolean {
    const vain = this.vain.get(fn);
    if (vain === undefined || vain.skips === 0) return false;
    vain.skips--;
    return true;
  }

  /** Whether a run of this flow got anywhere before its beginning was committed. */
  note(fn: string, gotOn: boolean): void {
    if (gotOn) {
      this.vain.delete(fn);
      return;
    }
    const misses = (this.vain.get(fn)?.misses ?? 0) + 1;
    this.vain.set(fn, { misses, skips: misses < FEW_MISSES ? 0 : Math.min(2 ** misses, MOST_SKIPPED) });
  }

  /** Its beginning is committed by now, and whoever drives it is to take it. */
  has(id: string): boolean {
    return this.beginning.size > 0 && this.beginning.has(id);
  }

  /** Whoever drives the run goes on with it where it is. */
  take(id: string): EarlyCall | null {
    const early = this.beginning.get(id);
    if (early === undefined) return null;
    this.beginning.delete(id);
    if (early.isUseful) return early;
    early.drop();
    return null;
  }

  /** It is early no more. */
  leave(early: EarlyRun): void {
    this.early.delete(early.id);
  }

  /** From here on it may be taken. */
  offer(id: string, early: EarlyRun): void {
    if (this.stopped) early.drop();
    else this.beginning.set(id, early);
  }

  /** Nobody has taken it while its beginning was committed: whoever drives it has it from the store. */
  withdraw(id: string, early: EarlyRun): void {
    if (this.beginning.delete(id)) early.drop();
  }

  private look(): void {
    this.timer = null;
    const beforeMs = this.deps.host.deps.clock.now() - MOST_EARLY_MS;
    for (const early of this.early.values()) if (early.nowMs <= beforeMs) early.begin();
    if (this.early.size > 0) this.timer = setTimeout(() => this.look(), MOST_EARLY_MS).unref();
  }
}

/** What begins. */
interface Beginning {
  readonly fn: FunctionManifest;
  readonly event: NewEvent;
  readonly run: NewRun;
  readonly nowMs: number;
}

class EarlyRun implements EarlyCall {
  readonly known: Promise<EarlyEnd>;
  readonly id: string;
  readonly nowMs: number;
  private readonly beginning: Beginning;
  private readonly runs: EarlyRuns;
  private readonly place: Place;
  private readonly knowing = Promise.withResolvers<EarlyEnd>();
  private readonly outcome: Promise<RunOutcome>;
  private phase: "early" | "ending" | "begun" = "early";
  /** What the instance has said that nobody has heard. */
  private said: RunMessage[] = [];
  private link: RunLink | null = null;
  private ended: RunOutcome | null = null;
  private peer: Pick<RunPeer, "kvOf" | "onMessage"> | null = null;
  private heard: ((link: RunLink) => void) | null = null;
  private dropped = false;
  private placed = true;

  constructor(beginning: Beginning, place: Place, runs: EarlyRuns) {
    const { fn, event, run, nowMs } = beginning;
    this.beginning = beginning;
    this.id = run.id;
    this.nowMs = nowMs;
    this.place = place;
    this.runs = runs;
    this.known = this.knowing.promise;
    const { host, hooks } = runs.deps;
    const called = { run: { id: run.id, release: run.release, seed: run.seed, startedMs: nowMs }, event, attempt: 0 };
    const call = runCall(
      { ...called, begun: false, alone: false },
      { host, fn, hooks },
      {
        kvOf: (step) => this.adopter().kvOf(step),
        begun: (link) => this.onLink(link),
        onMessage: (message) => this.onMessage(message),
      },
    );
    this.outcome = host.deps.pool.run(call);
    void this.outcome.then((outcome) => this.onEnd(outcome));
  }

  /** It has not failed in a way that says nothing of the run. */
  get isUseful(): boolean {
    return this.ended === null || this.ended.kind === "finished" || this.ended.kind === "parked";
  }

  adopt(peer: Pick<RunPeer, "kvOf" | "onMessage">, heard: (link: RunLink) => void): Promise<RunOutcome> {
    this.leavePlace();
    this.peer = peer;
    if (this.link === null) this.heard = heard;
    else heard(this.link);
    for (const message of this.said.splice(0)) peer.onMessage(message);
    return this.outcome;
  }

  drop(): void {
    this.dropped = true;
    this.leavePlace();
    this.said = [];
    this.link?.drop();
  }

  /** Its beginning is committed, and whoever drives it finds it here. */
  begin(): void {
    if (this.phase === "begun") return;
    if (this.phase === "early") this.runs.leave(this);
    this.phase = "begun";
    if (this.isUseful) this.runs.offer(this.beginning.run.id, this);
    else this.leavePlace();
    void this.append();
  }

  /** Its place is the call's from here on, or free. */
  private leavePlace(): void {
    if (!this.placed) return;
    this.placed = false;
    this.place.leave();
  }

  private async append(): Promise<void> {
    const { fn, event, run } = this.beginning;
    try {
      const begun = await this.runs.deps.append(fn, event, this.nowMs);
      this.runs.withdraw(run.id, this);
      this.knowing.resolve({ kind: "begun", begun });
    } catch (error) {
      this.runs.withdraw(run.id, this);
      this.knowing.reject(error);
    }
  }

  private adopter(): Pick<RunPeer, "kvOf" | "onMessage"> {
    if (this.peer === null) throw new MillraceError("internal", "a run read before its beginning was committed");
    return this.peer;
  }

  private onLink(link: RunLink): void {
    this.link = link;
    if (this.dropped) return link.drop();
    this.heard?.(link);
    this.heard = null;
  }

  private onMessage(message: RunMessage): void {
    if (this.dropped) return;
    if (this.peer !== null) this.peer.onMessage(message);
    else if (message.kind === "begin") {
      if (this.phase !== "early") return;
      this.runs.note(this.beginning.fn.name, this.said.length > 0);
      this.begin();
    } else this.said.push(message);
  }

  private onEnd(outcome: RunOutcome): void {
    this.ended = outcome;
    if (this.phase === "early") void this.end(outcome);
  }

  private async end(outcome: RunOutcome): Promise<void> {
    const member = outcome.kind === "finished" && outcome.head["state"] === "done" ? this.whole(outcome.value) : null;
    if (member === null || outcome.kind !== "finished") {
      this.begin();
      return;
    }
    this.runs.leave(this);
    // While its commit is under way it takes no room in an instance.
    this.leavePlace();
    this.phase = "ending";
    this.runs.note(this.beginning.fn.name, true);
    try {
      const result = await this.runs.deps.host.commit(member);
      if (result.kind !== "committed") throw new MillraceError("internal", `the whole of a run ended as ${result.kind}`);
      this.place.ran(outcome.ranMs);
      this.knowing.resolve({ kind: "ended", id: this.beginning.run.id, state: "done", value: outcome.value });
    } catch (error) {
      // The store is well, but cannot take something of it: which step that was is found one by one.
      if (error instanceof MillraceError && error.code === "internal") this.begin();
      else this.knowing.reject(error);
    }
  }

  /** Its beginning, its steps with their effects, and its end; null if there was more to it. */
  private whole(value: string): Member | null {
    const { fn, event, run } = this.beginning;
    const { deps, live } = this.runs.deps.host;
    const clockMs = deps.clock.now();
    const steps: ChainedStep[] = [];
    const entries: RunAtItsEnd["entries"][number][] = [];
    let chars = 0;
    for (const message of this.said) {
      if (message.kind !== "step" || message.head["phase"] !== "done") return null;
      const { step, head, effects, body } = message;
      const before = steps.at(-1);
      const atMs = head["atMs"] as number | undefined;
      const isNext = before === undefined ? head["seen"] === 0 : head["behind"] === before.step;
      if (!isNext || atMs === undefined || atMs > clockMs) return null;
      const pos = steps.length + 1;
      const cause = { fn: fn.name, invocation: run.id, part: `${pos}.`, hops: event.hops, nowMs: atMs };
      const { writes, refused } = stepWrites(effects, cause, live, deps.hopLimit);
      if (refused !== null) return null;
      const entry = { ...stepEntry(head, pos, "done", body), atMs };
      const chained = { step, entry, writes };
      chars += charsOf(chained);
      steps.push(chained);
      entries.push(entry);
    }
    if (chars > MOST_CHARS) return null;
    const ended: RunAtItsEnd = { atMs: clockMs, entries, state: "done", value };
    const begins = { ...event, deliveries: event.deliveries.map((delivery) => ({ ...delivery, ended })) };
    const { events = [], ...writes } = joinedWrites(steps);
    return { id: run.id, nowMs: this.nowMs, events: [begins, ...events], ...writes };
  }
}
