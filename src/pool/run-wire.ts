import { FLAG_LAST, FRAME, type FrameWriter } from "../protocol/index.ts";
import type { Deadlines } from "./deadlines.ts";
import type { RunLink } from "./pool.ts";
import type { RunTicket } from "./ticket.ts";

export interface RunWireContext {
  readonly writer: FrameWriter;
  readonly deadlines: Deadlines;
  readonly nowMs: () => number;
  readonly host: { kill(): void };
}

/** Writes to a run in its instance, while its time is not over. Heads are put together by hand: one for each step of all runs. */
export class RunWire implements RunLink {
  private readonly ticket: RunTicket;
  private readonly writer: FrameWriter;
  private readonly deadlines: Deadlines;
  private readonly nowMs: () => number;
  private readonly killInstance: () => void;

  constructor(ticket: RunTicket, { writer, deadlines, nowMs, host }: RunWireContext) {
    this.killInstance = () => host.kill();
    this.ticket = ticket;
    this.writer = writer;
    this.deadlines = deadlines;
    this.nowMs = nowMs;
  }

  entries(json: string, live: boolean): void {
    if (this.open()) this.writer.send(FRAME.entries, this.ticket.number, null, json, live ? FLAG_LAST : 0);
  }

  begin(): void {
    if (this.open()) this.writer.send(FRAME.kept, this.ticket.number, '{"step":0,"pos":0,"atMs":0}', null);
  }

  kept(step: number, pos: number, atMs: number): void {
    if (this.open()) this.writer.send(FRAME.kept, this.ticket.number, `{"step":${step},"pos":${pos},"atMs":${atMs}}`, null);
  }

  again(step: number, conflict: boolean): void {
    if (this.open()) this.writer.send(FRAME.again, this.ticket.number, `{"step":${step}${conflict ? ',"conflict":true}' : "}"}`, null);
  }

  drop(): void {
    if (this.open()) this.writer.send(FRAME.abort, this.ticket.number, '{"reason":"dropped"}', null);
  }

  kill(): void {
    if (this.ticket.phase === "running") this.killInstance();
  }

  private open(): boolean {
    const { ticket } = this;
    if (ticket.phase !== "running") return false;
    ticket.renew(this.deadlines, this.nowMs(), ticket.call.timeoutMs);
    return true;
  }
}
