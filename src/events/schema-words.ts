import type { ErrorObject } from "ajv";
import { didYouMean } from "../core/index.ts";
import { quoted } from "./event-fault.ts";
import { withoutBranches } from "./schema-unions.ts";

/** One thing in which data does not fit its schema. */
export interface SchemaIssue {
  /** Where, as code would say it: `data.items[0].qty`. */
  readonly path: string;
  /** What, so that `path: message` reads as a sentence: `must be a whole number of at least 1, but is "x"`. */
  readonly message: string;
}

/** The validator's errors (made with `verbose`) in words for people: one sentence for what one value has to be. */
export function describeErrors(errors: readonly ErrorObject[]): SchemaIssue[] {
  const issues = new Map<string, SchemaIssue>();
  for (const error of withoutBranches(errors)) {
    const issue = describeError(error);
    if (issue !== undefined) issues.set(`${issue.path}\n${issue.message}`, issue);
  }
  return [...issues.values()];
}

function describeError(error: ErrorObject): SchemaIssue | undefined {
  const path = pathOf(error.instancePath);
  const { params, data } = error;
  const is = (message: string): SchemaIssue => ({ path, message });
  switch (error.keyword) {
    case "if":
    case "propertyNames":
      // These only repeat that something inside them did not fit, and that is reported on its own.
      return undefined;
    case "required":
      return { path: memberPath(path, text(params.missingProperty)), message: "is missing" };
    case "dependentRequired":
    case "dependencies":
      return {
        path: memberPath(path, text(params.missingProperty)),
        message: `is missing, and is needed beside ${quoted(text(params.property))}`,
      };
    case "additionalProperties":
    case "unevaluatedProperties": {
      const name = text(params.additionalProperty ?? params.unevaluatedProperty);
      return { path: memberPath(path, name), message: `is not known here${didYouMean(name, knownProperties(error))}` };
    }
    case "items":
    case "additionalItems":
    case "unevaluatedItems":
      return is(`must have at most ${text(params.limit ?? params.len)} ${plural(Number(params.limit ?? params.len), "item")}`);
    case "enum":
      return is(`must be ${listed(params.allowedValues)}, but is ${shown(data)}${meant(data, params.allowedValues)}`);
    case "const":
      return is(`must be ${shown(params.allowedValue)}, but is ${shown(data)}`);
    case "anyOf":
    case "oneOf":
      return is(`must be ${unionWords(error)}, but is ${shown(data)}`);
    case "not":
      return is(`must not be what the schema rules out, but is ${shown(data)}`);
    case "false schema":
      return is("is not allowed here");
    case "uniqueItems":
      return is(`must not hold the same item twice, but items ${text(params.j)} and ${text(params.i)} are equal`);
    default:
      return is(error.propertyName === undefined ? ownWords(error) : `has a name that does not fit: ${quoted(error.propertyName)}`);
  }
}

const VALUE_KEYWORDS = new Set([
  "type",
  "format",
  "pattern",
  "minLength",
  "maxLength",
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
  "minItems",
  "maxItems",
  "minProperties",
  "maxProperties",
]);

function ownWords(error: ErrorObject): string {
  const expected = VALUE_KEYWORDS.has(error.keyword) ? expectation(error.parentSchema) : undefined;
  if (expected !== undefined) return `must be ${expected}, but is ${shown(error.data)}`;
  return `${error.message ?? `does not fit the schema's ${quoted(error.keyword)}`}, but is ${shown(error.data)}`;
}

/** What a schema asks of one value, as a noun: `a whole number of at least 1`. */
function expectation(schema: Readonly<Record<string, unknown>> | undefined): string | undefined {
  if (schema === undefined) return undefined;
  const types = typesOf(schema);
  if (types.length === 0) return undefined;
  return types.map((type) => typeWords(type, schema)).join(" or ");
}

/** The types a schema names, or those that its other keywords speak of. */
function typesOf(schema: Readonly<Record<string, unknown>>): string[] {
  const { type } = schema;
  if (typeof type === "string") return [type];
  if (Array.isArray(type)) return type.filter((each) => typeof each === "string");
  if (["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"].some((key) => key in schema)) return ["number"];
  if (["minLength", "maxLength", "pattern", "format"].some((key) => key in schema)) return ["string"];
  if (["minItems", "maxItems"].some((key) => key in schema)) return ["array"];
  return ["minProperties", "maxProperties"].some((key) => key in schema) ? ["object"] : [];
}

function typeWords(type: string, schema: Readonly<Record<string, unknown>>): string {
  switch (type) {
    case "integer":
      return `a whole number${numberWords(schema)}`;
    case "number":
      return `a number${numberWords(schema)}`;
    case "string":
      return stringWords(schema);
    case "boolean":
      return "true or false";
    case "array":
      return `a list${countWords(schema.minItems, schema.maxItems, "item")}`;
    case "object":
      return `an object${countWords(schema.minProperties, schema.maxProperties, "member")}`;
    default:
      return type;
  }
}

