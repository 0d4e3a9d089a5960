import { MillraceError } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import { backoffMs } from "../delivery/decide.ts";
import { flatten, type RunContext, type RunEnd } from "../delivery/delivery-run.ts";
import type { FlowHost } from "../delivery/flow-runner.ts";
import { invocationOutcome, logFailure, MOST_INNOCENT_RERUNS } from "../delivery/run.ts";
import type { RunOutcome } from "../pool/pool.ts";
import type { FunctionError } from "../protocol/messages.ts";
import type { Arrival, EndState, ParkedState, ReadyDelivery, RunMove } from "../store/store.ts";
import type { EarlyCall } from "./early-run.ts";
import { RunActivation } from "./run-activation.ts";
import type { Driven, DriveRoom, KnownRun } from "./run-driven.ts";
import { PAGE_BYTES, RunJournal } from "./run-journal.ts";
import { RunNews } from "./run-news.ts";
import type { RunNote } from "./runs.ts";

type Message = Readonly<Record<string, unknown>>;

/** One run, from its dispatch until it parks or ends: what came for it is put into its journal, its handler is run, and where that leads is committed. */
export class RunDrive {
  private readonly entry: ReadyDelivery;
  private readonly context: RunContext;
  private readonly room: DriveRoom;
  private readonly host: FlowHost;
  private readonly invocation: string;
  private readonly journal: RunJournal;
  private readonly news: RunNews;
  private activation: RunActivation | null = null;
  /** It is in an instance already. */
  private early: EarlyCall | null;

  constructor(entry: ReadyDelivery, context: RunContext, room: DriveRoom, early: EarlyCall | null) {
    this.early = early;
    this.entry = entry;
    this.context = context;
    this.room = room;
    this.host = room.host;
    const { store, clock } = context.deps;
    this.invocation = newId(clock.now());
    this.journal = new RunJournal({ run: entry.seq, since: entry.event.seq, epoch: context.epoch, store });
    this.news = new RunNews(entry.seq, this.journal, context.deps);
  }

  /** Something came for the run while it is here. */
  arrived(arrivals: readonly Arrival[]): void {
    this.news.add(arrivals);
    this.activation?.arrived();
  }

  async drive(): Promise<RunEnd> {
    try {
      return await this.go();
    } finally {
      this.takeEarly()?.drop();
    }
  }

  private takeEarly(): EarlyCall | null {
    const { early } = this;
    this.early = null;
    return early;
  }

  private async go(): Promise<RunEnd> {
    let driven: Driven;
    try {
      const run = await this.know();
      if (run === null) return { kind: "fenced", invocation: this.invocation };
      const fn = await this.room.functionOf(run.release, this.entry.fn);
      if (fn === null) return await this.standStill(run, { why: "release-gone", release: run.release });
      driven = { entry: this.entry, context: this.context, room: this.room, run, fn, journal: this.journal, news: this.news };
      if ((run.state !== "ready" || !this.news.isEmpty) && !(await this.takeBefore(driven))) return this.heldBack(FENCED);
    } catch (error) {
      return this.heldBack(error);
    }
    return await this.activate(driven);
  }

  /** Until the handler has let go of its instance by itself, or its code is to blame. */
  private async activate(driven: Driven): Promise<RunEnd> {
    const { deps, observer } = this.context;
    let alone = false;
    for (let innocent = 0; ; innocent++) {
      const activation = new RunActivation(driven);
      // What came for it first its handler has not heard.
      if (this.journal.notes.lastPos > 0) this.takeEarly()?.drop();
      const early = this.takeEarly();
      if (early !== null) this.context.calling();
      else if (!(await this.context.turn())) return { kind: "held-back", reason: "busy", error: flatten(STOPPING) };
      const startedMs = deps.clock.now();
      this.activation = activation;
      let outcome: RunOutcome;
      try {
        outcome = await activation.run(alone, early);
      } finally {
        this.context.called();
      }
      observer.invoked(this.entry.fn, "event", observed(outcome), "ranMs" in outcome ? outcome.ranMs : 0);
      const isInnocent = outcome.kind === "crashed" && outcome.blame !== "guilty" && innocent < MOST_INNOCENT_RERUNS;
      const isOver = !isInnocent || activation.lost !== null;
      const end = isOver ? await new Conclusion(driven, activation, this.invocation).of(outcome, startedMs) : null;
      // Whoever reads the journal next finds all of it.
      await activation.settled();
      if (end !== null) return end;
      alone ||= outcome.kind === "crashed" && outcome.blame === "suspect";
      try {
        await this.journal.read();
        if (!(await this.takeBefore(driven))) return this.heldBack(FENCED);
      } catch (error) {
        return this.heldBack(error);
      }
    }
  }

