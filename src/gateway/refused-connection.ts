import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type ErrorCode, MillraceError } from "../core/index.ts";

const CODES: Readonly<Record<string, { code: ErrorCode; message: string }>> = {
  HPE_HEADER_OVERFLOW: { code: "headers_too_large", message: "the request's headers are larger than the gateway takes" },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    code: "too_large",
    message: "the chunk extensions of the request body are larger than the gateway takes",
  },
  ERR_HTTP_REQUEST_TIMEOUT: { code: "request_timeout", message: "the request did not come to its end in time" },
};

/** What could not be read as a request, or never came whole. Returns nothing for a connection that simply broke. */
export function connectionError(error: Error & { code?: string }): MillraceError | undefined {
  const { code } = error;
  if (code === undefined || code === "ECONNRESET" || code === "EPIPE") return undefined;
  const known = CODES[code];
  if (known !== undefined) return new MillraceError(known.code, known.message);
  return code.startsWith("HPE_") ? new MillraceError("bad_request", `this is no HTTP request: ${error.message}`) : undefined;
}

/** Answers on the bare connection, unless an answer is on its way there already. */
export function answerConnection(socket: Duplex & { _httpMessage?: ServerResponse | null }, error: MillraceError | undefined): void {
  const isAnswering = socket._httpMessage?.headersSent === true;
  if (error === undefined || !socket.writable || isAnswering) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(error.toBody());
  const head = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? ""}`,
    "content-type: application/json; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
  // The rest of what cannot be read is dropped; a client that never stops sending does not keep the connection.
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), 1000);
  socket.once("close", () => clearTimeout(timer));
}
