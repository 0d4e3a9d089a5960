import type { Alarm } from "../core/clock.ts";
import { MillraceError, toError } from "../core/errors.ts";
import { flatten } from "../delivery/delivery-run.ts";
import { errorText } from "../delivery/error-text.ts";
import type { FlowHost } from "../delivery/flow-runner.ts";
import { KvSession } from "../delivery/kv-session.ts";
import { MOST_RERUNS } from "../delivery/run.ts";
import type { RunCall, RunLink, RunMessage, RunOutcome } from "../pool/pool.ts";
import type { AttemptFacts } from "../protocol/journal.ts";
import type { Member, MemberResult, NewEntry } from "../store/store.ts";
import type { EarlyCall } from "./early-run.ts";
import { runCall } from "./run-call.ts";
import type { Driven } from "./run-driven.ts";
import { commandOf, isCompletion } from "./run-entries.ts";
import type { RunJournal } from "./run-journal.ts";
import { namedBy, Opener, type Opening } from "./run-opening.ts";
import { type ChainedStep, NO_WRITES, StepChain, stepEntry, stepWrites, type Writes } from "./step-chain.ts";

type Message = Readonly<Record<string, unknown>>;
type Committed = Extract<MemberResult, { kind: "committed" }>;

/** A run whose child had been there before asks for that one's end again after this time. */
const WATCH_MS = 5000;
const CONFLICT_SPREAD_MS = 500;

/** A run in an instance: what its handler asks for and does is committed, and what is committed is told to it. */
export class RunActivation {
  /** Why the journal must be read again: what it says is true, not what this knows. */
  lost: Error | null = null;
  /** A step was completed. */
  progressed = false;
  /** Completions whose commit is under way, which the instance has not been told of. */
  untold = 0;
  private readonly driven: Driven;
  private readonly host: FlowHost;
  private readonly journal: RunJournal;
  private readonly opener: Opener;
  private readonly sessions = new Map<number, KvSession>();
  private readonly places = new Map<string, number>();
  private readonly conflicts = new Map<number, number>();
  /** Steps whose instance was told to try again: it may have parked before it heard, so they stay due until it has said more. */
  private readonly retold = new Set<string>();
  private batch: SaidMessage[] = [];
  private batching = false;
  /** Steps of this turn that their handler has gone on from. */
  private chain: StepChain | null = null;
  /** The last of such steps that was handed to the store. */
  private lastChained: { readonly step: number; readonly pos: number; readonly atMs: number } | null = null;
  /** Position of the last completion that was handed to the store. */
  private newest: number;
  private link: RunLink | null = null;
  /** The handler is at work; what is sent now reaches it. */
  private live = false;
  private alarm: Alarm | null = null;
  /** Commits that the store has not answered. */
  private underWay = 0;
  private onSettled: (() => void) | null = null;

  constructor(driven: Driven) {
    this.driven = driven;
    this.host = driven.room.host;
    this.journal = driven.journal;
    this.opener = new Opener(driven);
    this.newest = driven.journal.notes.lastCompletion;
  }

  /** Resolves when the run has left its instance. */
  async run(alone: boolean, early: EarlyCall | null): Promise<RunOutcome> {
    try {
      return await (early === null ? this.host.deps.pool.run(this.call(alone)) : this.adopt(early));
    } finally {
      this.live = false;
      this.link = null;
      this.alarm?.cancel();
      // What came in the same turn as the end is before it.
      this.flush();
    }
  }

  /** Something came for the run while it is here. */
  arrived(): void {
    if (this.live) this.takeNews();
  }

  /** Resolves when the store has answered all that was handed to it. */
  async settled(): Promise<void> {
    while (this.underWay > 0)
      await new Promise<void>((resolve) => {
        this.onSettled = resolve;
      });
  }

  /** When something of the run falls due next. */
  dueMs(without: ReadonlySet<string> = NONE): number | null {
    const { notes } = this.journal;
    let due = notes.stopped ? Infinity : (this.driven.run.deadlineMs ?? Infinity);
    for (const { dueMs } of notes.open.values()) if (dueMs !== null && dueMs < due) due = dueMs;
    for (const [command, dueMs] of notes.retries) if (dueMs < due && !without.has(command)) due = dueMs;
    return due === Infinity ? null : due;
  }

  /** It was handed to its instance before it was in the store: what it has said since is heard now. */
  private adopt(early: EarlyCall): Promise<RunOutcome> {
    return early.adopt({ kvOf: (step) => this.session(step), onMessage: (message) => this.receive(message) }, (link) => {
      this.link = link;
      this.live = true;
      link.begin();
      this.takeNews();
      this.setAlarm();
    });
  }

