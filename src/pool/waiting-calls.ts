import type { Ticket } from "./ticket.ts";
import { TicketQueue } from "./ticket-queue.ts";

/** Nobody waits for a run as a client waits for an answer. */
type Line = "event" | "http";

/**
 * The calls of one function that wait for room. Events (and runs) and HTTP calls have a line each and take turns: in one line a flood
 * of requests would keep the function's events out, and a backlog its callers.
 */
export class WaitingCalls {
  private readonly lines = { event: new TicketQueue(), http: new TicketQueue() };
  private turn: Line = "http";

  get size(): number {
    return this.lines.event.size + this.lines.http.size;
  }

  /** How many wait that would stand in line before this one. */
  sizeBefore(ticket: Ticket): number {
    return this.lines[lineOf(ticket)].size;
  }

  /** Since when the one that came first has waited; null when none does. */
  get sinceMs(): number | null {
    const { event, http } = this.lines;
    const [one, other] = [event.first()?.enteredMs ?? null, http.first()?.enteredMs ?? null];
    return one === null || other === null ? (one ?? other) : Math.min(one, other);
  }

  push(ticket: Ticket): void {
    this.lines[lineOf(ticket)].push(ticket);
  }

  shift(): Ticket | null {
    const { turn } = this;
    this.turn = turn === "http" ? "event" : "http";
    return this.lines[turn].shift() ?? this.lines[this.turn].shift();
  }

  /** The ticket, already `over`, waits no more. */
  gaveUp(ticket: Ticket): void {
    this.lines[lineOf(ticket)].gaveUp();
  }

  takeAll(): Ticket[] {
    return [...this.lines.http.takeAll(), ...this.lines.event.takeAll()];
  }
}

function lineOf({ call }: Ticket): Line {
  return call.kind === "http" ? "http" : "event";
}
