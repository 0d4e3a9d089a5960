import { MillraceError } from "../core/errors.ts";
import { type Operation, type OperationName, operations } from "./operations.ts";

export interface Found {
  readonly name: OperationName;
  readonly operation: Operation;
  readonly params: Readonly<Record<string, string>>;
}

interface Route {
  readonly name: OperationName;
  readonly operation: Operation;
  readonly segments: readonly string[];
}

/** Fixed segments before parameters: `/v1/logs/follow` is no log with the name `follow`. */
const ROUTES: readonly Route[] = (Object.keys(operations) as OperationName[])
  .map((name) => ({ name, operation: operations[name], segments: operations[name].path.split("/") }))
  .sort((a, b) => parameterCount(a.segments) - parameterCount(b.segments));

/** The operation that a request names; throws not_found, or method_not_allowed with `details.allow`. */
export function findOperation(method: string, path: string): Found {
  const allow = new Set<string>();
  for (const { name, operation, segments } of ROUTES) {
    const params = matchSegments(segments, path.split("/"));
    if (params === undefined) continue;
    if (operation.method === method) return { name, operation, params };
    allow.add(operation.method);
  }
  if (allow.size === 0) {
    throw new MillraceError("not_found", `there is nothing at ${path}`, { cure: "See /v1/openapi.json for what this door offers." });
  }
  throw new MillraceError("method_not_allowed", `${path} does not take ${method}`, { details: { allow: [...allow] } });
}

function matchSegments(segments: readonly string[], given: readonly string[]): Readonly<Record<string, string>> | undefined {
  if (segments.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, segment] of segments.entries()) {
    const value = given[i] ?? "";
    if (!segment.startsWith("{")) {
      if (segment !== value) return undefined;
    } else {
      const decoded = decode(value);
      if (decoded === undefined || decoded === "") return undefined;
      params[segment.slice(1, -1)] = decoded;
    }
  }
  return params;
}

function decode(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

function parameterCount(segments: readonly string[]): number {
  return segments.filter((segment) => segment.startsWith("{")).length;
}
