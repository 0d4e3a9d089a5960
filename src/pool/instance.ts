import { toError } from "../core/index.ts";
import {
  type Frame,
  FRAME,
  FrameReader,
  FrameWriter,
  type FunctionError,
  pickVersion,
  ProtocolError,
  SPOKEN_VERSIONS,
} from "../protocol/index.ts";
import { AnswerStream } from "./answer-stream.ts";
import { type Beyond, type Ending, type InFlight, judge, loadFailure, timedOut, withMemoryHint } from "./blame.ts";
import { EVENT_TOO_LARGE, replyToRead, sendEvent, sendHttp } from "./call-frames.ts";
import { CallbackDeadline } from "./deadlines.ts";
import { InstanceFolder } from "./instance-folder.ts";
import { InstanceLog } from "./instance-log.ts";
import type { Assignment, InstanceContext, InstanceOwner, InstanceUser, Preparation } from "./instance-roles.ts";
import { LoopGauge } from "./loop-gauge.ts";
import type { Outcome } from "./pool.ts";
import type { Exit, InstanceClass, InstanceProcess } from "./spawn.ts";
import type { Ticket, TicketHolder } from "./ticket.ts";
import { readEffects, readError, readNumber, readResponseHead } from "./wire.ts";

/** After `stop`, until it is killed. */
const STOP_MS = 1000;

let lastId = 0;

/** One process, seen from the node: its connection, its calls in flight, its end. */
export class Instance implements TicketHolder {
  readonly id = ++lastId;
  readonly instanceClass: InstanceClass;
  readonly startedMs: number;
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>;
  ready = false;
  loaded = false;
  retiring = false;
  ended = false;
  /** Runs a call that wants to be alone, or is kept free for one. */
  exclusive = false;
  readonly gauge = new LoopGauge();
  readonly folder: InstanceFolder;
  /** Calls that it takes at once. */
  callLimit = 0;
  idleSinceMs: number;
  readyMs = 0;
  loadedMs = 0;
  givenMs = 0;
  assignment: Assignment | null = null;
  /** Whoever had it had no more use for it. */
  dismissed = false;
  private readonly context: InstanceContext;
  private readonly process: InstanceProcess;
  private readonly writer: FrameWriter;
  private readonly tickets = new Map<number, Ticket>();
  private readonly log: InstanceLog;
  private readonly limit: CallbackDeadline;
  private owner: InstanceOwner;
  private user: InstanceUser | null = null;
  private lastNumber = 0;
  /** What was sent before it was ready. */
  private readonly early: Buffer[] = [];
  private onDescribed: ((head: Readonly<Record<string, unknown>>) => void) | null = null;
  private onCompiled: ((head: Readonly<Record<string, unknown>>) => void) | null = null;

  constructor(context: InstanceContext, instanceClass: InstanceClass, owner: InstanceOwner) {
    this.context = context;
    this.instanceClass = instanceClass;
    this.owner = owner;
    this.startedMs = context.nowMs();
    this.idleSinceMs = this.startedMs;
    const directory = context.directories.make();
    this.process = context.spawn(instanceClass, directory);
    this.folder = new InstanceFolder(directory, instanceClass, this.process);
    this.log = new InstanceLog({
      tickets: this.tickets,
      fn: () => this.assignment?.fn ?? null,
      rename: this.folder.rename,
      onStray: context.onStrayLog,
    });
    this.writer = new FrameWriter((bytes) => this.write(bytes));
    this.limit = new CallbackDeadline(() => this.end({ kind: "blocked" }));
    const reader = new FrameReader((frame) => this.onFrame(frame));
    this.gone = new Promise((resolve) => {
      this.process.listen(
        (bytes) => this.onBytes(reader, bytes),
        (exit) => {
          this.onExit(exit);
          resolve();
        },
        (stream, piece) => this.log.printed.push(stream, piece) || this.leaveFlooded(),
      );
    });
    this.context.deadlines.set(this.limit, this.startedMs + context.loadLimitMs);
    context.onSpawned(this);
  }

  get pid(): number {
    return this.process.pid;
  }

  get finishedCalls(): number {
    return this.gauge.endedCalls;
  }

  get running(): number {
    return this.tickets.size;
  }

