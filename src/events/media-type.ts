/** How content of a type stands in an event: as a JSON value, as text, or as bytes in base64. */
type ContentForm = "json" | "text" | "bytes";

export interface MediaType {
  /** `type/subtype` in lower case, without parameters. */
  readonly essence: string;
  /** The charset parameter in lower case, or undefined when there is none. */
  readonly charset: string | undefined;
  readonly form: ContentForm;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const QUOTED = String.raw`"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e]|\\[\t\x20-\x7e])*"`;
// White space stands only before what follows it, so that no input can be split in two ways: the match is linear.
const MEDIA_TYPE = new RegExp(`^(${TOKEN}/${TOKEN})((?:[ \\t]*;(?:[ \\t]*${TOKEN}=(?:${TOKEN}|${QUOTED}))?)*)[ \\t]*$`);
const PARAMETER = new RegExp(`;[ \\t]*(${TOKEN})=(${TOKEN}|${QUOTED})`, "g");

/** Types that are text though they are not `text/*`; all others are kept as bytes, for which no guess can be wrong. */
const TEXT_ESSENCES = new Set([
  "application/graphql",
  "application/javascript",
  "application/sql",
  "application/x-ndjson",
  "application/x-www-form-urlencoded",
  "application/xml",
  "application/yaml",
]);

/** Senders use few types, and many events each: what was read once is kept, within bounds that no sender can stretch. */
const known = new Map<string, MediaType>();
const KNOWN_TYPES = 256;
const KNOWN_LENGTH = 128;

/** The media type that `text` names, or undefined when it is none by RFC 2045. */
export function parseMediaType(text: string): MediaType | undefined {
  const before = known.get(text);
  if (before !== undefined) return before;
  const mediaType = readMediaType(text);
  if (mediaType === undefined || text.length > KNOWN_LENGTH) return mediaType;
  if (known.size >= KNOWN_TYPES) known.clear();
  known.set(text, mediaType);
  return mediaType;
}

export function isUtf8(mediaType: MediaType): boolean {
  return mediaType.charset === undefined || mediaType.charset === "utf-8" || mediaType.charset === "utf8";
}

function readMediaType(text: string): MediaType | undefined {
  const [, name, parameters] = MEDIA_TYPE.exec(text) ?? [];
  if (name === undefined || parameters === undefined) return undefined;
  const essence = name.toLowerCase();
  return { essence, charset: readCharset(parameters), form: formOf(essence) };
}

function readCharset(parameters: string): string | undefined {
  for (const [, name, value] of parameters.matchAll(PARAMETER)) {
    if (name?.toLowerCase() === "charset") return value?.replace(/^"(.*)"$/, "$1").toLowerCase();
  }
  return undefined;
}

function formOf(essence: string): ContentForm {
  if (essence.endsWith("/json") || essence.endsWith("+json")) return "json";
  if (essence.startsWith("text/") || essence.endsWith("+xml") || essence.endsWith("+yaml")) return "text";
  return TEXT_ESSENCES.has(essence) ? "text" : "bytes";
}
