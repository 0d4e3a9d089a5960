import { MillraceError } from "../core/errors.ts";
import { Fatal } from "../sdk/outcome.ts";
import { type Schemas, validate } from "./schemas.ts";

/** The receiver's own check, for events that no door could check; its data is then what the schema made of it. */
export async function checkedEvent(event: unknown, fn: { readonly schemas: Schemas }): Promise<unknown> {
  if (typeof event !== "object" || event === null || !("type" in event) || typeof event.type !== "string") return event;
  const schema = await fn.schemas.find(event.type);
  if (schema === null) return event;
  try {
    return { ...event, data: await validate(schema, event.type, "data" in event ? event.data : undefined) };
  } catch (error) {
    throw error instanceof MillraceError ? new SchemaMismatch(error.message) : error;
  }
}

/** Trying again cannot help: the event will never fit. */
class SchemaMismatch extends Fatal {
  override readonly name = "SchemaMismatch";
}