  /** At work and without a word for so long that something holds its loop. */
  get silent(): boolean {
    return this.loaded && this.running > 0 && this.gauge.isSilent(this.loadedMs, this.context.nowMs());
  }

  get utilisation(): number | null {
    return this.gauge.utilisation;
  }

  get watchedTmp(): string | null {
    return this.folder.watchedTmp;
  }

  get accepts(): boolean {
    return this.ready && this.assignment !== null && !this.retiring && !this.ended && !this.exclusive;
  }

  /** Gives it a function. Calls may follow at once, without waiting for `loaded`. */
  assign(assignment: Assignment, user: InstanceUser): void {
    this.owner = user;
    this.user = user;
    this.assignment = assignment;
    this.idleSinceMs = this.context.nowMs();
    this.givenMs = this.idleSinceMs;
    this.context.deadlines.set(this.limit, this.idleSinceMs + this.context.loadLimitMs);
    try {
      const directory = this.place(assignment.directory);
      this.writer.send(FRAME.load, 0, { ...assignment.loadHead, directory }, null);
      this.writer.flush();
    } catch (error) {
      const { message } = toError(error);
      queueMicrotask(() => this.failLoad({ name: "LoadFailed", message: `the release could not be read: ${message}`, stack: null }));
    }
  }

  /** Asks for the manifest of a bundle. */
  describe(
    asked: { bundle: string; entries: unknown; env: unknown },
    owner: InstanceOwner,
    onDescribed: (head: Readonly<Record<string, unknown>>) => void,
  ): void {
    const { bundle, entries, env } = asked;
    this.owner = owner;
    this.onDescribed = onDescribed;
    this.context.deadlines.set(this.limit, this.context.nowMs() + this.context.loadLimitMs);
    const directory = this.place(bundle);
    this.assignment = { fn: "", directory: bundle, loadHead: {} };
    this.writer.send(FRAME.manifest, 0, { directory, entries, env }, null);
  }

  /** Lays a release's code out and has it compiled; none of it runs. Throws when the release cannot be read. */
  prepare({ directory: bundle, entries, mostBytes }: Preparation): void {
    const directory = this.place(bundle);
    this.writer.send(FRAME.prepare, 0, { directory, entries, mostBytes }, null);
  }

  /** Has code caches made of a bundle's files, in its tmp. `onCompiled` is told how many. */
  compile(bundle: string, files: readonly string[], owner: InstanceOwner, onCompiled: (files: number) => void): void {
    this.owner = owner;
    this.context.deadlines.set(this.limit, this.context.nowMs() + this.context.loadLimitMs);
    const directory = this.place(bundle);
    this.assignment = { fn: "", directory: bundle, loadHead: {} };
    this.onCompiled = (head) => onCompiled(readNumber(head, "files"));
    this.writer.send(FRAME.compile, 0, { directory, files, out: this.folder.ownTmp }, null);
  }

  send(ticket: Ticket): void {
    const { call } = ticket;
    const nowMs = this.context.nowMs();
    this.lastNumber = (this.lastNumber % 0xffff_ffff) + 1;
    ticket.number = this.lastNumber;
    ticket.holder = this;
    ticket.phase = "running";
    ticket.beganMs = nowMs;
    this.tickets.set(ticket.number, ticket);
    this.log.printed.renew();
    this.gauge.callBegins(this.tickets.size, nowMs - this.idleSinceMs, nowMs);
    // The code is still loading: the call's time begins when it is loaded.
    if (this.loaded) this.context.deadlines.set(ticket, nowMs + call.timeoutMs);
    else this.context.deadlines.clear(ticket);
    if (call.kind === "http") sendHttp(this.writer, ticket, call);
    else if (!sendEvent(this.writer, ticket.number, call)) this.finish(ticket, { kind: "threw", error: EVENT_TOO_LARGE, ranMs: 0 });
  }

  /** Takes no more calls, finishes those it has, then goes. */
  retire(): void {
    if (this.retiring || this.ended) return;
    this.retiring = true;
    if (this.tickets.size === 0) this.leave();
  }

  /** Ends it now; calls still in flight were not to blame. */
  endNow(): void {
    this.dismissed = true;
    this.end({ kind: "ended" });
  }

  exceeded(beyond: Beyond): void {
    this.end({ kind: "beyond", beyond });
  }

