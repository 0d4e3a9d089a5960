import type { Deps } from "../delivery/run.ts";
import type { Arrival, Member, NewEntry, Seq } from "../store/store.ts";
import { takeArrivals } from "./arrivals.ts";
import type { RunJournal } from "./run-journal.ts";
import { guardOf } from "./wait-guard.ts";

export interface News {
  readonly member: Member;
  readonly entries: readonly NewEntry[];
}

/** What has come for a run and is not in its journal yet. */
export class RunNews {
  private readonly run: Seq;
  private readonly journal: RunJournal;
  private readonly deps: Deps;
  private readonly inbox: Arrival[] = [];
  private readonly guards = new Map<string, ((json: string) => boolean) | null>();

  constructor(run: Seq, journal: RunJournal, deps: Deps) {
    this.run = run;
    this.journal = journal;
    this.deps = deps;
  }

  get isEmpty(): boolean {
    return this.inbox.length === 0;
  }

  add(arrivals: readonly Arrival[]): void {
    this.inbox.push(...arrivals);
  }

  /** Those that the store had; what came meanwhile is there already. */
  addStored(arrivals: readonly Arrival[]): void {
    const here = new Set(this.inbox.map(({ id }) => id));
    this.inbox.unshift(...arrivals.filter(({ id }) => !here.has(id)));
  }

  /** A wait's own condition, beside what the store compares. */
  guard(command: string, guard: ((json: string) => boolean) | null): void {
    this.guards.set(command, guard);
  }

  /** A person moved the run to other code. */
  releaseOrdered(): string | undefined {
    for (const { kind, value } of this.inbox.toReversed()) {
      if (kind !== "move" && kind !== "resume") continue;
      const { release } = JSON.parse(value) as { release?: string };
      if (release !== undefined) return release;
    }
    return undefined;
  }

  /** Runs that were there before this one called them tell it nothing of themselves. */
  async askWatched(): Promise<void> {
    for (const [command, { facts }] of this.journal.notes.open) {
      if (facts.watch === undefined) continue;
      const watched = await this.deps.store.run(facts.watch);
      if (watched !== null && watched.endedMs === null) continue;
      const value = JSON.stringify({ ok: watched?.state === "done", value: watched?.value ?? null });
      this.inbox.push({ id: ASKED, run: this.run, kind: "child", command, value, atMs: this.deps.clock.now() });
    }
  }

  /** What there is, and what has fallen due, as a change to the run; null when there is nothing. */
  take(deadlineMs: number | null): News | null {
    const { journal } = this;
    const nowMs = this.deps.clock.now();
    const release = this.releaseOrdered();
    const { entries, taken, closed } = takeArrivals(this.inbox.splice(0), {
      notes: journal.notes,
      nowMs,
      deadlineMs: journal.notes.stopped ? null : deadlineMs,
      admits: (command, json) => this.admits(command, json),
    });
    if (entries.length === 0 && taken.length === 0) return null;
    const placed = entries.map((entry) => ({ ...entry, pos: journal.nextPos() }));
    const member = journal.member(placed, nowMs, {
      ...(closed.length === 0 ? {} : { closed }),
      taken: taken.filter((id) => id !== ASKED),
      ...(release === undefined ? {} : { release }),
    });
    return { member, entries: placed };
  }

  private admits(command: string, json: string): boolean {
    let guard = this.guards.get(command);
    if (guard === undefined) {
      const open = this.journal.notes.open.get(command);
      guard = open === undefined ? null : guardOf(open.facts);
      this.guards.set(command, guard);
    }
    return guard === null || guard(json);
  }
}

/** The number of what did not arrive, but was asked for. */
const ASKED = 0;
