import type { Entry, Verb } from "../../protocol/journal.ts";
import { keyOf } from "./command.ts";

export interface Noted {
  /** The first that the journal says of it. */
  readonly entry: Entry;
  readonly opened: boolean;
  /** Failed attempts since it was last resumed. */
  readonly failed: number;
  readonly last: { readonly dueMs: number | null; readonly error: unknown } | null;
}

/** Nothing in the code has to ask for these. */
const BY_ITSELF: ReadonlySet<Verb> = new Set(["map", "answer", "run", "rollback"]);

/** Most runs are never replayed. */
const NOTHING = new Map<string, Noted>();

/** What the journal says of commands besides their completions: that they were opened, and how their attempts went. */
export class NotedCommands {
  private noted = NOTHING;

  add(entry: Entry): void {
    if (this.noted === NOTHING) this.noted = new Map();
    const key = keyOf(entry.verb, entry.name, entry.number);
    const before = this.noted.get(key) ?? { entry, opened: false, failed: 0, last: null };
    if (entry.phase === "opened") this.noted.set(key, { ...before, opened: true });
    else if (entry.phase === "resumed") this.noted.set(key, { ...before, failed: 0, last: null });
    else {
      const { dueMs, error } = JSON.parse(entry.value ?? "{}") as { dueMs: number | null; error: string };
      this.noted.set(key, { ...before, failed: entry.attempt, last: { dueMs, error } });
    }
  }

  get(key: string): Noted | undefined {
    return this.noted.get(key);
  }

  entries(): Entry[] {
    return Array.from(this.noted.values(), ({ entry }) => entry);
  }

  /** The first that the code would have to have asked for, and has not. */
  lost(asked: ReadonlyMap<string, unknown>): Entry | null {
    for (const [key, { entry }] of this.noted) if (!BY_ITSELF.has(entry.verb) && !asked.has(key)) return entry;
    return null;
  }
}
