import { MillraceError } from "../core/errors.ts";
import type { CloudEvent } from "../events/index.ts";
import { isReservedType } from "../events/index.ts";
import { Matcher, type Pattern } from "../events/patterns/index.ts";
import { compileSql, type SqlExpression } from "../events/sql/index.ts";
import type { FunctionManifest, Manifest, Trigger } from "../protocol/manifest.ts";
import type { NewDelivery } from "../store/store.ts";
import { effectiveKey, partitionOf } from "./key.ts";

type EventTrigger = Extract<Trigger, { kind: "event" }>;

interface Subscription {
  readonly fn: FunctionManifest;
  readonly trigger: EventTrigger;
  readonly sql: SqlExpression | undefined;
}

/** The event triggers of one release, compiled once. A new release makes a new router (D9). */
export class Router {
  private readonly matcher = new Matcher<Subscription>();

  constructor(manifest: Manifest) {
    for (const fn of manifest.functions) {
      for (const trigger of fn.triggers) {
        if (trigger.kind === "event") this.matcher.add({ fn, trigger, sql: sqlOf(trigger) }, patternOf(trigger));
      }
    }
  }

  /** The functions this event wakes, each once (D7). */
  functionsFor(event: CloudEvent): readonly FunctionManifest[] {
    const matched = this.matcher.match(event);
    if (matched.length === 0) return [];
    const reserved = isReservedType(event.type);
    const functions = new Set<FunctionManifest>();
    for (const { fn, trigger, sql } of matched) {
      if (reserved && trigger.type !== event.type) continue;
      if (sql === undefined || sql.matches(event)) functions.add(fn);
    }
    return [...functions];
  }

  deliveriesFor(event: CloudEvent): readonly NewDelivery[] {
    return this.functionsFor(event).map((fn) => deliveryTo(fn, event));
  }
}

export function deliveryTo(fn: FunctionManifest, event: CloudEvent): NewDelivery {
  const key = effectiveKey(fn.key, event);
  return { fn: fn.name, key, partition: partitionOf(fn.name, key, event.id), width: fn.concurrency.key };
}

function sqlOf({ sql }: EventTrigger): SqlExpression | undefined {
  return sql === null ? undefined : compileSql(sql);
}

function patternOf(trigger: EventTrigger): Pattern {
  const where = trigger.where ?? {};
  if (Object.hasOwn(where, "type")) {
    throw new MillraceError("bad_pattern", `where.type: the type is the first argument of event("${trigger.type}"); give it only there`);
  }
  return { ...where, type: [trigger.type.includes("*") ? { wildcard: trigger.type.replaceAll("\\", "\\\\") } : trigger.type] };
}
