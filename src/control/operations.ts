import type { Schema, Static } from "./schema.ts";
import { array, integer, named, nullable, object, optional, string, union } from "./schema.ts";
import {
  beginBody,
  begun,
  cancelBody,
  checkBody,
  forkBody,
  heldRelease,
  resumeBody,
  runCheck,
  runDetails,
  runProgress,
  runState,
  runView,
  signalBody,
} from "./run-shapes.ts";
import {
  acceptedEvent,
  deadSelection,
  deadView,
  eventTest,
  eventTestBody,
  eventView,
  followedLine,
  functionView,
  invokeAnswer,
  invokeBody,
  logLevel,
  newEvent,
  nodeView,
  purgeProgress,
  redriveProgress,
  reloadAnswer,
  runId,
  statsView,
  storedLine,
} from "./shapes.ts";

/**
 * The control API as data. The router, the check of requests, `/v1/openapi.json` and the typed client are all made from
 * this table (C1).
 */
export interface Operation {
  readonly method: "GET" | "POST";
  /** `{name}` stands for one segment. */
  readonly path: string;
  readonly summary: string;
  readonly params: Schema<Readonly<Record<string, string>>> | null;
  readonly query: Schema<object> | null;
  readonly body: { readonly schema: Schema<unknown>; readonly limitBytes: number } | null;
  /** One JSON document, or newline-delimited JSON: one document a line, as it comes. */
  readonly answer: { readonly form: "json" | "lines"; readonly schema: Schema<unknown>; readonly description: string };
}

const MIB = 1024 * 1024;
const BODY_LIMIT_BYTES = MIB;
const EVENTS_LIMIT_BYTES = 16 * MIB;
export const MAX_BATCH = 10_000;

const text = (description: string): Schema<string> => string({ minLength: 1, description });
const limit = (most: number, standard: number): Schema<number> => integer({ minimum: 1, maximum: most, default: standard });
const seqOf = (description: string): Schema<number> => integer({ minimum: 0, description });

const name = object({ name: text("The function's name.") });
const run = object({ id: runId });
const logQuery = {
  fn: optional(text("Of this function only.")),
  invocation: optional(text("Of this invocation only.")),
  level: optional(logLevel),
};

