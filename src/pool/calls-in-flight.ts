import { toError, type TransientMap } from "../core/index.ts";
import { type Frame, FRAME, type FrameWriter, ProtocolError } from "../protocol/index.ts";
import { AnswerStream } from "./answer-stream.ts";
import { type Ending, timedOut, withMemoryHint } from "./blame.ts";
import { EVENT_TOO_LARGE, replyToRead, sendEvent, sendHttp, sendRun } from "./call-frames.ts";
import type { Deadlines } from "./deadlines.ts";
import type { InstanceLog } from "./instance-log.ts";
import { lastOutcomes, logOutput, type Loss } from "./last-outcomes.ts";
import type { LoopGauge } from "./loop-gauge.ts";
import type { Unfinished } from "./pool.ts";
import { RunWire } from "./run-wire.ts";
import { CallTicket, RunTicket, type Ticket, type TicketHolder } from "./ticket.ts";
import type { Oldest } from "./usage-watch.ts";
import { readEffects, readError, readNumber, readResponseHead, readRunMessage } from "./wire.ts";

/** The instance, as its calls know it. */
export interface CallsHost {
  /** Its code runs, and with it the time of its calls. */
  readonly loaded: boolean;
  readonly idleSinceMs: number;
  callEnded(): void;
  retire(): void;
  end(ending: Ending): void;
  /** As somebody from outside might. */
  kill(): void;
}

export interface CallsContext {
  readonly tickets: TransientMap<number, Ticket>;
  readonly host: CallsHost;
  readonly writer: FrameWriter;
  readonly deadlines: Deadlines;
  readonly nowMs: () => number;
  readonly graceMs: number;
  readonly memoryBytes: number;
  readonly rename: (text: string) => string;
  readonly log: InstanceLog;
  readonly gauge: LoopGauge;
}

/** The calls that one instance has: from the frame that hands one over to its outcome, or to the end of the instance. */
export class CallsInFlight implements TicketHolder {
  private readonly context: CallsContext;
  private readonly tickets: TransientMap<number, Ticket>;
  private lastNumber = 0;

  constructor(context: CallsContext) {
    this.context = context;
    this.tickets = context.tickets;
  }

  /** Of the calls that run, the one whose time began first. */
  get oldest(): Oldest | null {
    let oldest: Ticket | null = null;
    for (const ticket of this.tickets.values())
      if (ticket.phase !== "answering" && (oldest === null || ticket.sinceMs < oldest.sinceMs)) oldest = ticket;
    return oldest;
  }

  send(ticket: Ticket): void {
    const { host, log, gauge, deadlines, nowMs } = this.context;
    const atMs = nowMs();
    this.lastNumber = (this.lastNumber % 0xffff_ffff) + 1;
    ticket.number = this.lastNumber;
    ticket.holder = this;
    ticket.phase = "running";
    ticket.beganMs = atMs;
    this.tickets.set(ticket.number, ticket);
    log.printed.renew();
    gauge.callBegins(this.tickets.size, atMs - host.idleSinceMs, atMs);
    // The code is still loading: the call's time begins when it is loaded.
    if (host.loaded) this.begin(ticket, atMs);
    else deadlines.clear(ticket);
    if (!this.handOver(ticket)) this.fail(ticket, { kind: "threw", error: EVENT_TOO_LARGE, ranMs: 0 });
  }

  /** The code is loaded. */
  beginAll(nowMs: number): void {
    for (const ticket of this.tickets.values()) this.begin(ticket, nowMs);
  }

  onFrame(frame: Frame): void {
    const { type, call } = frame;
    if (call === 0 || call > this.lastNumber) throw new ProtocolError(`a frame for call ${call}, which was never made`);
    const ticket = this.tickets.get(call);
    if (ticket === undefined) return;
    switch (type) {
      case FRAME.threw:
        this.onThrew(frame, ticket);
        break;
      case FRAME.started:
        ticket.beganMs = this.context.nowMs();
        ticket.call.started?.();
        break;
      case FRAME.read:
        this.onRead(frame, ticket);
        break;
      case FRAME.aborted:
        if (ticket.phase !== "aborting") break;
        ticket.phase = "overdue";
        this.setGrace(ticket);
        break;
      default:
        if (ticket instanceof RunTicket) this.onRunFrame(frame, ticket);
        else this.onCallFrame(frame, ticket);
    }
  }

