import { type ErrorCode, formatSize } from "../core/index.ts";
import { canonicalJson, MAX_DEPTH } from "./canonical-json.ts";
import { buildEvent, type CloudEvent, isReservedType, type ParsedEvent, parseCloudEvent } from "./cloud-event.ts";
import { dataOfBytes, readJson } from "./event-data.ts";
import { faultText, quoted } from "./event-fault.ts";
import { decodeHeaderValue, encodeHeaderValue } from "./header-value.ts";
import { isUtf8, parseMediaType } from "./media-type.ts";

/** Headers as Node gives them: names in lower case. */
export type EventHeaders = Readonly<Record<string, string | string[] | undefined>>;

export interface DecodeLimits {
  /** The most that one event may be, as its canonical JSON in UTF-8. */
  readonly maxEventBytes: number;
  /** The most events that one batch may hold. */
  readonly maxBatchEvents?: number;
}

/** An event at the door, with the JSON text under which it is stored. */
export interface IncomingEvent {
  readonly event: CloudEvent;
  readonly json: string;
}

/** What is wrong with one event of a request; the index of an event that came alone is 0. */
export interface BadEvent {
  readonly index: number;
  readonly reasons: readonly string[];
}

export type RefusalCode = Extract<
  ErrorCode,
  "bad_json" | "bad_event" | "bad_batch" | "too_large" | "unsupported_media_type" | "reserved_type"
>;

export interface Refused {
  readonly kind: "refused";
  readonly code: RefusalCode;
  readonly message: string;
  readonly details: readonly BadEvent[];
}

export type Decoded = { readonly kind: "one" | "batch"; readonly events: readonly IncomingEvent[] } | Refused;

const MAX_BATCH_EVENTS = 10_000;

/** The events that an HTTP request carries, in whichever mode of the CloudEvents HTTP binding; it never throws. */
export function decodeHttp(headers: EventHeaders, body: Uint8Array, limits: DecodeLimits): Decoded {
  const contentType = headers["content-type"];
  const mediaType = typeof contentType === "string" ? parseMediaType(contentType) : undefined;
  if (mediaType === undefined || !isCloudEventsFormat(mediaType.essence)) return decodeBinary(headers, body, limits);
  const { essence } = mediaType;
  if (essence !== STRUCTURED && essence !== BATCHED) return unsupported(`events in the format ${essence} are not understood`);
  if (!isUtf8(mediaType)) return unsupported(`${essence} is understood in UTF-8 only, not in ${quoted(mediaType.charset ?? "")}`);
  const json = readJson(body);
  if (json.form === "bad_json") return badJson(json.cause);
  return essence === STRUCTURED ? decodeOne(parseCloudEvent(json.data), limits) : decodeBatch(json.data, limits);
}

/** The headers that carry an event in binary mode; `encodeBinaryBody` gives the body that belongs to them. */
export function encodeBinaryHeaders(event: CloudEvent): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(event)) {
    if (name === "data" || name === "data_base64" || name === "datacontenttype") continue;
    const text = attributeText(value);
    if (text !== undefined) headers[`ce-${name}`] = encodeHeaderValue(text);
  }
  const contentType = event.datacontenttype ?? (event.data === undefined ? undefined : "application/json");
  if (contentType !== undefined) headers["content-type"] = contentType;
  return headers;
}

export function encodeBinaryBody(event: CloudEvent): Uint8Array {
  if (event.data_base64 !== undefined) return Buffer.from(event.data_base64, "base64");
  if (event.data === undefined) return new Uint8Array();
  const isText = event.datacontenttype !== undefined && parseMediaType(event.datacontenttype)?.form !== "json";
  return Buffer.from(isText && typeof event.data === "string" ? event.data : JSON.stringify(event.data));
}

/** The canonical string of an attribute's value. */
function attributeText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

const FORMAT_PREFIX = "application/cloudevents";
const STRUCTURED = "application/cloudevents+json";
const BATCHED = "application/cloudevents-batch+json";

