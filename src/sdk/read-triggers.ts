import { parseDurationMs, toError } from "../core/index.ts";
import type { Trigger } from "../protocol/manifest.ts";
import { type EventFacts, factsOf, type Facts, type HttpFacts, type ScheduleFacts } from "./definition.ts";
import { subscriptionFault } from "./event-type.ts";
import { loadFault, type Place, show } from "./load-fault.ts";
import { isPlainObject, OptionReader } from "./option-reader.ts";
import { routePathFault } from "./route-path.ts";
import { isStandardSchema } from "./standard-schema.ts";

const ON_CURE = 'Write on: http.get("/path"), event("some.type"), every("5m") or cron("0 3 * * *"), or an array of them.';
const SHORTEST_INTERVAL_MS = 100;

/** The option `on` as data. */
export function readTriggers(on: unknown, place: Place): Trigger[] {
  if (on === undefined) throw loadFault(place, 'option "on" is missing: nothing would ever wake this function', ON_CURE);
  const list: readonly unknown[] = Array.isArray(on) ? on : [on];
  if (list.length === 0) throw loadFault(place, 'option "on" is empty: nothing would ever wake this function', ON_CURE);
  return list.map((item) => {
    const facts = factsOf(item);
    if (facts === undefined) throw loadFault(place, `option "on" holds ${show(item)}, which is no trigger${wrapHint(item)}`, ON_CURE);
    return readTrigger(facts, place);
  });
}

function wrapHint(item: unknown): string {
  if (typeof item !== "string") return "";
  return item.startsWith("/") ? ` (did you mean http.get(${show(item)})?)` : ` (did you mean event(${show(item)})?)`;
}

function readTrigger(facts: Facts, place: Place): Trigger {
  switch (facts.kind) {
    case "http":
      return readRoute(facts, place);
    case "event":
      checkEvent(facts, place);
      return {
        kind: "event",
        type: facts.type,
        where: readWhere(facts.where, facts.type, place),
        sql: readSql(facts.sql, facts.type, place),
      };
    case "every":
      return readInterval(facts, place);
    case "cron":
      return readCron(facts, place);
    case "fn":
      throw loadFault(place, 'option "on" holds a function: a function is not woken by a function', ON_CURE);
    case "flow":
      throw loadFault(
        place,
        'option "on" holds a flow: nothing is woken by a flow',
        `${ON_CURE} A flow that needs a result of another uses flow.call.`,
      );
    default:
      return facts satisfies never;
  }
}

function readRoute(facts: HttpFacts, place: Place): Trigger {
  const fault = routePathFault(facts.path);
  if (fault === undefined) return { kind: "http", method: facts.method, path: facts.path };
  throw loadFault(place, fault, 'Write a path such as "/orders", "/orders/:id" or "/files/*".');
}

/** Everything about an event but its pattern and its expression, which the node checks: the parsers would only weigh on every instance. */
export function checkEvent(facts: EventFacts, place: Place): void {
  const fault = subscriptionFault(facts.type);
  if (fault !== undefined) throw loadFault(place, fault, 'Write event("order.placed") or, as a trigger, event("order.*").');
  const what = { ...place, what: `${place.what}: event("${facts.type}")` };
  const eventPlace = place.what.startsWith("event(") ? place : what;
  const options = new OptionReader(facts.options ?? {}, ["schema", "where", "sql"], eventPlace);
  if (!options.has("schema")) return;
  if (!isStandardSchema(facts.schema)) {
    throw options.fault(
      "schema",
      `is ${show(facts.schema)}, not a Standard Schema`,
      "Write a schema of zod, valibot, arktype or another Standard Schema library.",
    );
  }
  if (facts.type.includes("*")) {
    throw options.fault(
      "schema",
      "cannot be given to a type with `*`: a schema belongs to one type",
      "Define one event for each type, each with its schema.",
    );
  }
  if (facts.type.startsWith("millrace.")) {
    throw options.fault("schema", "cannot be given to a type of the platform's own", "Remove the schema.");
  }
}

function readWhere(where: unknown, type: string, place: Place): Readonly<Record<string, unknown>> | null {
  if (where === undefined) return null;
  const fault = isPlainObject(where) ? jsonFault(where, "where") : `"where" is ${show(where)}, not an object`;
  if (fault === undefined) return where as Readonly<Record<string, unknown>>;
  throw loadFault(place, `event("${type}"): ${fault}`, 'Write an event pattern, such as { data: { total: [{ numeric: [">", 100] }] } }.');
}

function readSql(sql: unknown, type: string, place: Place): string | null {
  if (sql === undefined) return null;
  if (typeof sql === "string" && sql.trim() !== "") return sql;
  const fault = typeof sql === "string" ? '"sql" is empty' : `"sql" is ${show(sql)}, not a string`;
  throw loadFault(place, `event("${type}"): ${fault}`, "Write a CloudEvents SQL expression, such as \"source LIKE '/shops/%'\".");
}

/** A pattern crosses to the node as JSON: what JSON would drop or change must not pass silently. */
function jsonFault(value: unknown, path: string): string | undefined {
  if (value === null || typeof value === "string" || typeof value === "boolean") return undefined;
  if (typeof value === "number") return Number.isFinite(value) ? undefined : `"${path}" is ${value}`;
  if (Array.isArray(value)) return firstFault(value.map((item: unknown, index) => jsonFault(item, `${path}[${index}]`)));
  if (isPlainObject(value)) return firstFault(Object.entries(value).map(([name, item]) => jsonFault(item, `${path}.${name}`)));
  return `"${path}" is ${value instanceof RegExp ? "a regular expression" : show(value)}, which a pattern cannot hold`;
}

function firstFault(faults: readonly (string | undefined)[]): string | undefined {
  return faults.find((fault) => fault !== undefined);
}

function readInterval(facts: ScheduleFacts & { kind: "every" }, place: Place): Trigger {
  const cure = `Write every("5m"): at least ${SHORTEST_INTERVAL_MS} ms.`;
  let everyMs: number;
  try {
    everyMs = parseDurationMs(facts.interval);
  } catch (thrown) {
    throw loadFault(place, `every(${show(facts.interval)}): ${toError(thrown).message}`, cure);
  }
  if (!(everyMs >= SHORTEST_INTERVAL_MS)) throw loadFault(place, `every(${show(facts.interval)}) is too often`, cure);
  return { kind: "every", everyMs };
}

/** The expression itself is checked by the node, which holds the parser: it would only weigh on every instance. */
function readCron(facts: ScheduleFacts & { kind: "cron" }, place: Place): Trigger {
  const cronPlace = { ...place, what: `${place.what}: cron(${show(facts.expression)})` };
  if (typeof facts.expression !== "string") throw loadFault(cronPlace, "the expression is no string", 'Write cron("0 3 * * *").');
  const timezone = new OptionReader(facts.options ?? {}, ["timezone"], cronPlace).get("timezone");
  if (timezone !== undefined && typeof timezone !== "string") {
    throw loadFault(cronPlace, `option "timezone" is ${show(timezone)}`, 'Write a name such as "Europe/Berlin".');
  }
  return { kind: "cron", expression: facts.expression, timezone: timezone ?? null };
}
