import type { CancelRule } from "../protocol/manifest.ts";
import { factsOf } from "./definition.ts";
import { subscriptionFault } from "./event-type.ts";
import { keyPathOfText } from "./key-path.ts";
import { loadFault, type Place, show } from "./load-fault.ts";
import { isPlainObject, OptionReader } from "./option-reader.ts";

const EVENT_CURE = 'Write the event, such as event("order.cancelled"), or its type.';
const MATCH_CURE =
  'Write paths of the event that cancels, and for each the path of the event that began the run: { "data.order": "data.id" }.';

/** The option `cancelOn` as data: one rule or several. */
export function readCancelRules(options: OptionReader, place: Place): CancelRule[] {
  const written = options.get("cancelOn");
  if (written === undefined) return [];
  if (!Array.isArray(written)) return [readRule(written, "cancelOn.", place)];
  return written.map((rule: unknown, index) => readRule(rule, `cancelOn[${index}].`, place));
}

function readRule(written: unknown, prefix: string, place: Place): CancelRule {
  if (factsOf(written) !== undefined || typeof written === "string") {
    const fault = `option "${prefix.slice(0, -1)}" is the event itself, not a rule`;
    throw loadFault(place, fault, 'Write { event: event("order.cancelled"), match: { "data.order": "data.id" } }.');
  }
  const rule = new OptionReader(written, ["event", "match", "rollback"], place, prefix);
  return { type: readType(rule), match: readMatch(rule), rollback: rule.boolean("rollback", true) };
}

/** One type exactly: it is looked up for each event that is appended, and no pattern is put to it. */
function readType(rule: OptionReader): string {
  const written = rule.get("event");
  const facts = factsOf(written);
  if (facts !== undefined && facts.kind !== "event") throw rule.fault("event", "is no event", EVENT_CURE);
  if (facts?.where !== undefined || facts?.sql !== undefined) {
    const pattern = facts.where === undefined ? "sql" : "where";
    throw rule.fault("event", `has "${pattern}", which would have no effect here`, 'Remove it; "match" says which runs an event cancels.');
  }
  const type = facts === undefined ? written : facts.type;
  if (typeof type !== "string") throw rule.fault("event", type === undefined ? "is missing" : `is ${show(type)}`, EVENT_CURE);
  const fault = type.includes("*")
    ? "an event that cancels is named exactly, without `*`"
    : (subscriptionFault(type) ?? reservedFault(type));
  if (fault !== undefined) throw rule.fault("event", `is ${show(type)}: ${fault}`, EVENT_CURE);
  return type;
}

function reservedFault(type: string): string | undefined {
  return type.startsWith("millrace.") ? "the platform's own events cancel no runs" : undefined;
}

/** In the order of the paths in the event that cancels: two ways to write one rule are one rule. */
function readMatch(rule: OptionReader): (readonly [string, string])[] {
  const match = rule.get("match");
  if (match === undefined) return [];
  if (!isPlainObject(match)) throw rule.fault("match", `is ${show(match)}, not an object`, MATCH_CURE);
  return Object.entries(match)
    .map(([path, began]) => [readPath(rule, path), readPath(rule, began)] as const)
    .toSorted(([one], [other]) => (one < other ? -1 : 1));
}

function readPath(rule: OptionReader, path: unknown): string {
  if (typeof path !== "string") throw rule.fault("match", `has the path ${show(path)}`, MATCH_CURE);
  const found = keyPathOfText(path);
  if (!found.ok) throw rule.fault("match", `has a wrong path: ${found.fault}`, MATCH_CURE);
  return path;
}
