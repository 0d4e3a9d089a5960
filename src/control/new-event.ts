import { parseDurationMs } from "../core/duration.ts";
import { MillraceError } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import type { Ingested } from "../delivery/delivery.ts";
import { canonicalJson, faultText, isReservedType, isTimestamp, MAX_DEPTH, parseCloudEvent } from "../events/index.ts";
import { formatSize } from "../core/size.ts";
import type { NewEventShape } from "./shapes.ts";

/** Where an event comes from when its sender does not say. */
export const CONTROL_SOURCE = "/millrace/control";

/** An event of the control door as delivery takes it. Throws what is wrong with it. */
export function toIngested(given: NewEventShape, nowMs: number, maxEventBytes: number): Ingested {
  if (isReservedType(given.type)) throw new MillraceError("reserved_type", `"${given.type}" is a type of the platform`);
  const atMs = dueMs(given, nowMs);
  const parsed = parseCloudEvent({
    specversion: "1.0",
    id: given.id ?? newId(nowMs),
    source: given.source ?? CONTROL_SOURCE,
    type: given.type,
    subject: given.subject,
    // Whoever names an id may send the event again: a time of our own would make each repetition another event.
    time: given.id === undefined ? new Date(nowMs).toISOString() : undefined,
    partitionkey: given.key,
    data: given.data,
  });
  if (!parsed.ok) throw new MillraceError("bad_event", parsed.faults.map(faultText).join("; "));
  const json = canonicalJson(parsed.event);
  if (json === undefined) throw new MillraceError("bad_event", `data: is nested deeper than ${MAX_DEPTH} levels`);
  const sizeBytes = Buffer.byteLength(json);
  if (sizeBytes > maxEventBytes) {
    throw new MillraceError("too_large", `the event is ${formatSize(sizeBytes)}, more than ${formatSize(maxEventBytes)}`);
  }
  return atMs === null ? { event: parsed.event, json } : { event: parsed.event, json, atMs };
}

/** When a delayed event shall happen, or null for now. */
function dueMs({ after, at }: NewEventShape, nowMs: number): number | null {
  if (after !== undefined && at !== undefined) throw new MillraceError("bad_event", "after and at say two times: give one of them");
  if (after !== undefined) return nowMs + durationMs(after);
  if (at === undefined) return null;
  if (!isTimestamp(at)) throw new MillraceError("bad_event", `at: ${JSON.stringify(at)} is no RFC 3339 timestamp`);
  return Date.parse(at);
}

function durationMs(after: string | number): number {
  try {
    return Math.round(parseDurationMs(after));
  } catch (error) {
    throw new MillraceError("bad_event", `after: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
