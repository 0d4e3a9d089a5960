import type { Run, RunDetails } from "../control/client/index.ts";
import { formatDuration } from "../core/duration.ts";
import type { Colors, Io } from "./io.ts";
import { printable } from "./show-condition.ts";
import { showStandstill, standstillWords } from "./show-standstill.ts";
import { showTimeline, totalCost } from "./show-timeline.ts";
import { table } from "./table.ts";
import { timelineOf, type TimelineItem } from "./timeline/timeline.ts";
import { errorText, errorWords, jsonOf, nameOf, oneLine, outcomeWords } from "./timeline/words.ts";
import { ago, moment } from "./times.ts";

/** States that end by themselves, if only by waiting. */
export const OPEN_STATES: ReadonlySet<Run["state"]> = new Set(["waiting", "sleeping", "rolling-back"]);

export function runStateWord(state: Run["state"], colors: Colors): string {
  switch (state) {
    case "done":
      return colors.green(state);
    case "failed":
      return colors.red(state);
    case "paused":
    case "stuck":
      return colors.bold(colors.red(state));
    case "cancelled":
      return colors.dim(state);
    case "ready":
      return colors.cyan(state);
    case "waiting":
    case "sleeping":
    case "rolling-back":
      return colors.yellow(state);
    default:
      return state satisfies never;
  }
}

/** How long it took, or when it goes on by itself. */
export function tookWords({ startedMs, endedMs, dueMs, state }: Run, nowMs: number): string {
  if (endedMs !== null) return formatDuration(endedMs - startedMs);
  if (dueMs === null || !OPEN_STATES.has(state)) return "";
  return dueMs <= nowMs ? "wakes now" : `wakes in ${formatDuration(dueMs - nowMs)}`;
}

/** What it waits for, why it stands still, or its error. `details` are at hand only where they are small. */
export function reasonWords(run: Run, details: RunDetails | undefined, io: Io): string {
  const colors = io.outColors;
  if (run.error !== null) return run.state === "failed" ? colors.red(errorWords(run.error)) : colors.dim(errorWords(run.error));
  if (run.note !== null) return colors.red(standstillWords(run.note));
  if (details !== undefined)
    return openItems(timelineOf(details.journal))
      .map((item) => openWords(item, io))
      .join("; ");
  const last = run.errors.at(-1);
  return run.attempt > 0 && last !== undefined && run.endedMs === null ? colors.yellow(errorWords(last)) : "";
}

function openItems(items: readonly TimelineItem[]): readonly TimelineItem[] {
  return items.filter(({ state }) => state === "open");
}

function openWords(item: TimelineItem, io: Io): string {
  const words = item.verb === "sleep" ? "" : outcomeWords(item, io.now());
  return words === "" ? nameOf(item) : `${nameOf(item)} ${io.outColors.dim(`(${words})`)}`;
}

/** A run for people: what it is, what it did, and how it goes on. */
export function showRun(details: RunDetails, full: boolean, io: Io): readonly string[] {
  const colors = io.outColors;
  const { run, running, children } = details;
  const items = timelineOf(details.journal, run.endedMs !== null);
  const state = running && run.state === "ready" ? colors.cyan("running") : runStateWord(run.state, colors);
  const lines = [`${colors.bold(run.fn)}  ${state}  ${colors.dim(run.id)}`];
  lines.push(table({ rows: facts(details, items, io).map(([name, value]) => [`  ${colors.dim(name)}`, value]), columns: io.columns }));
  if (items.length > 0) lines.push(...showTimeline(items, details, full, io));
  if (children.length > 0) lines.push(colors.bold("Called"), childTable(children, io));
  lines.push(...outcome(run, full, io), ...showStandstill(run, items, io));
  return lines;
}

function facts(details: RunDetails, items: readonly TimelineItem[], io: Io): readonly (readonly [string, string])[] {
  const { run, file } = details;
  const nowMs = io.now();
  const cost = totalCost(items, details);
  const rows: (readonly [string, string | null])[] = [
    ["release", run.release],
    ["file", file],
    ["input", inputWords(details)],
    ["started", moment(run.startedMs, nowMs)],
    ["ended", run.endedMs === null ? null : `${moment(run.endedMs, nowMs)}, after ${formatDuration(run.endedMs - run.startedMs)}`],
    ["goes on", run.dueMs === null || !OPEN_STATES.has(run.state) ? null : moment(run.dueMs, nowMs)],
    ["deadline", run.deadlineMs === null ? null : moment(run.deadlineMs, nowMs)],
    ["called by", run.parent],
    ["cost", cost],
  ];
  return rows.filter((row): row is readonly [string, string] => row[1] !== null);
}

/** A request is told by its line: its headers are nobody's input. */
function inputWords({ input }: RunDetails): string {
  if (input === null) return "no longer kept";
  const { data, type } = input;
  const isRequest = type === "millrace.http" && typeof data === "object" && data !== null && "method" in data && "url" in data;
  return isRequest ? printable(`${String(data.method)} ${String(data.url)}`) : oneLine(JSON.stringify(data));
}

function childTable(children: readonly Run[], io: Io): string {
  const colors = io.outColors;
  const rows = children.map((child) => [
    `  ${child.id}`,
    colors.bold(child.fn),
    runStateWord(child.state, colors),
    ago(child.startedMs, io.now()),
    reasonWords(child, undefined, io),
  ]);
  return table({ rows, columns: io.columns });
}

function outcome({ state, result, error }: Run, full: boolean, io: Io): readonly string[] {
  const colors = io.outColors;
  if (error !== null) {
    const text = full ? errorText(error) : errorWords(error);
    return [colors.bold(state === "failed" ? "Error" : "Cancelled"), colors.red(text.replaceAll(/^/gm, "  "))];
  }
  if (state !== "done" || result === null) return [];
  const text = full ? JSON.stringify(result, null, 2) : oneLine(jsonOf(result));
  return [colors.bold("Result"), text.replaceAll(/^/gm, "  ")];
}
