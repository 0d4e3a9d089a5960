import type { Run, RunDetails } from "../../control/client/index.ts";
import { formatDuration } from "../../core/duration.ts";
import { printable } from "../show-condition.ts";
import { cut } from "../table.ts";
import { timelineOf, type TimelineItem } from "../timeline/timeline.ts";
import { errorWords, nameOf, outcomeWords } from "../timeline/words.ts";
import { type Lanes, lanesOf } from "./lanes.ts";

export type Tone = "plain" | "good" | "bad" | "waiting" | "undo";

export interface DiagramNode {
  readonly kind: TimelineItem["verb"] | "begin" | "end";
  readonly tone: Tone;
  readonly title: string;
  /** What else there is to say of it, line by line. */
  readonly lines: readonly string[];
}

/** What overlapped in time stands side by side, and what followed each other in a lane below each other. */
export interface Stage {
  readonly lanes: readonly (readonly DiagramNode[])[];
  /** A rollback: it leads back. */
  readonly isUndo: boolean;
}

/** A run as it went, ready to be drawn. */
export interface Diagram {
  readonly title: string;
  readonly stages: readonly Stage[];
}

const MOST_PLACES = 60;

export function diagramOf({ run, journal, input }: Pick<RunDetails, "run" | "journal" | "input">, nowMs: number): Diagram {
  const items = timelineOf(journal, run.endedMs !== null).filter(isDrawn);
  const given = items.map((item) => ({ item, startMs: item.startedMs, endMs: endOf(item, run, items) }));
  return {
    title: `${run.fn} ${run.id}`,
    stages: [
      { lanes: [[beginning(run, input)]], isUndo: false },
      ...lanesOf(given).map((lanes) => stageOf(lanes, nowMs)),
      { lanes: [[ending(run, nowMs)]], isUndo: false },
    ],
  };
}

/** That a signal came is told by the wait that it ended. */
function isDrawn({ verb, name }: TimelineItem): boolean {
  return verb !== "run" || name !== "signal";
}

/** What was given up when the run turned back or ended was over at that time, whoever may have forgotten to say so. */
function endOf({ endedMs, startedMs }: TimelineItem, run: Run, items: readonly TimelineItem[]): number {
  if (endedMs !== null) return endedMs;
  const turns = items.filter(({ verb }) => verb === "rollback" || verb === "run").map((item) => item.startedMs);
  return Math.max(startedMs, Math.min(run.endedMs ?? Infinity, ...turns));
}

function stageOf(lanes: Lanes<{ readonly item: TimelineItem }>, nowMs: number): Stage {
  return {
    lanes: lanes.map((lane) => lane.map(({ item }) => nodeOf(item, nowMs))),
    isUndo: lanes.every((lane) => lane.every(({ item }) => item.verb === "rollback")),
  };
}

function nodeOf(item: TimelineItem, nowMs: number): DiagramNode {
  const { verb, value, startedMs, endedMs } = item;
  const tone = toneOf(item);
  const tookMs = endedMs === null ? 0 : endedMs - startedMs;
  const took = tookMs <= 0 || verb === "run" ? "" : formatDuration(tookMs);
  const words = [took, outcomeWords(item, nowMs)].filter((text) => text !== "").join(", ");
  const error = tone === "bad" && verb !== "run" && value !== null ? errorWords(value) : "";
  return {
    kind: verb,
    tone,
    title: cut(printable(verb === "run" ? headline(item) : titleOf(item)), MOST_PLACES),
    lines: [words, error].filter((text) => text !== "").map((text) => cut(text, MOST_PLACES)),
  };
}

/** The verb is told beside it. */
function titleOf(item: TimelineItem): string {
  return nameOf(item).slice(item.verb.length + 1);
}

function headline({ name }: TimelineItem): string {
  return name === "deadline" ? "deadline passed" : "cancelled";
}

function toneOf({ verb, state, exhausted, attempts }: TimelineItem): Tone {
  switch (state) {
    case "failed":
      return "bad";
    case "open":
      return exhausted ? "bad" : "waiting";
    case "given up":
      return attempts.length > 0 && verb !== "map" ? "bad" : "plain";
    case "done":
      return verb === "rollback" ? "undo" : "good";
    default:
      return state satisfies never;
  }
}

function beginning({ fn, startedMs }: Run, input: RunDetails["input"]): DiagramNode {
  const lines = [input === null ? "" : printable(input.type), new Date(startedMs).toISOString()].filter((line) => line !== "");
  return { kind: "begin", tone: "plain", title: printable(fn), lines };
}

function ending({ state, error, startedMs, endedMs, dueMs }: Run, nowMs: number): DiagramNode {
  const took = endedMs === null ? goesOn(dueMs, nowMs) : `after ${formatDuration(endedMs - startedMs)}`;
  const lines = [took, error === null ? "" : cut(errorWords(error), MOST_PLACES)].filter((line) => line !== "");
  return { kind: "end", tone: endTone(state), title: state, lines };
}

function goesOn(dueMs: number | null, nowMs: number): string {
  if (dueMs === null) return "";
  return dueMs <= nowMs ? "goes on now" : `goes on in ${formatDuration(dueMs - nowMs)}`;
}

function endTone(state: Run["state"]): Tone {
  switch (state) {
    case "done":
      return "good";
    case "failed":
    case "paused":
    case "stuck":
      return "bad";
    case "cancelled":
      return "undo";
    case "ready":
    case "waiting":
    case "sleeping":
    case "rolling-back":
      return "waiting";
    default:
      return state satisfies never;
  }
}
