import { MillraceError, toError } from "../core/index.ts";
import type { FunctionManifest, Manifest } from "../protocol/manifest.ts";
import { type EventDefinition, factsOf } from "./definition.ts";
import { registeredEvents } from "./event-registry.ts";
import { readEvents, type MadeEvent } from "./read-events.ts";
import { readFunction } from "./read-function.ts";

/** A file of the app: the bundle's name for it and, for people, its source. */
export interface Entry {
  readonly entry: string;
  readonly file: string;
}

/**
 * Extracts an app's manifest; runs inside a sandbox, since loading a module runs its code. Modules are loaded one
 * after the other, so that an event definition (which may live in a helper) can be put down to the entry that brings it.
 * Throws a MillraceError that names file, export, fault and cure.
 */
export async function describeModules(entries: readonly Entry[], load: (entry: string) => Promise<object>): Promise<Manifest> {
  const functions = new Map<string, Described>();
  const made: MadeEvent[] = [];
  const seen = new Set<EventDefinition>(allRegistered());
  for (const { entry, file } of entries) {
    const namespace = await loadModule(file, () => load(entry));
    for (const definition of allRegistered()) {
      if (!seen.has(definition)) made.push({ definition, entry, file });
      seen.add(definition);
    }
    for (const found of readModule(namespace, { entry, file })) addFunction(functions, found);
  }
  return { functions: [...functions.values()].map(({ manifest }) => manifest), events: readEvents(made) };
}

interface Described {
  readonly definition: unknown;
  readonly manifest: FunctionManifest;
}

async function loadModule(file: string, load: () => Promise<object>): Promise<object> {
  try {
    return await load();
  } catch (thrown) {
    if (thrown instanceof MillraceError) throw thrown;
    throw new MillraceError("load_failed", `${file}: the file cannot be loaded: ${toError(thrown).message}`, {
      cause: thrown,
      details: { file },
    });
  }
}

function allRegistered(): EventDefinition[] {
  return [...registeredEvents().values()].flat();
}

/** Other exports are the author's own affair: helpers, constants, events. */
function readModule(namespace: object, where: Entry): Described[] {
  return Object.entries(namespace).flatMap(([exportName, definition]: [string, unknown]) => {
    const facts = factsOf(definition);
    return facts?.kind === "fn" ? [{ definition, manifest: readFunction(facts, { ...where, exportName }) }] : [];
  });
}

/** The very same function exported again (by a file that gathers others) is still one. */
function addFunction(functions: Map<string, Described>, found: Described): void {
  const { name } = found.manifest;
  const first = functions.get(name);
  if (first === undefined) functions.set(name, found);
  else if (first.definition !== found.definition) {
    const [one, other] = [first.manifest, found.manifest];
    const places =
      one.file === other.file ? `exports "${one.exportName}" and "${other.exportName}" of ${one.file}` : `${one.file} and ${other.file}`;
    throw new MillraceError("duplicate_function", `two functions have the name "${name}": ${places}`, {
      details: { name, files: [one.file, other.file] },
    });
  }
}
