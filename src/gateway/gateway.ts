import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { MillraceError, type Observer, type Service } from "../core/index.ts";
import type { Delivery } from "../delivery/delivery.ts";
import type { Release } from "../protocol/index.ts";
import { ClientProgress } from "./client-progress.ts";
import { EventsDoor } from "./events-door.ts";
import { Exchange } from "./exchange.ts";
import { type CallDoor, callFunction } from "./function-call.ts";
import { DEFAULT_GATEWAY_LIMITS, type GatewayLimits } from "./gateway-limits.ts";
import { closeServer, type DoorAddress, listen } from "./listening.ts";
import { refuseOpenDoor } from "../core/loopback.ts";
import { PublicFiles } from "./public-files.ts";
import { answerConnection, connectionError } from "./refused-connection.ts";
import { TargetReader } from "./request-target.ts";
import { RouteTable } from "./route-table.ts";
import { type GatewayRuns, RunsDoor } from "./runs-door.ts";

export interface GatewayOptions {
  readonly delivery: Delivery;
  /** Null where nothing runs flows. */
  readonly runs: GatewayRuns | null;
  readonly observer: Observer;
  readonly host: string;
  /** 0: any that is free; `address` tells which. */
  readonly port: number;
  /** What `POST /_/events` wants; null: open, and then the door must be on loopback. */
  readonly token: string | null;
  readonly limits?: Partial<GatewayLimits>;
}

/** What changes with a release, swapped whole. */
interface App {
  readonly routes: RouteTable;
  readonly files: PublicFiles;
  readonly flows: ReadonlySet<string>;
}

/** The public HTTP door: an app's routes and files, and events from outside. SPEC.md has the rules. */
export class Gateway implements Service {
  private readonly options: GatewayOptions;
  private readonly limits: GatewayLimits;
  private readonly door: CallDoor;
  private readonly progress: ClientProgress;
  private readonly targets = new TargetReader();
  private readonly events: EventsDoor;
  private readonly runs: RunsDoor | null;
  private readonly server: Server;
  private app: App | null = null;
  private bound: DoorAddress | null = null;
  private stopping: Promise<void> | undefined;

  constructor(options: GatewayOptions) {
    this.options = options;
    this.limits = { ...DEFAULT_GATEWAY_LIMITS, ...options.limits };
    this.progress = new ClientProgress(this.limits);
    this.door = {
      delivery: options.delivery,
      runs: options.runs,
      observer: options.observer,
      limits: this.limits,
      progress: this.progress,
    };
    this.events = new EventsDoor(this.door, options.token);
    this.runs = options.runs === null ? null : new RunsDoor(options.runs, this.door);
    this.server = this.createServer();
  }

  /** From here on requests are routed by this release. Throws, and changes nothing, when its routes are at odds. */
  use(release: Release): void {
    this.app = {
      routes: new RouteTable(release.manifest.functions),
      files: new PublicFiles(join(release.appDirectory, "public")),
      flows: flowsOf(release),
    };
  }

  /** Where the gateway listens; null before it has started. */
  get address(): DoorAddress | null {
    return this.bound;
  }

  async start(): Promise<void> {
    const { host, port, token } = this.options;
    refuseOpenDoor("gateway", host, token, "--events-token");
    this.bound = await listen(this.server, "gateway", { host, port });
    this.progress.start();
  }

  stop(): Promise<void> {
    return (this.stopping ??= this.close());
  }

  private async close(): Promise<void> {
    await closeServer(this.server, this.progress.connections(), this.limits.stopMs);
    this.progress.stop();
  }

