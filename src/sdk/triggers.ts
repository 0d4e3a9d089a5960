import type { Duration } from "../core/duration.ts";
import { DEFINITION, type Facts, type HttpTrigger, type HttpVerb, type ScheduleTrigger } from "./definition.ts";

/** Wakes a function by an HTTP request. A path is made of words, `:parameters` and, as its end, `*`. */
export const http = Object.freeze({
  get: route("GET"),
  post: route("POST"),
  put: route("PUT"),
  patch: route("PATCH"),
  delete: route("DELETE"),
  any: route("ANY"),
});

/** Wakes a function again and again, this much time apart: `every("5m")`. */
export function every(interval: Duration): ScheduleTrigger {
  return define({ kind: "every", interval });
}

/** Wakes a function by the clock: `cron("0 3 * * *", { timezone: "Europe/Berlin" })`; without a timezone, UTC. */
export function cron(expression: string, options?: { readonly timezone?: string }): ScheduleTrigger {
  return define({ kind: "cron", expression, options });
}

function route(method: HttpVerb): <const Path extends string>(path: Path) => HttpTrigger<Path> {
  return (path) => define({ kind: "http", method, path });
}

/** Checked when the app is loaded, not here, so that an error can name the file and the export. */
function define<F extends Facts>(facts: F): { readonly [DEFINITION]: F } {
  return Object.freeze({ [DEFINITION]: Object.freeze(facts) });
}
