import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Clock, systemClock } from "../core/clock.ts";
import { MillraceError } from "../core/errors.ts";
import type { Service } from "../core/service.ts";
import { isLoopback, refuseOpenDoor } from "../core/loopback.ts";
import { Checker } from "./checker.ts";
import { type DoorRules, refusal } from "./door-keeper.ts";
import { type Handlers, makeHandlers } from "./handlers.ts";
import { asMillraceError, sendLines } from "./line-stream.ts";
import type { ControlRooms } from "./node-facts.ts";
import { openapi } from "./openapi.ts";
import type { Operation } from "./operations.ts";
import { readJsonBody } from "./request-body.ts";
import { findOperation } from "./router.ts";

export interface ControlOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly token: string;
  /** Whether a person set the token: a door beyond loopback wants that. */
  readonly tokenIsConfigured: boolean;
  /** Further names under which this door is called. */
  readonly hosts?: readonly string[];
  readonly rooms: ControlRooms;
  readonly clock?: Clock;
  /** The largest event that is accepted; 1 MiB unless said otherwise. */
  readonly maxEventBytes?: number;
}

/** How long calls in flight have to end when the node stops. */
const STOP_GRACE_MS = 5000;
const MAX_EVENT_BYTES = 1024 * 1024;
const MAX_HEADER_BYTES = 32 * 1024;

/** The control door (SPEC.md). */
export class Control implements Service {
  private readonly options: ControlOptions;
  private readonly clock: Clock;
  private readonly rules: DoorRules;
  private readonly checker = new Checker();
  private readonly handlers: Handlers;
  private readonly server: Server;
  private readonly stopping = new AbortController();
  private readonly document: string;
  private stopped: Promise<void> | undefined;

