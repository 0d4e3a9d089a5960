import { ERROR_KINDS, type ErrorCode } from "../core/errors.ts";
import { LOG_LEVELS } from "../core/log-level.ts";
import { GRANTS, HTTP_METHODS } from "../protocol/manifest.ts";
import {
  anything,
  array,
  boolean,
  integer,
  literal,
  named,
  nullable,
  number,
  object,
  oneOf,
  optional,
  record,
  type Static,
  string,
  union,
} from "./schema.ts";

/** What crosses the control door. Times are milliseconds since the Unix epoch, as everywhere inside Millrace. */

export const seq = integer({ minimum: 0, description: "A place in the one order in which things became true." });
export const timeMs = integer({ description: "Milliseconds since the Unix epoch." });

/** A run's id goes into addresses and logs. */
export const runId = string({ pattern: "^[!-~]{1,128}$", description: "1 to 128 characters of ASCII, without spaces." });

const errorCodes = Object.keys(ERROR_KINDS) as ErrorCode[];

export const errorAnswer = named(
  "Error",
  object({
    error: object({ code: oneOf(...errorCodes), message: string(), cure: string(), details: optional(anything()) }),
  }),
);

const eventTrigger = object({ kind: literal("event"), type: string(), where: nullable(record(anything())), sql: nullable(string()) });

const trigger = named(
  "Trigger",
  union(
    object({ kind: literal("http"), method: oneOf(...HTTP_METHODS), path: string() }),
    eventTrigger,
    object({ kind: literal("every"), everyMs: number() }),
    object({ kind: literal("cron"), expression: string(), timezone: nullable(string()) }),
  ),
);

const flowOptions = named(
  "FlowOptions",
  object({
    onExhausted: oneOf("throw", "pause"),
    deadlineMs: nullable(number()),
    cancelOn: array(object({ type: string(), match: array(array(string(), { minItems: 2, maxItems: 2 })), rollback: boolean() })),
    runsPerKey: nullable(integer({ description: "At once; null: any number, which begin in order." })),
  }),
);

const options = named(
  "FunctionOptions",
  object({
    exportName: string(),
    file: string({ description: "Relative to the app." }),
    key: union(
      object({ kind: literal("default") }),
      object({ kind: literal("none") }),
      object({ kind: literal("path"), path: array(string()) }),
    ),
    onDead: oneOf("continue", "hold"),
    retry: object({
      attempts: integer(),
      backoff: oneOf("exponential", "fixed"),
      baseMs: number(),
      factor: number(),
      maxMs: number(),
      jitter: oneOf("full", "none"),
    }),
    timeoutMs: number(),
    memoryBytes: number(),
    concurrency: object({ instance: number(), function: nullable(number()), key: number() }),
    instances: object({ min: number(), max: nullable(number()), idleMs: number() }),
    allow: array(oneOf(...GRANTS)),
    network: boolean(),
    flow: nullable(flowOptions),
  }),
);

const coldStartPhases = named(
  "ColdStartPhases",
  object({
    waitMs: number({ description: "Until a process stood ready. Medians of the last hundred; null before the first." }),
    loadMs: number({ description: "Until the code was loaded." }),
    firstCallMs: number({ description: "Until the first call was answered." }),
  }),
);

const startFailure = named(
  "StartFailure",
  object({
    name: string(),
    message: string({ description: "Why its instances do not start." }),
    failures: integer({ minimum: 1, description: "In a row." }),
    retryAtMs: timeMs,
  }),
);

export const functionView = named(
  "Function",
  object({
    name: string(),
    exists: boolean({ description: "False when only its deliveries are left: the live release has no such function." }),
    triggers: array(trigger),
    options: nullable(options),
    waiting: integer(),
    running: integer(),
    parked: integer({ description: "Of a flow: runs that sleep, wait or are paused." }),
    dead: integer(),
    instances: integer(),
    coldStarts: object({
      count: integer({ description: "Instances started since the node began." }),
      phases: nullable(coldStartPhases),
    }),
    startFailure: nullable(startFailure),
  }),
);
export type FunctionView = Static<typeof functionView>;

