import { MillraceError } from "../../core/errors.ts";
import type { CancelFacts, Entry, Phase, Verb } from "../../protocol/journal.ts";
import type { RunHead } from "../../protocol/messages.ts";
import { fromValueText } from "../../protocol/value-text.ts";
import { RunCancelled } from "../../sdk/run-cancelled.ts";
import { Ahead, type Finished, type Surroundings } from "./ahead.ts";
import { Command, keyOf } from "./command.ts";
import { Compensations, type Undo } from "./compensations.ts";
import { keptError, keptValue } from "./kept-value.ts";
import { mismatchAt } from "./mismatch.ts";
import { NotedCommands } from "./noted-commands.ts";
import { Randomness } from "./randomness.ts";
import { type Attempt, isThenable, StepAttempts } from "./step-attempts.ts";
import type { StepPlan } from "./step-command.ts";
import type { StepHabits } from "./step-habits.ts";

/** How a run speaks to the node, and what it needs of its process. */
export interface FlowPort extends Surroundings {
  open(head: object, body: string | null): void;
  step(head: object, effects: string | null, body: string): void;
  /** Both end the run in this instance. */
  park(head: object): void;
  finish(head: object, body: string): void;
  extend(ms: number): void;
  /** It can go no further before its beginning is committed. */
  begin(): void;
  warn(text: string): void;
  /** One attempt's transaction. */
  transaction(run: (tx: never) => unknown, command: Command, attempt: number, timeoutMs: number): Attempt;
  /** After everything that is ready to run has run. */
  soon(turn: () => void): void;
}

type HandlerEnd = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly thrown: unknown };
type Item =
  | { readonly entry: Entry }
  | {
      readonly kept: Command;
      readonly phase: Phase;
      readonly attempt: number;
      readonly value: string;
      readonly atMs: number;
      readonly pos: number;
    }
  | "live"
  | "committed";

/** In a replay: how long a command may be missing that the journal knows, while the handler asks for others. */
const PATIENCE_MS = 200;

/**
 * A run of the handler. One procedure for what is replayed and for what is new: deliver one completion, let the handler run until it waits,
 * deliver the next. So whatever the handler decides by the order of completions it decides again in the same way. SPEC.md, rules R.
 */
export class FlowRun {
  readonly head: RunHead;
  readonly randomness: Randomness;
  /** Of the last completion that was delivered. */
  nowMs: number;
  /** Until the journal is told. */
  replaying = true;
  private readonly port: FlowPort;
  private readonly handler: () => unknown;
  private readonly usual: StepPlan;
  private readonly queue: Item[] = [];
  private readonly commands = new Map<string, Command>();
  /** In the order of their making. */
  private readonly outstanding = new Set<Command>();
  private readonly counts = new Map<string, number>();
  private readonly noted = new NotedCommands();
  private readonly steps = new Map<Command, StepAttempts>();
  /** By their numbers in the frames. */
  private readonly places: Command[] = [];
  /** Sent, and not yet known to be committed. */
  private readonly unkept = new Map<Command, { readonly phase: Phase; readonly attempt: number; readonly body: string }>();
  /** Ended, and the handler may have its result before the node hears of it. */
  private unsent: Finished | null = null;
  private readonly ahead: Ahead;
  private readonly habits: StepHabits;
  /** The step whose completion the handler got last. */
  private lastStep: Command | null = null;
  private readonly begunAt = performance.now();
  /** The node is about to complete them. */
  private readonly atOnce = new Set<Command>();
  private readonly remarks: (() => void)[] = [];
  private readonly compensations = new Compensations();
  private lastPlace = 0;
  /** The position of the last completion that was delivered. */
  private seen = 0;
  private started = false;
  private busy = false;
  private over = false;
  private ended: HandlerEnd | null = null;
  private cancelled: CancelFacts | null = null;
  private exhausted: object | null = null;
  private patience: NodeJS.Timeout | null = null;
  private waitedElsewhere = false;
  private askedToBegin = false;
  private warned = false;

  constructor(head: RunHead, port: FlowPort, habits: StepHabits, handler: (run: FlowRun) => unknown) {
    this.head = head;
    this.port = port;
    this.habits = habits;
    this.ahead = new Ahead(port, this);
    this.handler = () => handler(this);
    if (!head.begun) this.ahead.beforeBeginning();
    this.nowMs = head.startedMs;
    this.randomness = new Randomness(head.seed);
    this.usual = { policy: head.policy, timeoutMs: head.timeoutMs };
  }

