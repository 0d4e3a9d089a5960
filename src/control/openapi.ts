import { operations, type Operation } from "./operations.ts";
import { inline, type JsonSchema, type Place } from "./schema.ts";
import { errorAnswer } from "./shapes.ts";

/** The OpenAPI 3.1 document of the operations: what `/v1/openapi.json` answers. */
export function openapi(version: string): JsonSchema {
  const schemas: Record<string, JsonSchema> = {};
  const place: Place = (name, make) => {
    // Set before it is made, so that the order of the document is that of first use.
    if (!(name in schemas)) {
      schemas[name] = {};
      schemas[name] = make();
    }
    return { $ref: `#/components/schemas/${name}` };
  };
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const [id, operation] of Object.entries<Operation>(operations)) {
    const entry = (paths[operation.path] ??= {});
    entry[operation.method.toLowerCase()] = describe(id, operation, place);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Millrace control",
      version,
      description:
        "The door by which people and programs look after a node. All of it wants the token that the node writes to `control-token` in its data directory. Times are milliseconds since the Unix epoch.",
    },
    security: [{ token: [] }],
    paths,
    components: { securitySchemes: { token: { type: "http", scheme: "bearer" } }, schemas },
  };
}

function describe(id: string, operation: Operation, place: Place): JsonSchema {
  const mediaType = operation.answer.form === "json" ? "application/json" : "application/x-ndjson";
  return {
    operationId: id,
    summary: operation.summary,
    parameters: [...parameters("path", operation.params, place), ...parameters("query", operation.query, place)],
    ...(operation.body === null
      ? {}
      : { requestBody: { required: true, content: { "application/json": { schema: operation.body.schema.json(place) } } } }),
    responses: {
      200: { description: operation.answer.description, content: { [mediaType]: { schema: operation.answer.schema.json(place) } } },
      default: { description: "What went wrong, and what to do.", content: { "application/json": { schema: errorAnswer.json(place) } } },
    },
  };
}

function parameters(where: "path" | "query", schema: Operation["params"] | Operation["query"], place: Place): JsonSchema[] {
  if (schema === null) return [];
  const { properties, required = [] } = schema.json(place) as { properties: Record<string, JsonSchema>; required?: string[] };
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = property;
    const parameter = { name, in: where, required: required.includes(name), schema: rest };
    return description === undefined ? parameter : Object.assign(parameter, { description });
  });
}

export type QueryKind = "integer" | "string" | "list";

/** The names of what a query may hold, and what each is. */
export function queryMembers(operation: Operation): ReadonlyMap<string, QueryKind> {
  if (operation.query === null) return new Map();
  const { properties } = operation.query.json(inline) as { properties: Record<string, JsonSchema> };
  return new Map(Object.entries(properties).map(([name, { type }]) => [name, KINDS[type as string] ?? "string"]));
}

const KINDS: Readonly<Record<string, QueryKind>> = { integer: "integer", array: "list" };
