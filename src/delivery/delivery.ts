import type { LeaveSignal } from "../core/departure.ts";
import type { MillraceError } from "../core/errors.ts";
import type { CloudEvent, SchemaIssue } from "../events/index.ts";
import type { HttpHead, ResponseHead } from "../protocol/messages.ts";
import type { Release } from "../protocol/manifest.ts";
import type { AttemptError, DeadSelection, Seq } from "../store/store.ts";

/** The door of this room: how events and HTTP calls enter, and what people may do with deliveries. */
export interface Delivery {
  /** Swaps all routes at once; deliveries run on the newest release from their next dispatch on. */
  use(release: Release): Promise<void>;

  /** Routes events of the outside and makes them durable: all of them or none. */
  ingest(events: readonly Ingested[]): Promise<IngestResult>;

  /** One HTTP call: a transaction whose effects are committed before this resolves. Never rejects for what the app did. */
  http(request: HttpRequest): Promise<HttpResult>;

  /** Sends an event to one function only and waits for its first settled attempt. */
  invoke(fn: string, data: unknown): Promise<InvokeResult>;

  redrive(selection: DeadSelection, limit: number): Promise<number>;
  purge(selection: DeadSelection, limit: number): Promise<number>;

  stats(): DeliveryStats;
  /** Resolves when nothing is running and nothing is due. */
  settled(): Promise<void>;
}

/** An event with the JSON text that will be stored (decodeHttp of `events` makes both). */
export interface Ingested {
  readonly event: CloudEvent;
  readonly json: string;
  /** A delayed event: kept as a timer until then, and answered with a `seq` of 0, for it has no place yet. */
  readonly atMs?: number;
}

export type IngestResult =
  | { readonly kind: "accepted"; readonly events: readonly { readonly seq: Seq; readonly duplicate: boolean }[] }
  | { readonly kind: "refused"; readonly error: MillraceError };

export interface SchemaFault {
  readonly index: number;
  readonly type: string;
  readonly issues: readonly SchemaIssue[];
}

export interface HttpRequest {
  readonly fn: string;
  readonly head: HttpHead;
  /** The whole body, or a stream when it is large or still arriving. A stream can be run only once. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | null;
  readonly idempotencyKey: string | null;
  /** Aborts when the client leaves. */
  readonly signal: LeaveSignal | null;
}

export type HttpResult =
  | {
      readonly kind: "answered";
      readonly invocation: string;
      readonly head: ResponseHead;
      readonly body: Uint8Array | AsyncIterable<Uint8Array>;
      /** The client went away before a streamed body was read. */
      readonly discard: () => void;
      /** True for the stored answer of an earlier request with the same Idempotency-Key. */
      readonly replayed: boolean;
    }
  | { readonly kind: "failed"; readonly invocation: string; readonly error: MillraceError; readonly retryAfterMs: number | null };

export type InvokeResult =
  | { readonly kind: "done"; readonly invocation: string; readonly delivery: Seq; readonly ranMs: number }
  | { readonly kind: "retrying"; readonly invocation: string; readonly delivery: Seq; readonly error: AttemptError; readonly dueMs: number }
  | { readonly kind: "dead"; readonly invocation: string; readonly delivery: Seq; readonly error: AttemptError };

export interface DeliveryStats {
  /** Ready and blocked deliveries of all functions, running ones included. */
  readonly waiting: number;
  /** Runs that sleep, wait or are paused: no backlog. */
  readonly parked: number;
  readonly running: number;
  readonly dead: number;
  readonly functions: readonly FunctionStats[];
}

export interface FunctionStats {
  readonly fn: string;
  /** False for the deliveries of a function that no longer exists. */
  readonly exists: boolean;
  readonly waiting: number;
  readonly parked: number;
  readonly running: number;
  readonly dead: number;
}
