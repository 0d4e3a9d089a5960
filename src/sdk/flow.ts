import type { Duration } from "../core/duration.ts";
import type { CloudEvent } from "./cloud-event.ts";
import type { Context, Kv, Log, Params } from "./context.ts";
import {
  DEFINITION,
  type EventDefinition,
  type EventPattern,
  type FlowDefinition,
  type FnDefinition,
  type FlowHandler,
} from "./definition.ts";
import { noteLine } from "./definition-line.ts";
import type { EventOf } from "./event.ts";
import type { DataOf, InputOf, InstanceOptions, On, ParamsOf, RawInputOf, RetryOptions, TriggerOf } from "./fn.ts";

/** `Began` is the event that begins a run, before its schema has made anything of it. */
interface RunOptions<Began> extends InstanceOptions {
  /** The flow's name, where it is not to be the export's. */
  readonly id?: string;
  /**
   * Runs with the same key follow one behind the other, whole runs: an accessor that reads one field (`(e) => e.data.order`), or its path
   * (`"data.order"`). Default: they run side by side, or with `concurrency.key` by the event's partitionkey.
   */
  readonly key?: ((event: Began) => unknown) | string | null;
  /** Runs at once that are at work, and do not sleep or wait. A number: in one instance (default 100). `function`: in all of them. `key`: whole runs of one key, the waiting ones too. */
  readonly concurrency?: number | { readonly instance?: number; readonly function?: number; readonly key?: number };
  /** How steps are tried again, unless they say so themselves. Default: 5 attempts, doubling from 1 s to 1 h. */
  readonly retry?: StepRetry;
  /** How long one attempt at a step may take, unless it says so itself; and how long the code between steps may. Default "30s". */
  readonly timeout?: Duration;
  /** How long a whole run may take. Default: for ever. */
  readonly deadline?: Duration;
  /** Events that cancel a run while it lives. */
  readonly cancelOn?: CancelOn | readonly CancelOn[];
}

export interface FlowOptions<O extends On = On> extends RunOptions<RawInputOf<TriggerOf<O>>> {
  /** What begins a run: one trigger or several. Left out, only `start` and `call` do. */
  readonly on: O;
}

/** Of a flow that only `start` and `call` begin. */
export interface CalledFlowOptions<Data = unknown> extends RunOptions<CloudEvent<Data>> {
  readonly on?: undefined;
}

export interface CancelOn {
  readonly event: EventDefinition | string;
  /** Paths in that event, and the paths in the event that began the run whose values they must equal: `{ "data.order": "data.id" }`. */
  readonly match?: Readonly<Record<string, string>>;
  /** Whether the finished steps are rolled back. Default true. */
  readonly rollback?: boolean;
}

export interface StepRetry extends RetryOptions {
  /** When all attempts have failed: "throw" a StepError into the handler (the default), or "pause" the run for a person. */
  readonly onExhausted?: "throw" | "pause";
}

export interface StepOptions<Result = unknown> {
  readonly retry?: StepRetry;
  /** How long one attempt may take. */
  readonly timeout?: Duration;
  /** Undoes the step when the run fails later or is cancelled; the last step's comes first. A transaction of its own. */
  readonly rollback?: (tx: Tx, result: Result) => unknown;
}

/** One step's transaction: what it does commits together with its result, or not at all. */
export interface Tx {
  /** The run's id. */
  readonly id: string;
  /** From 1; counts up with every retry of this step. */
  readonly attempt: number;
  /** Aborts when the step's time is up or the run is cancelled. */
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly kv: Kv;
  readonly emit: Context["emit"];
  readonly start: Context["start"];
}

export interface WaitOptions {
  /** Paths in the event and the values they must have: `{ "data.parcel": parcel.id }`. */
  readonly match?: Readonly<Record<string, string | number | boolean | null>>;
  /** An event pattern that the event must match as well. */
  readonly where?: EventPattern;
  /** After this much time the answer is null. */
  readonly timeout?: Duration;
  /** From when on events count: since the run's last step (the default), or since it began. */
  readonly since?: "step" | "start";
}

export interface Callback<Result = unknown> {
  /** Unguessable. A POST to it completes the callback: the JSON body is the result. */
  readonly url: string;
  /** Null after the timeout; rejects when it was failed by `POST <url>/fail`. */
  result(): Promise<Result | null>;
}