  get isOver(): boolean {
    return this.over;
  }

  get usualPlan(): StepPlan {
    return this.usual;
  }

  // from the node

  entries(entries: readonly Entry[], live: boolean): void {
    for (const entry of entries) {
      if (this.replaying && (entry.phase === "opened" || entry.phase === "attempt" || entry.phase === "resumed")) this.noted.add(entry);
      else if (entry.phase === "done" || entry.phase === "failed") this.queue.push({ entry });
    }
    if (live) this.queue.push("live");
    this.pump();
  }

  /** Its beginning is committed. */
  begun(): void {
    if (this.ahead.begun()) this.caughtUp();
  }

  kept(place: number, pos: number, atMs: number): void {
    const command = this.places[place];
    const sent = command === undefined ? undefined : this.unkept.get(command);
    if (command === undefined || sent === undefined || this.over) return;
    if (this.ahead.committed(command)) {
      this.unkept.delete(command);
      this.seen = pos;
      this.lastStep = command;
      if (!this.ahead.isAhead) this.caughtUp();
      return;
    }
    this.queue.push({ kept: command, phase: sent.phase, attempt: sent.attempt, value: sent.body, atMs, pos });
    this.pump();
  }

  /** Before whatever else has come: it may have waited for this. */
  private caughtUp(): void {
    if (this.over) return;
    if (this.started) this.queue.unshift("committed");
    this.pump();
  }

  again(place: number, conflict: boolean): void {
    const command = this.places[place];
    const step = command === undefined ? undefined : this.steps.get(command);
    if (command === undefined || step === undefined || this.over) return;
    if (!conflict && this.unkept.has(command)) return;
    this.unkept.delete(command);
    if (conflict) this.exhausted = null;
    step.again(conflict);
  }

  /** The node has given this activation up; resolves when nothing of its steps runs any more. */
  abort(reason: Error): void {
    this.over = true;
    if (this.patience !== null) clearTimeout(this.patience);
    this.ahead.end(true);
    for (const step of this.steps.values()) step.giveUp(reason);
  }

  /** What a step reads is what the steps before it have committed. */
  whenCommitted(go: () => void): void {
    this.ahead.whenCommitted(go);
  }

  /** An error that nobody handled, in the handler's own context. */
  broke(thrown: unknown): void {
    this.end({ ok: false, thrown });
  }

  stepBroke(attempt: Attempt, thrown: unknown): void {
    for (const step of this.steps.values()) step.broke(attempt, thrown);
  }

  // from the handler

  /** The number that the next command of this verb and name will have. */
  number(verb: Verb, name: string): number {
    const key = `${verb} ${name}`;
    const number = (this.counts.get(key) ?? 0) + 1;
    this.counts.set(key, number);
    return number;
  }

  /** What the node completes: a sleep, a wait, a callback, a call, a start. */
  ask(
    verb: Verb,
    name: string,
    read: Command["read"],
    opening: () => { head: object; body?: string },
    number = this.number(verb, name),
  ): Promise<unknown> {
    return this.make(new Command(verb, name, number, read), (command) => {
      // A callback's answer was opened with its address.
      if (verb === "answer" || this.noted.get(command.key)?.opened === true) return;
      if (AT_ONCE.has(verb)) this.atOnce.add(command);
      const { head, body } = opening();
      this.port.open({ step: this.placeOf(command), verb, name, number, ...head }, body ?? null);
    });
  }

  step(
    verb: "step" | "rollback",
    name: string,
    read: Command["read"],
    plan: StepPlan,
    run: (tx: never) => unknown,
    undo: Undo["undo"] | undefined,
    number = this.number(verb, name),
  ): Command {
    const command = new Command(verb, name, number, read);
    if (undo !== undefined) this.compensations.give(command, { plan, undo });
    void this.make(command, () => {
      const noted = this.noted.get(command.key);
      const step = new StepAttempts(command, plan, noted?.failed ?? 0, this.attemptRoom(run));
      this.steps.set(command, step);
      step.begin(noted?.last ?? null, this.head.nowMs);
    });
    return command;
  }

