import type { CloudEvent } from "./cloud-event.ts";
import { DEFINITION, type EventDefinition, type EventPattern } from "./definition.ts";
import { noteLine } from "./definition-line.ts";
import { register } from "./event-registry.ts";
import type { PlatformEvents } from "./platform-events.ts";
import type { SchemaInput, SchemaOutput, StandardSchema } from "./standard-schema.ts";

export interface EventOptions<S extends StandardSchema = StandardSchema> {
  /** Any Standard Schema (zod, valibot, arktype, …): checked when the event is emitted or received. */
  readonly schema?: S;
  /** Wakes only for events that match: an event pattern over the whole event. */
  readonly where?: EventPattern;
  /** Wakes only for events that match: a CloudEvents SQL expression over their attributes. Beside `where`, both must hold. */
  readonly sql?: string;
}

/**
 * A type of event. With a schema its data is typed and checked; without one, `event<Order>("order.placed")` types it
 * on trust. The platform's own are typed already. As a trigger the type may hold `*`, which stands for anything: `event("order.*")`.
 */
export function event<const Type extends keyof PlatformEvents>(
  type: Type,
  options?: EventOptions<never>,
): EventDefinition<Type, PlatformEvents[Type], PlatformEvents[Type]>;
export function event<const Type extends string, S extends StandardSchema>(
  type: Type,
  options: EventOptions<S> & { readonly schema: S },
): EventDefinition<Type, SchemaInput<S>, SchemaOutput<S>>;
export function event<const Type extends string>(type: Type, options?: EventOptions<never>): EventDefinition<Type>;
export function event<Data>(type: string, options?: EventOptions<never>): EventDefinition<string, Data, Data>;
export function event(type: string, options?: EventOptions): EventDefinition {
  const facts = Object.freeze({ kind: "event" as const, type, schema: options?.schema, where: options?.where, sql: options?.sql, options });
  const definition = Object.freeze({ type, [DEFINITION]: facts });
  register(definition);
  noteLine(definition);
  return definition;
}

/** The event that a definition describes, as a handler gets it: `EventOf<typeof orderPlaced>`. */
export type EventOf<D extends EventDefinition> =
  D extends EventDefinition<infer Type, unknown, infer Output> ? CloudEvent<Output, ExactType<Type>> : never;

/** The same before its schema has made anything of it: as it lies in the log, and as `key` reads it. */
export type RawEventOf<D extends EventDefinition> =
  D extends EventDefinition<infer Type, infer Input> ? CloudEvent<Input, ExactType<Type>> : never;

/** `order.*` says nothing about the type that arrives. */
type ExactType<Type extends string> = Type extends `${string}*${string}` ? string : Type;