  /** Of the calls that run, the one that began first. */
  get oldest(): { number: number; timeoutMs: number } | null {
    for (const { phase, number, call } of this.tickets.values()) if (phase !== "answering") return { number, timeoutMs: call.timeoutMs };
    return null;
  }

  ticketDue(ticket: Ticket): void {
    switch (ticket.phase) {
      case "running":
        ticket.phase = "aborting";
        this.writer.send(FRAME.abort, ticket.number, '{"reason":"timeout"}', null);
        this.context.deadlines.set(ticket, this.context.nowMs() + this.context.graceMs);
        break;
      case "aborting":
        this.end({ kind: "blocked" });
        break;
      case "overdue":
        // It was told and goes on: its code may do so for ever, in an instance that must not take others with it.
        this.retire();
        this.finish(ticket, this.timeoutOutcome(ticket));
        break;
      case "waiting":
      case "answering":
      case "over":
        break;
      default:
        ticket.phase satisfies never;
    }
  }

  clientLeft(ticket: Ticket): void {
    if (ticket.phase === "running" || ticket.phase === "answering")
      this.writer.send(FRAME.abort, ticket.number, '{"reason":"client"}', null);
  }

  // to the instance

  /** F4: nothing leaves before it has said which versions it speaks; then the one that was picked does, and what waited. */
  private speak(protocol: number): void {
    this.writer.flush();
    this.ready = true;
    this.writer.send(FRAME.speak, 0, { protocol }, null);
    this.writer.flush();
    for (const bytes of this.early.splice(0)) this.process.write(bytes);
  }

  private write(bytes: Buffer): void {
    if (this.ready) this.process.write(bytes);
    else this.early.push(bytes);
  }

  // from the instance

  private onBytes(reader: FrameReader, bytes: Buffer): void {
    if (this.ended) return;
    try {
      reader.push(bytes);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.end({ kind: "violation", message: error.message });
    }
  }

  private onFrame(frame: Frame): void {
    if (this.ended) return;
    switch (frame.type) {
      case FRAME.ready:
        this.onReady(frame.head);
        return;
      case FRAME.loaded:
        this.onLoaded(frame.head);
        return;
      case FRAME.described:
        this.context.deadlines.clear(this.limit);
        this.onDescribed?.(frame.head);
        return;
      case FRAME.compiled:
        this.context.deadlines.clear(this.limit);
        this.onCompiled?.(frame.head);
        return;
      case FRAME.loadReport:
        this.onReport(readNumber(frame.head, "utilisation"), readNumber(frame.head, "heapBytes"));
        return;
      case FRAME.log:
        this.log.onLine(frame);
        return;
      case FRAME.fatal:
        this.end({ kind: "fatal", number: frame.call, error: readError(frame.head["error"], this.folder.rename) });
        return;
      case FRAME.result:
      case FRAME.threw:
      case FRAME.started:
      case FRAME.read:
      case FRAME.responseChunk:
      case FRAME.requestCredit:
      case FRAME.aborted: {
        if (frame.call === 0 || frame.call > this.lastNumber)
          throw new ProtocolError(`a frame for call ${frame.call}, which was never made`);
        const ticket = this.tickets.get(frame.call);
        if (ticket !== undefined) this.onCallFrame(frame, ticket);
        return;
      }
      default:
        throw new ProtocolError(`frame type ${frame.type} is not for the node`);
    }
  }

  private onCallFrame(frame: Frame, ticket: Ticket): void {
    switch (frame.type) {
      case FRAME.result:
        this.onResult(frame, ticket);
        break;
      case FRAME.threw: {
        const error = withMemoryHint(readError(frame.head["error"], this.folder.rename), this.instanceClass.memoryBytes);
        if (ticket.phase === "answering") break;
        this.finish(ticket, ticket.phase === "running" ? { kind: "threw", error, ranMs: this.ranMs(ticket) } : this.timeoutOutcome(ticket));
        break;
      }
      case FRAME.started:
        ticket.beganMs = this.context.nowMs();
        ticket.call.started?.();
        break;
      case FRAME.read:
        // A call past its time reads nothing more: its transaction is over.
        if (ticket.phase === "running") void this.answerRead(ticket, frame.head);
        break;
      case FRAME.responseChunk:
        if (ticket.answer?.push(frame.body, frame.flags) === true) this.release(ticket);
        break;
      case FRAME.requestCredit:
        ticket.upload?.credit(readNumber(frame.head, "bytes"));
        break;
      case FRAME.aborted:
        if (ticket.phase !== "aborting") break;
        ticket.phase = "overdue";
        this.context.deadlines.set(ticket, this.context.nowMs() + this.context.graceMs);
        break;
      default:
        break;
    }
  }