  ticketDue(ticket: Ticket): void {
    const { host, writer, deadlines, nowMs } = this.context;
    switch (ticket.phase) {
      case "running": {
        const dueAtMs = ticket.sinceMs + ticket.allowedMs;
        if (nowMs() < dueAtMs) {
          deadlines.set(ticket, dueAtMs);
          break;
        }
        ticket.phase = "aborting";
        writer.send(FRAME.abort, ticket.number, '{"reason":"timeout"}', null);
        this.setGrace(ticket);
        break;
      }
      case "aborting":
        host.end({ kind: "blocked" });
        break;
      case "overdue":
        // It was told and goes on: its code may do so for ever, in an instance that must not take others with it.
        host.retire();
        this.fail(ticket, this.timeoutOutcome(ticket));
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
      this.context.writer.send(FRAME.abort, ticket.number, '{"reason":"client"}', null);
  }

  /** The instance has ended. `told`: called when no call is in it any more, before their callers hear of it. */
  loseAll(loss: Omit<Loss, "memoryBytes" | "nowMs">, told: (lost: number) => void): void {
    const { memoryBytes, nowMs } = this.context;
    const left = [...this.tickets.values()];
    const outcomes = lastOutcomes(left, { ...loss, memoryBytes, nowMs: nowMs() });
    for (const ticket of left) this.detach(ticket);
    told(left.length);
    for (const [i, ticket] of left.entries()) {
      const answer = ticket instanceof CallTicket ? ticket.answer : null;
      const outcome = outcomes[i];
      if (outcome === undefined || answer !== null) answer?.finish(new Error("the function's instance ended while its answer flowed"));
      else {
        if (left.length > 1) logOutput(ticket, loss.ending, outcome);
        ticket.settle(outcome);
      }
    }
  }

  private handOver(ticket: Ticket): boolean {
    const { writer } = this.context;
    if (ticket instanceof RunTicket) {
      if (!sendRun(writer, ticket.number, ticket.call, this.context.nowMs() - ticket.enteredMs)) return false;
      ticket.call.begun(new RunWire(ticket, this.context));
      return true;
    }
    const { call } = ticket;
    if (call.kind === "event") return sendEvent(writer, ticket.number, call);
    sendHttp(writer, ticket, call);
    return true;
  }

  // from the instance

  private onCallFrame(frame: Frame, ticket: CallTicket): void {
    switch (frame.type) {
      case FRAME.result:
        this.onResult(frame, ticket);
        break;
      case FRAME.responseChunk:
        if (ticket.answer?.push(frame.body, frame.flags) === true) this.release(ticket);
        break;
      case FRAME.requestCredit:
        ticket.upload?.credit(readNumber(frame.head, "bytes"));
        break;
      default:
        throw new ProtocolError(`frame type ${frame.type} for a call that is no run`);
    }
  }

  private onRunFrame(frame: Frame, ticket: RunTicket): void {
    switch (frame.type) {
      case FRAME.open:
      case FRAME.step:
        // A run past its time does nothing more: what it was doing is tried again.
        if (ticket.phase !== "running") break;
        this.renew(ticket, ticket.call.timeoutMs);
        this.context.gauge.endedSteps++;
        ticket.call.onMessage(readRunMessage(frame));
        break;
      case FRAME.begin:
        if (ticket.phase === "running") ticket.call.onMessage(readRunMessage(frame));
        break;
      case FRAME.extend:
        if (ticket.phase === "running") this.renew(ticket, readNumber(frame.head, "ms") + ticket.call.timeoutMs);
        break;
      case FRAME.park:
        if (ticket.phase !== "running") this.fail(ticket, this.timeoutOutcome(ticket));
        else this.finish(ticket, { kind: "parked", head: frame.head, ranMs: this.ranMs(ticket) });
        break;
      case FRAME.result:
        if (ticket.phase !== "running") this.fail(ticket, this.timeoutOutcome(ticket));
        else this.finish(ticket, { kind: "finished", head: frame.head, value: frame.body.toString("utf8"), ranMs: this.ranMs(ticket) });
        break;
      default:
        throw new ProtocolError(`frame type ${frame.type} for a run`);
    }
  }

  private onThrew({ head }: Frame, ticket: Ticket): void {
    const { rename, memoryBytes } = this.context;
    const error = withMemoryHint(readError(head["error"], rename), memoryBytes);
    if (ticket.phase === "answering") return;
    this.fail(ticket, ticket.phase === "running" ? { kind: "threw", error, ranMs: this.ranMs(ticket) } : this.timeoutOutcome(ticket));
  }

  private onResult(frame: Frame, ticket: CallTicket): void {
    if (ticket.phase === "answering") return;
    if (ticket.phase !== "running") {
      this.fail(ticket, this.timeoutOutcome(ticket));
      return;
    }
    const { call } = ticket;
    const effects = readEffects(frame.head);
    const ranMs = this.ranMs(ticket);
    if (call.kind === "event") {
      const value = call.wantsResult === true ? { value: frame.body.toString("utf8") } : null;
      this.finish(ticket, { kind: "returned", effects, response: null, ...value, ranMs });
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
  private openAnswer(ticket: CallTicket): AnswerStream {
    const { writer, deadlines } = this.context;
    const send = (type: typeof FRAME.go | typeof FRAME.discard | typeof FRAME.responseCredit, head: string | null): void => {
      if (this.has(ticket)) writer.send(type, ticket.number, head, null);
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
    deadlines.clear(ticket);
    return answer;
  }

  private onRead({ head }: Frame, ticket: Ticket): void {
    // A call past its time reads nothing more: its transaction is over.
    if (ticket.phase !== "running") return;
    if (ticket instanceof RunTicket) this.renew(ticket, ticket.call.timeoutMs);
    void this.answerRead(ticket, head);
  }

  private async answerRead(ticket: Ticket, head: Frame["head"]): Promise<void> {
    try {
      const reply = await replyToRead(ticket.call, head);
      if (!this.has(ticket)) return;
      if (ticket instanceof RunTicket && ticket.phase === "running") this.renew(ticket, ticket.call.timeoutMs);
      this.context.writer.send(FRAME.reply, ticket.number, reply, null);
    } catch (error) {
      this.context.host.end({ kind: "violation", message: toError(error).message });
    }
  }

  // time

  private begin(ticket: Ticket, nowMs: number): void {
    ticket.begin(nowMs);
    this.context.deadlines.set(ticket, nowMs + ticket.allowedMs);
  }

  private renew(ticket: RunTicket, allowedMs: number): void {
    ticket.renew(this.context.deadlines, this.context.nowMs(), allowedMs);
  }

  private setGrace(ticket: Ticket): void {
    const { deadlines, nowMs, graceMs } = this.context;
    deadlines.set(ticket, nowMs() + graceMs);
  }

  private timeoutOutcome({ call: { kind }, allowedMs, beganMs }: Ticket): Unfinished {
    return { kind: "timeout", error: timedOut({ kind, allowedMs }), ranMs: this.context.nowMs() - beganMs };
  }

  private ranMs({ beganMs }: Ticket): number {
    return this.context.nowMs() - beganMs;
  }

  // ends

  private fail(ticket: Ticket, outcome: Unfinished): void {
    this.finish<Unfinished>(ticket, outcome);
  }

  private finish<O>(ticket: Ticket & { settle(outcome: O): void }, outcome: O): void {
    this.detach(ticket);
    ticket.settle(outcome);
    this.context.host.callEnded();
  }

  /** The body of a streamed answer has flowed, or is not wanted. */
  private release(ticket: Ticket): void {
    if (!this.has(ticket)) return;
    this.detach(ticket);
    this.context.host.callEnded();
  }

  private detach(ticket: Ticket): void {
    this.context.log.callEnds(ticket);
    this.tickets.delete(ticket.number);
    this.context.deadlines.clear(ticket);
    ticket.close();
  }

  private has(ticket: Ticket): boolean {
    return this.tickets.get(ticket.number) === ticket;
  }
}

function nothing(): void {}