/** Whether a media type is of the CloudEvents family: the name itself, a format (`+…`) or a variant (`-batch…`). */
function isCloudEventsFormat(essence: string): boolean {
  if (!essence.startsWith(FORMAT_PREFIX)) return false;
  const next = essence.charAt(FORMAT_PREFIX.length);
  return next === "" || next === "+" || next === "-";
}

function decodeBinary(headers: EventHeaders, body: Uint8Array, limits: DecodeLimits): Decoded {
  const attributes: Record<string, unknown> = Object.create(null);
  const reasons: string[] = [];
  let isEvent = false;
  for (const header of Object.keys(headers)) {
    const raw = headers[header];
    if (raw === undefined || (!header.startsWith("ce-") && header !== "content-type")) continue;
    const name = header === "content-type" ? "datacontenttype" : header.slice(3);
    isEvent ||= name !== "datacontenttype";
    if (typeof raw !== "string") reasons.push(`${name}: was sent more than once`);
    else if (header === "content-type") attributes.datacontenttype = raw;
    else if (NOT_IN_HEADERS.has(name)) reasons.push(`${name}: has no ce- header; Content-Type names its type and the body holds the data`);
    else readHeader(name, raw, attributes, reasons);
  }
  if (!isEvent) return unsupported("the request is no CloudEvent: it has neither a CloudEvents media type nor ce-* headers");
  const { datacontenttype } = attributes;
  const data = dataOfBytes(body, typeof datacontenttype === "string" ? parseMediaType(datacontenttype) : undefined);
  const parsed = buildEvent(attributes, () => data);
  // Damaged JSON is named as such when nothing else is wrong: the event around it is sound.
  const isOnlyFault = reasons.length === 0 && !parsed.ok && parsed.faults[0]?.attribute === "data";
  if (data.form === "bad_json" && isOnlyFault) return badJson(data.cause);
  if (reasons.length === 0) return decodeOne(parsed, limits);
  return refuseOne("bad_event", parsed.ok ? reasons : [...reasons, ...otherReasons(parsed, reasons)]);
}

const NOT_IN_HEADERS = new Set(["data", "data_base64", "datacontenttype"]);

function readHeader(name: string, raw: string, attributes: Record<string, unknown>, reasons: string[]): void {
  const decoded = decodeHeaderValue(raw);
  if (decoded.ok) attributes[name] = decoded.value;
  else reasons.push(`${name}: ${decoded.cause}`);
}

/** A damaged header is no missing attribute: what was said of it once is not said again. */
function otherReasons(parsed: Extract<ParsedEvent, { ok: false }>, reasons: readonly string[]): string[] {
  return parsed.faults.filter(({ attribute }) => !reasons.some((reason) => reason.startsWith(`${attribute}: `))).map(faultText);
}

function decodeOne(parsed: ParsedEvent, limits: DecodeLimits): Decoded {
  const admitted = admit(parsed, limits);
  return admitted.ok ? { kind: "one", events: [admitted.incoming] } : refuseOne(admitted.code, admitted.reasons);
}

function decodeBatch(value: unknown, limits: DecodeLimits): Decoded {
  if (!Array.isArray(value)) return refused("bad_batch", "a batch is a JSON array of events, and the body is none", []);
  const maxEvents = limits.maxBatchEvents ?? MAX_BATCH_EVENTS;
  if (value.length > maxEvents) return refused("too_large", `the batch holds ${value.length} events; at most ${maxEvents} are taken`, []);
  const events: IncomingEvent[] = [];
  const bad: (BadEvent & { code: RefusalCode })[] = [];
  const seen = new Map<string, { index: number; json: string }>();
  for (let index = 0; index < value.length; index++) {
    let admitted = admit(parseCloudEvent(value[index]), limits);
    if (admitted.ok && value.length > 1) admitted = compareToEarlier(admitted.incoming, index, seen);
    if (admitted.ok) events.push(admitted.incoming);
    else bad.push({ index, code: admitted.code, reasons: admitted.reasons });
  }
  return bad.length === 0 ? { kind: "batch", events } : refuseBatch(bad, value.length);
}

