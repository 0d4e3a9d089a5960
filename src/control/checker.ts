import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import { MillraceError } from "../core/errors.ts";
import { didYouMean } from "../core/near-miss.ts";
import { queryMembers } from "./openapi.ts";
import type { Operation } from "./operations.ts";
import { inline, type Schema } from "./schema.ts";

/** Checks what comes in against the operation's own schemas. Each is compiled when it is first asked for: 1 to 3 ms. */
export class Checker {
  private readonly ajv = new Ajv2020({ allErrors: false, strict: true, strictTypes: false, strictRequired: false });
  private readonly compiled = new Map<Schema<unknown>, ValidateFunction>();

  params(operation: Operation, params: Readonly<Record<string, string>>): void {
    if (operation.params !== null) this.check(operation.params, params, "the path");
  }

  query(operation: Operation, search: URLSearchParams): Record<string, unknown> {
    const members = queryMembers(operation);
    const query: Record<string, unknown> = {};
    for (const [name, value] of search) {
      const type = members.get(name);
      if (type === undefined)
        throw new MillraceError("bad_request", `there is no query parameter "${name}"${didYouMean(name, members.keys())}`);
      if (type === "list") query[name] = [...((query[name] as string[] | undefined) ?? []), ...value.split(",")];
      else if (name in query) throw new MillraceError("bad_request", `the query parameter "${name}" is there twice`);
      else query[name] = type === "integer" && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
    }
    if (operation.query !== null) this.check(operation.query, query, "the query");
    return query;
  }

  body(operation: Operation, body: unknown): void {
    if (operation.body !== null) this.check(operation.body.schema, body, "the body");
  }

  private check(schema: Schema<unknown>, value: unknown, what: string): void {
    let validate = this.compiled.get(schema);
    if (validate === undefined) {
      validate = this.ajv.compile(schema.json(inline));
      this.compiled.set(schema, validate);
    }
    if (validate(value)) return;
    throw new MillraceError("bad_request", `${what} does not fit: ${(validate.errors ?? []).map(inWords).join("; ")}`);
  }
}

function inWords(error: ErrorObject): string {
  const where = error.instancePath === "" ? "" : `${error.instancePath.slice(1).replaceAll("/", ".")} `;
  switch (error.keyword) {
    case "additionalProperties":
      return `${where}must not have "${String(error.params.additionalProperty)}"`;
    case "enum":
      return `${where}must be one of ${(error.params.allowedValues as unknown[]).join(", ")}`;
    default:
      return `${where}${error.message ?? error.keyword}`;
  }
}