  /** What there is to know of the run; null when it has ended, or was never. */
  private async know(): Promise<KnownRun | null> {
    const { begun, event, fn, seq } = this.entry;
    if (begun !== undefined) {
      const { id, kind, release, seed, deadlineMs, parent } = begun;
      this.journal.know(id, (command) => this.room.urlOf(id, command));
      return { seq, fn, id, kind, release, seed, state: "ready", startedMs: event.receivedMs, deadlineMs, parent };
    }
    const owned = await this.context.deps.store.ownedRun(seq, PAGE_BYTES);
    if (owned === null) return null;
    const { arrivals, journal, ...run } = owned;
    this.news.addStored(arrivals);
    this.journal.know(run.id, (command) => this.room.urlOf(run.id, command));
    await this.journal.read(journal);
    return { ...run, release: this.news.releaseOrdered() ?? run.release };
  }

  /** What came, and what fell due, while it slept: in the journal before the handler hears of it. False: the journal is not ours to continue. */
  private async takeBefore({ run }: Driven): Promise<boolean> {
    await this.news.askWatched();
    const news = this.news.take(run.deadlineMs);
    if (news === null) return true;
    const result = await this.host.commit(news.member);
    if (result.kind !== "committed") return false;
    this.journal.append(news.entries, news.member.nowMs, result.atSeq ?? null);
    return true;
  }

  private standStill(run: KnownRun, note: RunNote): Promise<RunEnd> {
    const move: RunMove = { kind: "park", state: "paused", dueMs: null, note: JSON.stringify(note) };
    return new Mover({ entry: this.entry, host: this.host, run, journal: this.journal }).move(move, null);
  }

  private heldBack(thrown: unknown): RunEnd {
    return heldBack(this.host, thrown);
  }
}

/** Where the end of an activation leads the run. */
class Conclusion {
  private readonly driven: Driven;
  private readonly activation: RunActivation;
  private readonly host: FlowHost;
  private readonly invocation: string;
  private readonly mover: Mover;

  constructor(driven: Driven, activation: RunActivation, invocation: string) {
    this.driven = driven;
    this.activation = activation;
    this.host = driven.room.host;
    this.invocation = invocation;
    this.mover = new Mover({ entry: driven.entry, host: this.host, run: driven.run, journal: driven.journal });
  }

  async of(outcome: RunOutcome, startedMs: number): Promise<RunEnd> {
    const { run, fn } = this.driven;
    if (this.activation.lost !== null) return heldBack(this.host, this.activation.lost);
    switch (outcome.kind) {
      case "parked":
        return await this.parked(outcome.head);
      case "finished":
        return await this.mover.move({ kind: "end", state: outcome.head["state"] as EndState, value: outcome.value }, null);
      case "not-run":
        // Of an earlier release only this run is held up; the function itself may be well.
        if (outcome.reason === "load-failed" && run.release !== this.host.live.id) return await this.failed(outcome.error, startedMs);
        return { kind: "held-back", reason: outcome.reason === "load-failed" ? "load-failed" : "busy", error: outcome.error };
      case "threw":
      case "timeout":
      case "crashed":
        logFailure(this.host.deps, { id: run.id, fn: fn.name }, outcome.error);
        return await this.failed(outcome.error, startedMs);
      default:
        return outcome satisfies never;
    }
  }

