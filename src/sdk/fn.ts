import type { Duration } from "../core/duration.ts";
import type { Size } from "../core/size.ts";
import type { CloudEvent } from "./cloud-event.ts";
import type { Context } from "./context.ts";
import {
  DEFINITION,
  type EventDefinition,
  type FnDefinition,
  type Handler,
  type HttpTrigger,
  type ScheduleTrigger,
  type Trigger,
} from "./definition.ts";
import { noteLine } from "./definition-line.ts";
import type { EventOf, RawEventOf } from "./event.ts";
import type { ScheduleTick } from "./platform-events.ts";

/** What wakes a function: one trigger or several. */
export type On = Trigger | readonly Trigger[];

export interface FnOptions<O extends On = On> extends InstanceOptions {
  readonly on: O;
  /** The function's name, where it is not to be the export's. */
  readonly id?: string;
  /**
   * Deliveries with the same key run one at a time, in order: an accessor that reads one field (`(e) => e.data.sku`),
   * or its path (`"data.sku"`). Default: the event's partitionkey. null: no key, no order.
   */
  readonly key?: ((event: RawInputOf<TriggerOf<O>>) => unknown) | string | null;
  /** What a dead delivery does to those behind it with the same key. Default "continue". */
  readonly onDead?: "continue" | "hold";
  /** Calls at once. A number: in one instance (default 100). `function`: in all of them; `key`: of one key (default 1). */
  readonly concurrency?: number | { readonly instance?: number; readonly function?: number; readonly key?: number };
  readonly retry?: RetryOptions;
  /** How long one attempt may take. Default "30s". */
  readonly timeout?: Duration;
}

/** What the instances are like that run a function or a flow. */
export interface InstanceOptions {
  /** How much memory an instance may use. Default "128mb". */
  readonly memory?: Size;
  /** How many instances are kept (default 0), are allowed (default: what the machine holds), and for how long an idle one stays (default "60s"). */
  readonly instances?: { readonly min?: number; readonly max?: number; readonly idle?: Duration };
  /** What the sandbox denies unless it is granted. */
  readonly allow?: readonly ("addons" | "child_process" | "worker")[];
  /** false: the function cannot open connections. Default true. */
  readonly network?: boolean;
}

export interface RetryOptions {
  /** All of them, the first included. Default 5. */
  readonly attempts?: number;
  /** Default "exponential". */
  readonly backoff?: "exponential" | "fixed";
  /** The first wait. Default "1s". */
  readonly base?: Duration;
  /** By how much each wait grows. Default 2. */
  readonly factor?: number;
  /** The longest wait. Default "1h". */
  readonly max?: Duration;
  /** "full": anything between nothing and the wait. Default "full". */
  readonly jitter?: "full" | "none";
}

/**
 * A function: a handler that is one transaction. Deployed when a file in `functions/` exports it.
 *
 * @example
 * export const hello = fn({ on: http.get("/hello/:name") }, (request, ctx) => `Hello, ${ctx.params.name}!`);
 */
export function fn<const O extends On, Result>(
  options: FnOptions<O>,
  handler: (input: InputOf<TriggerOf<O>>, ctx: Context<ParamsOf<O>>) => Result,
): FnDefinition<DataOf<InputOf<TriggerOf<O>>>, Result> {
  const definition = Object.freeze({ [DEFINITION]: Object.freeze({ kind: "fn" as const, options, handler: handler as Handler }) });
  noteLine(definition);
  return definition;
}

export type TriggerOf<O extends On> = O extends readonly Trigger[] ? O[number] : O;

/** Spread over a union of triggers, it gives the union of what they bring. */
export type InputOf<T> = T extends HttpTrigger
  ? Request
  : T extends EventDefinition
    ? EventOf<T>
    : T extends ScheduleTrigger
      ? ScheduleEvent
      : never;

/** What a flow that calls the function hands over: the data of the event that it gets. */
export type DataOf<Input> = Input extends CloudEvent<infer Data> ? Data : never;

export type RawInputOf<T> = T extends EventDefinition ? RawEventOf<T> : T extends ScheduleTrigger ? ScheduleEvent : never;

type ScheduleEvent = CloudEvent<ScheduleTick, "millrace.schedule">;

/** With one route all its parameters are there; with several triggers any may be missing. */
export type ParamsOf<O extends On> =
  O extends HttpTrigger<infer Path>
    ? Readonly<Record<ParamNames<Path>, string>>
    : Readonly<Partial<Record<RouteParams<TriggerOf<O>>, string>>>;

type RouteParams<T> = T extends HttpTrigger<infer Path> ? ParamNames<Path> : never;

type ParamNames<Path extends string> = string extends Path
  ? string
  : Path extends `${infer Segment}/${infer Rest}`
    ? ParamName<Segment> | ParamNames<Rest>
    : ParamName<Path>;

type ParamName<Segment extends string> = Segment extends `:${infer Name}` ? Name : Segment extends "*" ? "*" : never;
