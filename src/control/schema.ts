/**
 * JSON Schema with its TypeScript type: one description of what crosses the control door, from which come the served
 * document, the check of requests, and the types of handlers and client. So these three cannot differ.
 */

export type JsonSchema = { readonly [keyword: string]: unknown };

export interface Schema<T> {
  /** `place` may give a named schema a place of its own and answer a reference to it. */
  json(place: Place): JsonSchema;
  /** Never there: carries the type. */
  readonly shape?: T;
}

export interface OptionalSchema<T> extends Schema<T> {
  readonly optional: true;
}

export type Place = (name: string, make: () => JsonSchema) => JsonSchema;

/** Writes a named schema where it is used. */
export const inline: Place = (_name, make) => make();

export type Static<S> = S extends Schema<infer T> ? T : never;

type Members = Readonly<Record<string, Schema<unknown>>>;
type OptionalNames<M> = { [K in keyof M]: M[K] extends OptionalSchema<unknown> ? K : never }[keyof M];
type ObjectOf<M> = { readonly [K in Exclude<keyof M, OptionalNames<M>>]: Static<M[K]> } & {
  readonly [K in OptionalNames<M>]?: Static<M[K]>;
};

export function string(keywords: JsonSchema = {}): Schema<string> {
  return { json: () => ({ type: "string", ...keywords }) };
}

export function oneOf<const T extends string>(...values: readonly T[]): Schema<T> {
  return { json: () => ({ type: "string", enum: values }) };
}

export function literal<const T extends string | boolean>(value: T): Schema<T> {
  return { json: () => ({ const: value }) };
}

export function integer(keywords: JsonSchema = {}): Schema<number> {
  return { json: () => ({ type: "integer", ...keywords }) };
}

export function number(keywords: JsonSchema = {}): Schema<number> {
  return { json: () => ({ type: "number", ...keywords }) };
}

export function boolean(keywords: JsonSchema = {}): Schema<boolean> {
  return { json: () => ({ type: "boolean", ...keywords }) };
}

/** Any JSON value. */
export function anything(keywords: JsonSchema = {}): Schema<unknown> {
  return { json: () => keywords };
}

export function nullable<T>(schema: Schema<T>): Schema<T | null> {
  return { json: (place) => ({ anyOf: [schema.json(place), { type: "null" }] }) };
}

export function array<T>(items: Schema<T>, keywords: JsonSchema = {}): Schema<readonly T[]> {
  return { json: (place) => ({ type: "array", items: items.json(place), ...keywords }) };
}

export function record<T>(values: Schema<T>): Schema<Readonly<Record<string, T>>> {
  return { json: (place) => ({ type: "object", additionalProperties: values.json(place) }) };
}

export function union<S extends readonly Schema<unknown>[]>(...schemas: S): Schema<Static<S[number]>> {
  return { json: (place) => ({ anyOf: schemas.map((schema) => schema.json(place)) }) };
}

export function optional<T>(schema: Schema<T>): OptionalSchema<T> {
  return { json: (place) => schema.json(place), optional: true };
}

export function object<const M extends Members>(members: M): Schema<ObjectOf<M>> {
  return {
    json: (place) => {
      const required = Object.keys(members).filter((name) => !("optional" in (members[name] ?? {})));
      const properties = Object.fromEntries(Object.entries(members).map(([name, schema]) => [name, schema.json(place)]));
      return { type: "object", properties, ...(required.length > 0 ? { required } : {}), additionalProperties: false };
    },
  };
}

/** A schema that the document lists by name. */
export function named<T>(name: string, schema: Schema<T>): Schema<T> {
  return { json: (place) => place(name, () => schema.json(place)) };
}
