/** Headers as they travel: name, value, name, value, … */
export type RawHeaders = readonly string[];

const HOP_BY_HOP = new Set(["connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer"]);
const PROXY = "proxy-";

/** What is between two neighbours on the wire only, and so is no part of the message (RFC 9110, 7.6.1). */
export function isHopByHop(lowerName: string): boolean {
  return HOP_BY_HOP.has(lowerName) || lowerName.startsWith(PROXY);
}

/** The lengths of hop-by-hop names: a name of another length needs no lower-casing, unless it may begin with `proxy-`. */
const HOP_LENGTHS = new Set([...HOP_BY_HOP].map((name) => name.length));

function mayBeHopByHop(name: string): boolean {
  if (HOP_LENGTHS.has(name.length)) return true;
  const first = name.charCodeAt(0);
  return first === 0x70 || first === 0x50;
}

/** A request's headers without hop-by-hop ones and those that `Connection` names; one pass, one copy. */
export function endToEnd(headers: RawHeaders, connection: string | undefined): string[] {
  const named = namedByConnection(connection);
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? "";
    if (mayBeHopByHop(name) && isHopByHop(name.toLowerCase())) continue;
    if (named !== undefined && named.has(name.toLowerCase())) continue;
    kept.push(name, headers[i + 1] ?? "");
  }
  return kept;
}

function namedByConnection(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || connection === "keep-alive" || connection === "close") return undefined;
  return new Set(
    connection
      .toLowerCase()
      .split(",")
      .map((name) => name.trim()),
  );
}

export interface AnswerHeaders {
  /** Without hop-by-hop headers and without a length. */
  readonly kept: string[];
  /** What the function said, if it was a number. */
  readonly contentLength: number | undefined;
}

/** An answer's headers; whoever writes the body decides its length. */
export function answerHeaders(headers: RawHeaders): AnswerHeaders {
  const kept: string[] = [];
  let contentLength: number | undefined;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? "";
    const value = headers[i + 1] ?? "";
    if (name.length === CONTENT_LENGTH.length && name.toLowerCase() === CONTENT_LENGTH) {
      if (/^\d{1,15}$/.test(value)) contentLength = Number(value);
    } else if (!mayBeHopByHop(name) || !isHopByHop(name.toLowerCase())) {
      kept.push(name, value);
    }
  }
  return { kept, contentLength };
}

const CONTENT_LENGTH = "content-length";
