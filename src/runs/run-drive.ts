import type { Alarm } from "../core/clock.ts";
import { MillraceError, toError } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import { topicOf, waitValue } from "../core/wait-key.ts";
import { backoffMs } from "../delivery/decide.ts";
import { flatten, type RunContext, type RunEnd } from "../delivery/delivery-run.ts";
import { toWrites } from "../delivery/effects.ts";
import { errorText } from "../delivery/error-text.ts";
import type { FlowHost } from "../delivery/flow-runner.ts";
import { KvSession } from "../delivery/kv-session.ts";
import { runEvent } from "../delivery/run-event.ts";
import { invocationOutcome, logFailure, MOST_INNOCENT_RERUNS, MOST_RERUNS } from "../delivery/run.ts";
import type { MockedOutcome, MockedStep, RunLink, RunMessage, RunOutcome } from "../pool/pool.ts";
import type { AttemptFacts } from "../protocol/journal.ts";
import type { FunctionManifest } from "../protocol/manifest.ts";
import { type FunctionError, isNothing } from "../protocol/messages.ts";
import type {
  Arrival,
  Member,
  MemberResult,
  NewCallback,
  NewEntry,
  NewEvent,
  NewWait,
  OwnedRun,
  ParkedState,
  ReadyDelivery,
  RunMove,
} from "../store/store.ts";
import { signalValue, takeArrivals } from "./arrivals.ts";
import { JournalNotes, type OpenFacts } from "./journal-notes.ts";
import { commandOf, isCompletion, told, toldAll } from "./run-entries.ts";
import type { RunNote } from "./runs.ts";
import { guardOf } from "./wait-guard.ts";

/** What a drive needs of the room. */
export interface DriveRoom {
  readonly host: FlowHost;
  /** The function as it is in a release; null: the release, or the function in it, is gone. */
  readonly functionOf: (release: string, fn: string) => Promise<FunctionManifest | null>;
  readonly urlOf: (run: string, command: string) => string;
  readonly tokenHashOf: (run: string, command: string) => string;
  readonly hooks: RunHooks;
}

/** Where a test has its hand in. */
export interface RunHooks {
  /** Steps of a flow that the test plays. */
  readonly mocked?: (flow: string) => readonly string[];
  readonly mock?: (flow: string, step: MockedStep) => Promise<MockedOutcome>;
  /** A step's completion is committed; true: its instance is to be killed now. */
  readonly killsAfter?: (flow: string, step: string) => boolean;
}

type Known = Omit<OwnedRun, "arrivals">;
type Message = Readonly<Record<string, unknown>>;
type Committed = Extract<MemberResult, { kind: "committed" }>;

/** A page of the journal on its way to the instance. */
const PAGE_BYTES = 1024 * 1024;
/** A run whose child had been there before asks for that one's end again after this time. */
const WATCH_MS = 5000;
const CONFLICT_SPREAD_MS = 500;
/** A step ends its own attempt when its time is up; only when it cannot, the node ends the activation. */
const STEP_GRACE_MS = 2000;

/** One activation of a run: from its dispatch until it parks or ends. The owner gives the positions, so all that is new comes through here. */
export class RunDrive {
  private readonly entry: ReadyDelivery;
  private readonly context: RunContext;
  private readonly room: DriveRoom;
  private readonly host: FlowHost;
  private readonly invocation: string;
  private run!: Known;
  private fn!: FunctionManifest;
  private notes: JournalNotes;
  private pages: string[] | null = [];
  private readonly inbox: Arrival[] = [];
  private readonly guards = new Map<string, ((json: string) => boolean) | null>();
  private readonly sessions = new Map<number, KvSession>();
  private readonly places = new Map<string, number>();
  private readonly conflicts = new Map<number, number>();
  /** Steps whose instance was told to try again: it may have parked before it heard, so they stay due until it has said more. */
  private readonly retold = new Set<string>();
  /** Notes of the journal that go with whatever is committed next. */
  private riders: NewEntry[] = [];
  private batch: RunMessage[] = [];
  private batching = false;
  private link: RunLink | null = null;
  /** The handler is at work; what is sent now reaches it. */
  private live = false;
  private alarm: Alarm | null = null;
  private lost: Error | null = null;
  /** Completions whose commit is under way, which the instance has not been told of. */
  private untold = 0;
  /** The last completion that the instance was told of. */
  private toldPos = 0;
  private progressed = false;
  /** The last position that was handed to the store in this activation. */
  private lastSubmitted = 0;

