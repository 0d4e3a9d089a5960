import {
  type Effects,
  type Frame,
  FRAME,
  type FunctionError,
  type LogLevel,
  NO_EFFECTS,
  ProtocolError,
  type ResponseHead,
  type WireValue,
} from "../protocol/index.ts";
import type { RunMessage } from "./pool.ts";

import type { MockedOutcome, MockedStep } from "./pool.ts";

/**
 * What comes out of a sandbox is checked here and nowhere else: user code shares the process with the runtime and can
 * write to the connection what it likes. Anything of the wrong shape is a ProtocolError, which ends that instance.
 */

type Head = Readonly<Record<string, unknown>>;

export function readEffects(head: Head): Effects {
  const { effects } = head;
  if (effects === undefined) return NO_EFFECTS;
  if (!isEffects(effects)) throw new ProtocolError("effects of the wrong shape");
  return effects;
}

function isEffects(effects: unknown): effects is Effects {
  if (!isRecord(effects)) return false;
  const { emits, kv, starts } = effects;
  return (
    Array.isArray(emits) &&
    emits.every(isEmit) &&
    Array.isArray(kv) &&
    kv.every(isKvEffect) &&
    (starts === undefined || (Array.isArray(starts) && starts.every(isStart)))
  );
}

function isEmit(emit: unknown): boolean {
  return (
    isRecord(emit) &&
    typeof emit["type"] === "string" &&
    isOptional(emit["id"], "string") &&
    isOptional(emit["source"], "string") &&
    isOptional(emit["subject"], "string") &&
    isOptional(emit["key"], "string") &&
    isOptional(emit["atMs"], "number") &&
    isOptional(emit["afterMs"], "number") &&
    (emit["extensions"] === undefined || isRecord(emit["extensions"]))
  );
}

function isKvEffect(effect: unknown): boolean {
  if (!isRecord(effect) || typeof effect["key"] !== "string") return false;
  if (effect["op"] === "delete") return true;
  if (effect["op"] !== "set" || !isOptional(effect["ttlMs"], "number")) return false;
  return (typeof effect["json"] === "string") !== (typeof effect["base64"] === "string");
}

function isStart(start: unknown): boolean {
  return (
    isRecord(start) &&
    typeof start["target"] === "string" &&
    typeof start["input"] === "string" &&
    typeof start["id"] === "string" &&
    typeof start["named"] === "boolean"
  );
}

/** What a run says while it goes on. What its head says besides is for whoever keeps the journal to judge. */
export function readRunMessage({ type, head, body }: Frame): RunMessage {
  if (type === FRAME.begin) return { kind: "begin" };
  const step = readStep(head);
  const text = body.length === 0 ? "" : body.toString("utf8");
  return type === FRAME.open
    ? { kind: "open", step, head, body: text }
    : { kind: "step", step, head, effects: readEffects(head), body: text };
}

/** F14: from 1. */
export function readStep(head: Head): number {
  const { step } = head;
  if (typeof step !== "number" || !Number.isSafeInteger(step) || step < 1) throw new ProtocolError("a step without a number");
  return step;
}

export function readResponseHead(head: Head): ResponseHead {
  const { status = 200, statusText = "", headers = [] } = head;
  if (typeof status !== "number" || !Number.isInteger(status) || status < 200 || status > 599)
    throw new ProtocolError("an answer without a status");
  if (typeof statusText !== "string" || !isStrings(headers) || headers.length % 2 !== 0)
    throw new ProtocolError("an answer with a broken head");
  return { status, statusText, headers };
}

/** The same error for people: paths of the instance's private folder become those of the release. */
export function readError(error: unknown, rename: (text: string) => string): FunctionError {
  if (!isRecord(error)) throw new ProtocolError("an error of the wrong shape");
  const { name = "Error", message = "", stack = null, fatal, retryAfterMs } = error;
  if (typeof name !== "string" || typeof message !== "string") throw new ProtocolError("an error without name and message");
  return {
    name,
    message: rename(message),
    stack: typeof stack === "string" ? rename(stack) : null,
    ...(fatal === true ? { fatal } : {}),
    ...(typeof retryAfterMs === "number" && retryAfterMs >= 0 ? { retryAfterMs } : {}),
  };
}

export type ReadRequest =
  | { readonly op: "get"; readonly read: number; readonly keys: readonly string[] }
  | { readonly op: "list"; readonly read: number; readonly prefix: string; readonly after: string | null; readonly limit: number }
  | ({ readonly op: "mock"; readonly read: number } & MockedStep);

export function readRead(head: Head): ReadRequest {
  const { read, op, keys, prefix, after = null, limit } = head;
  if (typeof read !== "number") throw new ProtocolError("a read without a number");
  if (op === "get" && isStrings(keys)) return { op, read, keys };
  if (op === "list" && typeof prefix === "string" && (after === null || typeof after === "string") && typeof limit === "number")
    return { op, read, prefix, after, limit };
  if (op === "mock" && typeof head["name"] === "string" && typeof head["number"] === "number" && typeof head["attempt"] === "number")
    return { op, read, name: head["name"], number: head["number"], attempt: head["attempt"] };
  throw new ProtocolError("a read of the wrong shape");
}

export type ReadEntries =
  | readonly (WireValue | null)[]
  | readonly MockedOutcome[]
  | readonly { readonly key: string; readonly value: WireValue }[];

export function readLogLevel(head: Head): LogLevel {
  const { level } = head;
  if (level === "debug" || level === "info" || level === "warn" || level === "error") return level;
  throw new ProtocolError("a log line without a level");
}

export function readNumber(head: Head, name: string): number {
  const value = head[name];
  if (typeof value !== "number" || !(value >= 0)) throw new ProtocolError(`${name} is no number`);
  return value;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

function isOptional(value: unknown, kind: "string" | "number"): boolean {
  return value === undefined || typeof value === kind;
}
