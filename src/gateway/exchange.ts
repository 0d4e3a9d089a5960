import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import { Departure, MillraceError, toError } from "../core/index.ts";
import { answerHeaders, type RawHeaders } from "./raw-headers.ts";
import { RequestBody } from "./request-body.ts";

export interface Head {
  readonly status: number;
  readonly statusText: string;
  readonly headers: RawHeaders;
}

/** One request and its one answer, whoever gives it. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  /** Aborts when the client goes away before its answer is out. */
  readonly departure = new Departure();
  private readonly isStopping: () => boolean;
  private readonly awaitsContinue: boolean;
  private requestBody: RequestBody | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, options: { isStopping: () => boolean; awaitsContinue: boolean }) {
    this.request = request;
    this.response = response;
    this.method = request.method ?? "GET";
    this.isStopping = options.isStopping;
    this.awaitsContinue = options.awaitsContinue;
  }

  /** True when the client went away before its answer was out. */
  get left(): boolean {
    return this.departure.aborted;
  }

  get hasBody(): boolean {
    const { headers } = this.request;
    const length = headers["content-length"];
    return (length !== undefined && length !== "0") || headers["transfer-encoding"] !== undefined;
  }

  get bodyFault(): MillraceError | undefined {
    return this.requestBody?.fault;
  }

  /** Must be called when the response closes. */
  closed(): void {
    if (this.response.writableFinished) return;
    this.departure.abort();
  }

  /** The request's body, ready to be read, or why it is refused unread. */
  openBody(limitBytes: number): RequestBody | MillraceError {
    const body = new RequestBody(this.request, limitBytes);
    if (body.refusal !== undefined) return body.refusal;
    this.requestBody = body;
    if (this.awaitsContinue) this.response.writeContinue();
    body.begin();
    return body;
  }

  sendBytes(head: Head, body: Uint8Array): void {
    const { kept: headers, contentLength } = answerHeaders(head.headers);
    if (hasNoBody(head.status)) {
      this.send(head, headers, EMPTY);
      return;
    }
    const lengthBytes = this.method === "HEAD" && body.length === 0 ? contentLength : body.length;
    if (lengthBytes !== undefined) headers.push("content-length", String(lengthBytes));
    if (body.length > PIECE_BYTES && this.method !== "HEAD") void this.pump(head, headers, inPieces(body), () => {}, body.length);
    else this.send(head, headers, body);
  }

  sendStream(head: Head, body: AsyncIterable<Uint8Array>, discard: () => void): void {
    const { kept: headers, contentLength } = answerHeaders(head.headers);
    const wanted = this.method !== "HEAD" && !hasNoBody(head.status);
    if (contentLength !== undefined && !hasNoBody(head.status)) headers.push("content-length", String(contentLength));
    if (wanted) {
      void this.pump(head, headers, body, discard, contentLength);
    } else {
      discard();
      this.send(head, headers, EMPTY);
    }
  }

  /** `invocation`: of the call that came to this, where one was made. */
  sendError(
    error: MillraceError,
    more: { headers?: RawHeaders; retryAfterMs?: number | null; status?: number; invocation?: string } = {},
  ): void {
    const headers = [...(more.headers ?? []), "content-type", "application/json; charset=utf-8", "cache-control", "no-store"];
    if (typeof more.retryAfterMs === "number") headers.push("retry-after", String(Math.max(1, Math.ceil(more.retryAfterMs / 1000))));
    const { error: told } = error.toBody();
    const body = JSON.stringify({ error: more.invocation === undefined ? told : { ...told, invocation: more.invocation } });
    this.sendBytes({ status: more.status ?? error.status, statusText: "", headers }, Buffer.from(body));
  }

  sendEmpty(status: number, headers: RawHeaders): void {
    this.sendBytes({ status, statusText: "", headers }, EMPTY);
  }

  /** True when the connection must not be used again: the node stops, or the client may still be sending. */
  get mustClose(): boolean {
    return this.isStopping() || this.hasUnreadBody;
  }

  private get hasUnreadBody(): boolean {
    if (!this.hasBody || this.request.complete) return false;
    // A short body that nobody began to read is read over by node, and the connection stays good.
    const isShort = Number(this.request.headers["content-length"]) <= SHORT_BYTES;
    return this.awaitsContinue || this.requestBody !== undefined || !isShort;
  }

  private send(head: Head, headers: string[], body: Uint8Array): void {
    const { response } = this;
    if (this.left) return;
    const lingers = this.hasUnreadBody;
    if (!this.writeHead(head, headers)) return;
    const isBodyless = this.method === "HEAD" || body.length === 0;
    if (!lingers) {
      if (isBodyless) response.end();
      else endWith(response, body);
      return;
    }
    if (isBodyless) response.flushHeaders();
    else response.write(body);
    void this.lingerThenEnd();
  }

  /** False when the head cannot be sent; then an error was sent in its place. */
  private writeHead(head: Head, headers: string[]): boolean {
    if (this.mustClose) headers.push("connection", "close");
    try {
      if (head.status < 200 || head.status > 599) throw new RangeError(`${head.status} is no status of an answer`);
      const reason = head.statusText === "" ? (STATUS_CODES[head.status] ?? "") : head.statusText;
      this.response.writeHead(head.status, reason, headers);
      return true;
    } catch (thrown) {
      // What a function may say is not all that HTTP can carry: a control character in a header, for one.
      const error = new MillraceError("bad_result", `the answer's head cannot be sent: ${toError(thrown).message}`);
      this.sendError(error, { headers: keepOwn(headers) });
      return false;
    }
  }

  private async pump(
    head: Head,
    headers: string[],
    body: AsyncIterable<Uint8Array>,
    discard: () => void,
    lengthBytes: number | undefined,
  ): Promise<void> {
    const { response } = this;
    if (this.left || !this.writeHead(head, headers)) {
      discard();
      return;
    }
    let wake = (): void => {};
    response.on("drain", () => wake());
    this.departure.addEventListener("abort", () => {
      discard();
      wake();
    });
    response.flushHeaders();
    let sentBytes = 0;
    try {
      for await (const piece of body) {
        if (this.left) return;
        sentBytes += piece.length;
        if (lengthBytes !== undefined && sentBytes > lengthBytes) throw new RangeError("the body is longer than its content-length");
        if (!response.write(piece)) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        if (this.left) return;
      }
      if (lengthBytes !== undefined && sentBytes < lengthBytes) throw new RangeError("the body is shorter than its content-length");
    } catch {
      // The head is out: a connection that breaks off is the only way left to say that this is not the whole answer.
      if (!this.left) {
        discard();
        response.destroy();
      }
      return;
    }
    if (this.hasUnreadBody) await this.lingerThenEnd();
    else response.end();
  }

  /**
   * A connection that closes while its client still sends is reset, and the client may lose the answer it has not read yet. So the answer
   * goes out whole, what comes is dropped for a moment, and only then the connection ends.
   */
  private async lingerThenEnd(): Promise<void> {
    if (!this.awaitsContinue || this.requestBody !== undefined) {
      const body = this.requestBody ?? new RequestBody(this.request, 0);
      await body.discard();
    }
    this.response.end();
  }
}

const EMPTY = new Uint8Array();

const SHORT_BYTES = 64 * 1024;

/** A larger body is written in pieces, so that a client who reads slowly can be told from one who does not read. */
const PIECE_BYTES = 256 * 1024;

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}

/** Up to here a copy costs less than what it saves. */
const TEXT_BYTES = 4096;

/**
 * Node joins head and body into one write only if the body is a string, and latin1 is the encoding that leaves every byte as it is: 24.2
 * instead of 27 µs of processor time for a whole small request.
 */
function endWith(response: ServerResponse, body: Uint8Array): void {
  if (body.length > TEXT_BYTES) response.end(body);
  else response.end(Buffer.from(body.buffer, body.byteOffset, body.length).toString("latin1"), "latin1");
}

function hasNoBody(status: number): boolean {
  return status === 204 || status === 304;
}

/** Of an answer that cannot be sent, what Millrace itself had added. */
function keepOwn(headers: RawHeaders): string[] {
  const at = headers.lastIndexOf("millrace-invocation");
  return at === -1 ? [] : headers.slice(at, at + 2);
}