  constructor(entry: ReadyDelivery, context: RunContext, room: DriveRoom) {
    this.entry = entry;
    this.context = context;
    this.room = room;
    this.host = room.host;
    this.invocation = newId(context.deps.clock.now());
    this.notes = new JournalNotes(entry.event.seq);
  }

  /** Something came for the run while it is here. */
  arrived(arrivals: readonly Arrival[]): void {
    this.inbox.push(...arrivals);
    if (this.live) this.takeNews();
  }

  async drive(): Promise<RunEnd> {
    const { deps } = this.context;
    try {
      if (!(await this.know())) return { kind: "fenced", invocation: this.invocation };
      const fn = await this.room.functionOf(this.run.release, this.entry.fn);
      if (fn === null) return await this.park("paused", { why: "release-gone", release: this.run.release }, false);
      this.fn = fn;
      if (this.run.state !== "ready" || this.inbox.length > 0) {
        const refusal = await this.takeBefore();
        if (refusal !== null) return refusal;
      }
    } catch (error) {
      return this.heldBack(error);
    }
    let alone = false;
    for (let innocent = 0; ; innocent++) {
      const startedMs = deps.clock.now();
      this.context.calling();
      let outcome: RunOutcome;
      try {
        outcome = await this.activate(alone);
      } finally {
        this.context.called();
        this.live = false;
        this.link = null;
        this.alarm?.cancel();
        this.alarm = null;
      }
      this.context.observer.invoked(this.entry.fn, "event", observed(outcome), "ranMs" in outcome ? outcome.ranMs : 0);
      const innocently = outcome.kind === "crashed" && outcome.blame !== "guilty" && innocent < MOST_INNOCENT_RERUNS;
      if (!innocently || this.lost !== null) return await this.conclude(outcome, startedMs);
      alone ||= outcome.kind === "crashed" && outcome.blame === "suspect";
      // What the instance had told of is in the store or lost: the journal is read anew.
      const again = await this.reread();
      if (again !== null) return again;
    }
  }

  // ── before the handler ──

  /** False: it has ended, or was never. */
  private async know(): Promise<boolean> {
    const { begun, event, fn, seq } = this.entry;
    if (begun !== undefined) {
      const { id, kind, release, seed, deadlineMs, parent } = begun;
      this.run = { seq, fn, id, kind, release, seed, state: "ready", startedMs: event.receivedMs, deadlineMs, parent };
      return true;
    }
    const owned = await this.context.deps.store.ownedRun(seq);
    if (owned === null) return false;
    const { arrivals, ...run } = owned;
    const here = new Set(this.inbox.map(({ id }) => id));
    this.inbox.unshift(...arrivals.filter(({ id }) => !here.has(id)));
    this.run = { ...run, release: this.releaseOrdered() ?? run.release };
    await this.readJournal();
    return true;
  }

  private async reread(): Promise<RunEnd | null> {
    try {
      this.notes = new JournalNotes(this.entry.event.seq);
      this.pages = [];
      this.riders = [];
      this.batch = [];
      this.sessions.clear();
      this.places.clear();
      this.retold.clear();
      this.lastSubmitted = 0;
      this.untold = 0;
      await this.readJournal();
      return await this.takeBefore();
    } catch (error) {
      return this.heldBack(error);
    }
  }

  /** Kept while it is small; a long one is read a second time on its way. */
  private async readJournal(): Promise<void> {
    let bytes = 0;
    for await (const entries of this.journal()) {
      this.notes.read(entries);
      if (this.pages === null) continue;
      const page = this.tell(entries);
      bytes += page.length;
      if (bytes > 4 * PAGE_BYTES) this.pages = null;
      else this.pages.push(page);
    }
    this.toldPos = this.notes.lastCompletion;
  }

  private async *journal(): AsyncGenerator<Awaited<ReturnType<FlowHost["deps"]["store"]["journal"]>>["entries"]> {
    const { store } = this.context.deps;
    let after = 0;
    for (;;) {
      const { entries, more } = await store.journal(this.entry.seq, after, PAGE_BYTES);
      if (entries.length > 0) yield entries;
      after = entries.at(-1)?.pos ?? after;
      if (!more) return;
    }
  }

  private tell(entries: Parameters<typeof toldAll>[0]): string {
    return toldAll(entries, (command) => this.room.urlOf(this.run.id, command));
  }