  private call(alone: boolean): RunCall {
    const { fn, run, entry, room } = this.driven;
    return runCall(
      { run, event: entry.event, attempt: entry.attempt, begun: true, alone },
      { host: this.host, fn, hooks: room.hooks },
      { kvOf: (step) => this.session(step), begun: (link) => void this.begin(link), onMessage: (message) => this.receive(message) },
    );
  }

  private async begin(link: RunLink): Promise<void> {
    this.link = link;
    try {
      await this.tellJournal(link);
    } catch (error) {
      this.lose(toError(error));
      return;
    }
    if (this.link !== link) return;
    link.entries("[]", true);
    this.live = true;
    this.takeNews();
    this.setAlarm();
  }

  private tellJournal(link: RunLink): Promise<void> {
    return this.journal.tellAll(link);
  }

  private receive(message: RunMessage): void {
    // It has begun.
    if (message.kind === "begin") return;
    this.batch.push(message);
    if (this.batching) return;
    this.batching = true;
    // Frames that came together are one turn: what was noted goes with what was finished.
    queueMicrotask(() => this.flush());
  }

  private flush(): void {
    this.batching = false;
    const opens: OpenMessage[] = [];
    for (const message of this.batch.splice(0)) {
      if (message.kind === "open") opens.push(message);
      else {
        this.open(opens.splice(0));
        this.step(message);
      }
    }
    this.open(opens);
    this.commitChain();
  }

  // ── what the handler asks for ──

  private open(messages: readonly OpenMessage[]): void {
    if (messages.length === 0 || this.lost !== null) return;
    this.commitChain();
    for (const { step, head } of messages) this.places.set(commandOf(namedBy(head)), step);
    const opening = this.opener.open(messages, this.host.deps.clock.now());
    const notes = opening.notes.map((entry) => ({ ...entry, pos: this.journal.nextPos() }));
    for (const entry of notes) this.journal.notes.add(entry, null);
    this.journal.ride(notes);
    this.setAlarm();
    if (opening.urgent) this.commitOpening(opening);
  }

  private commitOpening(opening: Opening): void {
    const { waits, callbacks, events, nowMs } = opening;
    const completions = opening.completions.map((entry) => ({ ...entry, pos: this.nextCompletion() }));
    this.untold += completions.length;
    const member = this.journal.member(completions, nowMs, {
      ...(waits.length === 0 ? {} : { waits }),
      ...(callbacks.length === 0 ? {} : { callbacks }),
    });
    void this.commit(events.length === 0 ? member : { ...member, events }, (result) => {
      this.untold -= completions.length;
      for (const entry of completions) this.journal.notes.add(entry, null);
      this.journal.tellNew(this.link, completions, nowMs);
      this.watchExisting(result, opening);
    });
  }

  /** A child whose id is another run's is that run: it is asked for from time to time. */
  private watchExisting({ events }: Committed, { children, nowMs }: Opening): void {
    const { notes } = this.journal;
    events.forEach(({ existing }, i) => {
      const command = children[i] ?? null;
      const open = command === null ? undefined : notes.open.get(command);
      if (existing === undefined || open === undefined) return;
      const { verb, name, number, facts } = open;
      const value = JSON.stringify({ ...facts, watch: existing, dueMs: nowMs + WATCH_MS });
      const entry: NewEntry = { pos: this.journal.nextPos(), verb, name, number, phase: "opened", attempt: 0, ranMs: 0, value };
      notes.add(entry, null);
      this.journal.ride([entry]);
      this.setAlarm();
    });
  }

  // ── what its steps do ──

  private step(message: StepMessage): void {
    if (this.lost !== null) return;
    const { step, head, body } = message;
    const command = commandOf(namedBy(head));
    this.retold.delete(command);
    const session = this.sessions.get(step);
    this.sessions.delete(step);
    if (session !== undefined && session.failure !== null) {
      this.lose(session.failure);
      return;
    }
    const clockMs = this.host.deps.clock.now();
    const phase = head["phase"] as "done" | "failed" | "attempt";
    const aheadMs = head["atMs"] as number | undefined;
    if (aheadMs === undefined) this.commitChain();
    if (phase === "attempt") {
      this.places.set(command, step);
      const attempt: AttemptFacts = { error: body, dueMs: this.nextAttempt(head, clockMs) };
      const failed = stepEntry(head, this.journal.nextPos(), phase, JSON.stringify(attempt));
      // Known before it is committed: the run may park in the same turn, and must wake for it.
      this.journal.notes.add(failed, null);
      this.commitStep(step, failed, this.stepMember(failed, session, NO_WRITES, clockMs), false);
      return;
    }
    this.journal.notes.retries.delete(command);
    const before = this.newest;
    const pos = this.nextCompletion();
    const nowMs = Math.min(clockMs, aheadMs ?? clockMs);
    const { writes, refused } = this.writesOf(message, pos, nowMs);
    const ended = refused === null ? stepEntry(head, pos, phase, body) : stepEntry(head, pos, "failed", refused);
    if (aheadMs === undefined) {
      this.commitStep(step, ended, this.stepMember(ended, session, writes, nowMs), refused !== null);
      return;
    }
    this.addToChain({ step, entry: ended, writes }, nowMs, head);
    // What the handler made of it is of no use; the step itself is as good as any.
    const isAsSeen = refused === null && aheadMs <= clockMs && before === this.followed(head);
    if (isAsSeen) return;
    this.commitChain();
    this.lose(WENT_WRONG);
  }

