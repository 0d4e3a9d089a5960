import { MillraceError } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import { canonicalJson, type CloudEvent } from "../events/index.ts";
import { VALUE_CONTENT_TYPE } from "../protocol/journal.ts";
import type { FunctionManifest } from "../protocol/manifest.ts";
import type { NewEvent } from "../store/store.ts";
import type { RunBeginning } from "./new-run.ts";
import type { Router } from "./router.ts";

export const RUN_TYPE = "millrace.run";

/** What a run begins with. */
export interface RunInput {
  /** Text that value-text.ts reads. */
  readonly text: string;
  readonly source: string;
  readonly nowMs: number;
  readonly origin: NewEvent["origin"];
  readonly hops: number;
  readonly cause: string | null;
}

/** The event by which a run begins that no event of the app woke: it looks like what usually wakes the function, and wakes nobody else. */
export function runEvent(fn: FunctionManifest, input: RunInput, router: Router, begins: Partial<RunBeginning>): NewEvent {
  const trigger = fn.triggers.find((trigger) => trigger.kind === "event" && !trigger.type.includes("*"));
  const isJson = !input.text.startsWith("~");
  const event: CloudEvent = {
    specversion: "1.0",
    id: newId(input.nowMs),
    source: input.source,
    type: trigger?.kind === "event" ? trigger.type : RUN_TYPE,
    time: new Date(input.nowMs).toISOString(),
    datacontenttype: isJson ? "application/json" : VALUE_CONTENT_TYPE,
    data: isJson ? (JSON.parse(input.text) as unknown) : input.text,
  };
  const json = canonicalJson(event);
  if (json === undefined) throw new MillraceError("bad_event", `the input of "${fn.name}" is nested too deeply`);
  const { origin, hops, cause } = input;
  const delivery = router.deliveryTo(fn, event, begins);
  return { id: event.id, source: event.source, type: event.type, json, origin, hops, cause, dedupe: false, deliveries: [delivery] };
}