export const releaseView = named(
  "Release",
  object({ id: string(), app: string({ description: "The app's folder." }), functions: integer() }),
);
export type ReleaseView = Static<typeof releaseView>;

export const nodeView = named(
  "Node",
  object({
    version: string(),
    node: string({ description: "The version of Node.js." }),
    pid: integer(),
    data: string({ description: "The data directory." }),
    gateway: nullable(string()),
    control: string(),
    startedMs: timeMs,
    uptimeMs: number(),
    ready: boolean(),
    release: nullable(releaseView),
    store: union(object({ state: literal("ok") }), object({ state: literal("failing"), error: string(), sinceMs: timeMs })),
  }),
);
export type NodeView = Static<typeof nodeView>;

export const attemptError = named("AttemptError", object({ name: string(), message: string(), stack: nullable(string()) }));

export const attemptView = named(
  "Attempt",
  object({
    attempt: integer({ description: "From 1." }),
    invocation: string(),
    startedMs: timeMs,
    endedMs: timeMs,
    name: string(),
    message: string(),
    stack: nullable(string()),
  }),
);

const deliveryState = oneOf("ready", "parked", "blocked", "done", "dead", "held");

const deliveryMembers = {
  seq,
  event: seq,
  fn: string(),
  key: nullable(string()),
  state: deliveryState,
  attempt: integer({ description: "Attempts counted so far." }),
  dueMs: timeMs,
  settledMs: nullable(timeMs),
  errors: array(attemptView),
};

export const deliveryView = named("Delivery", object(deliveryMembers));
export type DeliveryViewShape = Static<typeof deliveryView>;

export const cloudEvent = named(
  "CloudEvent",
  anything({
    type: "object",
    required: ["specversion", "id", "source", "type"],
    properties: { specversion: { const: "1.0" }, id: { type: "string" }, source: { type: "string" }, type: { type: "string" } },
  }),
);

export const deadView = named("DeadLetter", object({ ...deliveryMembers, eventType: string(), cloudEvent }));
export type DeadLetter = Static<typeof deadView>;

export const eventView = named(
  "Event",
  object({
    seq,
    id: string(),
    source: string(),
    type: string(),
    origin: oneOf("outside", "function", "platform"),
    hops: integer(),
    cause: nullable(string({ description: "The invocation that emitted it." })),
    receivedMs: timeMs,
    cloudEvent,
    deliveries: array(deliveryView),
  }),
);
export type EventShape = Static<typeof eventView>;

export const newEvent = named(
  "NewEvent",
  object({
    type: string({ minLength: 1 }),
    data: optional(anything()),
    key: optional(string({ minLength: 1, description: "Becomes `partitionkey`: deliveries with one key keep their order." })),
    subject: optional(string({ minLength: 1 })),
    source: optional(string({ minLength: 1 })),
    id: optional(string({ minLength: 1 })),
    after: optional(union(string(), number())),
    at: optional(string({ description: "RFC 3339: when the event shall happen." })),
  }),
);
export type NewEventShape = Static<typeof newEvent>;

export const acceptedEvent = named(
  "AcceptedEvent",
  object({
    id: string(),
    seq: integer({ minimum: 0, description: "0 for a delayed event: it gets its place when it falls due." }),
    duplicate: boolean(),
    dueMs: nullable(timeMs),
  }),
);
export type AcceptedEvent = Static<typeof acceptedEvent>;

export const eventTestBody = named(
  "EventTestBody",
  object({
    pattern: optional(anything({ description: "An event pattern, or its JSON text. One of `pattern`, `sql` and `fn`." })),
    sql: optional(string({ description: "An expression of CloudEvents SQL." })),
    fn: optional(string({ minLength: 1, description: "A function: all of its event triggers are tested." })),
    event: optional(record(anything())),
    seq: optional(seq),
    id: optional(string({ minLength: 1, description: "One of `event`, `seq` and `id`: the event itself, or one of the log." })),
  }),
);
export type EventTestBody = Static<typeof eventTestBody>;

