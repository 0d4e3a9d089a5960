import type { AnswerStream } from "./answer-stream.ts";
import { Deadline } from "./deadlines.ts";
import type { Call, Outcome } from "./pool.ts";
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

/** A call from its arrival to its outcome. One object a call, and it is its own timer entry: this is the hot path. */
export class Ticket extends Deadline {
  readonly call: Call;
  readonly enteredMs: number;
  phase: TicketPhase = "waiting";
  holder: TicketHolder;
  /** The number within the instance's connection. */
  number = 0;
  beganMs = 0;
  upload: Upload | null = null;
  answer: AnswerStream | null = null;
  private readonly resolve: (outcome: Outcome) => void;
  private readonly onAbort: (() => void) | null = null;

  constructor(call: Call, holder: TicketHolder, enteredMs: number, resolve: (outcome: Outcome) => void) {
    super();
    this.call = call;
    this.holder = holder;
    this.enteredMs = enteredMs;
    this.resolve = resolve;
    if (call.kind === "http" && call.signal !== null) {
      this.onAbort = () => this.holder.clientLeft(this);
      call.signal.addEventListener("abort", this.onAbort, { once: true });
    }
  }

  onDue(): void {
    this.holder.ticketDue(this);
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
