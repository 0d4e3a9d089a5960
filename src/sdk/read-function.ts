import type { FunctionManifest, KeyRule, Trigger } from "../protocol/manifest.ts";
import { GRANTS } from "../protocol/manifest.ts";
import type { FnFacts } from "./definition.ts";
import { KEY_CURE, keyPathOfAccessor, keyPathOfText } from "./key-path.ts";
import { exportPlace, loadFault, type Place, show } from "./load-fault.ts";
import { OptionReader } from "./option-reader.ts";
import { readTriggers } from "./read-triggers.ts";

const OPTIONS = ["on", "id", "key", "onDead", "concurrency", "retry", "timeout", "memory", "instances", "allow", "network"] as const;

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;
const MIB = 1024 ** 2;

/** One exported function as data, every default filled in. */
export function readFunction(
  facts: FnFacts,
  where: { entry: string; file: string; exportName: string },
  line?: Place["line"],
): FunctionManifest {
  const place = exportPlace(where.file, where.exportName, line);
  const options = new OptionReader(facts.options, OPTIONS, place);
  if (typeof facts.handler !== "function") {
    throw loadFault(place, `the handler is ${show(facts.handler)}, not a function`, "Write fn({ on: … }, async (input, ctx) => { … }).");
  }
  const name = readName(options, where.exportName, place);
  const triggers = readTriggers(options.get("on"), place);
  refuseIdle(options, triggers, place);
  return {
    name,
    ...where,
    triggers,
    key: readKey(options),
    onDead: options.choice("onDead", "continue", ["continue", "hold"]),
    retry: readRetry(options),
    timeoutMs: options.durationMs("timeout", 30 * SECOND, { least: 1, most: DAY, text: 'from "1ms" to "24h"' }),
    memoryBytes: options.sizeBytes("memory", 128 * MIB, { least: 32 * MIB, most: 64 * 1024 * MIB, text: 'from "32mb" to "64gb"' }),
    concurrency: readConcurrency(options),
    instances: readInstances(options),
    allow: options.choices("allow", GRANTS),
    network: options.boolean("network", true),
  };
}

/** The export's name alone can be no option's fault, so the cure differs. */
function readName(options: OptionReader, exportName: string, place: Place): string {
  const id = options.get("id");
  if (id === undefined) {
    if (exportName === "default")
      throw loadFault(place, "a default export gives a function no name", "Write export const name = fn(…), or give it an `id`.");
    const fault = nameFault(exportName);
    if (fault !== undefined) throw loadFault(place, `the name of a function ${fault}`, "Rename the export, or give it an `id`.");
    return exportName;
  }
  const fault = typeof id === "string" ? nameFault(id) : "is a string";
  if (fault !== undefined || typeof id !== "string")
    throw options.fault("id", `is ${show(id)}, but the name of a function ${fault}`, 'Write an id such as "orders.reserve".');
  return id;
}

function nameFault(name: string): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name)) return "starts with a letter or _ and goes on with letters, digits, _, . and -";
  if (name.length > 128) return "has at most 128 characters";
  if (name.startsWith("millrace")) return 'does not start with "millrace", which is the platform\'s own';
  return undefined;
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

function readKey(options: OptionReader): KeyRule {
  const key = options.get("key");
  if (key === undefined) return { kind: "default" };
  if (key === null) return { kind: "none" };
  if (typeof key !== "string" && typeof key !== "function") throw options.fault("key", `is ${show(key)}`, KEY_CURE);
  const found = typeof key === "string" ? keyPathOfText(key) : keyPathOfAccessor(key as (event: unknown) => unknown);
  if (!found.ok) throw options.fault("key", `cannot be used: ${found.fault}`, KEY_CURE);
  return { kind: "path", path: found.path };
}

function readRetry(options: OptionReader): FunctionManifest["retry"] {
  const retry = options.group("retry", ["attempts", "backoff", "base", "factor", "max", "jitter"]);
  const wait = { least: 0, most: 30 * DAY, text: 'of at most "30d"' };
  return {
    attempts: retry.integer("attempts", 5, { least: 1, most: 1000 }),
    backoff: retry.choice("backoff", "exponential", ["exponential", "fixed"]),
    baseMs: retry.durationMs("base", SECOND, wait),
    factor: retry.number("factor", 2, { least: 1, most: 100 }),
    maxMs: retry.durationMs("max", HOUR, wait),
    jitter: retry.choice("jitter", "full", ["full", "none"]),
  };
}

function readConcurrency(options: OptionReader): FunctionManifest["concurrency"] {
  const many = { least: 1, most: 10_000 };
  if (typeof options.get("concurrency") === "number") {
    return { instance: options.integer("concurrency", 100, many), function: null, key: 1 };
  }
  const concurrency = options.group("concurrency", ["instance", "function", "key"]);
  return {
    instance: concurrency.integer("instance", 100, many),
    function: concurrency.integer("function", null, many),
    key: concurrency.integer("key", 1, many),
  };
}

function readInstances(options: OptionReader): FunctionManifest["instances"] {
  const instances = options.group("instances", ["min", "max", "idle"]);
  const min = instances.integer("min", 0, { least: 0, most: 1000 });
  return {
    min,
    max: instances.integer("max", null, { least: Math.max(1, min), most: 1000 }),
    idleMs: instances.durationMs("idle", 60 * SECOND, { least: 0, most: DAY, text: 'of at most "24h"' }),
  };
}