const failureReason = oneOf("missing", "mismatch", "apart");
const hint = string({ description: "What most likely was meant, for people." });
const conditionMembers = {
  path: string(),
  condition: anything({ description: "The alternatives, as the pattern has them." }),
  found: optional(anything({ description: "What the event has there: a value, or a list of several. Absent where it has nothing." })),
};

const explanationMembers = {
  matched: boolean(),
  failed: optional(named("FailedCondition", object({ ...conditionMembers, reason: failureReason, hint: optional(hint) }))),
  branches: array(
    named(
      "ExplainedBranch",
      object({
        branch: integer({ description: "From 1, in the order in which the `$or` of the pattern are multiplied out." }),
        matched: boolean(),
        conditions: array(
          named(
            "ExplainedCondition",
            object({ holds: boolean(), ...conditionMembers, reason: optional(failureReason), hint: optional(hint) }),
          ),
        ),
      }),
    ),
    { description: "The one that matches or came furthest first; at most 20." },
  ),
  branchCount: integer(),
};

const sqlValue = union(string(), integer(), boolean());
const sqlError = nullable(
  named(
    "SqlEvaluationError",
    object({
      kind: oneOf("missing_attribute", "cast", "math", "function_evaluation"),
      message: string(),
      position: integer({ description: "So many characters of the expression stand before what failed." }),
    }),
  ),
);

const sqlOperand = named(
  "SqlOperand",
  object({
    operator: nullable(oneOf("AND", "OR", "XOR")),
    source: string({ description: "As it is written." }),
    position: integer({ description: "So many characters of the expression stand before it." }),
    holds: boolean({ description: "Whether it counts as true." }),
    value: sqlValue,
    error: sqlError,
    skipped: boolean({ description: "What stands before it had settled all; it is told what it would have come to." }),
    attributes: array(string()),
    hint: optional(hint),
  }),
);

const sqlExplanationMembers = {
  matched: boolean({ description: "Whether the value is true, without an error." }),
  value: sqlValue,
  error: sqlError,
  failed: optional(sqlOperand),
  operands: array(sqlOperand, { description: "What AND, OR and XOR join outside of parentheses, from left to right." }),
  attributes: array(named("SqlAttribute", object({ name: string(), found: optional(sqlValue) })), {
    description: "Those that the expression names. `found` is absent where the event has none.",
  }),
};

const testedEvent = named("TestedEvent", object({ seq, id: string(), source: string(), type: string() }));
export type TestedEvent = Static<typeof testedEvent>;

const patternTest = named("PatternTest", object({ kind: literal("pattern"), event: nullable(testedEvent), ...explanationMembers }));
export type PatternTest = Static<typeof patternTest>;

const sqlTest = named("SqlTest", object({ kind: literal("sql"), event: nullable(testedEvent), ...sqlExplanationMembers }));
export type SqlTest = Static<typeof sqlTest>;

const triggerTest = named(
  "TriggerTest",
  object({
    trigger: eventTrigger,
    ...explanationMembers,
    matched: boolean({ description: "Whether the pattern, type and `where`, is met, and the expression." }),
    sql: nullable(named("SqlExplanation", object(sqlExplanationMembers))),
  }),
);

const functionTest = named(
  "FunctionTest",
  object({
    kind: literal("function"),
    fn: string(),
    matched: boolean({ description: "Whether any of its event triggers matches." }),
    event: nullable(testedEvent),
    delivery: nullable(object({ seq, state: deliveryState })),
    triggers: array(triggerTest),
  }),
);
export type FunctionTest = Static<typeof functionTest>;

