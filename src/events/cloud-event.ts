import { isAttributeName, STRING_EXTENSIONS } from "./attribute.ts";
import { dataOfMembers, type EventData } from "./event-data.ts";
import { type EventFault, kindOf, quoted } from "./event-fault.ts";
import { type MediaType, parseMediaType } from "./media-type.ts";
import { isTimestamp } from "./timestamp.ts";
import { isAbsoluteUri, isUriReference } from "./uri.ts";

/**
 * A CloudEvent 1.0 in Millrace's normal form (SPEC.md). Extension attributes are strings, whole numbers of
 * 32 bits or booleans; they stand beside the others, so their common type here is `unknown`.
 */
export interface CloudEvent<Data = unknown> {
  readonly specversion: "1.0";
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  /** When it happened, by the sender's clock, as RFC 3339. */
  readonly time?: string;
  readonly datacontenttype?: string;
  readonly dataschema?: string;
  readonly data?: Data;
  readonly data_base64?: string;
  readonly partitionkey?: string;
  readonly traceparent?: string;
  readonly tracestate?: string;
  readonly [extension: string]: unknown;
}

export type ParsedEvent =
  | { readonly ok: true; readonly event: CloudEvent }
  | { readonly ok: false; readonly faults: readonly EventFault[] };

/** The event that a JSON value is, in normal form, or everything that keeps it from being one. */
export function parseCloudEvent(value: unknown): ParsedEvent {
  if (!isObject(value)) return { ok: false, faults: [{ attribute: "event", cause: `must be a JSON object, but is ${kindOf(value)}` }] };
  return buildEvent(value, (mediaType) => dataOfMembers(value.data, value.data_base64, mediaType));
}

/** The same for attributes and data that come apart, as in binary mode. */
export function buildEvent(
  given: Readonly<Record<string, unknown>>,
  readData: (mediaType: MediaType | undefined) => EventData,
): ParsedEvent {
  const faults: EventFault[] = [];
  const version = readRequired(given.specversion, "specversion", faults);
  if (version !== undefined && version !== "1.0") fault(faults, "specversion", `${quoted(version)} is not supported, only "1.0" is`);
  const id = readRequired(given.id, "id", faults);
  const source = readRequired(given.source, "source", faults);
  if (source !== undefined && !isUriReference(source)) fault(faults, "source", `${quoted(source)} is no URI-reference (RFC 3986)`);
  const type = readRequired(given.type, "type", faults);
  const subject = readText(given.subject, "subject", faults);
  const time = readText(given.time, "time", faults);
  if (time !== undefined && !isTimestamp(time)) fault(faults, "time", `${quoted(time)} is no RFC 3339 timestamp`);
  const contentType = readText(given.datacontenttype, "datacontenttype", faults);
  const mediaType = contentType === undefined ? undefined : parseMediaType(contentType);
  if (contentType !== undefined && mediaType === undefined) fault(faults, "datacontenttype", `${quoted(contentType)} is no media type`);
  const schema = readText(given.dataschema, "dataschema", faults);
  if (schema !== undefined && !isAbsoluteUri(schema)) fault(faults, "dataschema", `${quoted(schema)} is no absolute URI (RFC 3986)`);
  const extensions = checkExtensions(given, faults);
  // What data has to be hangs on its content type: without one that holds, there is nothing to say about it.
  const data: EventData = faults.length === 0 ? readData(mediaType) : { form: "none" };
  if (data.form === "bad") faults.push(data.fault);
  if (data.form === "bad_json") fault(faults, "data", `must be JSON by its datacontenttype, but is not: ${data.cause}`);
  if (faults.length > 0 || id === undefined || source === undefined || type === undefined) return { ok: false, faults };

  const event: Record<string, unknown> & { id: string; source: string; type: string; specversion: "1.0" } = {
    specversion: "1.0",
    id,
    source,
    type,
  };
  if (subject !== undefined) event.subject = subject;
  if (time !== undefined) event.time = time;
  if (contentType !== undefined) event.datacontenttype = contentType;
  else if (data.form === "value") event.datacontenttype = "application/json";
  if (schema !== undefined) event.dataschema = schema;
  for (const name of extensions) event[name] = given[name];
  if (data.form === "value") event.data = data.data;
  if (data.form === "bytes") event.data_base64 = data.base64;
  return { ok: true, event };
}