  private createServer(): Server {
    const { limits } = this;
    const server = createServer({
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.idleMs,
      connectionsCheckingInterval: Math.max(1, Math.min(1000, limits.headersMs / 2)),
      noDelay: true,
      optimizeEmptyRequests: true,
    });
    // The size of all headers is bounded; beyond a count node would drop headers without a word.
    server.maxHeadersCount = 0;
    server.on("connection", (socket) => this.progress.watchSocket(socket));
    server.on("request", (request: IncomingMessage, response: ServerResponse) => this.handle(request, response, false));
    server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => this.handle(request, response, true));
    server.on("clientError", (error: Error, socket) => {
      const refusal = connectionError(error);
      if (refusal !== undefined) this.options.observer.refused("http", refusal.code);
      answerConnection(socket, refusal);
    });
    return server;
  }

  private readonly isStopping = (): boolean => this.stopping !== undefined;

  private handle(request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): void {
    const exchange = new Exchange(request, response, { isStopping: this.isStopping, awaitsContinue });
    response.on("close", () => {
      exchange.closed();
      // A connection whose answer was begun before the stop does not say `close`: it is closed once it is idle.
      if (this.stopping !== undefined) setImmediate(() => this.server.closeIdleConnections());
    });
    const target = this.targets.read(request);
    if (this.stopping !== undefined) this.refuse(exchange, new MillraceError("stopping", "the node is shutting down"));
    else if (target instanceof MillraceError) this.refuse(exchange, target);
    else if (this.app === null) this.refuse(exchange, notLoaded(), RETRY_AFTER_MS);
    else this.route(exchange, this.app, target.path, target.url);
  }

  private route(exchange: Exchange, app: App, path: string, url: string): void {
    if (path.startsWith("/_/") || path === "/_") {
      if (path === "/_/events") void this.events.handle(exchange);
      else if (this.runs?.handles(path) === true) void this.runs.handle(exchange, path);
      else this.refuse(exchange, notFound(exchange, path));
      return;
    }
    const match = app.routes.match(exchange.method, path);
    switch (match.kind) {
      case "function":
        if (UNCALLABLE.has(exchange.method)) this.refuseMethod(exchange, CALLABLE);
        else callFunction(this.door, exchange, { ...match, isFlow: app.flows.has(match.fn) }, url);
        break;
      case "damaged":
        this.refuse(exchange, new MillraceError("bad_request", `the part ${JSON.stringify(match.part)} of the path cannot be read`));
        break;
      case "other-method":
      case "none":
        void this.serveFile(exchange, app, path, url, match.kind === "none" ? [] : match.allow);
        break;
      default:
        match satisfies never;
    }
  }

  /** Where no function answers: a file of the app, else what HTTP says about methods. */
  private async serveFile(exchange: Exchange, { files }: App, path: string, url: string, allow: readonly string[]): Promise<void> {
    const { method } = exchange;
    if (path === "*") {
      exchange.sendEmpty(204, ["allow", CALLABLE.join(", ")]);
      return;
    }
    const file = await files.find(path);
    const methods = file === undefined ? allow : [...new Set([...allow, ...FILE_METHODS])].sort();
    if (methods.length === 0) this.refuse(exchange, notFound(exchange, path));
    else if (method === "OPTIONS") exchange.sendEmpty(204, ["allow", methods.join(", ")]);
    else if (file === undefined || (method !== "GET" && method !== "HEAD")) this.refuseMethod(exchange, methods);
    else if (file.kind === "folder") exchange.sendEmpty(308, ["location", withSlash(path, url), "content-length", "0"]);
    else files.serve(exchange, file);
  }

  private refuseMethod(exchange: Exchange, allow: readonly string[]): void {
    const error = new MillraceError("method_not_allowed", `${exchange.method} is not one of ${allow.join(", ")}`);
    this.options.observer.refused("http", error.code);
    exchange.sendError(error, { headers: ["allow", allow.join(", ")] });
  }

  private refuse(exchange: Exchange, error: MillraceError, retryAfterMs: number | null = null): void {
    this.options.observer.refused("http", error.code);
    exchange.sendError(error, { retryAfterMs });
  }
}

function flowsOf({ manifest }: Release): Set<string> {
  return new Set(manifest.functions.filter(({ flow }) => flow !== undefined).map(({ name }) => name));
}

const FILE_METHODS = ["GET", "HEAD", "OPTIONS"];
const CALLABLE = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/** What the Request class cannot say, and what no function should see. */
const UNCALLABLE = new Set(["TRACE", "TRACK", "CONNECT"]);

const RETRY_AFTER_MS = 1000;

/** Events too are turned away until then: routed by no release, they would be kept and wake nobody. */
function notLoaded(): MillraceError {
  return new MillraceError("overloaded", "the app is not loaded yet", {
    cure: "Repeat in a moment; the node's output says what keeps it.",
  });
}

function notFound(exchange: Exchange, path: string): MillraceError {
  return new MillraceError("not_found", `nothing answers ${exchange.method} ${path}`, {
    cure: "Check the path; `millrace functions` shows the routes of the app.",
  });
}

/** Relative to the host, and never `//…`, which would be another host. */
function withSlash(path: string, url: string): string {
  const query = url.indexOf("?");
  return `/${path.replace(/^\/+/, "")}/${query === -1 ? "" : url.slice(query)}`;
}