  /** Notes something that completes by itself: the size of a map. */
  remark(verb: Verb, name: string, number: number, head: object): void {
    const key = keyOf(verb, name, number);
    if (this.over || this.noted.get(key) !== undefined) return;
    const tell = (): void => this.port.open({ step: ++this.lastPlace, verb, name, number, ...head }, null);
    if (this.holds) this.remarks.push(tell);
    else tell();
  }

  private make(command: Command, begin: (command: Command) => void): Promise<unknown> {
    this.refuseLate(command);
    this.warnOfElsewhere(command);
    if (this.replaying) command.madeAt = new Error();
    this.commands.set(command.key, command);
    if (this.cancelled !== null && command.verb !== "rollback") {
      command.reject(new RunCancelled(this.cancelled.reason));
      return command.promise;
    }
    this.outstanding.add(command);
    command.begin = () => begin(command);
    if (this.holds) this.turnSoon();
    else command.begin();
    return command.promise;
  }

  /** Nothing begins by itself while the journal is told, nor before it is known that what it follows is committed. */
  private get holds(): boolean {
    return this.replaying || this.ahead.isAhead;
  }

  private isBegun(command: Command): boolean {
    return command.place !== 0 || this.steps.has(command);
  }

  private refuseLate(command: Command): void {
    if (this.over) throw new MillraceError("effect_after_end", `${command.words} after the run had left this instance`);
    if (this.ended !== null && command.verb !== "rollback")
      throw new MillraceError("effect_after_end", `${command.words} after the flow's handler had ended: await what it begins`);
  }

  private warnOfElsewhere(command: Command): void {
    if (!this.waitedElsewhere || this.warned || this.replaying) return;
    this.warned = true;
    this.port.warn(
      `before ${command.words} the flow's handler waited for something that is no step: it will do so again, and may decide differently, whenever the run is replayed. Put it into flow.step.`,
    );
  }

  /** Its number in the frames, given when it is first needed. */
  placeOf(command: Command): number {
    if (command.place === 0) {
      command.place = ++this.lastPlace;
      this.places[command.place] = command;
    }
    return command.place;
  }

  /** Each frame begins the run's time anew, so a step that may take longer than usual says so after each. */
  private extend(): void {
    let longest = 0;
    for (const step of this.steps.values()) if (step.active) longest = Math.max(longest, step.plan.timeoutMs);
    if (longest > this.usual.timeoutMs) this.port.extend(longest);
  }

  // the one procedure

  private turnSoon(): void {
    if (!this.busy && !this.over) this.turn(() => {});
  }

  /** Does one thing and comes back when the handler has made of it what it could. */
  private turn(deliver: () => void): void {
    this.busy = true;
    deliver();
    this.port.soon(() => {
      this.busy = false;
      if (this.over) return;
      this.pump();
      if (this.busy) return;
      this.settle();
      if (!this.over) this.extend();
    });
  }

  private pump(): void {
    if (this.busy || this.over) return;
    if (!this.started) {
      if (!this.head.begun && !this.isUnseen && this.ahead.isAhead) {
        // It is not to be known that it has begun before it has.
        if (this.queue.includes("live")) this.askToBegin();
        return;
      }
      this.started = true;
      // Where there is no journal the first turn is a live one.
      if (this.queue[0] === "live") {
        this.queue.shift();
        this.replaying = false;
        if (this.head.check) return this.fits();
      }
      this.turn(() => this.start());
      return;
    }
    const item = this.queue[0];
    if (item === undefined) return;
    if (item === "live") {
      this.queue.shift();
      this.turn(() => this.goLive());
    } else if (item === "committed") {
      this.queue.shift();
      this.turn(() => this.catchUp());
    } else if ("kept" in item) {
      this.queue.shift();
      this.turn(() => this.deliverKept(item));
    } else if (!this.ahead.isAhead) this.deliver(item.entry);
    else if (this.ahead.hasUnsaid) this.overtaken();
  }

  private start(): void {
    let result: unknown;
    try {
      result = this.handler();
    } catch (thrown) {
      this.end({ ok: false, thrown });
      return;
    }
    if (!isThenable(result)) this.end({ ok: true, value: result });
    else
      result.then(
        (value) => this.end({ ok: true, value }),
        (thrown: unknown) => this.end({ ok: false, thrown }),
      );
  }