export const operations = {
  node: {
    method: "GET",
    path: "/v1/node",
    summary: "The node: version, addresses, release, health",
    params: null,
    query: null,
    body: null,
    answer: { form: "json", schema: nodeView, description: "The node as it is now." },
  },
  functions: {
    method: "GET",
    path: "/v1/functions",
    summary: "All functions, with what they wait for and do",
    params: null,
    query: null,
    body: null,
    answer: { form: "json", schema: object({ functions: array(functionView) }), description: "In the order of their names." },
  },
  fn: {
    method: "GET",
    path: "/v1/functions/{name}",
    summary: "One function",
    params: name,
    query: null,
    body: null,
    answer: { form: "json", schema: functionView, description: "The function." },
  },
  invoke: {
    method: "POST",
    path: "/v1/functions/{name}/invoke",
    summary: "Call a function and wait for the end of the first attempt",
    params: name,
    query: null,
    body: { schema: invokeBody, limitBytes: BODY_LIMIT_BYTES },
    answer: {
      form: "json",
      schema: invokeAnswer,
      description: "How the attempt ended; a failing function is an answer, no error of this door.",
    },
  },
  events: {
    method: "GET",
    path: "/v1/events",
    summary: "The log of events, newest first; oldest first with `after`",
    params: null,
    query: object({
      type: optional(text("Of exactly this type.")),
      id: optional(text("With exactly this id.")),
      before: optional(seqOf("Older than this.")),
      after: optional(seqOf("Newer than this, oldest first: to follow the log.")),
      limit: optional(limit(1000, 50)),
    }),
    body: null,
    answer: { form: "json", schema: object({ events: array(eventView) }), description: "Page on with the last one's seq." },
  },
  event: {
    method: "GET",
    path: "/v1/events/{event}",
    summary: "One event by seq or id, with its deliveries and their attempts",
    params: object({ event: text("The seq or the id; a number is taken for a seq first.") }),
    query: null,
    body: null,
    answer: { form: "json", schema: eventView, description: "The event; of several with this id (from several sources) the newest." },
  },
  emit: {
    method: "POST",
    path: "/v1/events",
    summary: "Emit one event, or a batch that is accepted whole or refused whole",
    params: null,
    query: null,
    body: {
      schema: union(newEvent, named("Batch", object({ events: array(newEvent, { minItems: 1, maxItems: MAX_BATCH }) }))),
      limitBytes: EVENTS_LIMIT_BYTES,
    },
    answer: {
      form: "json",
      schema: object({ events: array(acceptedEvent) }),
      description: "The events are on disk.",
    },
  },
  testEvent: {
    method: "POST",
    path: "/v1/events/test",
    summary: "Whether an event matches a pattern or an expression, or would wake a function, and which condition it fails",
    params: null,
    query: null,
    body: { schema: eventTestBody, limitBytes: EVENTS_LIMIT_BYTES },
    answer: { form: "json", schema: eventTest, description: "Every condition or operand, whether it holds, and what the event has there." },
  },
  logs: {
    method: "GET",
    path: "/v1/logs",
    summary: "Log lines of functions, in the order of their writing",
    params: null,
    query: object({
      ...logQuery,
      after: optional(seqOf("Written after this one; without it the newest lines are given.")),
      limit: optional(limit(10_000, 100)),
    }),
    body: null,
    answer: { form: "json", schema: object({ lines: array(storedLine) }), description: "Follow with the last one's seq as `after`." },
  },
  followLogs: {
    method: "GET",
    path: "/v1/logs/follow",
    summary: "The newest log lines, and then each one as it is written",
    params: null,
    query: object({
      ...logQuery,
      limit: optional(integer({ minimum: 0, maximum: 1000, default: 0, description: "Earlier lines first." })),
    }),
    body: null,
    answer: { form: "lines", schema: followedLine, description: "Ends when the node stops. Empty lines keep the connection awake." },
  },
  dead: {
    method: "GET",
    path: "/v1/dead",
    summary: "Dead letters, oldest first",
    params: null,
    query: object({
      fn: optional(text("Of this function only.")),
      type: optional(text("Of events of exactly this type.")),
      after: optional(seqOf("Behind this one.")),
      limit: optional(limit(1000, 50)),
    }),
    body: null,
    answer: {
      form: "json",
      schema: object({ dead: array(deadView), next: nullable(integer()) }),
      description: "`next` is the `after` of the next page.",
    },
  },
  deadLetter: {
    method: "GET",
    path: "/v1/dead/{seq}",
    summary: "One dead letter: its event, and every attempt's error and stack",
    params: object({ seq: string({ pattern: "^[0-9]{1,15}$", description: "The delivery's seq." }) }),
    query: null,
    body: null,
    answer: { form: "json", schema: deadView, description: "The dead letter." },
  },
  redrive: {
    method: "POST",
    path: "/v1/dead/redrive",
    summary: "Make dead letters ready again, attempts from zero",
    params: null,
    query: null,
    body: { schema: deadSelection, limitBytes: BODY_LIMIT_BYTES },
    answer: {
      form: "lines",
      schema: redriveProgress,
      description: "A line a piece; each stands for what is on disk. Leaving early ends the work.",
    },
  },
  purge: {
    method: "POST",
    path: "/v1/dead/purge",
    summary: "Delete dead letters for good",
    params: null,
    query: null,
    body: { schema: deadSelection, limitBytes: BODY_LIMIT_BYTES },
    answer: {
      form: "lines",
      schema: purgeProgress,
      description: "A line a piece; each stands for what is on disk. Leaving early ends the work.",
    },
  },
  runs: {
    method: "GET",
    path: "/v1/runs",
    summary: "Runs of flows, newest first; oldest first with `after`",
    params: null,
    query: object({
      fn: optional(text("Of this flow only.")),
      state: optional(array(runState, { minItems: 1, description: "In one of these states: repeated, or with commas." })),
      release: optional(text("On this release only.")),
      parent: optional(text("Called by the run with this id.")),
      before: optional(seqOf("Older than this.")),
      after: optional(seqOf("Newer than this, oldest first.")),
      limit: optional(limit(1000, 50)),
    }),
    body: null,
    answer: { form: "json", schema: object({ runs: array(runView) }), description: "Page on with the last one's seq." },
  },
  run: {
    method: "GET",
    path: "/v1/runs/{id}",
    summary: "One run: its input, its whole journal, and the runs that it called",
    params: run,
    query: null,
    body: null,
    answer: { form: "json", schema: runDetails, description: "As of now." },
  },
  beginRun: {
    method: "POST",
    path: "/v1/runs",
    summary: "Begin a run of a flow",
    params: null,
    query: null,
    body: { schema: beginBody, limitBytes: BODY_LIMIT_BYTES },
    answer: { form: "json", schema: begun, description: "The run is on disk. With an `id` that exists it is that run." },
  },
  watchRun: {
    method: "GET",
    path: "/v1/runs/{id}/watch",
    summary: "A run and its journal, and then what is new of them, until it ends",
    params: run,
    query: null,
    body: null,
    answer: { form: "lines", schema: runProgress, description: "The last line has the run as it ended. Ends when the node stops, too." },
  },
  cancelRun: {
    method: "POST",
    path: "/v1/runs/{id}/cancel",
    summary: "Cancel a run: its finished steps are rolled back, unless that is not wanted",
    params: run,
    query: null,
    body: { schema: cancelBody, limitBytes: BODY_LIMIT_BYTES },
    answer: { form: "json", schema: runView, description: "The order is on disk; the run comes to its end by itself." },
  },
  resumeRun: {
    method: "POST",
    path: "/v1/runs/{id}/resume",
    summary: "Let a paused or stuck run go on, by other code or with a result for the step that it stands at if wanted",
    params: run,
    query: null,
    body: { schema: resumeBody, limitBytes: BODY_LIMIT_BYTES },
    answer: { form: "json", schema: runView, description: "The order is on disk." },
  },
  rerun: {
    method: "POST",
    path: "/v1/runs/{id}/rerun",
    summary: "Begin a new run with the same input, on the live release",
    params: run,
    query: null,
    body: null,
    answer: { form: "json", schema: begun, description: "The new run is on disk." },
  },
  forkRun: {
    method: "POST",
    path: "/v1/runs/{id}/fork",
    summary: "Begin a new run that has what this one did before some command done already",
    params: run,
    query: null,
    body: { schema: forkBody, limitBytes: BODY_LIMIT_BYTES },
    answer: { form: "json", schema: begun, description: "The new run is on disk. On the same release unless the live one is wanted." },
  },
  signalRun: {
    method: "POST",
    path: "/v1/runs/{id}/signal",
    summary: "End a wait of a run, the present or the next one of this name, with this data",
    params: run,
    query: null,
    body: { schema: signalBody, limitBytes: BODY_LIMIT_BYTES },
    answer: { form: "json", schema: runView, description: "The signal is on disk." },
  },
  runReleases: {
    method: "GET",
    path: "/v1/runs/releases",
    summary: "The releases that live runs are on",
    params: null,
    query: null,
    body: null,
    answer: { form: "json", schema: object({ releases: array(heldRelease) }), description: "As of now." },
  },
  checkRuns: {
    method: "POST",
    path: "/v1/runs/check",
    summary: "Whether the journals of live runs fit a release: each is replayed, and nothing is begun by it",
    params: null,
    query: null,
    body: { schema: checkBody, limitBytes: BODY_LIMIT_BYTES },
    answer: { form: "lines", schema: runCheck, description: "A line a run." },
  },
  reload: {
    method: "POST",
    path: "/v1/app/reload",
    summary: "Bundle the app anew and swap it in",
    params: null,
    query: null,
    body: null,
    answer: { form: "json", schema: reloadAnswer, description: "The release that is live now." },
  },
  stats: {
    method: "GET",
    path: "/v1/stats",
    summary: "Numbers of deliveries and instances, whole and by function",
    params: null,
    query: null,
    body: null,
    answer: { form: "json", schema: statsView, description: "As of now." },
  },
} as const satisfies Record<string, Operation>;

export type Operations = typeof operations;
export type OperationName = keyof Operations;

type StaticOf<S> = S extends Schema<unknown> ? Static<S> : null;

export type ParamsOf<N extends OperationName> = StaticOf<Operations[N]["params"]>;
export type QueryOf<N extends OperationName> = StaticOf<Operations[N]["query"]>;
export type BodyOf<N extends OperationName> = Operations[N]["body"] extends { readonly schema: infer S } ? StaticOf<S> : null;
export type AnswerOf<N extends OperationName> = StaticOf<Operations[N]["answer"]["schema"]>;
