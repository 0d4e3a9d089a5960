import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { toError } from "../core/errors.ts";
import { MillraceError } from "../core/errors.ts";

/** So that neither a proxy nor a client takes a silent stream for a dead one. */
const HEARTBEAT_MS = 15_000;

/**
 * Writes one JSON document a line, as fast as the reader takes them, until the source ends or the signal aborts. An
 * error after the first byte can no longer be a status: it is the last line, `{ "error": … }` (C9).
 */
export async function sendLines(response: ServerResponse, source: AsyncIterable<unknown>, signal: AbortSignal): Promise<void> {
  response.writeHead(200, { "content-type": "application/x-ndjson", "cache-control": "no-store" });
  response.flushHeaders();
  const heartbeat = setInterval(() => response.write("\n"), HEARTBEAT_MS);
  try {
    for await (const item of source) {
      if (signal.aborted) break;
      if (!response.write(`${JSON.stringify(item)}\n`)) await once(response, "drain", { signal });
    }
  } catch (error) {
    if (!signal.aborted) response.write(`${JSON.stringify(asMillraceError(error).toBody())}\n`);
  } finally {
    clearInterval(heartbeat);
    response.end();
  }
}

export function asMillraceError(thrown: unknown): MillraceError {
  if (thrown instanceof MillraceError) return thrown;
  const error = toError(thrown);
  return new MillraceError("internal", error.message, { cause: error });
}
