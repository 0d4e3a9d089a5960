import type { AttemptFacts } from "../protocol/journal.ts";
import type { JournalEntry, NewEntry, Seq } from "../store/store.ts";
import { commandOf, isCompletion } from "./run-entries.ts";

/** A command that the node completes, and has not yet. */
export interface OpenCommand {
  readonly verb: NewEntry["verb"];
  readonly name: string;
  readonly number: number;
  /** When time completes it; null: never. */
  readonly dueMs: number | null;
  readonly facts: OpenFacts;
}

/** What an `opened` entry keeps of its command. */
export interface OpenFacts {
  readonly dueMs?: number | null;
  /** Of a wait: what else the event must match. */
  readonly where?: readonly Readonly<Record<string, unknown>>[];
  readonly sql?: string | null;
  /** Of a call: the run that had its id before, whose end is asked for. */
  readonly watch?: Seq;
}

/** Sent to the run before it waited for it. */
export interface KeptSignal {
  readonly pos: number;
  readonly wait: string;
  readonly data: string;
}

/**
 * What the owner of a run must know of its journal to go on: the last position, what is open, what waits for its next attempt. All else
 * only passes through on its way to the instance.
 */
export class JournalNotes {
  lastPos = 0;
  lastCompletion = 0;
  /** Events with a higher number came after the last entry. */
  horizon: Seq;
  /** A cancellation or the deadline has been put into the journal. */
  stopped = false;
  readonly open = new Map<string, OpenCommand>();
  /** Steps that failed and are tried again then. */
  readonly retries = new Map<string, number>();
  /** The step that a person is to decide on. */
  exhausted: { readonly command: string; readonly attempt: number } | null = null;
  readonly signals: KeptSignal[] = [];

  constructor(since: Seq) {
    this.horizon = since;
  }

  read(entries: readonly JournalEntry[]): void {
    for (const entry of entries) this.add(entry, entry.atSeq);
  }

  /** `atSeq` null: it is not known yet. */
  add(entry: NewEntry, atSeq: Seq | null): void {
    this.lastPos = Math.max(this.lastPos, entry.pos);
    if (atSeq !== null) this.horizon = Math.max(this.horizon, atSeq);
    const command = commandOf(entry);
    if (entry.verb === "run") this.addOfRun(entry);
    else if (isCompletion(entry)) this.complete(entry, command);
    else if (entry.phase === "opened") this.addOpened(entry, command);
    else if (entry.phase === "attempt") this.addAttempt(entry, command);
    else {
      this.retries.delete(command);
      if (this.exhausted?.command === command) this.exhausted = null;
    }
    if (isCompletion(entry)) this.lastCompletion = entry.pos;
  }

  private addOfRun(entry: NewEntry): void {
    if (isCompletion(entry)) this.stopped = true;
    else if (entry.name === "signal") {
      const { wait, data } = JSON.parse(entry.value ?? "{}") as { wait: string; data: string };
      this.signals.push({ pos: entry.pos, wait, data });
    }
  }

  private complete(entry: NewEntry, command: string): void {
    this.open.delete(command);
    this.retries.delete(command);
    if (this.exhausted?.command === command) this.exhausted = null;
    const { verb, name, number, phase, value } = entry;
    if (verb === "callback" && phase === "done") {
      const facts = JSON.parse(value ?? "{}") as OpenFacts;
      this.open.set(commandOf({ verb: "answer", name, number }), { verb: "answer", name, number, dueMs: facts.dueMs ?? null, facts });
    }
    if (verb === "wait" && phase === "done" && value !== null) this.forgetSignal(value);
  }

  private forgetSignal(value: string): void {
    if (this.signals.length === 0) return;
    const { signal } = JSON.parse(value) as { signal?: number };
    const at = this.signals.findIndex(({ pos }) => pos === signal);
    if (at >= 0) this.signals.splice(at, 1);
  }

  private addOpened(entry: NewEntry, command: string): void {
    if (entry.verb === "map") return;
    const facts = JSON.parse(entry.value ?? "{}") as OpenFacts;
    const { verb, name, number } = entry;
    this.open.set(command, { verb, name, number, dueMs: facts.dueMs ?? null, facts });
  }

  private addAttempt(entry: NewEntry, command: string): void {
    const { dueMs } = JSON.parse(entry.value ?? "{}") as AttemptFacts;
    if (dueMs === null) {
      this.retries.delete(command);
      this.exhausted = { command, attempt: entry.attempt };
    } else this.retries.set(command, dueMs);
  }
}
