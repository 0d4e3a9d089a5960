import type { Ticket } from "./ticket.ts";

const COMPACT_AT = 1024;

/** First come, first served. A ticket that gave up waiting (`over`) stays in its place and is skipped. */
export class TicketQueue {
  private tickets: Ticket[] = [];
  private head = 0;
  /** How many really wait. */
  size = 0;

  push(ticket: Ticket): void {
    this.tickets.push(ticket);
    this.size++;
  }

  shift(): Ticket | null {
    while (this.head < this.tickets.length) {
      const ticket = this.tickets[this.head++];
      if (this.head >= COMPACT_AT && this.head * 2 > this.tickets.length) this.compact();
      if (ticket === undefined || ticket.phase === "over") continue;
      this.size--;
      return ticket;
    }
    this.compact();
    return null;
  }

  /** The one that has waited longest. */
  first(): Ticket | null {
    for (; this.head < this.tickets.length; this.head++) {
      const ticket = this.tickets[this.head];
      if (ticket !== undefined && ticket.phase !== "over") return ticket;
    }
    return null;
  }

  /** The ticket, already `over`, waits no more. */
  gaveUp(): void {
    this.size--;
    if (this.size === 0) {
      this.tickets = [];
      this.head = 0;
    }
  }

  takeAll(): Ticket[] {
    const all = this.tickets.slice(this.head).filter(({ phase }) => phase !== "over");
    this.tickets = [];
    this.head = 0;
    this.size = 0;
    return all;
  }

  private compact(): void {
    this.tickets = this.tickets.slice(this.head);
    this.head = 0;
  }
}
