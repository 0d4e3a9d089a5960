import { Branch, compilePattern } from "./compile.ts";
import type { EventInput } from "./event.ts";
import { Machine } from "./machine/machine.ts";
import { type Entry, RuleBranch } from "./machine/rule-branch.ts";
import type { Pattern } from "./pattern.ts";
import type { Rule } from "./rule.ts";

export interface MatcherOptions {
  /**
   * Validates the whole of every event. Without it JSON text and bytes are read only where rules look, and what is skipped is checked for
   * its brackets and strings only.
   */
  readonly strict?: boolean;
}

/** How large a matcher is. */
export interface MatcherStats {
  readonly ids: number;
  /** Conjunctions: a pattern is one, or several where it has `$or`. */
  readonly branches: number;
  /** Different ones: what many rules have in common is kept once. */
  readonly conditions: number;
  /** Different paths. */
  readonly fields: number;
  /** Roughly what all this takes. */
  readonly sizeBytes: number;
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
  private readonly machine = new Machine();
  private readonly strict: boolean;
  private added = 0;

  constructor(options: MatcherOptions = {}) {
    this.strict = options.strict ?? false;
  }

  /** How many ids there are. */
  get size(): number {
    return this.entries.size;
  }

  /**
   * Holds from the next match on. One id may be added with several patterns: it matches where any of them does. Throws PatternError,
   * and then nothing is changed.
   */
  add(id: Id, pattern: Pattern | string | Rule): void {
    const { implied, guard } = isRule(pattern) ? pattern : { implied: pattern, guard: undefined };
    const branches = implied === undefined ? [EVERYTHING] : compilePattern(implied).branches;
    this.machine.add(this.entryOf(id), branches, guard);
  }

  /** Removes all patterns of an id; false if there were none. */
  delete(id: Id): boolean {
    const entry = this.entries.get(id);
    if (entry === undefined) return false;
    this.machine.delete(entry);
    return this.entries.delete(id);
  }

  /**
   * The ids that match, each once, in the order in which they were first added. The event is an object as JSON.parse returns it,
   * JSON text, or JSON in UTF-8. Throws MillraceError: `bad_json`, or `bad_event` for what is no object or is past the limits of the match.
   */
  match(event: EventInput): Id[] {
    return this.machine.match(event, this.strict) as Id[];
  }

  stats(): MatcherStats {
    const { branches, conditions, fields, indexBytes } = this.machine.counts;
    const more = Math.max(0, branches - this.size);
    const sizeBytes = this.size * ENTRY_BYTES + more * BRANCH_BYTES + conditions * CONDITION_BYTES + fields * FIELD_BYTES + indexBytes;
    return { ids: this.size, branches, conditions, fields, sizeBytes };
  }

  private entryOf(id: Id): Entry<Id> {
    let entry = this.entries.get(id);
    if (entry === undefined) {
      entry = new RuleBranch(id, this.added++, null);
      this.entries.set(id, entry);
    }
    return entry;
  }
}

const EVERYTHING = new Branch([]);

/** What V8 takes for each, measured by a million rules of one exact string (`npm run bench -- router`). */
const ENTRY_BYTES = 150;
/** An id's first one is in its entry. */
const BRANCH_BYTES = 100;
const CONDITION_BYTES = 240;
const FIELD_BYTES = 4000;

/** What compilers of other dialects give has both members; a pattern's `guard` would be a list or an object of lists. */
function isRule(pattern: Pattern | string | Rule): pattern is Rule {
  if (typeof pattern !== "object" || !("implied" in pattern) || !("guard" in pattern)) return false;
  const { guard } = pattern;
  return guard === undefined || (typeof guard === "object" && "test" in guard && typeof guard.test === "function");
}
