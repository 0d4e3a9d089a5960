import type { CloudEvent } from "../events/index.ts";
import { Matcher } from "../events/patterns/index.ts";
import type { FunctionManifest, Manifest } from "../protocol/manifest.ts";
import type { NewDelivery, WaitKey } from "../store/store.ts";
import { admits, type EventTrigger, ruleOf } from "./event-trigger.ts";
import { effectiveKey, partitionOf } from "./key.ts";
import { newRun, type RunBeginning } from "./new-run.ts";
import type { WaitTopics } from "./wait-topics.ts";

interface Subscription {
  readonly fn: FunctionManifest;
  readonly trigger: EventTrigger;
}

/** What routing knows besides the manifest. */
export interface Routing {
  readonly release: string;
  readonly topics: WaitTopics;
  readonly now: () => number;
}

/** The event triggers of one release, compiled once. A new release makes a new router (D9). */
export class Router {
  private readonly matcher = new Matcher<Subscription>();
  private readonly routing: Routing;

  constructor(manifest: Manifest, routing: Routing) {
    this.routing = routing;
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
    return this.functionsFor(event, json).map((fn) => this.deliveryTo(fn, event));
  }

  /** One that is due at this function whatever its triggers say. A delivery to a flow begins a run; `begins` says more of it. */
  deliveryTo(fn: FunctionManifest, event: CloudEvent, begins?: Partial<RunBeginning>): NewDelivery {
    if (fn.flow === undefined && begins === undefined) {
      const key = effectiveKey(fn.key, event);
      return { fn: fn.name, key, partition: partitionOf(fn.name, key, event.id), width: fn.concurrency.key };
    }
    const { release, now } = this.routing;
    const run = newRun(fn, event, { release, nowMs: now(), ...begins });
    // Runs without a limit by key begin in the order of their events and then go side by side: a lane would only hold them up.
    const key = fn.flow?.runsPerKey === null ? null : effectiveKey(fn.key, event);
    return { fn: fn.name, key, partition: partitionOf(fn.name, key, event.id), width: fn.flow?.runsPerKey ?? fn.concurrency.key, run };
  }

  /** What runs may wait for of this event. */
  waitKeysOf(event: CloudEvent): readonly WaitKey[] | undefined {
    return this.routing.topics.keysOf(event);
  }
}
