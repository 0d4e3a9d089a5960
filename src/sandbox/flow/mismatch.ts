import { type Command, keyOf, wordsOf } from "./command.ts";
import type { Entry } from "../../protocol/journal.ts";

/** Where the journal and the code go apart, for people. */
export interface Mismatch {
  readonly pos: number;
  readonly recorded: string;
  readonly attempted: readonly { readonly command: string; readonly at: string | null }[];
}

const MOST_SHOWN = 5;

/** `recorded` has no counterpart in the code. What the code asks for and nothing later in the journal completes stands in its place. */
export function mismatchAt(recorded: Entry, outstanding: readonly Command[], later: readonly Entry[]): Mismatch {
  const known = new Set(later.map(({ verb, name, number }) => keyOf(verb, name, number)));
  const unknown = outstanding.filter(({ key }) => !known.has(key));
  return {
    pos: recorded.pos,
    recorded: wordsOf(recorded),
    attempted: unknown.slice(0, MOST_SHOWN).map((command) => ({ command: command.words, at: lineOf(command.madeAt) })),
  };
}

/** The first place in the app's own code: `functions/orders.ts:31`. */
function lineOf(madeAt: Error | null): string | null {
  for (const frame of madeAt?.stack?.split("\n") ?? []) {
    const place = /^\s+at (?:.*\()?([^()\s]+:\d+):\d+\)?$/.exec(frame)?.[1];
    if (place !== undefined && !/^(?:node|file|data):|^\/|runtime\.cjs:/.test(place)) return place;
  }
  return null;
}
