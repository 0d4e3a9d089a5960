import { parseDurationMs } from "../core/duration.ts";
import { MillraceError } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import { didYouMean } from "../core/near-miss.ts";
import type { Emit } from "../protocol/messages.ts";
import { type EventDefinition, factsOf } from "../sdk/definition.ts";
import type { StandardSchema } from "../sdk/standard-schema.ts";
import type { EffectLog } from "./effect-log.ts";
import { jsonText } from "./json-text.ts";
import { type Schemas, validate } from "./schemas.ts";

const OPTIONS = ["key", "id", "source", "subject", "after", "at", "extensions"];
const TEXT_LIMIT_BYTES = 1024;
const RESERVED = "millrace.";
/** CloudEvents 1.0: the attributes that have a place of their own. */
const CORE_ATTRIBUTES = new Set([
  "id",
  "source",
  "specversion",
  "type",
  "datacontenttype",
  "dataschema",
  "subject",
  "time",
  "data",
  "data_base64",
  "partitionkey",
]);

/** Takes whatever user code hands it; the types of the SDK have not been at work where that is JavaScript. */
export type EmitFunction = (target: unknown, data?: unknown, options?: unknown) => Promise<unknown>;

/** `ctx.emit` of one call, which gives the new event's `{ id }`. `guard` throws when the transaction has ended. */
export function emitter(schemas: Schemas, effects: EffectLog, guard: (what: string) => void): EmitFunction {
  return async (target, data, options) => {
    guard("emit");
    const { type, definition } = parseTarget(target);
    const emit = parseOptions(type, options);
    const found = schemas.find(type, definition);
    const schema: StandardSchema | null = found instanceof Promise ? await found : found;
    let output = data;
    if (schema !== null) {
      const checked = validate(schema, type, data);
      output = checked instanceof Promise ? await checked : checked;
    }
    guard("emit");
    effects.addEmit(toEmitJson(emit, output));
    return { id: emit.id };
  };
}

interface CheckedEmit extends Omit<Emit, "data"> {
  readonly id: string;
}

function parseTarget(target: unknown): { type: string; definition?: EventDefinition } {
  if (typeof target === "string") return { type: checkType(target) };
  const facts = factsOf(target);
  if (facts?.kind === "event") return { type: checkType(facts.type), definition: target as EventDefinition };
  throw new MillraceError("bad_event", "emit takes the type of an event, or what event() returned, as its first argument");
}

function checkType(type: string): string {
  if (type === "") throw new MillraceError("bad_event", "emit: the type must not be empty");
  if (type.includes("*")) throw new MillraceError("bad_event", `emit: "${type}" is a pattern; name one type`);
  if (type.startsWith(RESERVED)) throw new MillraceError("reserved_type", `emit: "${type}" is reserved: millrace.* is the platform's own`);
  return checkText("type", type);
}

function parseOptions(type: string, options: unknown): CheckedEmit {
  if (options === undefined) return { type, id: newId() };
  if (typeof options !== "object" || options === null) throw new MillraceError("bad_option", "emit: the options must be an object");
  for (const name of Object.keys(options))
    if (!OPTIONS.includes(name)) throw new MillraceError("bad_option", `emit: there is no option "${name}"${didYouMean(name, OPTIONS)}`);
  const { key, id, source, subject, extensions, after, at } = options as Readonly<Record<string, unknown>>;
  const moment = parseMoment(after, at);
  return {
    type,
    id: id === undefined ? newId() : checkText("id", id),
    ...(key === undefined ? {} : { key: checkText("key", key) }),
    ...(source === undefined ? {} : { source: checkText("source", source) }),
    ...(subject === undefined ? {} : { subject: checkText("subject", subject) }),
    ...(extensions === undefined ? {} : { extensions: checkExtensions(extensions) }),
    ...moment,
  };
}

function checkText(name: string, value: unknown): string {
  if (typeof value !== "string" || value === "")
    throw new MillraceError("bad_event", `emit: \`${name}\` must be a string that is not empty`);
  if (Buffer.byteLength(value) > TEXT_LIMIT_BYTES)
    throw new MillraceError(
      "bad_event",
      `emit: \`${name}\` has ${Buffer.byteLength(value)} bytes; at most ${TEXT_LIMIT_BYTES} are allowed`,
    );
  if (!isClean(value)) throw new MillraceError("bad_event", `emit: \`${name}\` holds a control character or half a surrogate pair`);
  return value;
}

/** What no attribute of a CloudEvent may hold (E5). */
function isClean(text: string): boolean {
  return !/\p{Cc}/u.test(text) && text.isWellFormed();
}

/** Whole numbers of CloudEvents have 32 bits with a sign (E4). */
function isInt32(value: unknown): value is number {
  return typeof value === "number" && (value | 0) === value;
}

function checkExtensions(extensions: unknown): Record<string, string | number | boolean> {
  if (typeof extensions !== "object" || extensions === null) throw new MillraceError("bad_event", "emit: `extensions` must be an object");
  const checked: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(extensions) as [string, unknown][]) {
    if (!/^[a-z0-9]+$/.test(name))
      throw new MillraceError("bad_event", `emit: the extension "${name}" has a name with other than lower-case letters and digits`);
    if (CORE_ATTRIBUTES.has(name)) throw new MillraceError("bad_event", `emit: "${name}" is no extension but an attribute of its own`);
    if (typeof value === "boolean" || isInt32(value) || (typeof value === "string" && isClean(value))) checked[name] = value;
    else
      throw new MillraceError(
        "bad_event",
        `emit: the extension "${name}" must be a string without control characters, a whole number of 32 bits or a boolean`,
      );
  }
  return checked;
}

/** `after` is left to the node: it begins with the commit, and in a test the node has a clock of its own. */
function parseMoment(after: unknown, at: unknown): Pick<Emit, "atMs" | "afterMs"> {
  if (after !== undefined && at !== undefined) throw new MillraceError("bad_option", "emit: use `after` or `at`, not both");
  if (after !== undefined) {
    if (typeof after !== "string" && typeof after !== "number")
      throw new MillraceError("bad_option", 'emit: `after` must be a duration, such as "10s"');
    return { afterMs: parseDurationMs(after) };
  }
  if (at === undefined) return {};
  const atMs = at instanceof Date ? at.getTime() : typeof at === "number" ? at : typeof at === "string" ? Date.parse(at) : Number.NaN;
  if (!Number.isFinite(atMs))
    throw new MillraceError("bad_option", "emit: `at` must be a Date, milliseconds since the epoch, or an RFC 3339 time");
  return { atMs };
}

function toEmitJson(emit: CheckedEmit, data: unknown): string {
  const head = JSON.stringify(emit);
  if (data === undefined) return head;
  const text = jsonText(data, "data");
  if (text.kind === "fault")
    throw new MillraceError("bad_event", `the data of "${emit.type}" cannot be sent: ${text.fault.path}: ${text.fault.what}`, {
      cure: "Emit values that JSON can carry.",
    });
  return `${head.slice(0, -1)},"data":${text.json}}`;
}