/** An event may stand in a batch twice, but not with two contents: nobody could say which one is meant. */
function compareToEarlier(incoming: IncomingEvent, index: number, seen: Map<string, { index: number; json: string }>): Admitted {
  const { event, json } = incoming;
  // No attribute holds a control character, so this joins no two pairs into one name.
  const name = `${event.source}\n${event.id}`;
  const earlier = seen.get(name);
  if (earlier === undefined) seen.set(name, { index, json });
  if (earlier === undefined || earlier.json === json) return { ok: true, incoming };
  const reason = `id: ${quoted(event.id)} of source ${quoted(event.source)} is also that of event ${earlier.index}, which has other content`;
  return { ok: false, code: "bad_event", reasons: [reason] };
}

type Admitted =
  | { readonly ok: true; readonly incoming: IncomingEvent }
  | { readonly ok: false; readonly code: "bad_event" | "too_large" | "reserved_type"; readonly reasons: readonly string[] };

/** What the door asks of an event beyond that it is one. */
function admit(parsed: ParsedEvent, limits: DecodeLimits): Admitted {
  if (!parsed.ok) return { ok: false, code: "bad_event", reasons: parsed.faults.map(faultText) };
  const { event } = parsed;
  if (isReservedType(event.type)) {
    const reason = `type: ${quoted(event.type)} cannot be sent: \`millrace.*\` is the platform's own`;
    return { ok: false, code: "reserved_type", reasons: [reason] };
  }
  const json = canonicalJson(event);
  if (json === undefined) return { ok: false, code: "bad_event", reasons: [`data: is nested deeper than ${MAX_DEPTH} levels`] };
  // A UTF-16 unit is at most three bytes of UTF-8: most events need not be counted.
  if (json.length * 3 > limits.maxEventBytes) {
    const sizeBytes = Buffer.byteLength(json);
    if (sizeBytes > limits.maxEventBytes) return { ok: false, code: "too_large", reasons: [tooLargeReason(sizeBytes, limits)] };
  }
  return { ok: true, incoming: { event, json } };
}

function tooLargeReason(sizeBytes: number, { maxEventBytes }: DecodeLimits): string {
  return `event: is ${formatSize(sizeBytes)} (${sizeBytes} bytes) of JSON, and at most ${formatSize(maxEventBytes)} (${maxEventBytes} bytes) are taken`;
}

function refuseOne(code: "bad_event" | "too_large" | "reserved_type", reasons: readonly string[]): Refused {
  return refused(code, reasons.join("; "), [{ index: 0, reasons }]);
}

function refuseBatch(bad: readonly (BadEvent & { code: RefusalCode })[], count: number): Refused {
  const details = bad.map(({ index, reasons }) => ({ index, reasons }));
  const first = bad[0];
  const says = first === undefined ? "" : `; the first, event ${first.index}: ${first.reasons.join("; ")}`;
  return refused(batchCode(bad), `${bad.length} of the batch's ${count} events cannot be taken${says}`, details);
}

/** Too large, or reserved, when that is all that is wrong; else a bad batch. */
function batchCode(bad: readonly { code: RefusalCode }[]): RefusalCode {
  const codes = new Set(bad.map(({ code }) => code));
  const [only = "bad_batch"] = codes;
  return codes.size === 1 && only !== "bad_event" ? only : "bad_batch";
}

function badJson(cause: string): Refused {
  return refused("bad_json", `the body is not valid JSON: ${cause}`, []);
}

function unsupported(message: string): Refused {
  return refused("unsupported_media_type", message, []);
}

function refused(code: RefusalCode, message: string, details: readonly BadEvent[]): Refused {
  return { kind: "refused", code, message, details };
}
