import type { JournalEntry } from "../../control/client/index.ts";

/** One attempt at a step or a rollback. */
export interface Attempt {
  readonly attempt: number;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly ranMs: number;
  /** Null: it succeeded. */
  readonly error: unknown;
}

/** What a run asked for by one call of a verb, and all that the journal says of it. */
export interface TimelineItem {
  /** Of its first entry. */
  readonly pos: number;
  readonly verb: JournalEntry["verb"];
  readonly name: string;
  readonly number: number;
  /** Given up: its run has ended without it. */
  readonly state: "open" | "done" | "failed" | "given up";
  readonly startedMs: number;
  readonly endedMs: number | null;
  /** While it is open: when it goes on by itself. */
  readonly dueMs: number | null;
  readonly attempts: readonly Attempt[];
  /** Time in an instance, all attempts together. */
  readonly ranMs: number;
  /** Its result, or its error. */
  readonly value: unknown;
  /** What was asked for. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** A person gave the result. */
  readonly byHand: boolean;
  /** All attempts have failed, and a person is to decide. */
  readonly exhausted: boolean;
  /** Of a map. */
  readonly items: MapCount | null;
}

export interface MapCount {
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  /** So many may fail, and it is done all the same. */
  readonly tolerated: number;
}

/**
 * The journal by what the run asked for, in the order of its asking. The steps of a map are one with it, and so is a callback with its
 * answer. `isOver`: the run has ended, and nothing of it goes on.
 */
export function timelineOf(journal: readonly JournalEntry[], isOver = false): readonly TimelineItem[] {
  const items = new Map<string, Item>();
  for (const entry of journal) {
    const verb = entry.verb === "answer" ? "callback" : entry.verb;
    const key = verb === "run" ? `run ${entry.pos}` : `${verb} ${entry.name} ${entry.number}`;
    let item = items.get(key);
    if (item === undefined) items.set(key, (item = new Item(entry, verb)));
    item.add(entry);
  }
  const all = withMaps([...items.values()]);
  if (isOver) for (const item of all) item.giveUp();
  return all;
}

class Item implements TimelineItem {
  readonly pos: number;
  readonly verb: JournalEntry["verb"];
  readonly name: string;
  readonly number: number;
  readonly attempts: Attempt[] = [];
  state: TimelineItem["state"] = "open";
  startedMs: number;
  endedMs: number | null = null;
  dueMs: number | null = null;
  ranMs = 0;
  value: unknown = null;
  facts: Readonly<Record<string, unknown>> = {};
  byHand = false;
  exhausted = false;
  items: { total: number; done: number; failed: number; tolerated: number } | null = null;
  /** Of a map: when the last of its steps so far ended. */
  private lastMs = 0;

  constructor({ pos, name, number, atMs, ranMs }: JournalEntry, verb: JournalEntry["verb"]) {
    this.pos = pos;
    this.verb = verb;
    this.name = name;
    this.number = number;
    // An attempt is written when it has ended.
    this.startedMs = atMs - ranMs;
  }

  add(entry: JournalEntry): void {
    switch (entry.phase) {
      case "opened":
        this.open(entry);
        return;
      case "attempt":
        this.attempt(entry);
        return;
      case "resumed":
        this.exhausted = false;
        return;
      case "done":
      case "failed":
        // A callback has been made; it is over when it is answered.
        if (entry.verb === "callback" && entry.phase === "done") this.open(entry);
        else this.complete(entry, entry.phase);
        return;
      default:
        entry.phase satisfies never;
    }
  }

  private open({ value, verb }: JournalEntry): void {
    this.facts = recordOf(value);
    this.dueMs = numberOf(this.facts["dueMs"]);
    const { total, tolerated } = this.facts;
    if (verb === "map") this.items = { total: numberOf(total) ?? 0, done: 0, failed: 0, tolerated: numberOf(tolerated) ?? 0 };
    // A run's own notes are over as soon as they are made.
    if (verb === "run") this.state = "done";
  }

  private attempt(entry: JournalEntry): void {
    const { error, dueMs } = recordOf(entry.value);
    this.addAttempt(entry, error ?? null);
    this.dueMs = numberOf(dueMs);
    this.exhausted = this.dueMs === null;
    this.value = error ?? null;
  }

  private complete(entry: JournalEntry, phase: "done" | "failed"): void {
    this.byHand = this.exhausted && phase === "done" && entry.ranMs === 0;
    if (entry.attempt > 0 && !this.byHand) this.addAttempt(entry, phase === "failed" ? entry.value : null);
    this.state = phase;
    this.endedMs = entry.atMs;
    this.dueMs = null;
    this.exhausted = false;
    this.value = entry.value;
  }

  private addAttempt({ attempt, atMs, ranMs }: JournalEntry, error: unknown): void {
    this.attempts.push({ attempt, startedMs: atMs - ranMs, endedMs: atMs, ranMs, error });
    this.ranMs += ranMs;
  }

  giveUp(): void {
    if (this.state !== "open") return;
    this.state = "given up";
    this.exhausted = false;
    this.dueMs = null;
  }

  /** A step that is one item of this map. */
  take(step: Item): void {
    if (this.items === null) return;
    if (step.state === "done" || step.state === "failed") this.items[step.state]++;
    this.ranMs += step.ranMs;
    this.attempts.push(...step.attempts);
    this.lastMs = Math.max(this.lastMs, step.endedMs ?? 0);
    if (this.items.done + this.items.failed < this.items.total) return;
    this.endedMs = this.lastMs;
    this.state = this.items.failed <= this.items.tolerated ? "done" : "failed";
  }

  endEmpty(): void {
    if (this.items?.total !== 0) return;
    this.state = "done";
    this.endedMs = this.startedMs;
  }
}

/** The steps of a map bear its name, and come after it: of several maps of that name, they are the latest one's that has room. */
function withMaps(all: readonly Item[]): readonly Item[] {
  const maps = all.filter(({ verb }) => verb === "map");
  if (maps.length === 0) return all;
  const room = new Map(maps.map((map) => [map, map.items?.total ?? 0]));
  const inMaps = new Set<Item>();
  for (const step of all) {
    if (step.verb !== "step") continue;
    const map = maps.findLast((each) => each.name === step.name && each.pos < step.pos && (room.get(each) ?? 0) > 0);
    if (map === undefined) continue;
    room.set(map, (room.get(map) ?? 0) - 1);
    map.take(step);
    inMaps.add(step);
  }
  for (const map of maps) map.endEmpty();
  return all.filter((item) => !inMaps.has(item));
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