  private async answerRead(ticket: Ticket, head: Readonly<Record<string, unknown>>): Promise<void> {
    try {
      const reply = await replyToRead(ticket.call, head);
      if (this.tickets.get(ticket.number) === ticket) this.writer.send(FRAME.reply, ticket.number, reply, null);
    } catch (error) {
      this.end({ kind: "violation", message: toError(error).message });
    }
  }

  private onReady(head: Readonly<Record<string, unknown>>): void {
    if (this.ready) throw new ProtocolError("ready twice");
    const { protocols } = head;
    const picked = pickVersion(protocols);
    if (picked === null)
      throw new ProtocolError(`protocol ${JSON.stringify(protocols)} is not spoken here, only ${SPOKEN_VERSIONS.join(", ")}`);
    this.process.confine?.();
    this.speak(picked);
    this.readyMs = this.context.nowMs();
    if (this.assignment === null) this.context.deadlines.clear(this.limit);
    this.owner.instanceReady(this);
  }

  private onLoaded(head: Readonly<Record<string, unknown>>): void {
    if (this.assignment === null || !this.ready || this.loaded) throw new ProtocolError("loaded without a load");
    if (head["error"] !== undefined) {
      this.failLoad(readError(head["error"], this.folder.rename));
      return;
    }
    this.loaded = true;
    this.loadedMs = this.context.nowMs();
    this.context.deadlines.clear(this.limit);
    for (const ticket of this.tickets.values()) {
      ticket.beganMs = this.loadedMs;
      this.context.deadlines.set(ticket, this.loadedMs + ticket.call.timeoutMs);
    }
    this.owner.instanceLoaded(this);
  }

  private onReport(utilisation: number, heapBytes: number): void {
    if (!this.loaded) return;
    const at = { running: this.running, loadedMs: this.loadedMs, nowMs: this.context.nowMs() };
    const report = this.gauge.report(utilisation, heapBytes, at);
    if (report !== null) this.user?.instanceReported(this, report);
  }

  private onResult(frame: Frame, ticket: Ticket): void {
    if (ticket.phase === "answering") return;
    if (ticket.phase !== "running") {
      this.finish(ticket, this.timeoutOutcome(ticket));
      return;
    }
    const effects = readEffects(frame.head);
    const ranMs = this.ranMs(ticket);
    if (ticket.call.kind === "event") {
      this.finish(ticket, { kind: "returned", effects, response: null, ranMs });
      return;
    }
    const head = readResponseHead(frame.head);
    if (frame.head["stream"] !== true) {
      this.finish(ticket, { kind: "returned", effects, response: { head, body: frame.body, discard: nothing }, ranMs });
      return;
    }
    const answer = this.openAnswer(ticket);
    ticket.settle({ kind: "returned", effects, response: { head, body: answer, discard: () => answer.discard() }, ranMs });
  }

  /** The handler is done and its time limit with it; its place is taken until the body has flowed. */
  private openAnswer(ticket: Ticket): AnswerStream {
    const send = (type: typeof FRAME.go | typeof FRAME.discard | typeof FRAME.responseCredit, head: string | null): void => {
      if (this.tickets.get(ticket.number) === ticket) this.writer.send(type, ticket.number, head, null);
    };
    const answer = new AnswerStream({
      go: () => send(FRAME.go, null),
      credit: (bytes) => send(FRAME.responseCredit, `{"bytes":${bytes}}`),
      discard: () => {
        send(FRAME.discard, null);
        this.release(ticket);
      },
    });
    ticket.answer = answer;
    ticket.phase = "answering";
    this.context.deadlines.clear(ticket);
    return answer;
  }

  /** Its streams are closed: later calls want an instance that has some. */
  private leaveFlooded(): false {
    this.retire();
    return false;
  }

  // ends

  private finish(ticket: Ticket, outcome: Outcome): void {
    this.detach(ticket);
    ticket.settle(outcome);
    this.afterCall();
  }