  private nextCompletion(): number {
    return (this.newest = this.journal.nextPos());
  }

  /** What its handler knew last when it asked for the step. */
  private followed({ seen, behind }: Message): number | null {
    if (behind === undefined) return seen as number;
    const before = this.chain?.steps.at(-2) ?? null;
    if (before !== null) return before.step === behind ? before.entry.pos : null;
    return this.lastChained?.step === behind ? this.lastChained.pos : null;
  }

  private addToChain(step: ChainedStep, nowMs: number, { behind }: Message): void {
    if (this.chain?.takes(nowMs) === false) this.commitChain();
    this.chain ??= new StepChain(nowMs, behind === undefined ? null : this.lastChained);
    this.chain.add(step);
  }

  /** One commit, one after the other only where the store does not take them so. */
  private commitChain(): void {
    const { chain } = this;
    const last = chain?.steps.at(-1);
    if (chain === null || last === undefined) return;
    this.chain = null;
    const { steps, nowMs, after } = chain;
    this.lastChained = { step: last.step, pos: last.entry.pos, atMs: nowMs };
    const member = this.chainMember(chain);
    const [only] = steps;
    void this.commit(
      member,
      () => {
        for (const { step, entry } of steps) this.stepKept(step, entry, nowMs, false);
      },
      () => this.lose(WENT_WRONG),
      (error) => {
        if (steps.length === 1 && only !== undefined) {
          this.refuse(only.step, only.entry, member, error);
          this.lose(WENT_WRONG);
          return;
        }
        for (const [i, step] of steps.entries()) {
          const before = steps[i - 1];
          this.chain = new StepChain(nowMs, before === undefined ? after : { pos: before.entry.pos, atMs: nowMs });
          this.chain.add(step);
          this.commitChain();
        }
      },
    );
  }

  private chainMember(chain: StepChain): Member {
    const { entries, nowMs, after, writes } = chain;
    const member = this.journal.member(entries, nowMs, after === null ? undefined : { after });
    return writes === NO_WRITES ? member : { ...member, ...writes };
  }

  private stepMember(entry: NewEntry, session: KvSession | undefined, writes: Writes, nowMs: number): Member {
    const member = this.journal.member([entry], nowMs);
    const reads = session?.reads();
    return reads === undefined && writes === NO_WRITES ? member : { ...member, ...(reads === undefined ? {} : { reads }), ...writes };
  }

  private writesOf({ effects }: StepMessage, pos: number, nowMs: number): ReturnType<typeof stepWrites> {
    const { fn, run, entry } = this.driven;
    const { deps, live } = this.host;
    return stepWrites(effects, { fn: fn.name, invocation: run.id, part: `${pos}.`, hops: entry.event.hops, nowMs }, live, deps.hopLimit);
  }

  private nextAttempt(head: Message, nowMs: number): number | null {
    const afterMs = head["afterMs"] as number | null;
    if (afterMs === null) return null;
    return nowMs + Math.max(1, Math.round(head["jitter"] === true ? afterMs * this.host.deps.random() : afterMs));
  }

  private commitStep(step: number, entry: NewEntry, member: Member, isOurs: boolean): void {
    void this.commit(
      member,
      () => this.stepKept(step, entry, member.nowMs, isOurs),
      () => this.conflict(step, member),
      (error) => this.refuse(step, entry, member, error),
    );
  }

  private stepKept(step: number, entry: NewEntry, atMs: number, isOurs: boolean): void {
    this.conflicts.delete(step);
    if (!isCompletion(entry)) {
      this.setAlarm();
      return;
    }
    this.progressed = true;
    this.journal.notes.add(entry, null);
    if (isOurs) {
      this.journal.tellNew(this.link, [entry], atMs);
      return;
    }
    this.journal.toldPos = Math.max(this.journal.toldPos, entry.pos);
    const { room, fn } = this.driven;
    if (room.hooks.killsAfter?.(fn.name, entry.name) === true) this.link?.kill();
    else this.link?.kept(step, entry.pos, atMs);
  }