export interface MapOptions<Result = unknown> extends StepOptions<Result> {
  /** Items at once. Default 10. */
  readonly concurrency?: number;
  /** How many items may fail: a number, or a share such as "5%". Default 0. */
  readonly tolerate?: number | `${number}%`;
}

export interface StartOptions {
  /** Names the run: started again with the same id, it is the same run. */
  readonly id?: string;
}

/** What can be called or started: a flow, or (called only) a function that events wake. */
export type Callable<Data = never, Result = unknown> = FlowDefinition<Data, Result> | FnDefinition<Data, Result>;

/**
 * What a flow's handler works with. The handler may be run again from its beginning at any time; what it has done by these verbs is not done
 * twice: it gets what they came to the first time. So everything that must happen once belongs into a step.
 */
export interface Flow<P extends Params = Params> {
  /** The run's id. */
  readonly id: string;
  /** 1; counts up when the run had to go on anew because its instance or its code failed. */
  readonly attempt: number;
  /** The route's parameters; empty for events. */
  readonly params: P;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Says nothing while the handler is being run again over what is done. */
  readonly log: Log;

  /** One transaction, run once: its result is kept with all that it did. Result: what structured clone can carry, to 1 MiB. */
  step<Result>(name: string, run: (tx: Tx) => Result, options?: StepOptions<Awaited<Result>>): Promise<Awaited<Result>>;
  sleep(name: string, duration: Duration): Promise<void>;
  sleepUntil(name: string, moment: Date | number | string): Promise<void>;
  /** The first event that fits, or null after the timeout. */
  waitFor<E extends EventDefinition>(name: string, event: E, options?: WaitOptions): Promise<EventOf<E> | null>;
  waitFor<Data = unknown>(name: string, type: string, options?: WaitOptions): Promise<CloudEvent<Data> | null>;
  /** An address at which a person or a service completes this run's wait. */
  callback<Result = unknown>(name: string, options?: { readonly timeout?: Duration }): Promise<Callback<Result>>;
  /** Runs a flow or a function and waits for its result. Cancelling and the deadline go down to it. */
  call<Data, Result>(name: string, target: Callable<Data, Result>, input: NoInfer<Data>, options?: StartOptions): Promise<Awaited<Result>>;
  /** Begins a run and does not wait for it. */
  start<Data>(target: FlowDefinition<Data>, input: NoInfer<Data>, options?: StartOptions): Promise<{ readonly id: string }>;
  /** One step an item, some at once; results in the order of the items. */
  map<Item, Result>(
    name: string,
    items: Iterable<Item>,
    run: (tx: Tx, item: Item, index: number) => Result,
    options?: MapOptions<Awaited<Result>> & { readonly tolerate?: 0 },
  ): Promise<Awaited<Result>[]>;
  map<Item, Result>(
    name: string,
    items: Iterable<Item>,
    run: (tx: Tx, item: Item, index: number) => Result,
    options: MapOptions<Awaited<Result>>,
  ): Promise<(Awaited<Result> | Error)[]>;
  /** Like Promise.all, but when one fails it waits for the others to come to their end before it throws. */
  all<const Promises extends readonly unknown[]>(promises: Promises): Promise<{ -readonly [K in keyof Promises]: Awaited<Promises[K]> }>;

  /** The time of the run's last journal entry: the same whenever the handler is run again. */
  now(): Date;
  random(): number;
  uuid(): string;
}

/**
 * A flow: a handler that is a chain of steps, each a transaction, which survives crashes and can sleep and wait for months.
 *
 * @example
 * export const fulfil = flow({ on: event("order.paid") }, async (e, flow) => {
 *   const parcel = await flow.step("pack", (tx) => pack(tx, e.data));
 *   await flow.sleep("cool down", "1h");
 * });
 */
export function flow<Data, Result>(
  options: CalledFlowOptions<Data>,
  handler: (input: CloudEvent<Data>, flow: Flow) => Result,
): FlowDefinition<Data, Result>;
export function flow<const O extends On, Result>(
  options: FlowOptions<O>,
  handler: (input: InputOf<TriggerOf<O>>, flow: Flow<ParamsOf<O>>) => Result,
): FlowDefinition<DataOf<InputOf<TriggerOf<O>>>, Result>;
export function flow(options: object, handler: unknown): FlowDefinition {
  const definition: FlowDefinition = Object.freeze({
    [DEFINITION]: Object.freeze({ kind: "flow" as const, options, handler: handler as FlowHandler }),
  });
  noteLine(definition);
  return definition;
}
