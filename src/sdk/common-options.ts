/** The options that functions and flows have in common, each read by one function. */

import type { FunctionManifest, KeyRule, RetryPolicy } from "../protocol/manifest.ts";
import { GRANTS } from "../protocol/manifest.ts";
import { KEY_CURE, keyPathOfAccessor, keyPathOfText } from "./key-path.ts";
import { loadFault, type Place, show } from "./load-fault.ts";
import type { OptionReader } from "./option-reader.ts";

/** Where an export was found: its name, its source and the bundle's file. */
export interface Exported {
  readonly entry: string;
  readonly file: string;
  readonly exportName: string;
}

export const SECOND = 1000;
const HOUR = 3600 * SECOND;
export const DAY = 24 * HOUR;
const MIB = 1024 ** 2;

/** The export's name alone can be no option's fault, so the cure differs. `maker`: what the author called to make it. */
export function readName(options: OptionReader, exportName: string, maker: "fn" | "flow", place: Place): string {
  const id = options.get("id");
  if (id === undefined) {
    if (exportName === "default") {
      const fault = `a default export gives a ${NOUNS[maker]} no name`;
      throw loadFault(place, fault, `Write export const name = ${maker}(…), or give it an \`id\`.`);
    }
    const fault = nameFault(exportName);
    if (fault !== undefined) throw loadFault(place, `the name of a ${NOUNS[maker]} ${fault}`, "Rename the export, or give it an `id`.");
    return exportName;
  }
  const fault = typeof id === "string" ? nameFault(id) : "is a string";
  if (fault !== undefined || typeof id !== "string")
    throw options.fault("id", `is ${show(id)}, but the name of a ${NOUNS[maker]} ${fault}`, 'Write an id such as "orders.reserve".');
  return id;
}

const NOUNS = { fn: "function", flow: "flow" } as const;

function nameFault(name: string): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name)) return "starts with a letter or _ and goes on with letters, digits, _, . and -";
  if (name.length > 128) return "has at most 128 characters";
  if (name.startsWith("millrace")) return 'does not start with "millrace", which is the platform\'s own';
  return undefined;
}

export function readKey(options: OptionReader): KeyRule {
  const key = options.get("key");
  if (key === undefined) return { kind: "default" };
  if (key === null) return { kind: "none" };
  if (typeof key !== "string" && typeof key !== "function") throw options.fault("key", `is ${show(key)}`, KEY_CURE);
  const found = typeof key === "string" ? keyPathOfText(key) : keyPathOfAccessor(key as (event: unknown) => unknown);
  if (!found.ok) throw options.fault("key", `cannot be used: ${found.fault}`, KEY_CURE);
  return { kind: "path", path: found.path };
}

export const RETRY_OPTIONS = ["attempts", "backoff", "base", "factor", "max", "jitter"] as const;

export function readRetry(retry: OptionReader): RetryPolicy {
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

export function readTimeoutMs(options: OptionReader): number {
  return options.durationMs("timeout", 30 * SECOND, { least: 1, most: DAY, text: 'from "1ms" to "24h"' });
}

const MANY_CALLS = { least: 1, most: 10_000 };

export function readConcurrency(options: OptionReader): FunctionManifest["concurrency"] {
  if (typeof options.get("concurrency") === "number") {
    return { instance: options.integer("concurrency", 100, MANY_CALLS), function: null, key: 1 };
  }
  const concurrency = options.group("concurrency", ["instance", "function", "key"]);
  return {
    instance: concurrency.integer("instance", 100, MANY_CALLS),
    function: concurrency.integer("function", null, MANY_CALLS),
    key: concurrency.integer("key", 1, MANY_CALLS),
  };
}

/** What its instances are like: the same for all that runs in them. */
export function readInstanceOptions(options: OptionReader): Pick<FunctionManifest, "memoryBytes" | "instances" | "allow" | "network"> {
  return {
    memoryBytes: options.sizeBytes("memory", 128 * MIB, { least: 32 * MIB, most: 64 * 1024 * MIB, text: 'from "32mb" to "64gb"' }),
    instances: readInstances(options.group("instances", ["min", "max", "idle"])),
    allow: options.choices("allow", GRANTS),
    network: options.boolean("network", true),
  };
}

function readInstances(instances: OptionReader): FunctionManifest["instances"] {
  const min = instances.integer("min", 0, { least: 0, most: 1000 });
  return {
    min,
    max: instances.integer("max", null, { least: Math.max(1, min), most: 1000 }),
    idleMs: instances.durationMs("idle", 60 * SECOND, { least: 0, most: DAY, text: 'of at most "24h"' }),
  };
}
