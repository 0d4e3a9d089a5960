import type { CloudEvent } from "../events/index.ts";
import { Matcher } from "../events/patterns/index.ts";
import type { FunctionManifest, Manifest } from "../protocol/manifest.ts";
import type { NewDelivery } from "../store/store.ts";
import { admits, type EventTrigger, ruleOf } from "./event-trigger.ts";
import { effectiveKey, partitionOf } from "./key.ts";

interface Subscription {
  readonly fn: FunctionManifest;
  readonly trigger: EventTrigger;
}

/** The event triggers of one release, compiled once. A new release makes a new router (D9). */
export class Router {
  private readonly matcher = new Matcher<Subscription>();

  constructor(manifest: Manifest) {
    for (const fn of manifest.functions) {
      for (const trigger of fn.triggers) {
        if (trigger.kind === "event") this.matcher.add({ fn, trigger }, ruleOf(trigger));
      }
    }
  }

  /** The functions this event wakes, each once (D7). What is stored decides: the JSON is read as it stands, and only where triggers look. */
  functionsFor(event: CloudEvent, json: string): readonly FunctionManifest[] {
    const matched = this.matcher.match(json);
    if (matched.length === 0) return [];
    const functions = new Set<FunctionManifest>();
    for (const { fn, trigger } of matched) if (admits(trigger, event.type)) functions.add(fn);
    return [...functions];
  }

  deliveriesFor(event: CloudEvent, json: string): readonly NewDelivery[] {
    return this.functionsFor(event, json).map((fn) => deliveryTo(fn, event));
  }
}

export function deliveryTo(fn: FunctionManifest, event: CloudEvent): NewDelivery {
  const key = effectiveKey(fn.key, event);
  return { fn: fn.name, key, partition: partitionOf(fn.name, key, event.id), width: fn.concurrency.key };
}