  private end(end: HandlerEnd): void {
    if (this.ended !== null || this.over) return;
    this.ended = end;
    this.giveUpSteps();
    this.turnSoon();
  }

  private giveUpSteps(): void {
    let reason: Error | null = null;
    for (const step of this.steps.values())
      if (step.active || this.outstanding.has(step.command)) step.giveUp((reason ??= new RunCancelled("the flow's handler has ended")));
  }

  private deliver(entry: Entry): void {
    if (entry.verb === "run") {
      this.queue.shift();
      this.turn(() => {
        this.nowMs = entry.atMs;
        this.seen = entry.pos;
        this.cancel(JSON.parse(entry.value ?? "{}") as CancelFacts);
      });
      return;
    }
    const command = this.commands.get(keyOf(entry.verb, entry.name, entry.number));
    if (command === undefined) {
      if (entry.verb === "rollback" && this.ended !== null && this.undoNext()) this.pump();
      else this.miss(entry);
      return;
    }
    if (this.patience !== null) clearTimeout(this.patience);
    this.patience = null;
    this.queue.shift();
    this.turn(() => {
      this.nowMs = entry.atMs;
      this.seen = entry.pos;
      this.lastStep = null;
      this.complete(command, entry.phase, entry.value, entry.attempt);
    });
  }

  private deliverKept({ kept: command, phase, attempt, value, atMs, pos }: Extract<Item, { kept: Command }>): void {
    this.unkept.delete(command);
    this.nowMs = atMs;
    this.seen = pos;
    this.lastStep = command.verb === "step" ? command : null;
    this.complete(command, phase, value, attempt);
  }

  private complete(command: Command, phase: Phase, value: string | null, attempt: number): void {
    this.outstanding.delete(command);
    this.steps.delete(command);
    this.atOnce.delete(command);
    this.compensations.completed(command, phase === "done", value);
    command.complete(phase, value, attempt);
  }

  private cancel(facts: CancelFacts): void {
    if (this.ended !== null || this.cancelled !== null) return;
    this.cancelled = facts;
    const reason = new RunCancelled(facts.reason);
    for (const step of this.steps.values()) step.giveUp(reason);
    for (const command of this.outstanding) command.reject(reason);
    // What is under way comes to its end first; what only waited is over.
    for (const command of this.outstanding) if (!this.isUnderWay(command)) this.outstanding.delete(command);
  }

  private isUnderWay(command: Command): boolean {
    return this.unkept.has(command) || this.steps.get(command)?.active === true;
  }

  /** The journal knows a command that the handler has not asked for. */
  private miss(entry: Entry): void {
    const others = this.unknownOutstanding();
    // It waits for something else than its commands, which may take as long as it takes.
    if (this.ended === null && others === 0) return;
    if (this.patience !== null) return;
    this.patience = setTimeout(
      () => {
        this.patience = null;
        if (this.over || this.commands.has(keyOf(entry.verb, entry.name, entry.number))) this.pump();
        else this.mismatch(entry);
      },
      this.ended === null ? PATIENCE_MS : 0,
    );
  }

  private unknownOutstanding(): number {
    const known = new Set<string>();
    for (const item of this.queue)
      if (typeof item === "object" && "entry" in item) known.add(keyOf(item.entry.verb, item.entry.name, item.entry.number));
    let count = 0;
    for (const command of this.outstanding) if (!known.has(command.key) && this.noted.get(command.key) === undefined) count++;
    return count;
  }

  private mismatch(entry: Entry): void {
    const later = this.queue.flatMap((item) => (typeof item === "object" && "entry" in item ? [item.entry] : []));
    this.leave({ reason: "mismatch", mismatch: mismatchAt(entry, [...this.outstanding], [...later, ...this.noted.entries()]) });
  }

  // ahead of the commits

  send({ command, head, effects, value }: Finished, more?: object): void {
    const { verb, name, number } = command;
    this.port.step({ step: this.placeOf(command), verb, name, number, ...head, ...more }, effects, value);
  }

  /** Whether the handler may have its result before its commit, of which nobody will know until all of it is committed. */
  private mayGoAhead(command: Command): boolean {
    if (this.head.ahead === "no" || this.cancelled !== null || this.ended !== null || this.unsent !== null) return false;
    if (command.verb !== "step" || this.steps.get(command)?.hasRead !== false) return false;
    return this.isUnseen || (!this.ahead.isAhead && this.habits.isLast(command));
  }