  /** Of what it read something has changed: once more, at once at first, then a while later. */
  private conflict(step: number, member: Member): void {
    this.driven.context.observer.conflicted(this.driven.fn.name);
    const entries = member.run?.entries ?? [];
    this.journal.rideAgain(entries.slice(0, -1));
    const count = (this.conflicts.get(step) ?? 0) + 1;
    this.conflicts.set(step, count);
    for (const entry of entries.slice(-1)) this.retold.add(commandOf(entry));
    const { link } = this;
    if (count <= MOST_RERUNS) link?.again(step, true);
    else setTimeout(() => link?.again(step, true), CONFLICT_SPREAD_MS * this.host.deps.random());
  }

  /** S6: the store is well, but cannot take these effects. Run again they would be the same: the step has failed. */
  private refuse(step: number, entry: NewEntry, { id, nowMs, run }: Member, error: MillraceError): void {
    const failed: NewEntry = { ...entry, phase: "failed", value: errorText(flatten(error)) };
    if (run === undefined) return;
    const bare: Member = { id: `${id}/refused`, nowMs, run: { ...run, entries: [...run.entries.slice(0, -1), failed] } };
    this.commitStep(step, failed, bare, true);
  }

  /** In the order of the calls; an answer that is not `committed` ends this activation: the journal says what is true. */
  private async commit(
    member: Member,
    onCommitted: (result: Committed) => void,
    onConflict?: () => void,
    onRefused?: (error: MillraceError) => void,
  ): Promise<void> {
    let result: MemberResult;
    this.underWay++;
    try {
      result = await this.host.commit(member);
    } catch (error) {
      this.answered();
      if (onRefused !== undefined && error instanceof MillraceError && error.code === "internal" && this.lost === null) onRefused(error);
      else this.lose(toError(error));
      return;
    }
    this.answered();
    if (this.lost !== null) return;
    if (result.kind === "committed") {
      this.journal.notes.horizon = Math.max(this.journal.notes.horizon, result.atSeq ?? 0);
      onCommitted(result);
    } else if (result.kind === "conflict" && onConflict !== undefined) onConflict();
    else this.lose(new MillraceError("fenced", `a run's commit ended as ${result.kind}`));
  }

  private answered(): void {
    if (--this.underWay === 0) this.onSettled?.();
  }

  private lose(error: Error): void {
    if (this.lost !== null) return;
    this.lost = error;
    this.live = false;
    this.link?.drop();
  }

  // ── what comes, and what falls due ──

  private takeNews(): void {
    if (this.lost !== null) return;
    const news = this.driven.news.take(this.driven.run.deadlineMs);
    if (news === null) return;
    const { member, entries } = news;
    const completions = entries.filter(isCompletion);
    this.newest = completions.at(-1)?.pos ?? this.newest;
    this.untold += completions.length;
    // Known from here on, so that nothing is completed twice while this is under way.
    for (const entry of entries) this.journal.notes.add(entry, null);
    void this.commit(member, () => {
      this.untold -= completions.length;
      this.journal.tellNew(this.link, completions, member.nowMs);
      this.setAlarm();
    });
  }

  private setAlarm(): void {
    if (!this.live) return;
    const dueMs = this.dueMs(this.retold);
    this.alarm?.cancel();
    this.alarm = dueMs === null ? null : this.host.deps.clock.alarm(dueMs, () => void this.onAlarm());
  }

  private async onAlarm(): Promise<void> {
    if (!this.live) return;
    const nowMs = this.host.deps.clock.now();
    for (const [command, dueMs] of this.journal.notes.retries) {
      const place = this.places.get(command);
      if (dueMs > nowMs || place === undefined || this.retold.has(command)) continue;
      this.retold.add(command);
      this.link?.again(place, false);
    }
    try {
      await this.driven.news.askWatched();
    } catch (error) {
      this.lose(toError(error));
    }
    if (!this.live) return;
    this.takeNews();
    this.setAlarm();
  }

  private session(step: number): KvSession {
    let session = this.sessions.get(step);
    if (session === undefined) this.sessions.set(step, (session = new KvSession(this.host.deps.store, this.host.deps.clock)));
    return session;
  }
}

type SaidMessage = Exclude<RunMessage, { kind: "begin" }>;
type OpenMessage = Extract<RunMessage, { kind: "open" }>;
type StepMessage = Extract<RunMessage, { kind: "step" }>;

const WENT_WRONG = new MillraceError("fenced", "a handler went on with a step's result that was not committed as it is");

const NONE: ReadonlySet<string> = new Set();