  constructor(options: ControlOptions) {
    this.options = options;
    this.clock = options.clock ?? systemClock;
    this.rules = {
      token: options.token,
      loopback: isLoopback(options.host),
      names: new Set((options.hosts ?? []).map((name) => name.toLowerCase())),
    };
    this.handlers = makeHandlers({
      rooms: options.rooms,
      clock: this.clock,
      address: () => this.address,
      maxEventBytes: options.maxEventBytes ?? MAX_EVENT_BYTES,
    });
    this.document = JSON.stringify(openapi(options.rooms.node.version));
    this.server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: 60_000 }, (request, response) => {
      void this.take(request, response);
    });
  }

  async start(): Promise<void> {
    const { host, port } = this.options;
    refuseOpenDoor("control door", host, this.options.tokenIsConfigured ? this.options.token : null, "--control-token");
    await new Promise<void>((resolve, reject) => {
      this.server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
      this.server.listen(port, host, resolve);
    });
  }

  /** Ends the streams, lets calls in flight finish within the grace, then closes what is left. */
  stop(): Promise<void> {
    return (this.stopped ??= this.end());
  }

  /** `http://host:port`, once started. */
  get address(): string {
    const { host } = this.options;
    const bound = this.server.address() as AddressInfo | null;
    return `http://${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${bound?.port ?? this.options.port}`;
  }

  private async end(): Promise<void> {
    this.stopping.abort();
    if (!this.server.listening) return;
    const grace = this.clock.alarm(this.clock.now() + STOP_GRACE_MS, () => this.server.closeAllConnections());
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeIdleConnections();
    });
    grace.cancel();
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A connection whose last call ends during the stop would idle until its client lets go of it.
    response.once("close", () => {
      if (this.stopping.signal.aborted) setImmediate(() => this.server.closeIdleConnections());
    });
    try {
      await this.answer(request, response);
    } catch (error) {
      this.sendError(request, response, asMillraceError(error));
    }
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.parse(request.url ?? "/", "http://door");
    if (url === null) throw new MillraceError("bad_request", "the request target is no path");
    const refused = refusal(
      {
        path: url.pathname,
        host: request.headers.host,
        origin: request.headers.origin,
        authorization: request.headers.authorization,
        localAddress: request.socket.localAddress,
      },
      this.rules,
    );
    if (refused !== undefined) throw refused;
    const page = this.page(url.pathname);
    if (page === undefined) await this.operate(request, response, url);
    else if (request.method === "GET" || request.method === "HEAD") send(response, page.status, page.type, page.text);
    else throw new MillraceError("method_not_allowed", `${url.pathname} is only read`, { details: { allow: ["GET", "HEAD"] } });
  }

  /** What is no operation: the probes, the metrics, the document, and a word for people. */
  private page(path: string): { status: number; type: string; text: string } | undefined {
    const { node, metrics, store } = this.options.rooms;
    switch (path) {
      case "/":
        return { status: 200, type: TEXT, text: WELCOME };
      case "/healthz":
        return { status: 200, type: TEXT, text: "ok\n" };
      case "/readyz":
        if (!node.ready() || this.stopping.signal.aborted) return { status: 503, type: TEXT, text: "not ready\n" };
        return { status: 200, type: TEXT, text: store.health().state === "ok" ? "ready\n" : "ready; the store is failing\n" };
      case "/metrics":
        return { status: 200, type: "text/plain; version=0.0.4; charset=utf-8", text: metrics.text() };
      case "/v1/openapi.json":
        return { status: 200, type: JSON_TYPE, text: this.document };
      default:
        return undefined;
    }
  }

  private async operate(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const { name, operation, params } = findOperation(request.method ?? "GET", url.pathname);
    const left = new AbortController();
    response.once("close", () => left.abort());
    const signal = AbortSignal.any([left.signal, this.stopping.signal]);
    this.checker.params(operation, params);
    const query = this.checker.query(operation, url.searchParams);
    const body = await this.readBody(operation, request);
    // The table and the handlers have one set of keys and types; what ties an input to its handler is the check above.
    const handler = this.handlers[name] as (input: unknown) => AsyncIterable<unknown> | Promise<unknown>;
    const answer = handler({ params, query, body, signal });
    if (operation.answer.form === "lines") await sendLines(response, answer as AsyncIterable<unknown>, signal);
    else send(response, 200, JSON_TYPE, JSON.stringify(await answer));
  }

  private async readBody(operation: Operation, request: IncomingMessage): Promise<unknown> {
    if (operation.body === null) return null;
    const body = await readJsonBody(request, operation.body.limitBytes);
    this.checker.body(operation, body);
    return body;
  }

  private sendError(request: IncomingMessage, response: ServerResponse, error: MillraceError): void {
    if (error.fault === "caller") this.options.rooms.observer.refused("control", error.code);
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    if (error.code === "unauthorized") response.setHeader("www-authenticate", 'Bearer realm="millrace"');
    if (error.code === "method_not_allowed") response.setHeader("allow", (error.details as { allow: string[] }).allow.join(", "));
    // What is left of a body that was not read would be taken for the next request.
    if (!request.complete) response.setHeader("connection", "close");
    send(response, error.status, JSON_TYPE, JSON.stringify(error.toBody()));
  }
}

const TEXT = "text/plain; charset=utf-8";
const JSON_TYPE = "application/json; charset=utf-8";

const WELCOME = `This is the control door of a Millrace node.

The console is not part of this version. The JSON API is described by /v1/openapi.json and used by the
millrace command; both want the token that the node wrote to control-token in its data directory.
Open to probes: /healthz, /readyz and /metrics.
`;

function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, {
    "content-type": type,
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  response.end(text);
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === "EADDRINUSE") {
    return new MillraceError("port_in_use", `the control door cannot listen on ${host}:${port}: something else does already`, {
      cause: error,
      cure: "Stop what listens there, or choose another with --control-port.",
    });
  }
  return new MillraceError("bad_config", `the control door cannot listen on ${host}:${port}: ${error.message}`, { cause: error });
}
