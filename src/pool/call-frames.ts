import { toError } from "../core/index.ts";
import { CHUNK_BYTES, FRAME, type FrameWriter, type FunctionError, LARGEST_PART_BYTES, ProtocolError } from "../protocol/index.ts";
import type { Call, EventCall, HttpCall, RunCall } from "./pool.ts";
import type { CallTicket } from "./ticket.ts";
import { Upload } from "./upload.ts";
import { type ReadEntries, type ReadRequest, readRead, readStep } from "./wire.ts";

type Head = Readonly<Record<string, unknown>>;

export const EVENT_TOO_LARGE: FunctionError = {
  name: "TooLarge",
  message: `an event of more than ${LARGEST_PART_BYTES} bytes cannot be handed to a function`,
  stack: null,
  fatal: true,
};

/** False: the event is too large for a frame, and nothing was sent. */
export function sendEvent(writer: FrameWriter, number: number, call: EventCall): boolean {
  const { eventJson } = call;
  if (isTooLarge(eventJson)) return false;
  const asked = (call.checkSchema ? ',"checkSchema":true' : "") + (call.wantsResult === true ? ',"result":true}' : "}");
  writer.send(FRAME.event, number, commonHead(call) + asked, eventJson);
  return true;
}

/** Its journal follows, by its RunLink. False as above. */
export function sendRun(writer: FrameWriter, number: number, call: RunCall, waitedMs: number): boolean {
  const { eventJson, run } = call;
  if (isTooLarge(eventJson)) return false;
  // Where it tells the time by itself, that is the time at which it gets it.
  const head = run.ahead === "no" || waitedMs < 1 ? run : { ...run, nowMs: run.nowMs + Math.floor(waitedMs) };
  writer.send(FRAME.run, number, `${commonHead(call)},"run":${JSON.stringify(head)}}`, eventJson);
  return true;
}

/** A small body goes along; a large one follows as the instance asks for it. */
export function sendHttp(writer: FrameWriter, ticket: CallTicket, call: HttpCall): void {
  const { number } = ticket;
  const { method, url, headers, params } = call.head;
  const whole = call.body === null || (call.body instanceof Uint8Array && call.body.length <= CHUNK_BYTES);
  const head =
    `${commonHead(call)},"method":${JSON.stringify(method)},"url":${JSON.stringify(url)},"headers":${JSON.stringify(headers)}` +
    `,"params":${JSON.stringify(params)}${whole ? "}" : ',"stream":true}'}`;
  writer.send(FRAME.http, number, head, whole ? call.body : null);
  if (whole || call.body === null) return;
  ticket.upload = new Upload(call.body, (piece, flags) => writer.send(FRAME.requestChunk, number, null, piece, flags));
  ticket.upload.start();
}

/** Reads for a call, and puts into words what went wrong with that. Rejects when what was asked is no read. */
export async function replyToRead(call: Call | RunCall, head: Head): Promise<string> {
  const request = readRead(head);
  const { read } = request;
  const ask = asking(request, call, head);
  try {
    const entries = await ask();
    const reply = JSON.stringify({ read, entries });
    return isTooLarge(reply) ? errorReply(read, "KvTooLarge", KV_TOO_LARGE) : reply;
  } catch (error) {
    const { name, message } = toError(error);
    return errorReply(read, name, message);
  }
}

/** Throws when what was asked is no read of this call. */
function asking(request: ReadRequest, call: Call | RunCall, head: Head): () => Promise<ReadEntries> {
  if (request.op === "mock") {
    const mock = call.kind === "run" ? call.mock : undefined;
    if (mock === undefined) throw new ProtocolError("nobody plays the part of a step");
    return async () => [await mock(request)];
  }
  const kv = call.kind === "run" ? call.kvOf(readStep(head)) : call.kv;
  return () => (request.op === "get" ? kv.get(request.keys) : kv.list(request));
}

const KV_TOO_LARGE = "a read may return 4 MiB at once: ask for fewer keys, or list with a smaller `limit`";

/** The cheap look first: no text has more than three bytes a character. */
function isTooLarge(text: string): boolean {
  return text.length * 3 > LARGEST_PART_BYTES && Buffer.byteLength(text) > LARGEST_PART_BYTES;
}

function commonHead({ id, attempt, timeoutMs, started }: Call | RunCall): string {
  return `{"id":${JSON.stringify(id)},"attempt":${attempt},"timeoutMs":${timeoutMs}${started === undefined ? "" : ',"notify":true'}`;
}

function errorReply(read: number, name: string, message: string): string {
  return JSON.stringify({ read, error: { name, message } });
}
