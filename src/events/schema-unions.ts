import type { ErrorObject } from "ajv";

/**
 * A union that does not fit reports the errors of all its branches, and then itself. When the data can only mean one
 * branch (the others fail already by their type or their tag) that one's errors are the news; else the union's own is.
 */
export function withoutBranches(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  let kept: ErrorObject[] = [];
  for (const error of errors) {
    if (error.keyword !== "anyOf" && error.keyword !== "oneOf") {
      kept.push(error);
      continue;
    }
    const branches = Map.groupBy(kept, (inner) => branchOf(inner, error));
    const outside = branches.get(undefined) ?? [];
    branches.delete(undefined);
    kept = [...outside, ...spokenFor(error, [...branches.values()])];
  }
  return kept;
}

/** What stands for a union: the errors of the one branch that was meant, the tag that belongs to no branch, or the union itself. */
function spokenFor(union: ErrorObject, branches: readonly ErrorObject[][]): readonly ErrorObject[] {
  const possible = branches.filter((branch) => !branch.some((inner) => rulesBranchOut(inner, union)));
  const [only, ...more] = possible;
  if (only !== undefined) return more.length === 0 ? only : [union];
  const tags = branches.flat().filter((inner) => isTag(inner) && inner.instancePath !== union.instancePath);
  const [tag] = tags;
  if (tag === undefined || tags.some((other) => other.instancePath !== tag.instancePath)) return [union];
  return [{ ...tag, keyword: "enum", params: { allowedValues: [...new Set(tags.flatMap(tagValues))] } }];
}

function tagValues({ params }: ErrorObject): readonly unknown[] {
  const values: unknown = params.allowedValues;
  return Array.isArray(values) ? values : [params.allowedValue];
}

/**
 * Which branch of a union an error belongs to, if to one. A branch behind a `$ref` reports paths of its own: it is told
 * by where in the data it looked, and by not standing beside the union in the schema.
 */
function branchOf(inner: ErrorObject, union: ErrorObject): string | undefined {
  const prefix = `${union.schemaPath}/`;
  if (inner.schemaPath.startsWith(prefix)) return inner.schemaPath.slice(prefix.length).split("/", 1)[0];
  if (!isAtOrBelow(inner, union)) return undefined;
  const [, definition] = /^#\/(?:\$defs|definitions)\/([^/]+)\//.exec(inner.schemaPath) ?? [];
  const beside = union.schemaPath.slice(0, -union.keyword.length);
  return definition ?? (inner.schemaPath.startsWith(beside) ? undefined : "$ref");
}

function isAtOrBelow(inner: ErrorObject, union: ErrorObject): boolean {
  return inner.instancePath === union.instancePath || inner.instancePath.startsWith(`${union.instancePath}/`);
}

/** A branch is not meant when the value is of another type, or when the tag at its top is another's. */
function rulesBranchOut(inner: ErrorObject, union: ErrorObject): boolean {
  const depth = inner.instancePath.split("/").length - union.instancePath.split("/").length;
  return (isTag(inner) && depth <= 1) || (inner.keyword === "type" && depth === 0);
}

function isTag({ keyword }: ErrorObject): boolean {
  return keyword === "const" || keyword === "enum";
}
