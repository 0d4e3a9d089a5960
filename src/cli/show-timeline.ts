import type { RunDetails } from "../control/client/index.ts";
import { formatDuration } from "../core/duration.ts";
import type { Colors, Io } from "./io.ts";
import { cut, table } from "./table.ts";
import { costOf, formatCost } from "./timeline/cost.ts";
import type { TimelineItem } from "./timeline/timeline.ts";
import { errorText, errorWords, eventIn, jsonOf, nameOf, oneLine, outcomeWords } from "./timeline/words.ts";
import { moment } from "./times.ts";

/** Where there is no terminal to cut a line to. */
const MOST_PLACES = 200;

type Facts = Pick<RunDetails, "run" | "memoryBytes">;

/** A line an item, in the order of their asking; in full, all that is known of it beneath. */
export function showTimeline(items: readonly TimelineItem[], facts: Facts, full: boolean, io: Io): readonly string[] {
  const colors = io.outColors;
  const head = ["  ", "STEP", "STARTED", "TOOK", "COST", "RESULT"].map(colors.dim);
  const rows = items.map((item) => row(item, facts, io));
  const [title = "", ...lines] = table({ head, rows, right: new Set([2, 3, 4]), columns: io.columns }).split("\n");
  if (!full) return [title, ...lines];
  return [title, ...items.flatMap((item, i) => [lines[i] ?? "", ...showFully(item, io)])];
}

/** Null where nothing has run, or the memory is not known. */
export function totalCost(items: readonly TimelineItem[], { memoryBytes }: Pick<Facts, "memoryBytes">): string | null {
  const ranMs = items.reduce((sum, item) => sum + item.ranMs, 0);
  if (memoryBytes === null || ranMs === 0) return null;
  return `${formatCost(costOf(ranMs, memoryBytes))} (${formatDuration(ranMs)} of steps)`;
}

export function itemMark({ state, exhausted }: TimelineItem, colors: Colors): string {
  if (state === "done") return colors.green("✓");
  if (state === "given up") return colors.dim("–");
  return state === "failed" || exhausted ? colors.red("✗") : colors.yellow("…");
}

/** What it came to, on one line. */
export function resultWords(item: TimelineItem, nowMs: number, colors: Colors): string {
  const words = outcomeWords(item, nowMs);
  const value = valueWords(item);
  const painted = item.state === "done" ? value : colors.red(value);
  if (words === "") return painted;
  return value === "" ? colors.dim(words) : `${colors.dim(`${words}:`)} ${painted}`;
}

function valueWords(item: TimelineItem): string {
  const { verb, value, state } = item;
  if (value === null || verb === "run" || verb === "start") return "";
  if (state !== "done") return cut(errorWords(value), MOST_PLACES);
  return cut(oneLine(jsonOf(resultOf(item))), MOST_PLACES);
}

/** Of an event that ended a wait its data tells the most. */
function resultOf({ verb, value }: TimelineItem): unknown {
  if (verb !== "wait") return value;
  const event = eventIn(value);
  return typeof event === "object" && event !== null && "data" in event ? event.data : "";
}

function row(item: TimelineItem, { run, memoryBytes }: Facts, io: Io): readonly string[] {
  const colors = io.outColors;
  const { startedMs, endedMs, ranMs } = item;
  return [
    `  ${itemMark(item, colors)}`,
    item.verb === "run" ? colors.bold(nameOf(item)) : nameOf(item),
    offsetWords(startedMs - run.startedMs),
    endedMs === null || endedMs <= startedMs ? "" : formatDuration(endedMs - startedMs),
    memoryBytes === null || ranMs === 0 ? "" : formatCost(costOf(ranMs, memoryBytes)),
    resultWords(item, io.now(), colors),
  ];
}

/** The run's own beginning is known to the millisecond only. */
function offsetWords(ms: number): string {
  return ms < 1 ? "+0s" : `+${formatDuration(Math.round(ms))}`;
}

function showFully(item: TimelineItem, io: Io): readonly string[] {
  const colors = io.outColors;
  const lines: string[] = [];
  if (item.verb !== "map")
    for (const { attempt, endedMs, ranMs, error } of item.attempts) {
      if (item.attempts.length === 1 && error === null) continue;
      const end = error === null ? colors.green("done") : colors.red("failed");
      lines.push(colors.dim(`attempt ${attempt} ${moment(endedMs, io.now())}, ran ${formatDuration(ranMs)}: `) + end);
      if (error !== null) lines.push(...indented(colors.red(errorText(error)), "  "));
    }
  if (item.state === "failed" && item.attempts.length === 0) lines.push(...indented(colors.red(errorText(item.value)), ""));
  if (item.state === "done" && item.value !== null) lines.push(...indented(JSON.stringify(item.value, null, 2), ""));
  return lines.map((line) => `       ${line}`);
}

function indented(text: string, by: string): readonly string[] {
  return text.split("\n").map((line) => by + line);
}
