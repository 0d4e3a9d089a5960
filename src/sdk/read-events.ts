import { isDeepStrictEqual } from "node:util";
import type { EventManifest } from "../protocol/manifest.ts";
import { DEFINITION, type EventDefinition } from "./definition.ts";
import { lineOf } from "./definition-line.ts";
import { loadFault } from "./load-fault.ts";
import { checkEvent } from "./read-triggers.ts";
import { jsonSchemaOf, type StandardSchema } from "./standard-schema.ts";

/** An event definition and the module whose loading made it. */
export interface MadeEvent {
  readonly definition: EventDefinition;
  readonly entry: string;
  readonly file: string;
}

/** The typed events of the app: one schema a type, however many definitions name it. */
export function readEvents(made: readonly MadeEvent[]): EventManifest[] {
  const chosen = new Map<string, { readonly schema: StandardSchema; readonly file: string; readonly manifest: EventManifest }>();
  for (const { definition, entry, file } of made) {
    const facts = definition[DEFINITION];
    const place = { file, line: () => lineOf(definition, file), what: `event(${JSON.stringify(facts.type)})` };
    checkEvent(facts, place);
    if (facts.schema === undefined) continue;
    const jsonSchema = jsonSchemaOf(facts.schema);
    const first = chosen.get(facts.type);
    if (first === undefined) {
      const manifest = { type: facts.type, entry, jsonSchema, vendor: facts.schema["~standard"].vendor };
      chosen.set(facts.type, { schema: facts.schema, file, manifest });
    } else if (!sameSchema(first.schema, first.manifest.jsonSchema, facts.schema, jsonSchema)) {
      throw loadFault(
        place,
        first.file === file ? "the type has two different schemas in this file" : `the type has another schema in ${first.file}`,
        "Define the event once, in a file of its own, and import it where it is needed.",
      );
    }
  }
  return [...chosen.values()].map(({ manifest }) => manifest);
}

function sameSchema(one: StandardSchema, oneJson: unknown, other: StandardSchema, otherJson: unknown): boolean {
  return one === other || (oneJson !== null && isDeepStrictEqual(oneJson, otherJson));
}
