import { createRequire } from "node:module";
import type * as Draft07 from "ajv";
import type { Ajv, AnySchemaObject, ErrorObject, ValidateFunction } from "ajv";
import type * as Draft2020 from "ajv/dist/2020.js";
import type * as Formats from "ajv-formats";
import { MillraceError, toError } from "../core/index.ts";
import { describeErrors, type SchemaIssue } from "./schema-words.ts";

/** What is wrong with `data`, in words made for people; nothing when it fits. */
export type SchemaCheck = (data: unknown) => SchemaIssue[];

/**
 * A check of data against a JSON Schema: draft 2020-12, or draft-07 where `$schema` says so. Keywords and formats
 * that are not known are passed over. `name` says in errors whose schema it is.
 *
 * Two validators stand behind it. The one that every event passes stops at the first error; the one that looks for
 * all of them is compiled when an event fails first, and is used on data of moderate size only: a megabyte of bad
 * list items would otherwise become half a million errors.
 *
 * @throws MillraceError `bad_option` when the schema cannot be compiled.
 */
export function compileSchema(jsonSchema: unknown, name: string): SchemaCheck {
  const schema = ownSchema(jsonSchema, name);
  const dialect = dialectOf(jsonSchema);
  const fits = compileWith(engine(dialect, "first"), schema, name);
  let findAll: ValidateFunction | undefined;
  return (data) => {
    if (fits(data)) return [];
    if (!isModerate(data)) return describe(fits.errors);
    findAll ??= compileWith(engine(dialect, "all"), schema, name);
    return findAll(data) ? [] : describe(findAll.errors);
  };
}

/** More issues than these help nobody. */
const MAX_ISSUES = 20;

function describe(errors: readonly ErrorObject[] | null | undefined): SchemaIssue[] {
  return describeErrors(errors ?? []).slice(0, MAX_ISSUES);
}

type Dialect = "draft-07" | "2020-12";

function dialectOf(jsonSchema: unknown): Dialect {
  const declared = isObject(jsonSchema) ? jsonSchema.$schema : undefined;
  return typeof declared === "string" && /\/draft-0[67]\//.test(declared) ? "draft-07" : "2020-12";
}

/**
 * A copy of the schema that is ours: `$schema` has done its work (and one that names an unknown dialect would be
 * an error), and `$async` would turn the check's answer into a promise, which is always true.
 */
function ownSchema(jsonSchema: unknown, name: string): AnySchemaObject {
  if (jsonSchema === true) return {};
  if (jsonSchema === false) return { not: {} };
  if (!isObject(jsonSchema)) throw new MillraceError("bad_option", `the schema of ${name} must be a JSON Schema: an object, true or false`);
  const { $schema: _dialect, $async: _async, ...schema } = jsonSchema;
  // Under the name of a meta-schema it would take that one's place in an engine that all schemas share.
  if (typeof schema.$id === "string" && /^https?:\/\/json-schema\.org\//.test(schema.$id)) delete schema.$id;
  return schema;
}

function compileWith(ajv: Ajv, schema: AnySchemaObject, name: string): ValidateFunction {
  try {
    return ajv.compile(schema);
  } catch (error) {
    throw new MillraceError("bad_option", `the schema of ${name} cannot be compiled: ${toError(error).message}`, { cause: error });
  } finally {
    // The engine lives as long as the node, and apps are reloaded often: it shall not remember their schemas.
    ajv.removeSchema(schema);
  }
}

/** Ajv costs 50 ms to load and as much for its first schema: an app without schemas does not pay that. */
const engines = new Map<string, Ajv>();

function engine(dialect: Dialect, errors: "first" | "all"): Ajv {
  const key = `${dialect} ${errors}`;
  let ajv = engines.get(key);
  if (ajv === undefined) engines.set(key, (ajv = makeEngine(dialect, errors === "all")));
  return ajv;
}

function makeEngine(dialect: Dialect, allErrors: boolean): Ajv {
  const require = createRequire(import.meta.url);
  const draft07: typeof Draft07 = require("ajv");
  const draft2020: typeof Draft2020 = require("ajv/dist/2020.js");
  const formats: typeof Formats.default = require("ajv-formats");
  // What looks for all errors gets only schemas that the other one took: it need not check them by the meta-schema again.
  const options = { allErrors, validateSchema: !allErrors, verbose: true, strict: false, logger: false, addUsedSchema: false } as const;
  const ajv = dialect === "draft-07" ? new draft07.Ajv(options) : new draft2020.Ajv2020(options);
  formats.default(ajv);
  return ajv;
}

const MODERATE_VALUES = 2_000;

/** Whether data holds no more values than an exhaustive check may look at. */
function isModerate(data: unknown): boolean {
  const open = [data];
  let values = 0;
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== "object" || value === null) continue;
    const members = Object.values(value);
    values += members.length;
    if (values > MODERATE_VALUES) return false;
    for (const member of members) open.push(member);
  }
  return true;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
