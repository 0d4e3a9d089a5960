import { formatDuration } from "../../core/duration.ts";
import { printable } from "../show-condition.ts";
import type { TimelineItem } from "./timeline.ts";

/** `step charge`, `step charge #2`. */
export function nameOf({ verb, name, number }: Pick<TimelineItem, "verb" | "name" | "number">): string {
  if (verb === "run") return name;
  return `${verb} ${printable(name)}${number === 1 ? "" : ` #${number}`}`;
}

/** `card declined`, and what kind of error it is where that tells something. */
export function errorWords(error: unknown): string {
  if (typeof error !== "object" || error === null || !("message" in error)) return oneLine(jsonOf(error));
  const { name, message } = error as { name?: unknown; message: unknown };
  const kind = typeof name === "string" && name !== "" && name !== "Error" ? `${name}: ` : "";
  return oneLine(`${kind}${String(message)}`);
}

/** The whole of it, with its stack and its causes. */
export function errorText(error: unknown): string {
  if (typeof error !== "object" || error === null || !("message" in error)) return jsonOf(error);
  const { stack, cause } = error as { stack?: unknown; cause?: unknown };
  const own = typeof stack === "string" ? stack : errorWords(error);
  return cause === undefined ? own : `${own}\ncaused by ${errorText(cause)}`;
}

export function jsonOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/** What became of it, in a few words; what it came to (a result, an error) is told elsewhere. */
export function outcomeWords(item: TimelineItem, nowMs: number): string {
  return item.state === "given up" ? joined(wordsOf(item, nowMs), "given up") : wordsOf(item, nowMs);
}

function wordsOf(item: TimelineItem, nowMs: number): string {
  switch (item.verb) {
    case "step":
    case "rollback":
      return attemptWords(item, nowMs);
    case "sleep":
      return item.state === "open" ? dueWords("wakes", item.dueMs, nowMs) : "";
    case "wait":
      return waitWords(item, nowMs);
    case "callback":
    case "answer":
      return callbackWords(item, nowMs);
    case "call":
    case "start":
      return targetWords(item);
    case "map":
      return mapWords(item);
    case "run":
      return runWords(item);
    default:
      return item.verb satisfies never;
  }
}

function attemptWords({ state, attempts, dueMs, exhausted, byHand }: TimelineItem, nowMs: number): string {
  const often = attempts.length > 1 ? `${attempts.length} attempts` : "";
  if (byHand) return joined(often, "result given by hand");
  if (exhausted) return joined(often, "a person is to decide");
  return state === "open" ? joined(often, dueWords("tried again", dueMs, nowMs)) : often;
}

function waitWords({ state, value, facts, dueMs }: TimelineItem, nowMs: number): string {
  const type = typeof facts["type"] === "string" ? printable(facts["type"]) : "";
  if (state === "open") return joined(type, dueMs === null ? "" : dueWords("times out", dueMs, nowMs));
  if (state === "done" && value === null) return joined(type, "timed out");
  return isSignal(value) ? "ended by a signal" : type;
}

function callbackWords({ state, value, dueMs, facts, endedMs }: TimelineItem, nowMs: number): string {
  if (state === "open") return joined("not answered yet", dueMs === null ? "" : dueWords("times out", dueMs, nowMs));
  if (state === "given up") return "not answered";
  const wasDueMs = facts["dueMs"];
  const isLate = typeof wasDueMs === "number" && endedMs !== null && endedMs >= wasDueMs;
  return value === null && isLate ? "timed out" : "answered";
}

function targetWords({ verb, facts, name, value }: TimelineItem): string {
  const target = typeof facts["target"] === "string" ? facts["target"] : verb === "start" ? name : "";
  const id = facts["id"] ?? (verb === "start" ? idIn(value) : undefined);
  return printable([target, typeof id === "string" ? id : ""].filter((word) => word !== "").join(" "));
}

function idIn(value: unknown): unknown {
  return typeof value === "object" && value !== null && "id" in value ? value.id : undefined;
}

function mapWords({ items }: TimelineItem): string {
  if (items === null) return "";
  const { total, done, failed, tolerated } = items;
  const failures = failed === 0 ? "" : `, ${failed} failed${tolerated === 0 ? "" : ` (${tolerated} tolerated)`}`;
  return `${done} of ${total} done${failures}`;
}

function runWords({ name, value, facts }: TimelineItem): string {
  if (name === "signal") return `for the wait ${jsonOf(facts["wait"])}`;
  const reason = typeof value === "object" && value !== null && "reason" in value ? String(value.reason) : "";
  return oneLine(reason);
}

export function isSignal(value: unknown): boolean {
  const event = eventIn(value);
  return typeof event === "object" && event !== null && "type" in event && event.type === "millrace.signal";
}

/** The event that ended a wait. */
export function eventIn(value: unknown): unknown {
  return typeof value === "object" && value !== null && "event" in value ? value.event : null;
}

function dueWords(word: string, dueMs: number | null, nowMs: number): string {
  if (dueMs === null) return "";
  return dueMs <= nowMs ? `${word} now` : `${word} in ${formatDuration(dueMs - nowMs)}`;
}

function joined(...words: readonly string[]): string {
  return words.filter((word) => word !== "").join(", ");
}

export function oneLine(text: string): string {
  return printable(text.replaceAll(/\s+/g, " ").trim());
}
