import { ERROR_KINDS, type ErrorBody, type ErrorCode, MillraceError } from "../../core/errors.ts";
import { type AnswerOf, type BodyOf, type Operation, type OperationName, operations, type QueryOf } from "../operations.ts";
import type {
  BeginBody,
  BegunShape,
  CancelBody,
  CheckBody,
  ForkBody,
  HeldReleaseShape,
  ResumeBody,
  RunCheckShape,
  RunDetailsShape,
  RunProgressShape,
  RunShape,
  SignalBody,
} from "../run-shapes.ts";
import type {
  AcceptedEvent,
  DeadLetter,
  DeadSelectionShape,
  EventShape,
  EventTest,
  EventTestBody,
  FollowedLine,
  FunctionView,
  InvokeAnswer,
  InvokeBody,
  NewEventShape,
  NodeView,
  PurgeProgress,
  RedriveProgress,
  Reloaded,
  StatsView,
  StoredLogLineShape,
} from "../shapes.ts";
import { type ControlAddress, findNode } from "./find-node.ts";

interface Given {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: object;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A node's control API, one method an operation. What the node refuses is thrown as the MillraceError that it sent; a node
 * that cannot be reached as `unreachable`.
 *
 * @example
 * ```ts
 * import { ControlClient } from "millrace/client";
 *
 * const control = await ControlClient.open(".millrace");
 * await control.emit({ type: "order.placed", data: { id: "o1" } });
 * for await (const line of control.followLogs()) console.log(line);
 * ```
 */
export class ControlClient {
  private readonly address: ControlAddress;

  constructor(address: ControlAddress) {
    this.address = address;
  }

  /** The client of the node that runs on this data directory. */
  static async open(dataDirectory: string): Promise<ControlClient> {
    return new ControlClient(await findNode(dataDirectory));
  }

  node(): Promise<NodeView> {
    return this.json("node", {});
  }

  async functions(): Promise<readonly FunctionView[]> {
    return (await this.json("functions", {})).functions;
  }

  fn(name: string): Promise<FunctionView> {
    return this.json("fn", { params: { name } });
  }

  invoke(name: string, body: InvokeBody = {}, signal?: AbortSignal): Promise<InvokeAnswer> {
    return this.json("invoke", { params: { name }, body, signal });
  }

  async events(query: QueryOf<"events"> = {}): Promise<readonly EventShape[]> {
    return (await this.json("events", { query })).events;
  }

  event(seqOrId: string | number): Promise<EventShape> {
    return this.json("event", { params: { event: String(seqOrId) } });
  }

  /** Whether an event matches a pattern or an expression, or would wake a function; if not, which condition it fails. */
  testEvent(body: EventTestBody): Promise<EventTest> {
    return this.json("testEvent", { body });
  }

  /** Resolves when the event is on disk. */
  async emit(event: NewEventShape): Promise<AcceptedEvent> {
    const [accepted] = (await this.json("emit", { body: event satisfies BodyOf<"emit"> })).events;
    if (accepted === undefined) throw new MillraceError("internal", "the node accepted the event without saying so");
    return accepted;
  }

  /** All of them are accepted, or none. */
  async emitAll(events: readonly NewEventShape[]): Promise<readonly AcceptedEvent[]> {
    return (await this.json("emit", { body: { events } satisfies BodyOf<"emit"> })).events;
  }

  async logs(query: QueryOf<"logs"> = {}): Promise<readonly StoredLogLineShape[]> {
    return (await this.json("logs", { query })).lines;
  }

  followLogs(query: QueryOf<"followLogs"> = {}, signal?: AbortSignal): AsyncGenerator<FollowedLine> {
    return this.lines("followLogs", { query, signal });
  }

  dead(query: QueryOf<"dead"> = {}): Promise<AnswerOf<"dead">> {
    return this.json("dead", { query });
  }

  deadLetter(seq: number): Promise<DeadLetter> {
    return this.json("deadLetter", { params: { seq: String(seq) } });
  }

  /** Goes on as long as it is read. */
  redrive(selection: DeadSelectionShape, signal?: AbortSignal): AsyncGenerator<RedriveProgress> {
    return this.lines("redrive", { body: selection, signal });
  }

  /** Goes on as long as it is read. */
  purge(selection: DeadSelectionShape, signal?: AbortSignal): AsyncGenerator<PurgeProgress> {
    return this.lines("purge", { body: selection, signal });
  }

  async runs(query: QueryOf<"runs"> = {}): Promise<readonly RunShape[]> {
    return (await this.json("runs", { query })).runs;
  }

