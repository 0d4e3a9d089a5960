import type { Ticket } from "./ticket.ts";
import { TicketQueue } from "./ticket-queue.ts";

/**
 * The calls of one function that wait for room. Events and HTTP calls have a line each and take turns: in one line a flood of
 * requests would keep the function's events out, and a backlog its callers.
 */
export class WaitingCalls {
  private readonly lines = { event: new TicketQueue(), http: new TicketQueue() };
  private turn: "event" | "http" = "http";

  get size(): number {
    return this.lines.event.size + this.lines.http.size;
  }

  sizeOf(kind: "event" | "http"): number {
    return this.lines[kind].size;
  }

  /** Since when the one that came first has waited; null when none does. */
  get sinceMs(): number | null {
    const { event, http } = this.lines;
    const [one, other] = [event.first()?.enteredMs ?? null, http.first()?.enteredMs ?? null];
    return one === null || other === null ? (one ?? other) : Math.min(one, other);
  }

  push(ticket: Ticket): void {
    this.lines[ticket.call.kind].push(ticket);
  }

  shift(): Ticket | null {
    const { turn } = this;
    this.turn = turn === "http" ? "event" : "http";
    return this.lines[turn].shift() ?? this.lines[this.turn].shift();
  }

  /** The ticket, already `over`, waits no more. */
  gaveUp(ticket: Ticket): void {
    this.lines[ticket.call.kind].gaveUp();
  }

  takeAll(): Ticket[] {
    return [...this.lines.http.takeAll(), ...this.lines.event.takeAll()];
  }
}
