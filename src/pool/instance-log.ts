import type { TransientMap } from "../core/index.ts";
import type { Frame, LogLevel } from "../protocol/index.ts";
import type { StrayLog } from "./instance-roles.ts";
import { PrintedLines } from "./printed-lines.ts";
import type { Ticket } from "./ticket.ts";
import { readLogLevel, readNumber } from "./wire.ts";

export interface InstanceLogContext {
  readonly tickets: Pick<TransientMap<number, Ticket>, "get" | "size" | "values">;
  /** The function that runs there, if it has one. */
  readonly fn: () => string | null;
  /** Paths as people know them. */
  readonly rename: (text: string) => string;
  readonly onStray: StrayLog;
}

/** Finds the call that a line belongs to. */
export class InstanceLog {
  readonly printed = new PrintedLines((level, line) => this.onPrinted(level, line));
  /** The call that ended last: what is printed after it is most likely its own. */
  private lastCallId: string | null = null;
  private readonly context: InstanceLogContext;

  constructor(context: InstanceLogContext) {
    this.context = context;
  }

  /** A line that names its call, which may be over. */
  onLine({ head, body, call }: Frame): void {
    const { tickets, rename } = this.context;
    const level = readLogLevel(head);
    const atMs = readNumber(head, "atMs");
    const text = rename(body.toString("utf8"));
    const ticket = tickets.get(call);
    if (ticket !== undefined) {
      ticket.call.log(level, text, atMs);
      return;
    }
    const { invocation } = head;
    this.stray(level, text, atMs, typeof invocation === "string" ? invocation.slice(0, 64) : null);
  }

  callEnds(ticket: Ticket): void {
    this.printed.flush();
    this.lastCallId = ticket.call.id;
  }

  /** What came over a standard stream names no call: it is that of the only one there is, or of the last there was. */
  private onPrinted(level: LogLevel, line: string): void {
    const { tickets, rename } = this.context;
    const text = rename(line);
    const atMs = Date.now();
    const [ticket] = tickets.values();
    if (ticket !== undefined && tickets.size === 1) ticket.call.log(level, text, atMs);
    else this.stray(level, text, atMs, ticket === undefined ? this.lastCallId : null);
  }

  private stray(level: LogLevel, text: string, atMs: number, invocation: string | null): void {
    this.context.onStray({ fn: this.context.fn(), invocation, level, text, atMs });
  }
}
