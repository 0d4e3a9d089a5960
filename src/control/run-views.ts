import { toError } from "../core/errors.ts";
import { VALUE_CONTENT_TYPE } from "../protocol/journal.ts";
import { valueForPeople } from "../protocol/value-for-people.ts";
import type { Begun, RunDetails, RunNote, RunProgress } from "../runs/runs.ts";
import type { EventView, JournalEntry, RunView } from "../store/store.ts";
import type { BegunShape, JournalEntryShape, RunDetailsShape, RunError, RunProgressShape, RunShape } from "./run-shapes.ts";
import { showAttempt } from "./views.ts";

/** From what the room of runs knows to what the control door shows. */

export function showRun(run: RunView): RunShape {
  const { id, seq, fn, kind, release, state, startedMs, endedMs, dueMs, deadlineMs, parentId, event, entries, attempt, note, value } = run;
  const hasError = state === "failed" || state === "cancelled";
  return {
    id,
    seq,
    fn,
    kind,
    release,
    state,
    startedMs,
    endedMs,
    dueMs,
    deadlineMs,
    parent: parentId,
    event,
    entries,
    attempt,
    errors: run.errors.map(showAttempt),
    note: note === null ? null : (JSON.parse(note) as RunNote),
    result: state === "done" ? shown(value) : null,
    error: hasError && value !== null ? errorOf(shown(value)) : null,
  };
}

export function showDetails({ run, journal, children, flow, running }: RunDetails, event: EventView | null): RunDetailsShape {
  return {
    run: showRun(run),
    running,
    input: event === null ? null : inputOf(event),
    file: flow.file,
    memoryBytes: flow.memoryBytes,
    journal: journal.map(showEntry),
    children: children.map(showRun),
  };
}

export function showProgress({ run, running, entries, maps }: RunProgress): RunProgressShape {
  return { run: showRun(run), running, entries: entries.map(showEntry), maps };
}

export function showBegun({ id, run, flow, existing }: Begun): BegunShape {
  return { id, seq: run, flow, existing };
}

function showEntry(entry: JournalEntry): JournalEntryShape {
  const { pos, verb, name, number, phase, attempt, ranMs, atMs } = entry;
  return { pos, verb, name, number, phase, attempt, ranMs, atMs, value: valueOf(entry) };
}

/** A failed attempt keeps its error as a kept value inside of its facts. */
function valueOf({ phase, value }: JournalEntry): unknown {
  if (phase !== "attempt" || value === null) return shown(value);
  const { error, dueMs } = JSON.parse(value) as { error: string; dueMs: number | null };
  return { error: errorOf(shown(error)), dueMs };
}

/** One value that is damaged does not hide the others. */
function shown(text: string | null): unknown {
  if (text === null) return null;
  try {
    return valueForPeople(text);
  } catch (error) {
    return `[cannot be read: ${toError(error).message}]`;
  }
}

/** What was thrown is kept as an error; whoever wrote it by hand may have kept anything. */
function errorOf(value: unknown): RunError {
  if (typeof value !== "object" || value === null || !("message" in value))
    return { name: "Error", message: typeof value === "string" ? value : JSON.stringify(value), stack: null };
  const { name, message, stack, cause } = value as { name?: unknown; message: unknown; stack?: unknown; cause?: unknown };
  return {
    name: typeof name === "string" ? name : "Error",
    message: String(message),
    stack: typeof stack === "string" ? stack : null,
    ...(cause === undefined ? {} : { cause }),
  };
}

function inputOf({ seq, id, type, source, json }: EventView): RunDetailsShape["input"] {
  const { data = null, datacontenttype } = JSON.parse(json) as { data?: unknown; datacontenttype?: string };
  const isKept = datacontenttype === VALUE_CONTENT_TYPE && typeof data === "string";
  return { seq, id, type, source, data: isKept ? shown(data) : data };
}
