import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fromValueText } from "../../../src/protocol/value-text.ts";
import type { FoundRun } from "./judge.ts";

/** What the store's own file says of runs, whether a node is there or not. */
export class RunFile {
  private readonly database: DatabaseSync;

  constructor(data: string) {
    this.database = new DatabaseSync(join(data, "millrace.db"), { readOnly: true, timeout: 10_000 });
  }

  /** Runs that have not ended, those that programs began included. */
  live(): number {
    return Number(this.database.prepare("SELECT count(*) AS count FROM runs WHERE state < 6").get()?.["count"]);
  }

  /** The runs of programs, by the program's id. */
  runs(): Map<string, FoundRun> {
    const found = new Map<string, FoundRun>();
    for (const row of this.rows()) {
      const id = programOf(String(row["fn"]), String(row["json"]));
      const value = row["value"];
      const state = STATES[Number(row["state"])] ?? "unknown";
      if (id !== null && found.has(id)) found.set(id, { state: "there twice", result: null });
      else if (id !== null) found.set(id, { state, result: state === "done" && typeof value === "string" ? fromValueText(value) : null });
    }
    return found;
  }

  /** For people: what the journal of a program's run holds. */
  journal(program: string): string[] {
    const row = this.rows().find((row) => programOf(String(row["fn"]), String(row["json"])) === program);
    if (row === undefined) return ["(no run)"];
    const head = `run ${String(row["seq"])} of ${program}: ${STATES[Number(row["state"])]} due ${String(row["due"])} delivery ${String(row["delivery"])} ${String(row["note"])} ${String(row["value"]).slice(0, 300)}`;
    const entries = this.database.prepare("SELECT * FROM journal WHERE run = ? ORDER BY pos").all(Number(row["seq"]));
    const waits = this.database.prepare("SELECT command FROM waits WHERE run = ?").all(Number(row["seq"]));
    const arrivals = this.database.prepare("SELECT kind, command, value FROM arrivals WHERE run = ?").all(Number(row["seq"]));
    return [
      head,
      ...entries.map((entry) => {
        const { pos, verb, phase, name, number, attempt, value } = entry;
        return `  ${String(pos)} ${VERBS[Number(verb)]} ${JSON.stringify(name)} #${String(number)} ${PHASES[Number(phase)]} ${String(attempt)} ${String(value).slice(0, 160)}`;
      }),
      ...waits.map(({ command }) => `  waits: ${String(command)}`),
      ...arrivals.map((arrival) => `  arrived: ${JSON.stringify(arrival)}`),
    ];
  }

  /** Programs whose runs have not ended. */
  unended(): string[] {
    return this.rows()
      .filter((row) => Number(row["state"]) < 6)
      .flatMap((row) => programOf(String(row["fn"]), String(row["json"])) ?? []);
  }

  /** Live runs that no program is: children, detached ones. */
  others(): string[] {
    return this.rows()
      .filter((row) => Number(row["state"]) < 6 && programOf(String(row["fn"]), String(row["json"])) === null)
      .map(
        (row) =>
          `run ${String(row["seq"])} of ${String(row["fn"])} is ${STATES[Number(row["state"])]}, due ${String(row["due"])}: ${String(row["json"]).slice(0, 200)}`,
      );
  }

  close(): void {
    this.database.close();
  }

  private rows(): Record<string, unknown>[] {
    return this.database
      .prepare(
        `SELECT r.seq, r.state, r.value, r.note, n.name AS fn, e.json, d.due, d.state AS delivery FROM runs r
         JOIN deliveries d ON d.seq = r.seq JOIN events e ON e.seq = d.event JOIN names n ON n.id = r.fn`,
      )
      .all();
  }
}

const STATES = ["ready", "waiting", "sleeping", "paused", "rolling-back", "stuck", "done", "failed", "cancelled"];
const VERBS = ["step", "sleep", "wait", "callback", "answer", "call", "start", "map", "rollback", "run"];
const PHASES = ["opened", "attempt", "resumed", "done", "failed"];

function programOf(fn: string, json: string): string | null {
  const { data } = JSON.parse(json) as { data: { id?: string; body?: string } };
  if (fn === "cancellable") return data.id ?? null;
  if (fn !== "program" || data.body === undefined) return null;
  return (JSON.parse(Buffer.from(data.body, "base64").toString()) as { id: string }).id;
}
