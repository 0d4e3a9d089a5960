import type { AnswerStream } from "./answer-stream.ts";
import { Deadline, type Deadlines } from "./deadlines.ts";
import type { Call, Outcome, RunCall, RunOutcome } from "./pool.ts";
import type { Upload } from "./upload.ts";

/**
 * waiting → running → over, with two ways aside: past its time a call is `aborting` until the instance has heard of it,
 * then `overdue` for the rest of the grace; and `answering` while a streamed answer flows (its outcome is known by then).
 */
export type TicketPhase = "waiting" | "running" | "aborting" | "overdue" | "answering" | "over";

/** Where a call is: in a function's queue or in an instance. */
export interface TicketHolder {
  ticketDue(ticket: Ticket): void;
  /** The client went away. */
  clientLeft(ticket: Ticket): void;
}

export type Ticket = CallTicket | RunTicket;

/** A call from its arrival to its outcome. One object a call, and it is its own timer entry: this is the hot path. */
abstract class TicketBase extends Deadline {
  readonly enteredMs: number;
  phase: TicketPhase = "waiting";
  holder: TicketHolder;
  /** The number within the instance's connection. */
  number = 0;
  beganMs = 0;

  constructor(holder: TicketHolder, enteredMs: number) {
    super();
    this.holder = holder;
    this.enteredMs = enteredMs;
  }
}

/** An event or a request. */
export class CallTicket extends TicketBase {
  readonly call: Call;
  upload: Upload | null = null;
  answer: AnswerStream | null = null;
  private readonly resolve: (outcome: Outcome) => void;
  private readonly onAbort: (() => void) | null = null;

  constructor(call: Call, holder: TicketHolder, enteredMs: number, resolve: (outcome: Outcome) => void) {
    super(holder, enteredMs);
    this.call = call;
    this.resolve = resolve;
    if (call.kind === "http" && call.signal !== null) {
      this.onAbort = () => this.holder.clientLeft(this);
      call.signal.addEventListener("abort", this.onAbort, { once: true });
    }
  }

  /** Since when its time runs, and how much of it there is. */
  get sinceMs(): number {
    return this.beganMs;
  }

  get allowedMs(): number {
    return this.call.timeoutMs;
  }

  onDue(): void {
    this.holder.ticketDue(this);
  }

  begin(nowMs: number): void {
    this.beganMs = nowMs;
  }

  /** Tells the caller how it ended; a streamed answer may still flow afterwards. */
  settle(outcome: Outcome): void {
    this.resolve(outcome);
  }

  /** Nothing more will come of it. */
  close(): void {
    this.phase = "over";
    this.upload?.stop();
    if (this.onAbort !== null && this.call.kind === "http") this.call.signal?.removeEventListener("abort", this.onAbort);
  }
}

/** One activation of a run. */
export class RunTicket extends TicketBase {
  readonly call: RunCall;
  /** Its last frame, either way: its time runs from there (F15). Infinity: it has not begun. */
  sinceMs = Infinity;
  allowedMs: number;
  private readonly resolve: (outcome: RunOutcome) => void;

  constructor(call: RunCall, holder: TicketHolder, enteredMs: number, resolve: (outcome: RunOutcome) => void) {
    super(holder, enteredMs);
    this.call = call;
    this.allowedMs = call.timeoutMs;
    this.resolve = resolve;
  }

  onDue(): void {
    this.holder.ticketDue(this);
  }

  begin(nowMs: number): void {
    this.beganMs = nowMs;
    this.sinceMs = nowMs;
  }

  /**
   * A frame came or went, and its time begins anew (F15). At 80,000 frames a second the timer is left where it stands, which is
   * too early: when it comes, it is set to what is left.
   */
  renew(deadlines: Deadlines, nowMs: number, allowedMs: number): void {
    if (this.sinceMs === Infinity) return;
    this.sinceMs = nowMs;
    this.allowedMs = allowedMs;
    if (this.dueAtMs > nowMs + allowedMs) deadlines.set(this, nowMs + allowedMs);
  }

  settle(outcome: RunOutcome): void {
    this.resolve(outcome);
  }

  close(): void {
    this.phase = "over";
  }
}
