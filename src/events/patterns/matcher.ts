import { BranchIndex } from "./branch-index.ts";
import { type Branch, compilePattern } from "./compile.ts";
import { type EventInput, readEvent } from "./event.ts";
import type { Pattern } from "./pattern.ts";

/** An id with all its patterns. */
interface Entry<Id> {
  readonly id: Id;
  /** Counts up with each id added: the order of answers. */
  readonly ordinal: number;
  readonly branches: Branch[];
  foundInMatch: number;
}

/**
 * Many patterns, each under an id; says which of them an event matches.
 *
 * @example
 * const matcher = new Matcher<string>();
 * matcher.add("big orders", { type: ["order.placed"], data: { total: [{ numeric: [">", 100] }] } });
 * matcher.match({ type: "order.placed", data: { total: 250 } }); // ["big orders"]
 */
export class Matcher<Id> {
  private readonly entries = new Map<Id, Entry<Id>>();
  private readonly index = new BranchIndex<Entry<Id>>();
  private added = 0;

  /** How many ids there are. */
  get size(): number {
    return this.entries.size;
  }

  /** One id may be added with several patterns: it matches where any of them does. Throws PatternError, and then nothing is changed. */
  add(id: Id, pattern: Pattern | string): void {
    const { branches } = compilePattern(pattern);
    const entry = this.entryOf(id);
    for (const branch of branches) {
      entry.branches.push(branch);
      this.index.add(branch, entry);
    }
  }

  /** Removes all patterns of an id; false if there were none. */
  delete(id: Id): boolean {
    const entry = this.entries.get(id);
    if (entry === undefined) return false;
    for (const branch of entry.branches) this.index.delete(branch, entry);
    return this.entries.delete(id);
  }

  /**
   * The ids that match, each once, in the order in which they were first added. The event is an object as JSON.parse returns it,
   * JSON text, or JSON in UTF-8. Throws MillraceError: `bad_json`, or `bad_event` for what is no object or is past the limits of the match.
   */
  match(event: EventInput): Id[] {
    const found = this.index.match(readEvent(event));
    if (!isInOrder(found)) found.sort((a, b) => a.ordinal - b.ordinal);
    return found.map(({ id }) => id);
  }

  private entryOf(id: Id): Entry<Id> {
    let entry = this.entries.get(id);
    if (entry === undefined) {
      entry = { id, ordinal: this.added++, branches: [], foundInMatch: 0 };
      this.entries.set(id, entry);
    }
    return entry;
  }
}

/** Mostly they are, and asking costs a tenth of sorting. */
function isInOrder(entries: readonly { readonly ordinal: number }[]): boolean {
  let last = -1;
  for (const { ordinal } of entries) {
    if (ordinal < last) return false;
    last = ordinal;
  }
  return true;
}
