import { MillraceError } from "../core/errors.ts";
import type { HttpResult } from "../delivery/delivery.ts";
import { valueForPeople } from "../protocol/value-for-people.ts";
import { fromValueText, HttpAnswerValue } from "../protocol/value-text.ts";
import type { EndState } from "../store/store.ts";

type WholeHead = Extract<HttpResult, { kind: "answered" }>["head"];

const NOTHING = new Uint8Array();

/** How a run that HTTP began answers with what it came to. */
export function answerOfRun(id: string, state: EndState, value: string | null, replayed = false): HttpResult {
  if (state === "done") return answered(id, value ?? "~", replayed);
  const error =
    state === "cancelled"
      ? new MillraceError("run_cancelled", `the run ${id} was cancelled`)
      : // What the flow itself said may hold secrets: it is kept for those who may ask the node.
        new MillraceError("run_failed", `the run ${id} has failed; \`millrace runs show ${id}\` has the reason`);
  return { kind: "failed", invocation: id, error, retryAfterMs: null };
}

function answered(id: string, text: string, replayed: boolean): HttpResult {
  const whole = (head: WholeHead, body: Uint8Array): HttpResult => ({
    kind: "answered",
    invocation: id,
    head,
    body,
    discard: () => {},
    replayed,
  });
  const value = text.startsWith("~") || text.startsWith('"') ? fromValueText(text) : JSON_TEXT;
  if (value instanceof HttpAnswerValue) {
    const { status, statusText, headers, body } = value;
    return whole({ status, statusText, headers }, body);
  }
  if (value === undefined || text === "null") return whole({ status: 204, statusText: "", headers: [] }, NOTHING);
  if (typeof value === "string") return whole(head("text/plain;charset=utf-8"), Buffer.from(value));
  if (value instanceof Uint8Array) return whole(head("application/octet-stream"), value);
  return whole(head("application/json"), Buffer.from(value === JSON_TEXT ? text : JSON.stringify(valueForPeople(text))));
}

/** It is JSON as it stands. */
const JSON_TEXT = Symbol("json");

function head(type: string): { status: number; statusText: string; headers: string[] } {
  return { status: 200, statusText: "", headers: ["content-type", type] };
}
