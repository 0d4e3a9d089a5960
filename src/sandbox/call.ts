import { MillraceError } from "../core/errors.ts";
import type { AnswerStream } from "./answer-stream.ts";
import { CallLog, type SendLog } from "./call-log.ts";
import { EffectLog } from "./effect-log.ts";
import { PendingReads, type SendRead } from "./pending-reads.ts";
import type { RequestBody } from "./request-body.ts";

/** The part of a call's head that both kinds share. */
export interface CallHead {
  readonly id: string;
  readonly attempt: number;
  readonly timeoutMs: number;
}

/** How a call talks to the node. */
export interface CallPort {
  readonly log: SendLog;
  readonly read: SendRead;
  /** Numbers the reads of several transactions that share a call. */
  readonly number?: () => number;
}

/**
 * `running`: the handler is at work, its effects count. `aborted`: the node has given the call up; the handler may still
 * be at work, but whatever it does is refused. `streaming`: the transaction ended, the answer flows. `ended`: nothing more
 * will be sent for it.
 */
type CallState = "running" | "aborted" | "streaming" | "ended";

/** One call, from its frame to its last one. What few calls need is made when it is first asked for. */
export class Call {
  readonly number: number;
  readonly head: CallHead;
  readonly startedMs = Date.now();
  state: CallState = "running";
  /** Called once, when nothing more can be sent for it. */
  onEnd: () => void = nothing;
  requestBody: RequestBody | null = null;
  stream: AnswerStream | null = null;
  private readonly port: CallPort;
  private lazyLog: CallLog | null = null;
  private lazyEffects: EffectLog | null = null;
  private lazyReads: PendingReads | null = null;
  private controller: AbortController | null = null;
  private abortReason: Error | null = null;

  constructor(number: number, head: CallHead, port: CallPort) {
    this.number = number;
    this.head = head;
    this.port = port;
  }

  get log(): CallLog {
    return (this.lazyLog ??= new CallLog(this.port.log));
  }

  get effects(): EffectLog {
    return (this.lazyEffects ??= new EffectLog());
  }

  get reads(): PendingReads {
    return (this.lazyReads ??= new PendingReads(this.port.read, this.port.number));
  }

  get hasRead(): boolean {
    return this.lazyReads?.asked === true;
  }

  /** The JSON of what the call did, or null when it did nothing. */
  get effectsJson(): string | null {
    return this.lazyEffects === null || this.lazyEffects.isEmpty ? null : this.lazyEffects.toJson();
  }

  get signal(): AbortSignal {
    if (this.controller === null) {
      this.controller = new AbortController();
      if (this.abortReason !== null) this.controller.abort(this.abortReason);
    }
    return this.controller.signal;
  }

  /** Refuses effects of a transaction that has ended: they could no longer be part of it. */
  readonly guard = (what: string): void => {
    if (this.state === "running") return;
    if (this.abortReason !== null)
      throw new MillraceError("effect_after_end", `${what} after the call was given up: ${this.abortReason.message}`, {
        cause: this.abortReason,
      });
    throw new MillraceError("effect_after_end", `${what} after the call had ended: the transaction was over`);
  };

  abort(reason: Error): void {
    this.abortReason = reason;
    if (this.state === "running") this.state = "aborted";
    this.controller?.abort(reason);
    this.lazyReads?.refuse(reason);
    this.stream?.discard();
  }

  get abortedBecause(): Error | null {
    return this.abortReason;
  }

  /** The transaction is over, whatever still runs. */
  close(next: "streaming" | "ended"): void {
    // The last lines still belong to the call.
    if (next === "ended") this.lazyLog?.end();
    const ends = next === "ended" && this.state !== "ended";
    this.state = next;
    this.lazyReads?.refuse(new MillraceError("effect_after_end", "the call had ended before this read was answered"));
    if (ends) this.onEnd();
  }
}

function nothing(): void {}
