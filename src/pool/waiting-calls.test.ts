import { describe, expect, it } from "vitest";
import { eventCall, httpCall } from "./testing-support/scripted-instance.ts";
import { CallTicket, type TicketHolder } from "./ticket.ts";
import { WaitingCalls } from "./waiting-calls.ts";

const NOBODY: TicketHolder = { ticketDue: () => {}, clientLeft: () => {} };
const event = (id: string, enteredMs = 0): CallTicket => new CallTicket(eventCall("f", { id }), NOBODY, enteredMs, () => {});
const http = (id: string, enteredMs = 0): CallTicket => new CallTicket(httpCall("f", { id }), NOBODY, enteredMs, () => {});

function drain(waiting: WaitingCalls): string {
  const ids: string[] = [];
  for (let ticket = waiting.shift(); ticket !== null; ticket = waiting.shift()) ids.push(ticket.call.id);
  return ids.join(" ");
}

describe("calls that wait", () => {
  it("Q8: events and HTTP calls take turns, each in the order in which they came", () => {
    const waiting = new WaitingCalls();
    for (const id of ["h1", "h2", "h3", "h4"]) waiting.push(http(id));
    for (const id of ["e1", "e2"]) waiting.push(event(id));
    expect(drain(waiting)).toBe("h1 e1 h2 e2 h3 h4");
  });

  it("Q1: of one kind alone nothing waits for a turn", () => {
    const waiting = new WaitingCalls();
    for (const id of ["e1", "e2", "e3"]) waiting.push(event(id));
    expect(drain(waiting)).toBe("e1 e2 e3");
    expect(waiting.size).toBe(0);
  });

  it("S9: knows since when the first has waited, of those that have not given up", () => {
    const waiting = new WaitingCalls();
    expect(waiting.sinceMs).toBeNull();
    const [first, second] = [http("h", 5), event("e", 7)];
    waiting.push(first);
    waiting.push(second);
    expect(waiting.sinceMs).toBe(5);
    first.close();
    waiting.gaveUp(first);
    expect(waiting.sinceMs).toBe(7);
    expect([waiting.size, waiting.sizeBefore(first), waiting.sizeBefore(second)]).toEqual([1, 0, 1]);
  });
});
