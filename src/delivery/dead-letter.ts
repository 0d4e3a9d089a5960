import type { CloudEvent } from "../events/index.ts";
import { newId } from "../core/ids.ts";
import type { AttemptError, NewEvent, ReadyDelivery } from "../store/store.ts";
import { newEvent } from "./effects.ts";
import type { Router } from "./router.ts";

export const DEAD_TYPE = "millrace.delivery.dead";

/** A larger original is named by its id instead of being carried along. */
const LARGEST_ORIGINAL_CHARS = 256 * 1024;

/** The event that tells of a dead delivery (D5), or null for the death of one that was woken by such an event. */
export function deadLetterEvent(
  entry: ReadyDelivery,
  death: { invocation: string; error: AttemptError; attempts: number; nowMs: number },
  router: Router,
): NewEvent | null {
  if (entry.event.type === DEAD_TYPE) return null;
  const { id, source, type } = JSON.parse(entry.event.json) as CloudEvent;
  const event: CloudEvent = {
    specversion: "1.0",
    id: newId(death.nowMs),
    source: `/functions/${entry.fn}`,
    type: DEAD_TYPE,
    time: new Date(death.nowMs).toISOString(),
    datacontenttype: "application/json",
    ...(entry.key === null ? {} : { partitionkey: entry.key }),
    data: {
      delivery: entry.seq,
      function: entry.fn,
      key: entry.key,
      attempts: death.attempts,
      error: death.error,
      event: entry.event.json.length <= LARGEST_ORIGINAL_CHARS ? (JSON.parse(entry.event.json) as CloudEvent) : { id, source, type },
    },
  };
  const facts = { json: JSON.stringify(event), origin: "platform", hops: entry.event.hops + 1, cause: death.invocation } as const;
  return newEvent(event, facts, router, false);
}