export const eventTest = named("EventTest", union(patternTest, sqlTest, functionTest));
export type EventTest = Static<typeof eventTest>;

export const logLevel = oneOf(...LOG_LEVELS);

const lineMembers = { atMs: timeMs, fn: string(), invocation: string(), level: logLevel, text: string() };

export const logLine = named("LogLine", object(lineMembers));
export type LogLineShape = Static<typeof logLine>;

export const storedLine = named("StoredLogLine", object({ seq: integer(), ...lineMembers }));
export type StoredLogLineShape = Static<typeof storedLine>;

export const followedLine = named(
  "FollowedLine",
  union(logLine, object({ dropped: integer({ description: "So many lines were left out, because they were not read in time." }) })),
);
export type FollowedLine = Static<typeof followedLine>;

export const invokeBody = named(
  "Invoke",
  object({
    data: optional(anything({ description: "The event's data; for a function with HTTP triggers only: the JSON body." })),
    request: optional(
      object({
        method: optional(string()),
        path: optional(string({ description: "With query. By default the path of the function's first HTTP trigger." })),
        headers: optional(record(string())),
      }),
    ),
  }),
);
export type InvokeBody = Static<typeof invokeBody>;

const logs = array(logLine);

export const invokeAnswer = named(
  "Invoked",
  union(
    object({ outcome: literal("done"), invocation: string(), delivery: seq, ranMs: number(), logs }),
    object({ outcome: literal("retrying"), invocation: string(), delivery: seq, error: attemptError, dueMs: timeMs, logs }),
    object({ outcome: literal("dead"), invocation: string(), delivery: seq, error: attemptError, logs }),
    object({
      outcome: literal("answered"),
      invocation: string(),
      status: integer(),
      headers: array(array(string(), { minItems: 2, maxItems: 2 })),
      text: nullable(string({ description: "The body, when it is UTF-8 text." })),
      base64: nullable(string({ description: "The body otherwise." })),
      tookMs: number(),
      logs,
    }),
    object({
      outcome: literal("begun"),
      invocation: string(),
      run: string({ description: "Of a flow: the id of the run that goes on." }),
      logs,
    }),
    object({
      outcome: literal("failed"),
      invocation: string(),
      code: oneOf(...errorCodes),
      message: string(),
      cure: string(),
      tookMs: number(),
      logs,
    }),
  ),
);
export type InvokeAnswer = Static<typeof invokeAnswer>;

export const deadSelection = named(
  "DeadSelection",
  union(
    object({ seqs: array(seq, { minItems: 1, maxItems: 10_000 }) }),
    object({ fn: string({ minLength: 1 }), type: optional(string({ minLength: 1 })) }),
    object({ type: string({ minLength: 1 }) }),
    object({ all: literal(true) }),
  ),
);
export type DeadSelectionShape = Static<typeof deadSelection>;

const remaining = nullable(integer({ minimum: 0, description: "Those still to be done; null when it is not known." }));
export const redriveProgress = named("RedriveProgress", object({ redriven: integer(), remaining, finished: boolean() }));
export type RedriveProgress = Static<typeof redriveProgress>;
export const purgeProgress = named("PurgeProgress", object({ purged: integer(), remaining, finished: boolean() }));
export type PurgeProgress = Static<typeof purgeProgress>;

export const statsView = named(
  "Stats",
  object({
    deliveries: object({ waiting: integer(), running: integer(), parked: integer(), dead: integer() }),
    pool: object({ instances: integer(), spares: integer(), running: integer(), waiting: integer(), coldStarts: integer() }),
    functions: array(
      object({
        name: string(),
        exists: boolean(),
        waiting: integer(),
        running: integer(),
        parked: integer(),
        dead: integer(),
        instances: integer(),
      }),
    ),
  }),
);
export type StatsView = Static<typeof statsView>;

export const reloadAnswer = named("Reloaded", object({ release: releaseView, tookMs: number() }));
export type Reloaded = Static<typeof reloadAnswer>;
