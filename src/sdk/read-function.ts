import type { FunctionManifest, Trigger } from "../protocol/manifest.ts";
import {
  type Exported,
  readConcurrency,
  readInstanceOptions,
  readKey,
  readName,
  readRetry,
  readTimeoutMs,
  RETRY_OPTIONS,
} from "./common-options.ts";
import type { FnFacts } from "./definition.ts";
import { exportPlace, loadFault, type Place, show } from "./load-fault.ts";
import { OptionReader } from "./option-reader.ts";
import { readTriggers } from "./read-triggers.ts";

const OPTIONS = ["on", "id", "key", "onDead", "concurrency", "retry", "timeout", "memory", "instances", "allow", "network"] as const;

/** One exported function as data, every default filled in. */
export function readFunction(facts: FnFacts, where: Exported, line?: Place["line"]): FunctionManifest {
  const place = exportPlace(where.file, where.exportName, line);
  const options = new OptionReader(facts.options, OPTIONS, place);
  if (typeof facts.handler !== "function") {
    throw loadFault(place, `the handler is ${show(facts.handler)}, not a function`, "Write fn({ on: … }, async (input, ctx) => { … }).");
  }
  const name = readName(options, where.exportName, "fn", place);
  const triggers = readTriggers(options.get("on"), place);
  refuseIdle(options, triggers, place);
  return {
    name,
    ...where,
    triggers,
    key: readKey(options),
    onDead: options.choice("onDead", "continue", ["continue", "hold"]),
    retry: readRetry(options.group("retry", RETRY_OPTIONS)),
    timeoutMs: readTimeoutMs(options),
    concurrency: readConcurrency(options),
    ...readInstanceOptions(options),
  };
}

/** Retries, keys and dead letters belong to deliveries; an HTTP call is none. What would be ignored is refused. */
function refuseIdle(options: OptionReader, triggers: readonly Trigger[], place: Place): void {
  if (triggers.some((trigger) => trigger.kind !== "http")) return;
  const idle = ["key", "onDead", "retry"].find((name) => options.has(name));
  if (idle === undefined) return;
  throw loadFault(
    place,
    `option "${idle}" has no effect on a function that only HTTP wakes`,
    `Remove "${idle}", or let an event wake the function.`,
  );
}
