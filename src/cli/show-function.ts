import type { FunctionView } from "../control/client/index.ts";
import { formatDuration } from "../core/duration.ts";
import type { Colors } from "./io.ts";

/** Flows are what runs are of; of what no longer exists nobody knows. */
export function showKind(options: FunctionView["options"], colors: Colors): string {
  if (options === null) return "";
  return options.flow === null ? "fn" : colors.cyan("flow");
}

/** A flow without triggers is begun by others. */
export function showWaking(triggers: FunctionView["triggers"], options: FunctionView["options"]): string {
  return triggers.length === 0 && options !== null && options.flow !== null ? "start, call" : showTriggers(triggers);
}

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
