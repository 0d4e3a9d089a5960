/**
 * The part of the Standard Schema and Standard JSON Schema interfaces (standardschema.dev) that Millrace uses, written
 * down here so that any library that speaks them will do and none is a dependency.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    /** For the type checker only; no value at run time. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
    readonly jsonSchema?: { readonly input: (options: { readonly target: string }) => Record<string, unknown> } | undefined;
  };
}

export type SchemaResult<Output> = { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] };

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

export type SchemaInput<S extends StandardSchema> = NonNullable<S["~standard"]["types"]>["input"];
export type SchemaOutput<S extends StandardSchema> = NonNullable<S["~standard"]["types"]>["output"];

/** A schema may be a function too (arktype's are). */
export function isStandardSchema(value: unknown): value is StandardSchema {
  if (value === null || (typeof value !== "object" && typeof value !== "function") || !("~standard" in value)) return false;
  const standard = value["~standard"];
  return (
    standard !== null &&
    typeof standard === "object" &&
    "version" in standard &&
    standard.version === 1 &&
    "validate" in standard &&
    typeof standard.validate === "function"
  );
}

/** JSON Schema (2020-12) of what goes in; null where the library has none, or none for this very schema. */
export function jsonSchemaOf(schema: StandardSchema): Record<string, unknown> | null {
  try {
    return schema["~standard"].jsonSchema?.input({ target: "draft-2020-12" }) ?? null;
  } catch {
    return null;
  }
}

/** For people: `data.lines.0.qty: Expected number`. */
export function formatIssue(issue: SchemaIssue): string {
  const path = (issue.path ?? []).map((part) => String(typeof part === "object" ? part.key : part));
  return `${["data", ...path].join(".")}: ${issue.message}`;
}