  run(id: string): Promise<RunDetailsShape> {
    return this.json("run", { params: { id } });
  }

  /** Resolves when the run is on disk. */
  beginRun(body: BeginBody): Promise<BegunShape> {
    return this.json("beginRun", { body });
  }

  /** The run and its journal, then what is new of them; ends with the run, or when the node stops. */
  watchRun(id: string, signal?: AbortSignal): AsyncGenerator<RunProgressShape> {
    return this.lines("watchRun", { params: { id }, signal });
  }

  cancelRun(id: string, body: CancelBody = {}): Promise<RunShape> {
    return this.json("cancelRun", { params: { id }, body });
  }

  resumeRun(id: string, body: ResumeBody = {}): Promise<RunShape> {
    return this.json("resumeRun", { params: { id }, body });
  }

  /** The same input, a new run, on the live release. */
  rerun(id: string): Promise<BegunShape> {
    return this.json("rerun", { params: { id } });
  }

  forkRun(id: string, body: ForkBody): Promise<BegunShape> {
    return this.json("forkRun", { params: { id }, body });
  }

  signalRun(id: string, body: SignalBody): Promise<RunShape> {
    return this.json("signalRun", { params: { id }, body });
  }

  /** Which live runs are on which release. */
  async runReleases(): Promise<readonly HeldReleaseShape[]> {
    return (await this.json("runReleases", {})).releases;
  }

  /** Whether live runs fit a release; a line a run. */
  checkRuns(body: CheckBody = {}, signal?: AbortSignal): AsyncGenerator<RunCheckShape> {
    return this.lines("checkRuns", { body, signal });
  }

  reload(): Promise<Reloaded> {
    return this.json("reload", {});
  }

  stats(): Promise<StatsView> {
    return this.json("stats", {});
  }

  private async json<N extends OperationName>(name: N, given: Given): Promise<AnswerOf<N>> {
    const response = await this.send(operations[name], given);
    return (await this.whole(response)) as AnswerOf<N>;
  }

  private async *lines<N extends OperationName>(name: N, given: Given): AsyncGenerator<AnswerOf<N>> {
    let rest = "";
    try {
      const response = await this.send(operations[name], given);
      if (response.body === null) return;
      for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + piece).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) if (line !== "") yield readLine(line) as AnswerOf<N>;
      }
    } catch (error) {
      if (given.signal?.aborted === true) return;
      throw error instanceof MillraceError ? error : this.unreachable(error);
    }
  }

  private async send(operation: Operation, { params = {}, query = {}, body, signal }: Given): Promise<Response> {
    const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ""));
    const url = new URL(path, this.address.url);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value));
    const headers: Record<string, string> = { authorization: `Bearer ${this.address.token}` };
    if (operation.body !== null) headers["content-type"] = "application/json";
    const init: RequestInit = { method: operation.method, headers, redirect: "error" };
    if (operation.body !== null) init.body = JSON.stringify(body);
    if (signal !== undefined) init.signal = signal;
    let response: Response;
    try {
      response = await fetch(url, init);
    } catch (error) {
      throw this.unreachable(error);
    }
    if (response.ok) return response;
    throw toMillraceError(await this.whole(response), response.status);
  }

  private async whole(response: Response): Promise<unknown> {
    try {
      return await response.json();
    } catch (error) {
      throw error instanceof SyntaxError
        ? new MillraceError("internal", `${this.address.url} answered with what is no JSON`)
        : this.unreachable(error);
    }
  }

  private unreachable(error: unknown): MillraceError {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const why = cause instanceof Error ? cause.message : String(cause);
    return new MillraceError("unreachable", `the node at ${this.address.url} does not answer: ${why}`, { cause: error });
  }
}

/** A line is what was asked for, or the error that ended the stream. */
function readLine(line: string): unknown {
  const value: unknown = JSON.parse(line);
  if (isErrorBody(value)) throw toMillraceError(value, 500);
  return value;
}

function toMillraceError(body: unknown, status: number): MillraceError {
  if (!isErrorBody(body)) return new MillraceError("internal", `the node answered ${status} without saying why`);
  const { code, message, cure, details } = body.error;
  // A newer node may know codes that this client does not.
  const known: ErrorCode = code in ERROR_KINDS ? code : "internal";
  return new MillraceError(known, message, { cure, details });
}

function isErrorBody(value: unknown): value is { error: ErrorBody } {
  if (typeof value !== "object" || value === null || !("error" in value)) return false;
  const { error } = value;
  return typeof error === "object" && error !== null && "code" in error && "message" in error && "cure" in error;
}