  /** A person moved it to other code. */
  private releaseOrdered(): string | undefined {
    for (const { kind, value } of this.inbox.toReversed()) {
      if (kind !== "move" && kind !== "resume") continue;
      const { release } = JSON.parse(value) as { release?: string };
      if (release !== undefined) return release;
    }
    return undefined;
  }

  /** What came, and what fell due, while it slept: in the journal before the handler hears of it. Not null: it cannot go on now. */
  private async takeBefore(): Promise<RunEnd | null> {
    await this.askWatched();
    const ordered = this.releaseOrdered();
    const news = this.news(ordered);
    if (news === null) return null;
    const result = await this.host.commit(news.member);
    if (result.kind !== "committed") return this.heldBack(FENCED);
    const { nowMs } = news.member;
    for (const entry of news.entries) this.notes.add(entry, result.atSeq ?? null);
    if (news.entries.length > 0) {
      const json = JSON.stringify(news.entries.map((entry) => told(entry, nowMs, (command) => this.room.urlOf(this.run.id, command))));
      if (this.pages !== null) this.pages.push(json);
      this.toldPos = this.notes.lastCompletion;
    }
    return null;
  }

  /** Runs that were there before this one called them tell it nothing of themselves. */
  private async askWatched(): Promise<void> {
    for (const [command, { facts }] of this.notes.open) {
      if (facts.watch === undefined) continue;
      const watched = await this.context.deps.store.run(facts.watch);
      if (watched !== null && watched.endedMs === null) continue;
      const value = JSON.stringify({ ok: watched?.state === "done", value: watched?.value ?? null });
      this.inbox.push({ id: 0, run: this.entry.seq, kind: "child", command, value, atMs: this.context.deps.clock.now() });
    }
  }

  private news(release?: string): { readonly member: Member; readonly entries: readonly NewEntry[] } | null {
    const nowMs = this.context.deps.clock.now();
    const deadlineMs = this.notes.stopped ? null : this.run.deadlineMs;
    const taken = takeArrivals(this.inbox.splice(0), {
      notes: this.notes,
      nowMs,
      deadlineMs,
      admits: (command, json) => this.admits(command, json),
    });
    if (taken.entries.length === 0 && taken.taken.length === 0) return null;
    const entries = taken.entries.map((entry) => ({ ...entry, pos: this.nextPos() }));
    const member = this.member(entries, nowMs, {
      ...(taken.closed.length === 0 ? {} : { closed: taken.closed }),
      taken: taken.taken.filter((id) => id !== 0),
      ...(release === undefined ? {} : { release }),
    });
    return { member, entries };
  }

  private admits(command: string, json: string): boolean {
    let guard = this.guards.get(command);
    if (guard === undefined) {
      const open = this.notes.open.get(command);
      guard = open === undefined ? null : guardOf(open.facts);
      this.guards.set(command, guard);
    }
    return guard === null || guard(json);
  }

  // ── the handler at work ──

  private activate(alone: boolean): Promise<RunOutcome> {
    const { deps } = this.context;
    const { fn, run, entry } = this;
    const nowMs = deps.clock.now();
    const { retry, flow } = fn;
    const { hooks } = this.room;
    const mocked = hooks.mocked?.(fn.name) ?? [];
    return deps.pool.run({
      kind: "run",
      id: run.id,
      fn: fn.name,
      release: run.release,
      attempt: entry.attempt + 1,
      timeoutMs: fn.timeoutMs + STEP_GRACE_MS,
      alone,
      kv: NO_READS,
      kvOf: (step) => this.session(step),
      log: (level, text, atMs) => deps.log({ atMs, fn: fn.name, invocation: run.id, level, text }),
      eventJson: entry.event.json,
      run: {
        id: run.id,
        seed: run.seed,
        startedMs: run.startedMs,
        nowMs,
        http: entry.event.type === HTTP_TYPE,
        policy: { ...retry, onExhausted: flow?.onExhausted ?? "throw" },
        timeoutMs: fn.timeoutMs,
        checkSchema: entry.event.origin === "outside" && this.host.live.schemas.appliedByReceiver(entry.event.type),
        check: false,
        ...(mocked.length === 0 ? {} : { mocked }),
      },
      ...(hooks.mock === undefined ? {} : { mock: (step) => hooks.mock?.(fn.name, step) ?? Promise.reject(new Error("nobody plays it")) }),
      begun: (link) => void this.begin(link),
      onMessage: (message) => this.receive(message),
    });
  }

