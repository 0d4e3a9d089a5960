/**
 * JSON text of a value from user code. `JSON.stringify` alone is silent about what it cannot carry (a function vanishes,
 * NaN becomes null, a Map an empty object); data that is kept must not change on the way, so this names the path instead.
 */

/** What is wrong with a value, and where: `data.items[3].price`. */
export interface JsonFault {
  readonly path: string;
  readonly what: string;
}

export type JsonText = { readonly kind: "ok"; readonly json: string } | { readonly kind: "fault"; readonly fault: JsonFault };

/** `name` is what the path begins with. Undefined properties are left out, as JSON does. */
export function jsonText(value: unknown, name: string): JsonText {
  const path: Step[] = [];
  const what = findFault(value, path, []);
  if (what !== null) return { kind: "fault", fault: { path: formatPath(name, path), what } };
  try {
    const json = JSON.stringify(value) as string | undefined;
    if (json !== undefined) return { kind: "ok", json };
    return { kind: "fault", fault: { path: name, what: "its toJSON() gives nothing" } };
  } catch (error) {
    return { kind: "fault", fault: { path: name, what: error instanceof Error ? error.message : String(error) } };
  }
}

type Step = string | number;

/** The first thing that JSON cannot carry; `path` then leads to it. */
function findFault(value: unknown, path: Step[], above: object[]): string | null {
  switch (typeof value) {
    case "string":
    case "boolean":
      return null;
    case "number":
      return Number.isFinite(value) ? null : `${value} is no JSON number`;
    case "object":
      return value === null ? null : findFaultInObject(value, path, above);
    case "undefined":
      return "undefined is no JSON value";
    case "bigint":
      return "a BigInt is no JSON value (use a string or a number)";
    case "function":
      return "a function is no JSON value";
    case "symbol":
      return "a symbol is no JSON value";
  }
}

function findFaultInObject(value: object, path: Step[], above: object[]): string | null {
  if (above.includes(value)) return "a cycle: the value contains itself";
  if ("toJSON" in value && typeof value.toJSON === "function") return null;
  above.push(value);
  const what = Array.isArray(value) ? findFaultInArray(value, path, above) : findFaultInRecord(value, path, above);
  if (what === null) above.pop();
  return what;
}

function findFaultInArray(values: readonly unknown[], path: Step[], above: object[]): string | null {
  for (let i = 0; i < values.length; i++) {
    path.push(i);
    const what = findFault(values[i], path, above);
    if (what !== null) return what;
    path.pop();
  }
  return null;
}

function findFaultInRecord(value: object, path: Step[], above: object[]): string | null {
  const strange = strangeObject(value);
  if (strange !== null) return strange;
  for (const key of Object.keys(value)) {
    const property: unknown = (value as Record<string, unknown>)[key];
    if (property === undefined) continue;
    path.push(key);
    const what = findFault(property, path, above);
    if (what !== null) return what;
    path.pop();
  }
  return null;
}

/** Objects whose content JSON would lose without a word. */
export function strangeObject(value: object): string | null {
  if (value instanceof Map) return "a Map is no JSON value (use Object.fromEntries)";
  if (value instanceof Set) return "a Set is no JSON value (use an array)";
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return "bytes are no JSON value (use base64)";
  if (value instanceof Promise) return "a Promise is no JSON value (is an `await` missing?)";
  return null;
}

function formatPath(name: string, path: readonly Step[]): string {
  let text = name;
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else text += /^[A-Za-z_$][\w$]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
  }
  return text;
}
