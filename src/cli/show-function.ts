import type { FunctionView } from "../control/client/index.ts";
import { formatDuration } from "../core/duration.ts";

/** `POST /orders`, `on order.*`, `every 5m`: what wakes a function, in a few words. */
export function showTriggers(triggers: FunctionView["triggers"]): string {
  return triggers.map(showTrigger).join(", ");
}

function showTrigger(trigger: FunctionView["triggers"][number]): string {
  switch (trigger.kind) {
    case "http":
      return `${trigger.method} ${trigger.path}`;
    case "event":
      return `on ${trigger.type}${trigger.where === null ? "" : " where …"}${trigger.sql === null ? "" : " sql …"}`;
    case "every":
      return `every ${formatDuration(trigger.everyMs)}`;
    case "cron":
      return trigger.timezone === null ? `cron ${trigger.expression}` : `cron ${trigger.expression} (${trigger.timezone})`;
    default:
      return trigger satisfies never;
  }
}
