import { MillraceError, toError } from "../../core/index.ts";
import { isPlainObject } from "./alternative.ts";
import { nameOf } from "./name-of.ts";

/** An event as users hand it over: parsed, as JSON text, or as JSON in UTF-8. */
export type EventInput = object | string | Uint8Array;

const utf8 = new TextDecoder("utf-8", { fatal: true });

export function readEvent(input: EventInput): object {
  const event: unknown = typeof input === "string" || input instanceof Uint8Array ? parse(input) : input;
  if (isPlainObject(event)) return event;
  throw new MillraceError("bad_event", `an event is a JSON object, not ${nameOf(event)}`);
}

function parse(input: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof input === "string" ? input : utf8.decode(input));
  } catch (error) {
    throw new MillraceError("bad_json", `the event is not JSON: ${toError(error).message}`, { cause: error });
  }
}