function numberWords(schema: Readonly<Record<string, unknown>>): string {
  const least = bound(schema.minimum);
  const most = bound(schema.maximum);
  const above = bound(schema.exclusiveMinimum);
  const below = bound(schema.exclusiveMaximum);
  const parts = least !== undefined && most !== undefined ? [`from ${least} to ${most}`] : [];
  if (parts.length === 0 && least !== undefined) parts.push(`of at least ${least}`);
  if (parts.length === 0 && most !== undefined) parts.push(`of at most ${most}`);
  if (above !== undefined) parts.push(`above ${above}`);
  if (below !== undefined) parts.push(`below ${below}`);
  if (typeof schema.multipleOf === "number") parts.push(`that is a multiple of ${schema.multipleOf}`);
  return parts.length === 0 ? "" : ` ${parts.join(", ")}`;
}

/** A bound that a person set; schema libraries add those of exact doubles to every whole number. */
function bound(value: unknown): number | undefined {
  return typeof value === "number" && Math.abs(value) < Number.MAX_SAFE_INTEGER ? value : undefined;
}

const FORMAT_WORDS: Readonly<Record<string, string>> = {
  date: "a date such as 2026-01-31",
  "date-time": "a date and time such as 2026-01-31T12:00:00Z",
  duration: "an ISO 8601 duration such as PT1H",
  email: "an email address",
  hostname: "a host name",
  ipv4: "an IPv4 address",
  ipv6: "an IPv6 address",
  time: "a time such as 12:00:00Z",
  uri: "an absolute URI",
  uuid: "a UUID",
};

function stringWords(schema: Readonly<Record<string, unknown>>): string {
  const { format, pattern, minLength, maxLength } = schema;
  const count = countWords(minLength, maxLength, "character");
  const known = typeof format === "string" && Object.hasOwn(FORMAT_WORDS, format) ? FORMAT_WORDS[format] : undefined;
  // A format that has words says more than the pattern that libraries write beside it.
  if (known !== undefined) return `${known}${count}`;
  return `a string${count}${typeof pattern === "string" ? ` that matches /${pattern}/` : ""}${typeof format === "string" ? ` in the format ${quoted(format)}` : ""}`;
}

function countWords(least: unknown, most: unknown, unit: string): string {
  const min = typeof least === "number" && least > 0 ? least : undefined;
  const max = bound(most);
  if (min === undefined && max === undefined) return "";
  if (min !== undefined && min === max) return ` of exactly ${min} ${plural(min, unit)}`;
  if (max === undefined) return ` of at least ${min} ${plural(min ?? 0, unit)}`;
  return min === undefined ? ` of at most ${max} ${plural(max, unit)}` : ` of ${min} to ${max} ${plural(max, unit)}`;
}

function unionWords(error: ErrorObject): string {
  if (error.keyword === "oneOf" && Array.isArray(error.params.passingSchemas)) return "of exactly one of the schema's forms";
  const branches: readonly unknown[] = Array.isArray(error.schema) ? error.schema : [];
  const words = branches.map((branch) => (isRecord(branch) ? branchWords(branch) : undefined));
  // An object that is none of the objects asked for is told nothing by "must be an object".
  const isComposite = typeof error.data === "object" && error.data !== null;
  if (isComposite || words.length === 0 || words.includes(undefined)) return "of one of the schema's forms";
  return [...new Set(words)].join(" or ");
}

function branchWords(branch: Readonly<Record<string, unknown>>): string | undefined {
  if (Object.hasOwn(branch, "const")) return shown(branch.const);
  if (Array.isArray(branch.enum)) return listed(branch.enum);
  return expectation(branch);
}

const LISTED_VALUES = 10;

function listed(values: unknown): string {
  if (!Array.isArray(values)) return "one of the allowed values";
  if (values.length === 1) return shown(values[0]);
  const some = values.slice(0, LISTED_VALUES).map(shown).join(", ");
  return `one of ${some}${values.length > LISTED_VALUES ? `, … (${values.length} in all)` : ""}`;
}

function meant(data: unknown, values: unknown): string {
  if (typeof data !== "string" || data.length > 64 || !Array.isArray(values)) return "";
  return didYouMean(
    data,
    values.filter((value) => typeof value === "string"),
  );
}

function knownProperties(error: ErrorObject): string[] {
  const properties: unknown = error.parentSchema?.properties;
  return isRecord(properties) ? Object.keys(properties) : [];
}

function shown(value: unknown): string {
  if (typeof value === "string") return quoted(value);
  if (value === undefined) return "missing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length} ${plural(value.length, "item")}`;
  return isRecord(value) ? "an object" : text(value);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? typeof value);
}

/** A JSON pointer as code would say it: `/items/0/qty` is `data.items[0].qty`. */
function pathOf(pointer: string): string {
  let path = "data";
  for (const part of pointer.split("/").slice(1)) path = memberPath(path, part.replaceAll("~1", "/").replaceAll("~0", "~"));
  return path;
}

function memberPath(path: string, name: string): string {
  if (/^(?:0|[1-9][0-9]*)$/.test(name)) return `${path}[${name}]`;
  return /^[A-Za-z_$][\w$]{0,63}$/.test(name) ? `${path}.${name}` : `${path}[${quoted(name)}]`;
}

function plural(count: number, unit: string): string {
  return count === 1 ? unit : `${unit}s`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
