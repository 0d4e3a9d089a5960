import { isUtf8 } from "node:buffer";
import { HttpAnswerValue } from "./http-answer-value.ts";
import { DEPTH_LIMIT } from "./plain-json.ts";
import { ERROR_PARTS, isBoxed, isDense, isError } from "./value-kinds.ts";
import { fromValueText } from "./value-text.ts";

/** What stands for an object that was shown before: in a cycle, or where two places share one. */
const SEEN = "[shown above]";
const DEEPER = "[nested too deep]";

/** A kept value as JSON can say it, for a terminal and for HTTP (V9). Not made to be read back: `fromValueText` is. */
export function valueForPeople(text: string): unknown {
  const value = fromValueText(text);
  return text.startsWith("~") ? shown(value, new Set(), 1) : value;
}

function shown(value: unknown, above: Set<object>, depth: number): unknown {
  switch (typeof value) {
    case "bigint":
      return String(value);
    case "number":
      return Number.isFinite(value) ? value + 0 : String(value);
    case "object":
      return value === null ? null : shownObject(value, above, depth);
    case "undefined":
      return null;
    default:
      return value;
  }
}

function shownObject(object: object, above: Set<object>, depth: number): unknown {
  if (above.has(object)) return SEEN;
  if (depth > DEPTH_LIMIT) return DEEPER;
  above.add(object);
  const inner = (value: unknown): unknown => shown(value, above, depth + 1);
  if (Array.isArray(object)) return shownArray(object, inner);
  if (object instanceof Date) return Number.isNaN(object.getTime()) ? "Invalid Date" : object.toISOString();
  if (object instanceof Map) return shownMap(object, inner);
  if (object instanceof Set) return Array.from(object, inner);
  if (object instanceof RegExp) return String(object);
  if (object instanceof ArrayBuffer) return Buffer.from(object).toString("base64");
  if (ArrayBuffer.isView(object)) return Buffer.from(object.buffer, object.byteOffset, object.byteLength).toString("base64");
  if (object instanceof HttpAnswerValue) return shownAnswer(object);
  if (isError(object)) return shownError(object, inner);
  if (isBoxed(object)) return inner(object.valueOf());
  return shownProperties(object, Object.keys(object), inner);
}

type Inner = (value: unknown) => unknown;

/** With holes or names an array is shown by its properties: a million holes are no million nulls. */
function shownArray(values: readonly unknown[], inner: Inner): unknown {
  return isDense(values) ? values.map(inner) : shownProperties(values, ["length", ...Object.keys(values)], inner);
}

function shownMap(map: ReadonlyMap<unknown, unknown>, inner: Inner): unknown {
  const entries = Array.from(map, ([key, value]) => [typeof key === "string" ? key : inner(key), inner(value)] as const);
  return entries.every((entry): entry is readonly [string, unknown] => typeof entry[0] === "string")
    ? Object.fromEntries(entries)
    : entries;
}

function shownError(error: Error, inner: Inner): unknown {
  const parts = ERROR_PARTS.filter((part) => part in error && (error as unknown as Record<string, unknown>)[part] !== undefined);
  return shownProperties(error, [...parts, ...Object.keys(error)], inner);
}

/** Name by name: of a property called `__proto__` nothing is inherited. */
function shownProperties(object: object, names: readonly string[], inner: Inner): unknown {
  return Object.fromEntries(names.map((name) => [name, inner((object as Record<string, unknown>)[name])]));
}

function shownAnswer({ status, statusText, headers, body }: HttpAnswerValue): unknown {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return { status, statusText, headers, body: isUtf8(bytes) ? bytes.toString() : bytes.toString("base64") };
}
