import { type EventFault, kindOf } from "./event-fault.ts";
import { isUtf8, type MediaType } from "./media-type.ts";

/**
 * The data of an event in the one form that its content type gives it (E12), whichever way it was sent:
 * a JSON value, text, or bytes in base64. So one event has one JSON text in all modes.
 */
export type EventData =
  | { readonly form: "none" }
  | { readonly form: "value"; readonly data: unknown }
  | { readonly form: "bytes"; readonly base64: string }
  | { readonly form: "bad_json"; readonly cause: string }
  | { readonly form: "bad"; readonly fault: EventFault };

const NONE: EventData = { form: "none" };

const jsonText = new TextDecoder("utf-8", { fatal: true });
// Text is kept as it came, a byte order mark included.
const plainText = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The data that a body holds. */
export function dataOfBytes(bytes: Uint8Array, mediaType: MediaType | undefined): EventData {
  const form = mediaType?.form ?? "bytes";
  // Text may be empty; of JSON and bytes nothing is left when the body is.
  if (bytes.length === 0 && form !== "text") return NONE;
  switch (form) {
    case "json":
      return readJson(bytes);
    case "text":
      return readText(bytes, mediaType);
    case "bytes":
      return inBase64(bytes);
    default:
      return form satisfies never;
  }
}

/** The data that the members `data` and `data_base64` of a JSON event hold. */
export function dataOfMembers(data: unknown, base64: unknown, mediaType: MediaType | undefined): EventData {
  const hasBase64 = base64 !== undefined && base64 !== null;
  if (data === undefined) return hasBase64 ? dataOfBase64(base64, mediaType) : NONE;
  if (hasBase64) return bad("data_base64", "must not stand beside data: an event has one or the other");
  if (mediaType === undefined || mediaType.form === "json") return { form: "value", data };
  const { essence, charset } = mediaType;
  if (typeof data !== "string") return bad("data", `must be a string when datacontenttype is ${essence}, but is ${kindOf(data)}`);
  if (!isUtf8(mediaType)) return bad("data", `must be given as data_base64 when datacontenttype names the charset ${charset}`);
  if (!data.isWellFormed()) return bad("data", "holds half of a surrogate pair, which no text can carry");
  if (mediaType.form === "text") return { form: "value", data };
  return data === "" ? NONE : inBase64(Buffer.from(data));
}

/** The value of a JSON document in UTF-8, or why it is none. */
export function readJson(bytes: Uint8Array): Extract<EventData, { form: "value" | "bad_json" }> {
  let text: string;
  try {
    text = jsonText.decode(bytes);
  } catch {
    return { form: "bad_json", cause: "it is not in UTF-8" };
  }
  try {
    const data: unknown = JSON.parse(text);
    return { form: "value", data };
  } catch (error) {
    return { form: "bad_json", cause: error instanceof Error ? error.message : String(error) };
  }
}

function readText(bytes: Uint8Array, mediaType: MediaType | undefined): EventData {
  if (mediaType !== undefined && !isUtf8(mediaType)) return inBase64(bytes);
  try {
    return { form: "value", data: plainText.decode(bytes) };
  } catch {
    return inBase64(bytes);
  }
}

function dataOfBase64(base64: unknown, mediaType: MediaType | undefined): EventData {
  if (typeof base64 !== "string") return bad("data_base64", `must be a string, but is ${kindOf(base64)}`);
  const bytes = Buffer.from(base64, "base64");
  // Buffer skips what is not base64 without a word; only what it writes back the same was base64.
  if (bytes.toString("base64") !== base64) return bad("data_base64", "is no base64 by RFC 4648, section 4");
  const data = dataOfBytes(bytes, mediaType);
  return data.form === "bad_json" ? bad("data_base64", `must hold JSON by its datacontenttype, but does not: ${data.cause}`) : data;
}

function inBase64(bytes: Uint8Array): EventData {
  if (bytes.length === 0) return NONE;
  return { form: "bytes", base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64") };
}

function bad(attribute: string, cause: string): EventData {
  return { form: "bad", fault: { attribute, cause } };
}
