import type { EventDefinition } from "./definition.ts";

/**
 * Every event definition made in this process, by type: `ctx.emit("order.placed", …)` finds the schema of a type that
 * way, whichever file or copy of the SDK defined it.
 */
const REGISTRY = Symbol.for("millrace.events");

export function registeredEvents(): Map<string, EventDefinition[]> {
  const home = globalThis as { [REGISTRY]?: Map<string, EventDefinition[]> };
  return (home[REGISTRY] ??= new Map());
}

export function register(definition: EventDefinition): void {
  const registry = registeredEvents();
  const known = registry.get(definition.type);
  if (known === undefined) registry.set(definition.type, [definition]);
  else known.push(definition);
}
