import type { JournalEntry } from "../../control/client/index.ts";

/** An entry as the client gets it: `verb/name/number/phase`, and what else a test wants to say of it. */
export function entry(pos: number, command: string, given: Partial<JournalEntry> = {}): JournalEntry {
  const [verb = "step", name = "", number = "1", phase = "done"] = command.split("/");
  return {
    pos,
    verb: verb as JournalEntry["verb"],
    name,
    number: Number(number),
    phase: phase as JournalEntry["phase"],
    attempt: verb === "step" || verb === "rollback" ? 1 : 0,
    ranMs: 0,
    atMs: 5000 + pos,
    value: null,
    ...given,
  };
}
