import { MillraceError } from "../core/errors.ts";
import type { Clock } from "../core/clock.ts";
import type { Seq } from "../store/store.ts";
import { purging, redriving, workThrough } from "./dead-letters.ts";
import { findEvent } from "./find-event.ts";
import { findFunction, noFunction } from "./find-function.ts";
import { followLogs, linesOf } from "./follow-logs.ts";
import { invoke } from "./invoke.ts";
import { toIngested } from "./new-event.ts";
import type { ControlRooms } from "./node-facts.ts";
import type { AnswerOf, BodyOf, OperationName, Operations, ParamsOf, QueryOf } from "./operations.ts";
import type { AcceptedEvent, FunctionView, NewEventShape, NodeView, PurgeProgress, RedriveProgress } from "./shapes.ts";
import { runHandlers } from "./run-handlers.ts";
import { testEvent } from "./test-event.ts";
import { showDead, showEvent, showFunctions, showRelease } from "./views.ts";

export interface Input<N extends OperationName> {
  readonly params: ParamsOf<N>;
  readonly query: QueryOf<N>;
  readonly body: BodyOf<N>;
  /** Aborts when the caller leaves or the node stops. */
  readonly signal: AbortSignal;
}

type Answered<N extends OperationName> = Operations[N]["answer"]["form"] extends "lines"
  ? AsyncIterable<AnswerOf<N>>
  : Promise<AnswerOf<N>>;

/** One handler an operation: an operation without one does not compile, and neither does an answer of another shape. */
export type Handlers = { readonly [N in OperationName]: (input: Input<N>) => Answered<N> };

export interface HandlerContext {
  readonly rooms: ControlRooms;
  readonly clock: Clock;
  /** The control door's own address. */
  readonly address: () => string;
  readonly maxEventBytes: number;
}

export function makeHandlers(context: HandlerContext): Handlers {
  const { rooms, clock } = context;
  const { node, delivery, store, pool, logs } = rooms;
  const functions = (): FunctionView[] => showFunctions(node.release(), delivery.stats().functions, pool.stats());

  return {
    node: async () => nodeView(context),

    functions: async () => ({ functions: functions() }),

    fn: async ({ params }) => {
      const found = functions().find(({ name }) => name === params.name);
      if (found === undefined) throw noFunction(params.name ?? "", node.release());
      return found;
    },

    invoke: async ({ params, body, signal }) => {
      const manifest = findFunction(params.name ?? "", node.release());
      return await invoke(manifest, body, signal, {
        delivery,
        runs: rooms.runs,
        linesOf: (invocation) => linesOf(logs, invocation),
        now: () => clock.now(),
      });
    },

    events: async ({ query }) => ({ events: (await store.events({ ...query, limit: query.limit ?? 50 })).map(showEvent) }),

    event: async ({ params }) => showEvent(await findEvent(params.event ?? "", store)),

    testEvent: async ({ body }) => await testEvent(body, rooms),

    emit: async ({ body }) => {
      const batch = "events" in body ? body.events : undefined;
      return { events: await emit(batch ?? [body as NewEventShape], batch !== undefined, context) };
    },

    logs: async ({ query }) => ({ lines: await store.logs({ ...query, limit: query.limit ?? 100 }) }),

    followLogs: ({ query, signal }) => followLogs(query, rooms, signal),

    dead: async ({ query }) => {
      const limit = query.limit ?? 50;
      const page = await store.dead({ ...query, limit });
      return { dead: page.map(showDead), next: page.length < limit ? null : (page.at(-1)?.seq ?? null) };
    },

    deadLetter: async ({ params }) => {
      const seq: Seq = Number(params.seq);
      const found = await store.delivery(seq);
      if (found === null) throw new MillraceError("not_found", `there is no delivery ${seq}`);
      if (found.state !== "dead" && found.state !== "held")
        throw new MillraceError("not_found", `delivery ${seq} is not dead, but ${found.state}`);
      return showDead(found);
    },

    async *redrive({ body }): AsyncGenerator<RedriveProgress> {
      for await (const { count, remaining, finished } of workThrough(body, store, redriving(delivery))) {
        yield { redriven: count, remaining, finished };
      }
    },

    async *purge({ body }): AsyncGenerator<PurgeProgress> {
      for await (const { count, remaining, finished } of workThrough(body, store, purging(delivery))) {
        yield { purged: count, remaining, finished };
      }
    },

    ...runHandlers(rooms),

    reload: async () => {
      const startedMs = clock.now();
      const release = await node.reload();
      return { release: showRelease(release), tookMs: clock.now() - startedMs };
    },

    stats: async () => {
      const { waiting, running, parked, dead } = delivery.stats();
      const { instances, spares, running: calls, waiting: queued, coldStarts } = pool.stats();
      return {
        deliveries: { waiting, running, parked, dead },
        pool: { instances, spares, running: calls, waiting: queued, coldStarts },
        functions: functions().map(({ name, exists, waiting, running, parked, dead, instances }) => ({
          name,
          exists,
          waiting,
          running,
          parked,
          dead,
          instances,
        })),
      };
    },
  };
}

function nodeView({ rooms, clock, address }: HandlerContext): NodeView {
  const { node, store } = rooms;
  const release = node.release();
  const health = store.health();
  return {
    version: node.version,
    node: process.versions.node,
    pid: process.pid,
    data: node.dataDirectory,
    gateway: node.gateway(),
    control: address(),
    startedMs: node.startedMs,
    uptimeMs: clock.now() - node.startedMs,
    ready: node.ready(),
    release: release === null ? null : showRelease(release),
    store: health.state === "ok" ? { state: "ok" } : { state: "failing", error: health.error.message, sinceMs: health.sinceMs },
  };
}

async function emit(given: readonly NewEventShape[], isBatch: boolean, context: HandlerContext): Promise<AcceptedEvent[]> {
  const { rooms, clock, maxEventBytes } = context;
  const nowMs = clock.now();
  const faults: { index: number; code: string; message: string }[] = [];
  const events = given.flatMap((each, index) => {
    try {
      return [toIngested(each, nowMs, maxEventBytes)];
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      if (!isBatch) throw error;
      faults.push({ index, code: error.code, message: error.message });
      return [];
    }
  });
  if (faults.length > 0) {
    const words = faults.slice(0, 3).map(({ index, message }) => `event ${index}: ${message}`);
    throw new MillraceError("bad_batch", words.join("; "), { details: { events: faults } });
  }
  const result = await rooms.delivery.ingest(events);
  if (result.kind === "refused") throw result.error;
  return result.events.map(({ seq, duplicate }, i) => {
    const event = events[i];
    return { id: event?.event.id ?? "", seq, duplicate, dueMs: event?.atMs ?? null };
  });
}
