import { MillraceError } from "../core/errors.ts";
import { DEFINITION, type EventDefinition } from "../sdk/definition.ts";
import { registeredEvents } from "../sdk/event-registry.ts";
import { formatIssue, type SchemaResult, type StandardSchema } from "../sdk/standard-schema.ts";

/** Imports an entry of the bundle for its definitions. */
export type ImportEntry = (entry: string) => Promise<unknown>;

/** The schemas of an app: those of the files that are loaded already, and where the others are. */
export class Schemas {
  private readonly entries: ReadonlyMap<string, string>;
  private readonly importEntry: ImportEntry;

  constructor(entries: ReadonlyMap<string, string>, importEntry: ImportEntry) {
    this.entries = entries;
    this.importEntry = importEntry;
  }

  /** A promise only when the file that defines the schema has to be imported first. */
  find(type: string, definition?: EventDefinition): StandardSchema | null | Promise<StandardSchema | null> {
    const near = definition?.[DEFINITION].schema ?? registered(type);
    if (near !== null) return near;
    const entry = this.entries.get(type);
    return entry === undefined ? null : this.importEntry(entry).then(() => registered(type));
  }
}

function registered(type: string): StandardSchema | null {
  for (const definition of registeredEvents().get(type) ?? []) {
    const { schema } = definition[DEFINITION];
    if (schema !== undefined) return schema;
  }
  return null;
}

/** What the schema made of the data; throws with the schema's own words when it does not fit. */
export function validate(schema: StandardSchema, type: string, data: unknown): unknown {
  const result = schema["~standard"].validate(data);
  return result instanceof Promise ? result.then((late) => accept(type, late)) : accept(type, result);
}

function accept(type: string, result: SchemaResult<unknown>): unknown {
  if (result.issues === undefined) return result.value;
  const faults = result.issues.map(formatIssue);
  throw new MillraceError("schema_mismatch", `the data does not fit the schema of "${type}": ${faults.join("; ")}`, {
    details: { type, issues: faults },
  });
}
