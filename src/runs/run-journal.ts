import { newId } from "../core/ids.ts";
import type { RunLink } from "../pool/pool.ts";
import type { JournalEntry, JournalPage, Member, NewEntry, RunChange, RunMove, Seq, Store } from "../store/store.ts";
import { JournalNotes } from "./journal-notes.ts";
import { told, toldAll } from "./run-entries.ts";

/** A page of the journal on its way to the instance. */
export const PAGE_BYTES = 1024 * 1024;
const MOST_KEPT_BYTES = 4 * PAGE_BYTES;

export interface RunJournalDeps {
  readonly run: Seq;
  /** Of the event that began it: what came later may be waited for. */
  readonly since: Seq;
  readonly epoch: number;
  readonly store: Store;
}

/** A run's journal in the hands of its owner: read in pages, told to the instance, and continued, for the owner gives the positions. */
export class RunJournal {
  notes: JournalNotes;
  /** The last completion that the instance was told of. */
  toldPos = 0;
  private readonly deps: RunJournalDeps;
  /** Null for a long journal, which is read a second time on its way. */
  private pages: string[] | null = [];
  /** The last entry that was handed to the store since the journal was read. */
  private lastSubmitted: { readonly pos: number; readonly atMs: number } | null = null;
  /** Notes that go with whatever is committed next. */
  private riders: NewEntry[] = [];
  private id = "";
  private urlOf: (command: string) => string = () => "";

  constructor(deps: RunJournalDeps) {
    this.deps = deps;
    this.notes = new JournalNotes(deps.since);
  }

  /** The run's id, and how its callbacks are addressed. */
  know(id: string, urlOf: (command: string) => string): void {
    this.id = id;
    this.urlOf = urlOf;
  }

  /** Anew, from the beginning: what was under way is in the store or lost. `first`: a page that came with something else. */
  async read(first?: JournalPage): Promise<void> {
    this.notes = new JournalNotes(this.deps.since);
    this.pages = [];
    this.riders = [];
    this.lastSubmitted = null;
    let bytes = 0;
    for await (const entries of this.stored(first)) {
      this.notes.read(entries);
      if (this.pages === null) continue;
      const page = toldAll(entries, this.urlOf);
      bytes += page.length;
      if (bytes > MOST_KEPT_BYTES) this.pages = null;
      else this.pages.push(page);
    }
    this.toldPos = this.notes.lastCompletion;
  }

  /** What was committed before the instance is told anything. */
  append(entries: readonly NewEntry[], atMs: number, atSeq: Seq | null): void {
    for (const entry of entries) this.notes.add(entry, atSeq);
    if (entries.length === 0) return;
    this.pages?.push(this.tell(entries, atMs));
    this.toldPos = this.notes.lastCompletion;
  }

  async tellAll(link: RunLink): Promise<void> {
    if (this.pages === null) for await (const entries of this.stored()) link.entries(toldAll(entries, this.urlOf), false);
    else for (const page of this.pages) link.entries(page, false);
  }

  tellNew(link: RunLink | null, entries: readonly NewEntry[], atMs: number): void {
    if (entries.length === 0) return;
    this.toldPos = Math.max(this.toldPos, entries.at(-1)?.pos ?? 0);
    link?.entries(this.tell(entries, atMs), false);
  }

  nextPos(): number {
    return ++this.notes.lastPos;
  }

  ride(entries: readonly NewEntry[]): void {
    this.riders.push(...entries);
  }

  /** What was to go with a commit that was not made goes with the next one. */
  rideAgain(entries: readonly NewEntry[]): void {
    this.riders.unshift(...entries);
  }

  /** Holds only where the journal ends as it does here: a change without an entry too. */
  member(entries: readonly NewEntry[], nowMs: number, change?: Partial<RunChange>): Member {
    const all = this.riders.length === 0 ? entries : [...this.riders.splice(0), ...entries];
    const last = all.at(-1)?.pos;
    const { run, epoch } = this.deps;
    if (last === undefined)
      return { id: `${this.id}/${newId(nowMs)}`, nowMs, run: { run, epoch, entries: all, from: this.notes.lastPos + 1, ...change } };
    this.lastSubmitted = { pos: last, atMs: nowMs };
    return {
      id: `${this.id}/${last}`,
      nowMs,
      run: change === undefined ? { run, epoch, entries: all } : { run, epoch, entries: all, ...change },
    };
  }

  /** Where the run goes from here: only when all that was handed to the store before has been taken, for it may not sleep over what it asked for. */
  move(move: RunMove, nowMs: number): Member {
    const { lastSubmitted } = this;
    return this.member([], nowMs, lastSubmitted === null ? { move } : { move, after: lastSubmitted });
  }

  private tell(entries: readonly NewEntry[], atMs: number): string {
    return JSON.stringify(entries.map((entry) => told(entry, atMs, this.urlOf)));
  }

  private async *stored(first?: JournalPage): AsyncGenerator<readonly JournalEntry[]> {
    let after = 0;
    for (let more = true, next = first; more; next = undefined) {
      const page = next ?? (await this.deps.store.journal(this.deps.run, after, PAGE_BYTES));
      if (page.entries.length > 0) yield page.entries;
      after = page.entries.at(-1)?.pos ?? after;
      more = page.more;
    }
  }
}
