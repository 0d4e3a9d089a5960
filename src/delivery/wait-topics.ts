import { pathsOf, valueAt, waitValue } from "../core/wait-key.ts";
import type { CloudEvent } from "../events/index.ts";
import type { WaitKey } from "../store/store.ts";

/**
 * What runs wait for, so that an event can be asked for just that: of each type of event the sets of paths that waits compare. A topic is
 * the type and such a set, a wait's value what the paths must hold. A million waits for one type and path are one topic.
 */
export class WaitTopics {
  private readonly byType = new Map<string, Map<string, readonly string[]>>();

  /** Topics are few (as many as there are waits in the code) and stay: one too many costs a look-up for each event of its type. */
  add(topic: string): void {
    const { type, paths } = pathsOf(topic);
    let topics = this.byType.get(type);
    if (topics === undefined) this.byType.set(type, (topics = new Map()));
    topics.set(topic, paths);
  }

  /** Undefined for nearly every event: nobody waits for its type. */
  keysOf(event: CloudEvent): readonly WaitKey[] | undefined {
    const topics = this.byType.get(event.type);
    if (topics === undefined) return undefined;
    return [...topics].map(([topic, paths]) => ({ topic, value: waitValue(paths.map((path) => valueAt(event, path))) }));
  }
}
