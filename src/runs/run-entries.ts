import type { Entry } from "../protocol/journal.ts";
import type { JournalEntry, NewEntry, Verb } from "../store/store.ts";

/** `verb name number`: how a command is known in the journal, in waits and in arrivals. */
export function commandOf({ verb, name, number }: { readonly verb: string; readonly name: string; readonly number: number }): string {
  return `${verb} ${name} ${number}`;
}

export function commandParts(command: string): { readonly verb: Verb; readonly name: string; readonly number: number } {
  const first = command.indexOf(" ");
  const last = command.lastIndexOf(" ");
  return { verb: command.slice(0, first) as Verb, name: command.slice(first + 1, last), number: Number(command.slice(last + 1)) };
}

/** An entry as its instance is told of it. */
export function told(entry: NewEntry, atMs: number, urlOf: (command: string) => string): Entry {
  const { pos, verb, name, number, phase, attempt } = entry;
  return { pos, verb, name, number, phase, attempt, atMs, value: toldValue(entry, urlOf) };
}

export function toldAll(entries: readonly JournalEntry[], urlOf: (command: string) => string): string {
  return JSON.stringify(entries.map((entry) => told(entry, entry.atMs, urlOf)));
}

/** The address of a callback is not kept: it is made again from what only the node knows. */
function toldValue({ verb, name, number, phase, value }: NewEntry, urlOf: (command: string) => string): string | null {
  if (verb !== "callback" || phase !== "done") return value;
  return JSON.stringify({ url: urlOf(commandOf({ verb: "answer", name, number })) });
}

export function isCompletion({ phase }: Pick<NewEntry, "phase">): boolean {
  return phase === "done" || phase === "failed";
}
