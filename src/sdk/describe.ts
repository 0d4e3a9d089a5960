import { MillraceError, toError } from "../core/index.ts";
import type { FunctionManifest, Manifest } from "../protocol/manifest.ts";
import type { Exported } from "./common-options.ts";
import { type EventDefinition, factsOf, type FlowFacts, type FnFacts } from "./definition.ts";
import { keepLines, lineInStack, lineOf } from "./definition-line.ts";
import { registeredEvents } from "./event-registry.ts";
import { fileAndLine, type Place } from "./load-fault.ts";
import { readEvents, type MadeEvent } from "./read-events.ts";
import { readFlow } from "./read-flow.ts";
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
  keepLines();
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
    const error = toError(thrown);
    const place = fileAndLine(file, lineInStack(error.stack, file));
    throw new MillraceError("load_failed", `${place}: the file cannot be loaded: ${error.message}${elsewhere(error, file)}`, {
      cause: thrown,
      details: { file },
    });
  }
}

/** A file that is loaded along with this one may be the one that throws: ` (at lib/database.ts:7)`. */
function elsewhere(error: Error, file: string): string {
  const place = /^ +at (?:.*\()?([^()]+:\d+):\d+\)?$/m.exec(error.stack ?? "")?.[1];
  return place === undefined || place.startsWith(`${file}:`) || /^(?:node|file|data):|^\//.test(place) ? "" : ` (at ${place})`;
}

function allRegistered(): EventDefinition[] {
  return [...registeredEvents().values()].flat();
}

/** Other exports are the author's own affair: helpers, constants, events. */
function readModule(namespace: object, where: Entry): Described[] {
  return Object.entries(namespace).flatMap(([exportName, definition]: [string, unknown]) => {
    const facts = factsOf(definition);
    if (facts?.kind !== "fn" && facts?.kind !== "flow") return [];
    const line = (): number | undefined => lineOf(definition as object, where.file);
    return [{ definition, manifest: readExport(facts, { ...where, exportName }, line) }];
  });
}

function readExport(facts: FnFacts | FlowFacts, where: Exported, line: Place["line"]): FunctionManifest {
  return facts.kind === "fn" ? readFunction(facts, where, line) : readFlow(facts, where, line);
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
