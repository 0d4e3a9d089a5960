import type { CancelFacts } from "../protocol/journal.ts";
import { CANCEL_ON } from "../delivery/new-run.ts";
import type { Arrival, NewEntry } from "../store/store.ts";
import type { JournalNotes, OpenCommand } from "./journal-notes.ts";
import { commandParts } from "./run-entries.ts";

/** What arrivals and the time come to in the journal. */
export interface Taken {
  /** Without their positions, in their order. */
  readonly entries: readonly Omit<NewEntry, "pos">[];
  /** Arrivals that need not be kept. */
  readonly taken: readonly number[];
  /** Commands that wait for nothing more. */
  readonly closed: readonly string[];
}

export interface TakingFacts {
  readonly notes: JournalNotes;
  readonly nowMs: number;
  readonly deadlineMs: number | null;
  /** Whether a wait's event is one that it wants. */
  readonly admits: (command: string, json: string) => boolean;
}

interface Happening {
  readonly atMs: number;
  readonly take: () => void;
}

/**
 * What has come for a run, and what has fallen due, as completions in the order in which it happened: whoever asks again before they are
 * committed gets the same order.
 */
export function takeArrivals(arrivals: readonly Arrival[], facts: TakingFacts): Taken {
  const taking = new Taking(facts);
  const happenings: Happening[] = arrivals.map((arrival) => ({ atMs: arrival.atMs, take: () => taking.arrival(arrival) }));
  const { notes, nowMs, deadlineMs } = facts;
  for (const [command, { dueMs }] of notes.open)
    if (dueMs !== null && dueMs <= nowMs) happenings.push({ atMs: dueMs, take: () => taking.due(command) });
  if (deadlineMs !== null && deadlineMs <= nowMs) happenings.push({ atMs: deadlineMs, take: () => taking.deadline() });
  happenings.sort((a, b) => a.atMs - b.atMs);
  for (const { take } of happenings) take();
  return taking;
}

/** The facts of a `run "cancel"` entry, and its name. */
export function stopEntry(name: "cancel" | "deadline", facts: CancelFacts): Omit<NewEntry, "pos"> {
  return { verb: "run", name, number: 1, phase: "failed", attempt: 0, ranMs: 0, value: JSON.stringify(facts) };
}

class Taking implements Taken {
  readonly entries: Omit<NewEntry, "pos">[] = [];
  readonly taken: number[] = [];
  readonly closed: string[] = [];
  private readonly facts: TakingFacts;
  private readonly done = new Set<string>();
  private stopped: boolean;

  constructor(facts: TakingFacts) {
    this.facts = facts;
    this.stopped = facts.notes.stopped;
  }

  arrival(arrival: Arrival): void {
    this.taken.push(arrival.id);
    const { command, value } = arrival;
    switch (arrival.kind) {
      case "event":
        if (command.startsWith(CANCEL_ON)) this.cancelledBy(command, value);
        else this.event(command, value);
        return;
      case "answer":
      case "child":
        this.outcome(command, value);
        return;
      case "cancel":
        this.stop("cancel", JSON.parse(value) as CancelFacts);
        return;
      case "resume":
        this.resume(value);
        return;
      case "signal":
        this.signal(command, value);
        return;
      case "move":
        return;
      default:
        arrival.kind satisfies never;
    }
  }

  /** A sleep is over, or nobody answered in time. */
  due(command: string): void {
    const open = this.take(command);
    if (open !== null) this.entries.push(completion(open, "done", open.verb === "sleep" ? "~" : null));
  }

  deadline(): void {
    this.stop("deadline", { reason: "its deadline has passed", rollback: true, failed: true });
  }

  private event(command: string, value: string): void {
    const { seq, json } = JSON.parse(value) as { seq: number; json: string };
    if (!this.facts.admits(command, json)) return;
    const open = this.take(command);
    if (open !== null) this.entries.push(completion(open, "done", `{"seq":${seq},"event":${json}}`));
  }

  private outcome(command: string, value: string): void {
    const open = this.take(command);
    if (open === null) return;
    const outcome = JSON.parse(value) as { ok: boolean; value: string | null };
    this.entries.push(completion(open, outcome.ok ? "done" : "failed", outcome.value));
  }

  private cancelledBy(command: string, value: string): void {
    const { json } = JSON.parse(value) as { json: string };
    const { type, id } = JSON.parse(json) as { type: string; id: string };
    this.stop("cancel", { reason: `by the event ${type} (${id})`, rollback: command.endsWith("rollback") });
  }

  private stop(name: "cancel" | "deadline", facts: CancelFacts): void {
    if (this.stopped) return;
    this.stopped = true;
    this.entries.push(stopEntry(name, facts));
  }

  private resume(value: string): void {
    const { exhausted } = this.facts.notes;
    if (exhausted === null || this.done.has(exhausted.command)) return;
    this.done.add(exhausted.command);
    const { result } = JSON.parse(value) as { result?: string };
    const command = commandParts(exhausted.command);
    const facts = { ...command, attempt: exhausted.attempt, ranMs: 0 };
    this.entries.push(result === undefined ? { ...facts, phase: "resumed", value: null } : { ...facts, phase: "done", value: result });
  }

  /** For a wait that is open; else it is kept for the next of its name. */
  private signal(wait: string, data: string): void {
    for (const [command, open] of this.facts.notes.open) {
      if (open.verb !== "wait" || open.name !== wait || this.done.has(command)) continue;
      this.take(command);
      this.entries.push(completion(open, "done", signalValue(data, wait, null)));
      return;
    }
    this.entries.push({
      verb: "run",
      name: "signal",
      number: 1,
      phase: "opened",
      attempt: 0,
      ranMs: 0,
      value: JSON.stringify({ wait, data }),
    });
  }

  private take(command: string): OpenCommand | null {
    const open = this.facts.notes.open.get(command);
    if (open === undefined || this.done.has(command)) return null;
    this.done.add(command);
    if (open.verb === "wait" || open.verb === "answer") this.closed.push(command);
    return open;
  }
}

/** What a wait gets that was ended by a signal: an event of the platform's. `pos`: where the journal keeps the signal. */
export function signalValue(data: string, wait: string, pos: number | null): string {
  const event = { specversion: "1.0", id: wait, source: "/millrace/signals", type: "millrace.signal" };
  const text = `${JSON.stringify(event).slice(0, -1)},"data":${data}}`;
  return `{"seq":0${pos === null ? "" : `,"signal":${pos}`},"event":${text}}`;
}

function completion({ verb, name, number }: OpenCommand, phase: "done" | "failed", value: string | null): Omit<NewEntry, "pos"> {
  return { verb, name, number, phase, attempt: 0, ranMs: 0, value };
}
