/** One thing that is wrong with an event: where, and what. */
export interface EventFault {
  /** The attribute's name, `data`, or `event` when the whole is at fault. */
  readonly attribute: string;
  readonly cause: string;
}

/** A fault as people read it: `time: "yesterday" is no RFC 3339 timestamp`. */
export function faultText(fault: EventFault): string {
  return `${fault.attribute}: ${fault.cause}`;
}

const SHOWN_CHARACTERS = 64;

/** Text from outside, quoted and cut to a length that fits a sentence. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS).toWellFormed()}…` : text);
}

/** What a JSON value is, in words: `the number 5`, `an array`. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  switch (typeof value) {
    case "string":
      return `the string ${quoted(value)}`;
    case "number":
      return `the number ${value}`;
    case "boolean":
      return String(value);
    case "undefined":
      return "missing";
    case "object":
      return "an object";
    default:
      return `a ${typeof value}`;
  }
}