  /** The body of a streamed answer has flowed, or is not wanted. */
  private release(ticket: Ticket): void {
    if (this.tickets.get(ticket.number) !== ticket) return;
    this.detach(ticket);
    this.afterCall();
  }

  private detach(ticket: Ticket): void {
    this.log.callEnds(ticket);
    this.tickets.delete(ticket.number);
    this.context.deadlines.clear(ticket);
    ticket.close();
  }

  private afterCall(): void {
    this.gauge.endedCalls++;
    if (this.tickets.size === 0) {
      this.exclusive = false;
      this.idleSinceMs = this.context.nowMs();
      if (this.retiring) this.leave();
    }
    this.owner.instanceFreed(this);
  }

  private leave(): void {
    this.writer.send(FRAME.stop, 0, null, null);
    this.writer.flush();
    this.context.deadlines.set(this.limit, this.context.nowMs() + STOP_MS);
  }

  private failLoad(error: FunctionError): void {
    if (!this.ended) this.endWith({ kind: "ended" }, error);
  }

  private end(ending: Ending): void {
    if (this.ended) return;
    const failure = this.loaded || this.retiring ? null : loadFailure(ending, this.instanceClass.memoryBytes);
    this.endWith(ending, failure);
  }

  private endWith(ending: Ending, cause: FunctionError | null): void {
    const failure = cause === null ? null : this.named(cause);
    this.ended = true;
    this.context.deadlines.clear(this.limit);
    this.process.kill();
    const left = [...this.tickets.values()];
    const outcomes = left.map((ticket) => this.lastOutcome(ticket, left, ending, failure));
    for (const ticket of left) this.detach(ticket);
    this.owner.instanceEnded(this, failure, left.length);
    for (const [i, ticket] of left.entries()) {
      const outcome = outcomes[i];
      if (outcome === undefined || ticket.answer !== null)
        ticket.answer?.finish(new Error("the function's instance ended while its answer flowed"));
      else {
        if (left.length > 1) logOutput(ticket, ending, outcome);
        ticket.settle(outcome);
      }
    }
  }

  /** Whoever reads this may not know which code was loaded. */
  private named(error: FunctionError): FunctionError {
    const { fn = "", file } = this.assignment ?? {};
    return file === undefined ? error : { ...error, message: `${fn} (${file}) could not be loaded: ${error.message}` };
  }

  private lastOutcome(ticket: Ticket, all: readonly Ticket[], ending: Ending, failure: FunctionError | null): Outcome {
    if (failure !== null) return { kind: "not-run", reason: "load-failed", error: failure };
    const others = all.filter((other) => other !== ticket).map(inFlight);
    return { ...judge(ending, inFlight(ticket), others, this.instanceClass.memoryBytes), ranMs: this.ranMs(ticket) };
  }

  private onExit(exit: Exit): void {
    this.log.printed.flush();
    this.end({ kind: "gone", exit });
    this.context.directories.remove(this.folder.path);
  }

  private timeoutOutcome(ticket: Ticket): Outcome {
    return { kind: "timeout", error: timedOut(ticket.call.timeoutMs), ranMs: this.ranMs(ticket) };
  }

  private ranMs(ticket: Ticket): number {
    return this.context.nowMs() - ticket.beganMs;
  }

  /** Lays a release's code out in its folder. Throws when the release cannot be read. */
  private place(bundle: string): string {
    const { placed } = this.folder;
    if (placed !== null && placed !== bundle) {
      this.folder.clear();
      // What it has compiled of the other release is forgotten.
      this.writer.send(FRAME.prepare, 0, { directory: "", entries: [], mostBytes: 0 }, null);
    }
    return this.folder.place(bundle);
  }
}

function nothing(): void {}

function inFlight({ number, phase, call }: Ticket): InFlight {
  return { number, phase: phase === "waiting" || phase === "over" ? "running" : phase, timeoutMs: call.timeoutMs, kind: call.kind };
}

/** What the process printed on its way down belongs to the log of whoever may have caused it. (A call that was alone has it in its log already.) */
function logOutput({ call }: Ticket, ending: Ending, outcome: Outcome): void {
  if (ending.kind !== "gone" || outcome.kind !== "crashed" || outcome.blame === "bystander" || ending.exit.output === "") return;
  call.log("error", ending.exit.output, Date.now());
}