/** Types under `millrace.` are the platform's own, in whatever case they are written. */
export function isReservedType(type: string): boolean {
  if (!type.startsWith("m") && !type.startsWith("M")) return false;
  const start = type.slice(0, RESERVED_PREFIX.length).toLowerCase();
  return start === RESERVED_PREFIX || (type.length < RESERVED_PREFIX.length && `${start}.` === RESERVED_PREFIX);
}

const RESERVED_PREFIX = "millrace.";

const CORE_NAMES = new Set([
  "specversion",
  "id",
  "source",
  "type",
  "subject",
  "time",
  "datacontenttype",
  "dataschema",
  "data",
  "data_base64",
]);

const NO_NAMES: readonly string[] = [];

/** Checks the extension attributes, and gives the names of those that are set, sorted. */
function checkExtensions(given: Readonly<Record<string, unknown>>, faults: EventFault[]): readonly string[] {
  let names: string[] | undefined;
  for (const name of Object.keys(given)) {
    if (CORE_NAMES.has(name)) continue;
    if (!isAttributeName(name)) {
      fault(faults, quotedName(name), "no attribute may have this name: only lower-case letters a–z and digits may stand in one");
      continue;
    }
    const value = given[name];
    if (value === undefined || value === null) continue;
    const cause = extensionCause(name, value);
    if (cause !== undefined) fault(faults, name, cause);
    else if (names === undefined) names = [name];
    else names.push(name);
  }
  if (names === undefined) return NO_NAMES;
  return names.length === 1 ? names : names.sort();
}

function extensionCause(name: string, value: unknown): string | undefined {
  if (typeof value === "string") return name === "partitionkey" && value === "" ? "must not be empty" : characterCause(value);
  if (STRING_EXTENSIONS.has(name)) return `must be a string, but is ${kindOf(value)}`;
  if (typeof value === "boolean") return undefined;
  if (typeof value !== "number") return `must be a string, a whole number or a boolean, but is ${kindOf(value)}`;
  return (value | 0) === value ? undefined : `must be a whole number of 32 bits, but is ${value}`;
}

function readRequired(value: unknown, name: string, faults: EventFault[]): string | undefined {
  if (value !== undefined && value !== null) return readText(value, name, faults);
  fault(faults, name, "is required, but is missing");
  return undefined;
}

/** A text attribute of the core: absent, or a string that is not empty. */
function readText(value: unknown, name: string, faults: EventFault[]): string | undefined {
  if (value === undefined || value === null) return undefined;
  const cause = typeof value !== "string" ? `must be a string, but is ${kindOf(value)}` : textCause(value);
  if (cause === undefined) return value as string;
  fault(faults, name, cause);
  return undefined;
}

function textCause(text: string): string | undefined {
  return text === "" ? "must not be empty" : characterCause(text);
}

/** Nearly all attributes are plain ASCII: that is seen without a look at the rarer rules. */
function characterCause(text: string): string | undefined {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code > 0x7e) return rareCharacterCause(text);
  }
  return undefined;
}

function rareCharacterCause(text: string): string | undefined {
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    if (isControl(point)) return `holds the control character U+${hex(point)}`;
    if (point >= 0xd800 && point <= 0xdfff) return `holds half of a surrogate pair, U+${hex(point)}`;
    if ((point & 0xfffe) === 0xfffe || (point >= 0xfdd0 && point <= 0xfdef)) return `holds U+${hex(point)}, which is no character`;
  }
  return undefined;
}

function isControl(point: number): boolean {
  return point < 0x20 || (point >= 0x7f && point <= 0x9f);
}

function hex(point: number): string {
  return point.toString(16).toUpperCase().padStart(4, "0");
}

/** A name that is fit for a sentence as it stands, or in quotes. */
function quotedName(name: string): string {
  return /^[\w.-]{1,64}$/.test(name) ? name : quoted(name);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** So many faults say enough; an event of ten thousand bad attributes is not answered with as many lines. */
const SHOWN_FAULTS = 16;

function fault(faults: EventFault[], attribute: string, cause: string): void {
  if (faults.length < SHOWN_FAULTS) faults.push({ attribute, cause });
}