  private get isUnseen(): boolean {
    return this.head.ahead === "steps" && this.ahead.isUnseen;
  }

  /** If nothing else can be delivered, the handler goes on with its result. */
  private goAhead(step: Finished): void {
    this.unsent = null;
    const isAlone = this.outstanding.size === 1 && this.unkept.size === this.ahead.steps + 1;
    if (this.ended !== null || this.cancelled !== null || !isAlone) {
      this.ahead.whenCommitted(() => this.send(step));
      return;
    }
    const atMs = Math.max(this.nowMs, Math.floor(this.head.nowMs + performance.now() - this.begunAt));
    this.ahead.add(step, atMs, this.seen);
    this.turn(() => {
      this.nowMs = atMs;
      this.complete(step.command, "done", step.value, step.attempt);
    });
  }

  /** The handler has made of it what it could. A step that it asks for begins; its end goes with it; for all else the commits are waited for. */
  private goOnAhead(): void {
    const next = this.nextAhead();
    if (next !== null) {
      this.ahead.tell("ripe");
      this.turn(next.begin);
      return;
    }
    this.ahead.tell();
    const { ended } = this;
    const { last } = this.ahead;
    if (ended === null && last !== undefined) this.habits.wentOn(last);
    const isIdle = this.outstanding.size === 0 && this.remarks.length === 0;
    if (isIdle && ended === null) this.waitedElsewhere = true;
    const kept = isIdle && ended?.ok === true && !this.ahead.reachesOut ? keptValue(ended.value, RESULT) : null;
    if (kept?.ok !== true) return this.askToBegin();
    if (last !== undefined) this.habits.ended(last);
    this.over = true;
    this.ahead.end(false);
    this.port.finish({ state: "done" }, kept.text);
  }

  private askToBegin(): void {
    if (this.ahead.hasBegun || this.askedToBegin) return;
    this.askedToBegin = true;
    this.port.begin();
  }

  private nextAhead(): Command | null {
    if (this.ended !== null || !this.isUnseen || this.ahead.isFull || this.outstanding.size !== 1 || this.remarks.length > 0) return null;
    for (const command of this.outstanding)
      if (command.verb === "step" && !this.isBegun(command) && this.noted.get(command.key) === undefined && !this.habits.isLong(command))
        return command;
    return null;
  }

  /** Something else came before what the node has not heard of: from the journal the handler will hear both in their order. */
  private overtaken(): void {
    // While a step is at work the run cannot leave: the node will find the same, and drop it.
    if (this.isAtWork()) this.ahead.tell();
    else this.leave({ reason: "waits" });
  }

  /** All is committed as the handler has it: what waited for that begins. */
  private catchUp(): void {
    for (const go of this.ahead.takeLater()) go();
    for (const tell of this.remarks.splice(0)) tell();
    for (const command of Array.from(this.outstanding)) if (!command.completed && !this.isBegun(command)) command.begin();
    if (this.ended !== null) this.giveUpSteps();
  }

  private goLive(): void {
    this.replaying = false;
    const lost = this.noted.lost(this.commands);
    if (lost !== null && (this.ended !== null || this.outstanding.size > 0)) return this.mismatch(lost);
    if (this.head.check) return this.fits();
    for (const tell of this.remarks.splice(0)) tell();
    if (this.ended === null)
      for (const command of Array.from(this.outstanding)) if (!command.completed && !this.isBegun(command)) command.begin();
    for (const command of this.outstanding) if (command.verb === "rollback" && !this.isBegun(command)) command.begin();
  }

  private fits(): void {
    this.leave({ reason: "fits" });
  }

  // when nothing is left to deliver

  private settle(): void {
    if (this.replaying || this.queue.length > 0) return;
    if (this.unsent !== null) return this.goAhead(this.unsent);
    if (this.ahead.isAhead) return this.goOnAhead();
    if (this.ended !== null) {
      this.finish(this.ended);
      return;
    }
    if (this.isUnsettled()) return;
    if (this.exhausted !== null) this.leave({ reason: "paused", note: this.exhausted });
    else if (this.outstanding.size > 0) this.leave({ reason: this.waitsOnlyForTime() ? "sleeps" : "waits" });
    else this.waitedElsewhere = true;
  }