  private async begin(link: RunLink): Promise<void> {
    this.link = link;
    try {
      if (this.pages === null) for await (const entries of this.journal()) link.entries(this.tell(entries), false);
      else for (const page of this.pages) link.entries(page, false);
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

  private receive(message: RunMessage): void {
    this.batch.push(message);
    if (this.batching) return;
    this.batching = true;
    // Frames that came together are one turn: what was noted goes with what was finished.
    queueMicrotask(() => this.flush());
  }

  private flush(): void {
    this.batching = false;
    const opens: RunMessage[] = [];
    for (const message of this.batch.splice(0)) {
      if (message.kind === "open") opens.push(message);
      else {
        this.open(opens.splice(0));
        this.step(message);
      }
    }
    this.open(opens);
  }

  private open(messages: readonly RunMessage[]): void {
    if (messages.length === 0 || this.lost !== null) return;
    const opening = new Opening(this.context.deps.clock.now());
    for (const { step, head, body } of messages) {
      const command = { verb: head["verb"] as NewEntry["verb"], name: head["name"] as string, number: head["number"] as number };
      this.places.set(commandOf(command), step);
      try {
        this.openOne(command, head, body, opening);
      } catch (error) {
        opening.completions.push({ ...command, phase: "failed", attempt: 0, ranMs: 0, value: errorText(flatten(error)) });
      }
    }
    const notes = opening.notes.map((entry) => ({ ...entry, pos: this.nextPos() }));
    for (const entry of notes) this.notes.add(entry, null);
    this.riders.push(...notes);
    this.setAlarm();
    if (!opening.urgent) return;
    const entries = opening.completions.map((entry) => ({ ...entry, pos: this.nextPos() }));
    this.commitEntries(entries, opening);
  }

  private openOne(command: Pick<NewEntry, "verb" | "name" | "number">, head: Message, body: string, opening: Opening): void {
    const { nowMs } = opening;
    const note = (facts: object): void => {
      opening.notes.push({ ...command, phase: "opened", attempt: 0, ranMs: 0, value: JSON.stringify(facts) });
    };
    switch (command.verb) {
      case "sleep": {
        const { ms, atMs } = head as { ms?: number; atMs?: number };
        note({ dueMs: Math.round(ms === undefined ? (atMs ?? nowMs) : nowMs + ms) });
        return;
      }
      case "wait":
        this.openWait(command, head, opening, note);
        return;
      case "callback": {
        const { timeoutMs } = head as { timeoutMs: number | null };
        const answer = commandOf({ ...command, verb: "answer" });
        opening.callbacks.push({ tokenHash: this.room.tokenHashOf(this.run.id, answer), command: answer });
        opening.complete(command, JSON.stringify({ dueMs: timeoutMs === null ? null : nowMs + timeoutMs }));
        return;
      }
      case "call":
        note({ target: head["target"], ...this.beginChild(command, head, body, opening, true) });
        return;
      case "start": {
        const { id } = this.beginChild(command, head, body, opening, false);
        opening.complete(command, JSON.stringify({ id }));
        return;
      }
      case "map":
        note({ total: head["total"] });
        return;
      case "step":
      case "rollback":
        // It waits for its next attempt, whose time the journal has.
        return;
      default:
        throw new MillraceError("internal", `a run cannot ask for "${command.verb}"`);
    }
  }

  private openWait(
    command: Pick<NewEntry, "verb" | "name" | "number">,
    head: Message,
    opening: Opening,
    note: (facts: object) => void,
  ): void {
    const { type, match, where, sql, timeoutMs, since } = head as {
      type: string;
      match: readonly (readonly [string, unknown])[];
      where: readonly Readonly<Record<string, unknown>>[];
      sql: string | null;
      timeoutMs: number | null;
      since: "step" | "start";
    };
    const facts: OpenFacts = { dueMs: timeoutMs === null ? null : opening.nowMs + timeoutMs, where, sql };
    const guard = guardOf(facts);
    const key = commandOf(command);
    const signal = this.notes.signals.find(({ wait }) => wait === command.name);
    if (signal !== undefined) {
      opening.complete(command, signalValue(signal.data, signal.wait, signal.pos));
      return;
    }
    this.guards.set(key, guard);
    const topic = topicOf(
      type,
      match.map(([path]) => path),
    );
    this.host.live.topics.add(topic);
    opening.waits.push({
      command: key,
      topic,
      value: waitValue(match.map(([, value]) => value)),
      guarded: guard !== null,
      sinceSeq: since === "start" ? this.entry.event.seq : this.notes.horizon,
    });
    note({ ...facts, type, match });
  }

  private beginChild(
    command: Pick<NewEntry, "verb" | "name" | "number">,
    head: Message,
    body: string,
    opening: Opening,
    isCalled: boolean,
  ): { readonly id: string } {
    const { live, deps } = this.host;
    const target = head["target"] as string;
    const given = head["id"] as string | null;
    const fn = live.functions.get(target);
    if (fn === undefined) throw live.unknown(target);
    const hops = this.entry.event.hops + 1;
    if (hops > deps.hopLimit)
      throw new MillraceError(
        "function_failed",
        `${commandOf(command)} would lengthen a chain beyond ${deps.hopLimit} hops: do flows begin each other in a circle?`,
      );
    const id = given ?? newId(opening.nowMs);
    const facts = {
      text: body,
      source: `/functions/${this.fn.name}`,
      nowMs: opening.nowMs,
      origin: "function",
      hops,
      cause: this.run.id,
    } as const;
    const parent = isCalled ? { run: this.entry.seq, command: commandOf(command) } : null;
    opening.events.push(
      runEvent(fn, facts, live.router, {
        id,
        named: given !== null,
        kind: fn.flow === undefined ? "fn" : "flow",
        parent,
        deadlineMs: isCalled ? this.run.deadlineMs : null,
      }),
    );
    opening.children.push(isCalled ? commandOf(command) : null);
    return { id };
  }

  /** Commits what the node itself has to say of the run, and then tells the instance. */
  private commitEntries(entries: readonly NewEntry[], opening: Opening): void {
    const completions = entries.filter(isCompletion);
    this.untold += completions.length;
    const member = this.member(entries, opening.nowMs, {
      ...(opening.waits.length === 0 ? {} : { waits: opening.waits }),
      ...(opening.callbacks.length === 0 ? {} : { callbacks: opening.callbacks }),
    });
    const whole = opening.events.length === 0 ? member : { ...member, events: opening.events };
    void this.commit(whole, (result) => {
      this.untold -= completions.length;
      for (const entry of completions) this.notes.add(entry, null);
      this.tellNew(completions, opening.nowMs);
      this.watchExisting(result, opening);
    });
  }

  /** A child whose id is another run's is that run: it is asked for from time to time. */
  private watchExisting({ events }: Committed, { children, nowMs }: Opening): void {
    events.forEach(({ existing }, i) => {
      const command = children[i];
      const open = typeof command === "string" ? this.notes.open.get(command) : undefined;
      if (existing === undefined || open === undefined || typeof command !== "string") return;
      const facts = { ...open.facts, watch: existing, dueMs: nowMs + WATCH_MS };
      const { verb, name, number } = open;
      const entry: NewEntry = {
        pos: this.nextPos(),
        verb,
        name,
        number,
        phase: "opened",
        attempt: 0,
        ranMs: 0,
        value: JSON.stringify(facts),
      };
      this.notes.add(entry, null);
      this.riders.push(entry);
      this.setAlarm();
    });
  }

  private step(message: Extract<RunMessage, { kind: "step" }>): void {
    if (this.lost !== null) return;
    const { step, head, effects, body } = message;
    const { deps, live } = this.host;
    const nowMs = deps.clock.now();
    const command = { verb: head["verb"] as NewEntry["verb"], name: head["name"] as string, number: head["number"] as number };
    this.places.set(commandOf(command), step);
    const phase = head["phase"] as "done" | "failed" | "attempt";
    const attempt = head["attempt"] as number;
    const ranMs = head["ranMs"] as number;
    this.retold.delete(commandOf(command));
    const session = this.sessions.get(step);
    this.sessions.delete(step);
    if (session !== undefined && session.failure !== null) {
      this.lose(session.failure);
      return;
    }
    let entry: NewEntry;
    let writes: Partial<Pick<Member, "events" | "kv" | "timers">> = {};
    if (phase === "attempt") {
      const facts: AttemptFacts = { error: body, dueMs: this.nextAttempt(head, nowMs) };
      entry = { ...command, pos: this.nextPos(), phase, attempt, ranMs, value: JSON.stringify(facts) };
      // Known before it is committed: the run may park in the same turn, and must wake for it.
      this.notes.add(entry, null);
    } else {
      this.notes.retries.delete(commandOf(command));
      entry = { ...command, pos: this.nextPos(), phase, attempt, ranMs, value: body };
      try {
        const cause = { fn: this.fn.name, invocation: this.run.id, hops: this.entry.event.hops, nowMs };
        if (!isNothing(effects)) writes = given(toWrites(effects, cause, live, deps.hopLimit));
      } catch (error) {
        entry = { ...entry, phase: "failed", value: errorText({ ...flatten(error), stack: null }) };
      }
    }
    const reads = session?.reads();
    const member: Member = { ...this.member([entry], nowMs, {}), ...(reads === undefined ? {} : { reads }), ...writes };
    this.commitStep(step, entry, member, entry.phase !== phase);
  }

  private nextAttempt(head: Message, nowMs: number): number | null {
    const afterMs = head["afterMs"] as number | null;
    if (afterMs === null) return null;
    return nowMs + Math.max(1, Math.round(head["jitter"] === true ? afterMs * this.host.deps.random() : afterMs));
  }

  private commitStep(step: number, entry: NewEntry, member: Member, isOurs: boolean): void {
    const riders = member.run?.entries.length ?? 0;
    void this.commit(
      member,
      () => {
        this.progressed ||= isCompletion(entry);
        if (isCompletion(entry)) this.notes.add(entry, null);
        this.conflicts.delete(step);
        if (!isCompletion(entry)) this.setAlarm();
        else if (isOurs) this.tellNew([entry], member.nowMs);
        else {
          this.toldPos = Math.max(this.toldPos, entry.pos);
          if (this.room.hooks.killsAfter?.(this.fn.name, entry.name) === true) this.link?.kill();
          else this.link?.kept(step, entry.pos, member.nowMs);
        }
      },
      () => this.conflict(step, member, riders),
      (error) => this.refuse(step, entry, member, error),
    );
  }

  /** Of what it read something has changed: once more, at once at first, then a while later. */
  private conflict(step: number, member: Member, riders: number): void {
    this.context.observer.conflicted(this.fn.name);
    // What was to go along with it goes with the next one.
    if (riders > 1) this.riders.unshift(...(member.run?.entries.slice(0, -1) ?? []));
    const count = (this.conflicts.get(step) ?? 0) + 1;
    this.conflicts.set(step, count);
    for (const entry of member.run?.entries.slice(-1) ?? []) this.retold.add(commandOf(entry));
    const { link } = this;
    if (count <= MOST_RERUNS) link?.again(step, true);
    else setTimeout(() => link?.again(step, true), CONFLICT_SPREAD_MS * this.host.deps.random());
  }

  /** S6: the store is well, but cannot take these effects. Run again they would be the same: the step has failed. */
  private refuse(step: number, entry: NewEntry, member: Member, error: MillraceError): void {
    const failed: NewEntry = { ...entry, phase: "failed", value: errorText(flatten(error)) };
    const entries = [...(member.run?.entries.slice(0, -1) ?? []), failed];
    const bare: Member = {
      id: `${member.id}/refused`,
      nowMs: member.nowMs,
      run: { run: this.entry.seq, epoch: this.context.epoch, entries },
    };
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
    try {
      result = await this.host.commit(member);
    } catch (error) {
      if (onRefused !== undefined && error instanceof MillraceError && error.code === "internal" && this.lost === null) onRefused(error);
      else this.lose(toError(error));
      return;
    }
    if (this.lost !== null) return;
    if (result.kind === "committed") {
      if (result.atSeq !== undefined) this.notes.horizon = Math.max(this.notes.horizon, result.atSeq);
      onCommitted(result);
    } else if (result.kind === "conflict" && onConflict !== undefined) onConflict();
    else this.lose(new MillraceError("fenced", `a run's commit ended as ${result.kind}`));
  }

  private lose(error: Error): void {
    if (this.lost !== null) return;
    this.lost = error;
    this.live = false;
    this.link?.drop();
  }

  private takeNews(): void {
    if (this.lost !== null) return;
    const news = this.news();
    if (news === null) return;
    const { member, entries } = news;
    const completions = entries.filter(isCompletion);
    this.untold += completions.length;
    // Known from here on, so that nothing is completed twice while this is under way.
    for (const entry of entries) this.notes.add(entry, null);
    void this.commit(member, () => {
      this.untold -= completions.length;
      this.tellNew(completions, member.nowMs);
      this.setAlarm();
    });
  }

  private tellNew(entries: readonly NewEntry[], atMs: number): void {
    if (entries.length === 0) return;
    this.toldPos = Math.max(this.toldPos, entries.at(-1)?.pos ?? 0);
    this.link?.entries(
      JSON.stringify(entries.map((entry) => told(entry, atMs, (command) => this.room.urlOf(this.run.id, command)))),
      false,
    );
  }

  // ── time ──

  private setAlarm(): void {
    if (!this.live) return;
    const dueMs = this.dueMs(this.retold);
    this.alarm?.cancel();
    this.alarm = dueMs === null ? null : this.host.deps.clock.alarm(dueMs, () => void this.onAlarm());
  }

  private async onAlarm(): Promise<void> {
    if (!this.live) return;
    const nowMs = this.host.deps.clock.now();
    for (const [command, dueMs] of this.notes.retries) {
      const place = this.places.get(command);
      if (dueMs > nowMs || place === undefined || this.retold.has(command)) continue;
      this.retold.add(command);
      this.link?.again(place, false);
    }
    try {
      await this.askWatched();
    } catch (error) {
      this.lose(toError(error));
    }
    this.takeNews();
    this.setAlarm();
  }

  /** When something of it falls due next. */
  private dueMs(without: ReadonlySet<string> = NONE): number | null {
    let due = this.notes.stopped ? Infinity : (this.run.deadlineMs ?? Infinity);
    for (const { dueMs } of this.notes.open.values()) if (dueMs !== null && dueMs < due) due = dueMs;
    for (const [command, dueMs] of this.notes.retries) if (dueMs < due && !without.has(command)) due = dueMs;
    return due === Infinity ? null : due;
  }

  // ── its end in this instance ──

  private async conclude(outcome: RunOutcome, startedMs: number): Promise<RunEnd> {
    // What came in the same turn as the end is before it.
    this.flush();
    if (this.lost !== null) return this.heldBack(this.lost);
    switch (outcome.kind) {
      case "parked":
        return await this.concludeParked(outcome.head);
      case "finished":
        return await this.move(
          { kind: "end", state: outcome.head["state"] as "done" | "failed" | "cancelled", value: outcome.value },
          null,
        );
      case "not-run":
        if (outcome.reason === "load-failed" && this.run.release !== this.host.live.id) return await this.fail(outcome.error, startedMs);
        return { kind: "held-back", reason: outcome.reason === "load-failed" ? "load-failed" : "busy", error: outcome.error };
      case "threw":
      case "timeout":
      case "crashed":
        logFailure(this.host.deps, { id: this.run.id, fn: this.fn.name }, outcome.error);
        return await this.fail(outcome.error, startedMs);
      default:
        return outcome satisfies never;
    }
  }

  private concludeParked(head: Message): Promise<RunEnd> {
    // A mismatch leaves things unseen by its nature.
    const saw = head["reason"] === "mismatch" ? this.toldPos : (head["seen"] as number);
    const unseen = this.untold > 0 || saw < this.toldPos;
    switch (head["reason"]) {
      case "sleeps":
        return this.park("sleeping", null, unseen);
      case "rolls back":
        return this.park("rolling-back", null, unseen);
      case "paused":
        return this.park("paused", head["note"] as RunNote, unseen);
      case "stuck":
        return this.park("stuck", head["note"] as RunNote, unseen);
      case "mismatch":
        return this.park(
          "paused",
          { why: "mismatch", mismatch: head["mismatch"] as Extract<RunNote, { why: "mismatch" }>["mismatch"] },
          unseen,
        );
      default:
        return this.park("waiting", null, unseen);
    }
  }

  private park(state: ParkedState, note: RunNote | null, isDue: boolean): Promise<RunEnd> {
    const stands = state === "paused" || state === "stuck";
    const dueMs = isDue ? this.host.deps.clock.now() : stands && note?.why !== "exhausted" ? this.deadlineLeft() : this.dueMs();
    return this.move({ kind: "park", state, dueMs, note: note === null ? null : JSON.stringify(note) }, dueMs);
  }

  private deadlineLeft(): number | null {
    return this.notes.stopped ? null : this.run.deadlineMs;
  }

  /** Its code failed outside of any step: tried again as deliveries are, and kept for a person when that does not help. */
  private fail(error: FunctionError, startedMs: number): Promise<RunEnd> {
    const { deps } = this.host;
    const attempts = this.entry.attempt + 1;
    if (!this.progressed && attempts >= this.fn.retry.attempts)
      return this.park("paused", { why: "failing", attempts, error: { name: error.name, message: error.message } }, false);
    // What got on goes on at once: the journal has kept it.
    const waitMs = this.progressed ? 0 : Math.max(1, Math.round(backoffMs(this.fn.retry, attempts, deps.random())));
    const dueMs = deps.clock.now() + waitMs;
    const { name, message, stack } = error;
    const move: RunMove = {
      kind: "retry",
      dueMs,
      error: { name, message, stack },
      attempt: this.entry.attempt,
      invocation: this.invocation,
      startedMs,
    };
    return this.move(move, dueMs);
  }

  private async move(move: RunMove, dueMs: number | null): Promise<RunEnd> {
    const { deps } = this.host;
    const nowMs = deps.clock.now();
    // Whatever was handed to the store before must have been taken: a run may not sleep over what it asked for.
    const { lastSubmitted } = this;
    const member = this.member([], nowMs, { move, ...(lastSubmitted === 0 ? {} : { after: lastSubmitted }) });
    try {
      const result = await deps.store.commit(member);
      if (result.kind !== "committed") return this.heldBack(FENCED);
      const from = this.run.state === "ready" ? "ready" : "parked";
      const to = move.kind === "park" ? "parked" : move.kind === "retry" ? "ready" : "done";
      return { kind: "moved", invocation: this.run.id, from, to, dueMs, member, result };
    } catch (error) {
      this.host.suspect();
      return this.heldBack(error);
    }
  }

  /** The journal is read again: at once, unless the store itself is ill. */
  private heldBack(thrown: unknown): RunEnd {
    const isIll = this.host.deps.store.health().state === "failing";
    return { kind: "held-back", reason: isIll ? "store-failed" : "busy", error: flatten(thrown) };
  }

  // ── small change ──

  private member(entries: readonly NewEntry[], nowMs: number, change: object): Member {
    const all = this.riders.length === 0 ? entries : [...this.riders.splice(0), ...entries];
    const pos = all.at(-1)?.pos ?? this.notes.lastPos;
    if (all.length > 0) this.lastSubmitted = pos;
    return {
      id: `${this.run.id}/${pos}${all.length === 0 ? `/${this.invocation}` : ""}`,
      nowMs,
      run: { run: this.entry.seq, epoch: this.context.epoch, entries: all, ...change },
    };
  }

  private nextPos(): number {
    return ++this.notes.lastPos;
  }

  private session(step: number): KvSession {
    let session = this.sessions.get(step);
    if (session === undefined) this.sessions.set(step, (session = new KvSession(this.host.deps.store, this.host.deps.clock)));
    return session;
  }
}

/** What one turn of the handler asked for. */
class Opening {
  readonly nowMs: number;
  readonly notes: Omit<NewEntry, "pos">[] = [];
  readonly completions: Omit<NewEntry, "pos">[] = [];
  readonly waits: NewWait[] = [];
  readonly callbacks: NewCallback[] = [];
  readonly events: NewEvent[] = [];
  /** Of each event the command that waits for its run, or null. */
  readonly children: (string | null)[] = [];

  constructor(nowMs: number) {
    this.nowMs = nowMs;
  }

  /** It must be on disk now; the rest may wait for the next commit. */
  get urgent(): boolean {
    return this.completions.length + this.waits.length + this.callbacks.length + this.events.length > 0;
  }

  complete(command: Pick<NewEntry, "verb" | "name" | "number">, value: string): void {
    this.completions.push({ ...command, phase: "done", attempt: 0, ranMs: 0, value });
  }
}

/** The type of the event by which an HTTP request begins a run. */
export const HTTP_TYPE = "millrace.http";

const FENCED = new MillraceError("fenced", "the run is another owner's, or its journal has grown behind this one's back");

const NONE: ReadonlySet<string> = new Set();

/** Steps read, each for itself; a run does not. */
const NO_READS = {
  get: () => Promise.reject(new MillraceError("internal", "a run reads by its steps")),
  list: () => Promise.reject(new MillraceError("internal", "a run reads by its steps")),
};

function given(writes: ReturnType<typeof toWrites>): Partial<Pick<Member, "events" | "kv" | "timers">> {
  const { events, kv, timers } = writes;
  return {
    ...(events.length === 0 ? {} : { events }),
    ...(kv.length === 0 ? {} : { kv }),
    ...(timers.length === 0 ? {} : { timers }),
  };
}

function observed(outcome: RunOutcome): ReturnType<typeof invocationOutcome> {
  return outcome.kind === "parked" || outcome.kind === "finished" ? "done" : invocationOutcome(outcome);
}
