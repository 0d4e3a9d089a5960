import type { Context } from "./context.ts";
import type { Duration } from "../core/duration.ts";
import type { StandardSchema } from "./standard-schema.ts";

/**
 * What `fn`, `event` and the triggers return carries its facts under this symbol. It is a registered symbol and never
 * `instanceof`: each app's bundle carries its own copy of the SDK, and the sandbox yet another.
 */
export const DEFINITION: unique symbol = Symbol.for("millrace.definition");

export type HttpVerb = "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "ANY";

/** An event pattern over the whole event: the Amazon EventBridge language. */
export type EventPattern = Readonly<Record<string, unknown>>;

export interface HttpFacts<Path extends string = string> {
  readonly kind: "http";
  readonly method: HttpVerb;
  readonly path: Path;
}

export interface EventFacts<Type extends string = string, Input = unknown, Output = unknown> {
  readonly kind: "event";
  readonly type: Type;
  readonly schema: StandardSchema<Input, Output> | undefined;
  readonly where: EventPattern | undefined;
  readonly sql: string | undefined;
  /** As it was written, so that a misspelt option can be named. */
  readonly options: unknown;
}

export type ScheduleFacts =
  | { readonly kind: "every"; readonly interval: Duration }
  | { readonly kind: "cron"; readonly expression: string; readonly options: unknown };

export interface FnFacts {
  readonly kind: "fn";
  /** As they were written; describe.ts checks them. */
  readonly options: unknown;
  readonly handler: Handler;
}

export interface FlowFacts {
  readonly kind: "flow";
  /** As they were written; describe.ts checks them. */
  readonly options: unknown;
  readonly handler: FlowHandler;
}

/** A handler as the sandbox calls it: the SDK's types have done their work by then. */
export type Handler = (input: unknown, ctx: Context) => unknown;
export type FlowHandler = (input: never, flow: never) => unknown;

export interface HttpTrigger<Path extends string = string> {
  readonly [DEFINITION]: HttpFacts<Path>;
}

export interface ScheduleTrigger {
  readonly [DEFINITION]: ScheduleFacts;
}

/** A type of event: a trigger for functions, and what `ctx.emit` takes. `Input` goes in, `Output` arrives. */
export interface EventDefinition<Type extends string = string, Input = unknown, Output = unknown> {
  readonly type: Type;
  readonly [DEFINITION]: EventFacts<Type, Input, Output>;
}

/** `Data` is what a flow hands over when it calls the function, `Result` what it gets for it: both are types alone. */
export interface FnDefinition<Data = never, Result = unknown> {
  readonly [DEFINITION]: FnFacts;
  readonly [CALLED]?: (data: Data) => Result;
}

export interface FlowDefinition<Data = never, Result = unknown> {
  readonly [DEFINITION]: FlowFacts;
  readonly [CALLED]?: (data: Data) => Result;
}

declare const CALLED: unique symbol;

export type Trigger = HttpTrigger | EventDefinition | ScheduleTrigger;

export type Facts = HttpFacts | EventFacts | ScheduleFacts | FnFacts | FlowFacts;

/** The facts of anything that the SDK made, whichever copy of it; undefined for all other values. */
export function factsOf(value: unknown): Facts | undefined {
  if (value === null || typeof value !== "object" || !(DEFINITION in value)) return undefined;
  return value[DEFINITION] as Facts;
}
