import type { Duration } from "../core/duration.ts";
import type { EventDefinition, FlowDefinition } from "./definition.ts";

/** Parameters of the route, decoded. */
export type Params = Readonly<Record<string, string | undefined>>;

/**
 * What a handler does, it does through its context: all of it belongs to one transaction, which commits when the
 * handler returns and is forgotten when it throws.
 */
export interface Context<P extends Params = Params> {
  /** The id of this invocation, as logs and traces show it. */
  readonly id: string;
  /** 1 at first; counts up with every retry. */
  readonly attempt: number;
  /** The route's parameters: of `/orders/:id` the `id`, of `/files/*` the `*`. Empty for events. */
  readonly params: P;
  /** Aborts when the time is up or, for HTTP, the client has gone. */
  readonly signal: AbortSignal;
  /** When `timeout` ends this attempt. */
  readonly deadline: Date;
  /** The app's variables (`.env`, `.env.local`), never those of the node. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly kv: Kv;
  /** Sends an event, visible once this transaction has committed. Data that does not fit the type's schema is an error here. */
  emit<E extends EventDefinition>(event: E, ...rest: EmitArguments<E>): Promise<Emitted>;
  emit(type: string, data?: unknown, options?: EmitOptions): Promise<Emitted>;
  /** Begins a run of a flow when this transaction commits. With an id that was used before, it is the same run. */
  start<Data>(flow: FlowDefinition<Data>, input: NoInfer<Data>, options?: { readonly id?: string }): Promise<{ readonly id: string }>;
}

/** The event as it will be found once the transaction has committed. */
export interface Emitted {
  readonly id: string;
}

/** Data may be left out only where the event has no schema. */
type EmitArguments<E extends EventDefinition> =
  E extends EventDefinition<string, infer Input>
    ? unknown extends Input
      ? [data?: unknown, options?: EmitOptions]
      : [data: Input, options?: EmitOptions]
    : never;

export interface EmitOptions {
  /** Deliveries of one function with the same key run one at a time, in the order of their events. */
  readonly key?: string;
  /** The event's own id; with its source it names the event once and for all. */
  readonly id?: string;
  readonly source?: string;
  readonly subject?: string;
  /** Not before this much time has passed. */
  readonly after?: Duration;
  /** Not before this moment: a Date, milliseconds since the epoch, or RFC 3339. */
  readonly at?: Date | number | string;
  /** Extension attributes: names of lower-case letters and digits. */
  readonly extensions?: Readonly<Record<string, string | number | boolean>>;
}

/** Takes what `console.log` takes. */
export interface Log {
  debug(...parts: unknown[]): void;
  info(...parts: unknown[]): void;
  warn(...parts: unknown[]): void;
  error(...parts: unknown[]): void;
}

/** The app's key-value store. A function sees committed values and its own writes. Keys: to 1 KiB; values: JSON or bytes, to 1 MiB. */
export interface Kv {
  get<Value = unknown>(key: string): Promise<Value | undefined>;
  /** `ttl`: the value is gone after this much time. */
  set(key: string, value: unknown, options?: { readonly ttl?: Duration }): Promise<void>;
  delete(key: string): Promise<void>;
  /** In key order: keys that begin with `prefix`, beyond `after`, at most `limit`. */
  list<Value = unknown>(query?: KvQuery): Promise<readonly KvEntry<Value>[]>;
}

export interface KvQuery {
  readonly prefix?: string;
  readonly after?: string;
  readonly limit?: number;
}

export interface KvEntry<Value = unknown> {
  readonly key: string;
  readonly value: Value;
}
