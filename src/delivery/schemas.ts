import { MillraceError } from "../core/errors.ts";
import { compileSchema, type SchemaCheck } from "../events/index.ts";
import type { Manifest } from "../protocol/manifest.ts";
import type { Ingested, SchemaFault } from "./delivery.ts";

/** The schemas of the live release's typed events, as far as they are data (JSON Schema). */
export class EventSchemas {
  private checks = new Map<string, SchemaCheck>();
  /** Types whose library gives no JSON Schema: their receivers check. */
  private unchecked = new Set<string>();

  use(manifest: Manifest): void {
    const checks = new Map<string, SchemaCheck>();
    const unchecked = new Set<string>();
    for (const { type, jsonSchema } of manifest.events) {
      if (jsonSchema === null || jsonSchema === undefined) unchecked.add(type);
      else checks.set(type, compileSchema(jsonSchema, type));
    }
    this.checks = checks;
    this.unchecked = unchecked;
  }

  checkedByReceiver(type: string): boolean {
    return this.unchecked.has(type);
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
