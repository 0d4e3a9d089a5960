import { MillraceError } from "../core/errors.ts";
import { compileSchema, type SchemaCheck } from "../events/index.ts";
import type { Manifest } from "../protocol/manifest.ts";
import type { Ingested, SchemaFault } from "./delivery.ts";

/** The schemas of the live release's typed events, as far as they are data (JSON Schema). */
export class EventSchemas {
  private checks = new Map<string, SchemaCheck>();
  private typed: ReadonlySet<string> = new Set();

  use(manifest: Manifest): void {
    const checks = new Map<string, SchemaCheck>();
    for (const { type, jsonSchema } of manifest.events) {
      if (jsonSchema !== null && jsonSchema !== undefined) checks.set(type, compileSchema(jsonSchema, type));
    }
    this.checks = checks;
    this.typed = new Set(manifest.events.map(({ type }) => type));
  }

  /**
   * Whether the receiver's sandbox applies the schema to an event from outside: always, since a JSON Schema knows neither defaults nor
   * refinements, and a library without one was not asked at the door at all. What a function emitted went through its schema then.
   */
  appliedByReceiver(type: string): boolean {
    return this.typed.has(type);
  }

  /** null when all events fit; else one error that names each that does not, with the schema's own words. */
  check(events: readonly Ingested[]): MillraceError | null {
    if (this.checks.size === 0) return null;
    const faults: SchemaFault[] = [];
    events.forEach(({ event }, index) => {
      const issues = this.checks.get(event.type)?.(event.data) ?? [];
      if (issues.length > 0) faults.push({ index, type: event.type, issues });
    });
    const first = faults[0];
    if (first === undefined) return null;
    const words = first.issues.map(({ path, message }) => `${path}: ${message}`).join("; ");
    const others = faults.length === 1 ? "" : `, and ${faults.length - 1} more of this batch do not fit either`;
    const where = events.length === 1 ? "" : `event ${first.index}: `;
    return new MillraceError("schema_mismatch", `${where}data does not fit the schema of "${first.type}": ${words}${others}`, {
      details: faults,
    });
  }
}