  private parked(head: Message): Promise<RunEnd> {
    const { journal } = this.driven;
    const reason = head["reason"];
    // A mismatch leaves things unseen by its nature.
    const saw = reason === "mismatch" ? journal.toldPos : (head["seen"] as number);
    const isDue = this.activation.untold > 0 || saw < journal.toldPos;
    switch (reason) {
      case "sleeps":
        return this.park("sleeping", null, isDue);
      case "rolls back":
        return this.park("rolling-back", null, isDue);
      case "paused":
      case "stuck":
        return this.park(reason, head["note"] as RunNote, isDue);
      case "mismatch":
        return this.park("paused", { why: "mismatch", mismatch: head["mismatch"] as Mismatched }, isDue);
      default:
        return this.park("waiting", null, isDue);
    }
  }

  /** `isDue`: something reached it only when it had let go. */
  private park(state: ParkedState, note: RunNote | null, isDue: boolean): Promise<RunEnd> {
    const { run, journal } = this.driven;
    const standsStill = note !== null && note.why !== "exhausted";
    const deadlineMs = journal.notes.stopped ? null : run.deadlineMs;
    const dueMs = isDue ? this.host.deps.clock.now() : standsStill ? deadlineMs : this.activation.dueMs();
    return this.mover.move({ kind: "park", state, dueMs, note: note === null ? null : JSON.stringify(note) }, dueMs);
  }

  /** N16: its code failed outside of any step. */
  private failed({ name, message, stack }: FunctionError, startedMs: number): Promise<RunEnd> {
    const { deps } = this.host;
    const { entry, fn } = this.driven;
    const { progressed } = this.activation;
    const attempts = entry.attempt + 1;
    if (!progressed && attempts >= fn.retry.attempts)
      return this.park("paused", { why: "failing", attempts, error: { name, message } }, false);
    // What got on goes on at once: the journal has kept it.
    const waitMs = progressed ? 0 : Math.max(1, Math.round(backoffMs(fn.retry, attempts, deps.random())));
    const dueMs = deps.clock.now() + waitMs;
    const error = { name, message, stack };
    const move: RunMove = { kind: "retry", dueMs, error, attempt: entry.attempt, invocation: this.invocation, startedMs };
    return this.mover.move(move, dueMs);
  }
}

type Mismatched = Extract<RunNote, { why: "mismatch" }>["mismatch"];

/** Commits where a run goes from here. */
class Mover {
  private readonly facts: {
    readonly entry: ReadyDelivery;
    readonly host: FlowHost;
    readonly run: KnownRun;
    readonly journal: RunJournal;
  };

  constructor(facts: Mover["facts"]) {
    this.facts = facts;
  }

  async move(move: RunMove, dueMs: number | null): Promise<RunEnd> {
    const { host, run, journal } = this.facts;
    const { store, clock } = host.deps;
    const member = journal.move(move, clock.now());
    try {
      const result = await store.commit(member);
      if (result.kind !== "committed") return heldBack(host, FENCED);
      const from = run.state === "ready" ? "ready" : "parked";
      const to = move.kind === "park" ? "parked" : move.kind === "retry" ? "ready" : "done";
      return { kind: "moved", invocation: run.id, from, to, dueMs, member, result };
    } catch (error) {
      host.suspect();
      return heldBack(host, error);
    }
  }
}

const STOPPING = new MillraceError("stopping", "the node stops before there is room for the run");
const FENCED = new MillraceError("fenced", "the run is another owner's, or its journal has grown behind this one's back");

/** The journal is read again: at once, unless the store itself is ill. */
function heldBack({ deps }: FlowHost, thrown: unknown): RunEnd {
  const isIll = deps.store.health().state === "failing";
  return { kind: "held-back", reason: isIll ? "store-failed" : "busy", error: flatten(thrown) };
}

function observed(outcome: RunOutcome): ReturnType<typeof invocationOutcome> {
  return outcome.kind === "parked" || outcome.kind === "finished" ? "done" : invocationOutcome(outcome);
}
