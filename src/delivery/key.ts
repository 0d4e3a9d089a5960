import { createHash } from "node:crypto";
import type { CloudEvent } from "../events/index.ts";
import type { KeyRule } from "../protocol/manifest.ts";
import { PARTITION_COUNT } from "../store/store.ts";

const LONGEST_KEY_BYTES = 1024;

/** D10: the key that orders a function's deliveries of this event, or null for none. */
export function effectiveKey(rule: KeyRule, event: CloudEvent): string | null {
  switch (rule.kind) {
    case "none":
      return null;
    case "default":
      return bounded(event.partitionkey);
    case "path":
      return bounded(valueAt(event, rule.path)) ?? bounded(event.partitionkey);
    default:
      return rule satisfies never;
  }
}

function valueAt(event: CloudEvent, path: readonly string[]): unknown {
  let value: unknown = event;
  for (const name of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

function bounded(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (text === undefined) return null;
  if (text.length * 3 <= LONGEST_KEY_BYTES || Buffer.byteLength(text) <= LONGEST_KEY_BYTES) return text;
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

/** The partition of a function's deliveries of one key; without a key they spread by the event's id. */
export function partitionOf(fn: string, key: string | null, eventId: string): number {
  return fnv1a(key ?? eventId, fnv1a(fn, 0x811c9dc5)) % PARTITION_COUNT;
}

function fnv1a(text: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}
