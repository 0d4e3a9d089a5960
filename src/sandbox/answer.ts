import { MillraceError } from "../core/errors.ts";
import { CHUNK_BYTES } from "../protocol/frame.ts";
import { jsonText, strangeObject } from "./json-text.ts";
import { hasTag, type HeaderList } from "./light-headers.ts";
import { type BodySource, isSource, LightResponse } from "./light-response.ts";

/** What a handler returned, ready to be sent. `head` is the inside of the result frame's head. */
export type Answer =
  | { readonly kind: "whole"; readonly head: string; readonly body: string | Uint8Array | null }
  | { readonly kind: "stream"; readonly head: string; readonly source: BodySource | Uint8Array };

const HEAD_LIMIT_CHARS = 64 * 1024;
/** A text with fewer UTF-16 units cannot be longer than a chunk in UTF-8. */
const SURELY_SHORT = CHUNK_BYTES / 3;

const JSON_HEAD = headOf(200, "", ["content-type", "application/json"]);
const TEXT_HEAD = headOf(200, "", ["content-type", "text/plain;charset=utf-8"]);
const BYTES_HEAD = headOf(200, "", ["content-type", "application/octet-stream"]);
const NOTHING: Answer = { kind: "whole", head: headOf(204, "", []), body: null };

/** What fetch() has already undone, or what belongs to its connection alone. */
const NOT_FOR_A_SECOND_JOURNEY = new Set(["content-encoding", "content-length", "transfer-encoding", "connection", "keep-alive"]);

/** A handler returned what cannot be an answer. */
class BadResult extends MillraceError {
  override readonly name = "BadResult" as "MillraceError";

  constructor(message: string) {
    super("bad_result", message);
  }
}

/** Throws BadResult for what cannot be sent. */
export function toAnswer(value: unknown): Answer {
  switch (typeof value) {
    case "string":
      return withBody(TEXT_HEAD, value);
    case "undefined":
      return NOTHING;
    case "function":
    case "symbol":
    case "bigint":
      throw new BadResult(`the handler returned a ${typeof value}, which cannot be sent`);
    case "number":
    case "boolean":
      return withBody(JSON_HEAD, toJson(value));
    case "object":
      return value === null ? NOTHING : fromObject(value);
  }
}

function fromObject(value: object): Answer {
  const parts = LightResponse.partsOf(value);
  if (parts !== null) {
    const head = headOf(parts.status, parts.statusText, parts.headers);
    checkStatus(parts.status);
    return parts.body !== null && isRealResponse(parts.body) ? fromRealBody(head, parts.body) : withBody(head, parts.body);
  }
  if (value instanceof Uint8Array) return withBody(BYTES_HEAD, value);
  if (value instanceof ArrayBuffer) return withBody(BYTES_HEAD, new Uint8Array(value));
  if (isRealResponse(value)) return fromReal(value);
  if (isSource(value)) return { kind: "stream", head: BYTES_HEAD, source: value };
  // Nobody means the `{}` that these would become. Only the value itself is looked at: answers are not kept, so a walk is not worth its time.
  const strange = strangeObject(value);
  if (strange !== null) throw new BadResult(`the handler returned a value that cannot be sent: ${strange}`);
  return withBody(JSON_HEAD, toJson(value));
}

function isRealResponse(value: unknown): value is Response {
  return typeof value === "object" && value !== null && hasTag(value, "Response") && value instanceof globalThis.Response;
}

function fromReal(response: Response): Answer {
  checkStatus(response.status);
  const fetched = response.url !== "";
  const headers: HeaderList = [];
  for (const [name, value] of response.headers) if (!fetched || !NOT_FOR_A_SECOND_JOURNEY.has(name)) headers.push(name, value);
  return fromRealBody(headOf(response.status, response.statusText, headers), response);
}

function fromRealBody(head: string, response: Response): Answer {
  if (response.bodyUsed) throw new BadResult("the handler returned a Response whose body was already read");
  if (response.body === null) return { kind: "whole", head, body: null };
  if (response.body.locked) throw new BadResult("the handler returned a Response whose body is being read by somebody else");
  return { kind: "stream", head, source: response.body as ReadableStream<Uint8Array> };
}

function withBody(head: string, body: string | Uint8Array | BodySource | null): Answer {
  if (body === null) return { kind: "whole", head, body };
  if (typeof body === "string") {
    if (body.length <= SURELY_SHORT) return { kind: "whole", head, body };
    return withBody(head, Buffer.from(body));
  }
  if (body instanceof Uint8Array)
    return body.length <= CHUNK_BYTES ? { kind: "whole", head, body } : { kind: "stream", head, source: body };
  return { kind: "stream", head, source: body };
}

function toJson(value: unknown): string {
  try {
    const json = JSON.stringify(value) as string | undefined;
    if (json !== undefined) return json;
  } catch {
    // jsonText says below what it was, and where.
  }
  const text = jsonText(value, "result");
  throw new BadResult(
    text.kind === "fault"
      ? `the handler returned a value that cannot be sent: ${text.fault.path}: ${text.fault.what}`
      : "the handler returned a value that cannot be sent",
  );
}

function checkStatus(status: number): void {
  if (status < 200 || status > 599) throw new BadResult(`the handler returned a Response with the status ${status}, which cannot be sent`);
}

function headOf(status: number, statusText: string, headers: HeaderList): string {
  const text = statusText === "" ? "" : `"statusText":${JSON.stringify(statusText)},`;
  const head = `"status":${status},${text}"headers":${JSON.stringify(headers)}`;
  if (head.length > HEAD_LIMIT_CHARS) throw new BadResult(`the answer's headers come to more than ${HEAD_LIMIT_CHARS} characters`);
  return head;
}