  private isUnsettled(): boolean {
    return this.unkept.size > 0 || this.atOnce.size > 0 || this.isAtWork();
  }

  private isAtWork(): boolean {
    for (const step of this.steps.values()) if (step.active) return true;
    return false;
  }

  private waitsOnlyForTime(): boolean {
    for (const { verb } of this.outstanding) if (verb !== "sleep" && verb !== "step" && verb !== "rollback") return false;
    return true;
  }

  /** The handler has ended: what is under way comes to its end, then what must be undone is undone, then the run ends. */
  private finish(end: HandlerEnd): void {
    if (this.isUnsettled()) return;
    if (this.exhausted !== null) return this.leave({ reason: "stuck", note: this.exhausted });
    const undoes = this.cancelled?.rollback ?? !end.ok;
    if (undoes) {
      if (this.compensations.undoing) {
        // A rollback that waits for its next attempt.
        this.leave({ reason: "rolls back" });
        return;
      }
      if (this.undoNext()) return;
    }
    this.over = true;
    if (this.cancelled !== null && !this.cancelled.failed)
      this.port.finish({ state: "cancelled" }, keptError(new RunCancelled(this.cancelled.reason)));
    else if (this.cancelled !== null) this.port.finish({ state: "failed" }, keptError(new RunCancelled(this.cancelled.reason)));
    else if (!end.ok) this.port.finish({ state: "failed" }, keptError(end.thrown));
    else {
      const kept = keptValue(end.value, RESULT);
      if (kept.ok) {
        if (this.lastStep !== null) this.habits.ended(this.lastStep);
        this.port.finish({ state: "done" }, kept.text);
      } else {
        this.over = false;
        this.ended = { ok: false, thrown: kept.error };
        this.settle();
      }
    }
  }

  /** Begins the rollback of the last step that has none behind it. False: nothing is left to undo. */
  private undoNext(): boolean {
    const last = this.compensations.next();
    if (last === null) return false;
    const { name, number, plan, undo, result } = last;
    this.step(
      "rollback",
      name,
      () => undefined,
      plan,
      (tx) => undo(tx, decoded(result) as never),
      undefined,
      number,
    );
    return true;
  }

  private leave(head: object): void {
    this.over = true;
    if (this.patience !== null) clearTimeout(this.patience);
    this.ahead.end(true);
    this.port.park({ ...head, seen: this.seen });
  }

  private attemptRoom(run: (tx: never) => unknown): ConstructorParameters<typeof StepAttempts>[3] {
    return {
      begin: (command, attempt, timeoutMs) => this.port.transaction(run, command, attempt, timeoutMs),
      ended: (command, head, effects, body) => {
        const { phase, attempt, ranMs } = head as { phase: Phase; attempt: number; ranMs: number };
        if (this.over) return;
        this.habits.took(command, ranMs);
        if (phase !== "attempt") this.unkept.set(command, { phase, attempt, body });
        const step = { command, head, effects, value: body, attempt };
        if (phase === "done" && this.mayGoAhead(command)) this.unsent = step;
        else this.ahead.whenCommitted(() => this.send(step));
        if (phase === "attempt" || this.unsent !== null) this.turnSoon();
      },
      waits: (command) => {
        const { verb, name, number } = command;
        this.port.open({ step: this.placeOf(command), verb, name, number, again: true }, null);
        this.turnSoon();
      },
      exhausted: ({ verb, name, number }, attempts, error) => {
        this.exhausted = { why: "exhausted", verb, name, number, attempts, error: shortError(error) };
        this.turnSoon();
      },
      changed: () => this.turnSoon(),
    };
  }
}

const RESULT = "the flow's result";

/** The node completes these as soon as it has them on disk: a run does not let go before. */
const AT_ONCE: ReadonlySet<Verb> = new Set(["callback", "start"]);

export function decoded(text: string | null): unknown {
  return text === null ? undefined : fromValueText(text);
}

/** The error of an exhausted step: as it was thrown here, or as the journal has it. */
function shortError(error: unknown): { name: string; message: string } {
  const made = typeof error === "string" ? decoded(error) : error;
  return made instanceof Error ? { name: made.name, message: made.message } : { name: "Error", message: String(made) };
}
