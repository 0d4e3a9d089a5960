import { toError } from "../core/errors.ts";
import { HttpAnswerValue } from "./http-answer-value.ts";
import { DEPTH_LIMIT } from "./plain-json.ts";
import { ERROR_PARTS, ERRORS, type ErrorName, isBoxed, isDense, isError, VIEWS } from "./value-kinds.ts";

/** A value cannot be kept: where in it, and why. */
export interface ValueFault {
  readonly path: string;
  readonly what: string;
}

/** How one object is reached from another: a property, an index, or a place in a Map or Set. */
type Step = string | number | { readonly of: "Map"; readonly key: unknown } | { readonly of: "key" | "Set"; readonly index: number };

class Unkept extends Error {
  readonly step: Step | null;

  constructor(what: string, step: Step | null) {
    super(what);
    this.step = step;
  }
}

/**
 * Writes the cells of a rich text (V4–V6). Objects are numbered as they are first met, level by level: so nothing recurses, however deep a
 * value is, and a shortest way to each object is known for the fault that may be in it.
 */
export class ValueWriter {
  private readonly objects: object[] = [];
  private readonly numbers = new Map<object, number>();
  private readonly parents: number[] = [];
  private readonly steps: (Step | null)[] = [];
  private readonly depths: number[] = [];
  /** The number of the object whose cell is being written; -1: none yet. */
  private current = -1;

  write(value: unknown): { readonly ok: true; readonly cells: string } | ({ readonly ok: false } & ValueFault) {
    try {
      let cells = this.slot(value, null);
      for (this.current = 0; this.current < this.objects.length; this.current++) {
        const object = this.objects[this.current];
        if (object !== undefined) cells += `,${this.cell(object)}`;
      }
      return { ok: true, cells: `[${cells}]` };
    } catch (thrown) {
      if (thrown instanceof Unkept) return { ok: false, path: this.pathTo(thrown.step), what: thrown.message };
      return { ok: false, path: this.pathTo(null), what: `to read it throws: ${toError(thrown).message}` };
    }
  }

  private slot(value: unknown, step: Step | null): string {
    switch (typeof value) {
      case "string":
      case "boolean":
        return JSON.stringify(value);
      case "number":
        if (Object.is(value, -0)) return '["-0"]';
        return Number.isFinite(value) ? String(value) : `["${value}"]`;
      case "bigint":
        return `["${value}n"]`;
      case "undefined":
        return '["undefined"]';
      case "object":
        return value === null ? "null" : `[${this.number(value, step)}]`;
      case "function":
        throw new Unkept("a function cannot be kept", step);
      case "symbol":
        throw new Unkept("a symbol cannot be kept", step);
    }
  }

  private number(object: object, step: Step | null): number {
    const known = this.numbers.get(object);
    if (known !== undefined) return known;
    const depth = (this.depths[this.current] ?? 0) + 1;
    if (depth > DEPTH_LIMIT) throw new Unkept(`it is nested deeper than ${DEPTH_LIMIT} objects`, step);
    const number = this.objects.push(object) - 1;
    this.numbers.set(object, number);
    this.parents.push(this.current);
    this.steps.push(step);
    this.depths.push(depth);
    return number;
  }

  private cell(object: object): string {
    if (Array.isArray(object)) return this.array(object);
    const prototype: unknown = Object.getPrototypeOf(object);
    if (prototype === Object.prototype || prototype === null) return this.record(object);
    if (isError(object)) return this.error(object);
    if (object instanceof Date) return `["Date",${JSON.stringify(object.getTime())}]`;
    if (object instanceof Map) return this.map(object);
    if (object instanceof Set) return this.set(object);
    if (object instanceof RegExp) return JSON.stringify(["RegExp", object.source, object.flags]);
    if (ArrayBuffer.isView(object)) return viewCell(object);
    if (object instanceof ArrayBuffer) return bufferCell(object);
    if (object instanceof HttpAnswerValue) return answerCell(object);
    if (isBoxed(object)) return `["Boxed",${this.slot(object.valueOf(), null)}]`;
    return this.instance(object);
  }

  private array(values: readonly unknown[]): string {
    if (!isDense(values)) return `["Sparse",${values.length},${this.record(values)}]`;
    let cell = '["Array"';
    for (let i = 0; i < values.length; i++) cell += `,${this.slot(values[i], i)}`;
    return `${cell}]`;
  }

  private record(object: object): string {
    return this.properties(object, Object.keys(object));
  }

  private properties(object: object, names: readonly string[]): string {
    let cell = "";
    for (const name of names) {
      cell += `${cell === "" ? "" : ","}${JSON.stringify(name)}:${this.slot((object as Record<string, unknown>)[name], name)}`;
    }
    return `{${cell}}`;
  }

  private map(map: ReadonlyMap<unknown, unknown>): string {
    let cell = '["Map"';
    let index = 0;
    for (const [key, value] of map) {
      cell += `,${this.slot(key, { of: "key", index: index++ })},${this.slot(value, { of: "Map", key })}`;
    }
    return `${cell}]`;
  }

  private set(set: ReadonlySet<unknown>): string {
    let cell = '["Set"';
    let index = 0;
    for (const value of set) cell += `,${this.slot(value, { of: "Set", index: index++ })}`;
    return `${cell}]`;
  }

  /** A name that comes from the class is written too: the class will not be there. */
  private error(error: Error): string {
    const kind = errorKind(error);
    const parts = ERROR_PARTS.filter((part) => (part === "name" ? error.name !== kind : part in error));
    const others = Object.keys(error).filter((name) => !ERROR_PARTS.some((part) => part === name));
    return `["Error","${kind}",${this.properties(error, [...parts, ...others])}]`;
  }

  /** What names itself by a tag and has nothing to show keeps its data where nobody can reach it. */
  private instance(object: object): string {
    const names = Object.keys(object);
    const tag: unknown = (object as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
    if (typeof tag === "string" && names.length === 0) throw new Unkept(`${anA(tag)} cannot be kept${HINTS[tag] ?? ""}`, null);
    return this.properties(object, names);
  }

  private pathTo(step: Step | null): string {
    let path = step === null ? "" : formatStep(step);
    for (let at = this.current; at >= 0; at = this.parents[at] ?? -1) {
      const above = this.steps[at];
      if (above !== null && above !== undefined) path = formatStep(above) + path;
    }
    return path.startsWith(".") ? path.slice(1) : path;
  }
}

const HINTS: Readonly<Record<string, string>> = {
  Promise: " (is an `await` missing?)",
  URL: " (keep its `href`)",
  Response: " (keep what it says: `await response.json()`)",
  Request: " (keep what it says: `await request.json()`)",
  Headers: " (use Object.fromEntries)",
  URLSearchParams: " (use String)",
  Blob: " (keep its bytes: `await blob.bytes()`)",
};

function anA(noun: string): string {
  return `${/^[aeio]/i.test(noun) ? "an" : "a"} ${noun}`;
}

function errorKind(error: Error): ErrorName {
  const found = Object.entries(ERRORS).find(([, kind]) => error instanceof kind);
  return (found?.[0] ?? "Error") as ErrorName;
}

/** Only what the view shows: behind a small Buffer there is a pool with other people's bytes. */
function viewCell(view: ArrayBufferView): string {
  const name = view instanceof DataView ? "DataView" : ((view as Uint8Array)[Symbol.toStringTag] as string);
  if (!Object.hasOwn(VIEWS, name)) throw new Unkept(`${anA(name)} cannot be kept`, null);
  return `["${name}","${Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString("base64")}"]`;
}

function bufferCell(buffer: ArrayBuffer): string {
  if (buffer.detached) throw new Unkept("an ArrayBuffer that was handed over to somebody else cannot be kept", null);
  return `["ArrayBuffer","${Buffer.from(buffer).toString("base64")}"]`;
}

function answerCell({ status, statusText, headers, body }: HttpAnswerValue): string {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return JSON.stringify(["HttpAnswer", status, statusText, headers, bytes.toString("base64")]);
}

function formatStep(step: Step): string {
  if (typeof step === "number") return `[${step}]`;
  if (typeof step === "string") return /^[A-Za-z_$][\w$]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
  switch (step.of) {
    case "Map":
      return `.get(${typeof step.key === "string" || typeof step.key === "number" ? JSON.stringify(step.key) : "…"})`;
    case "key":
      return `.keys()[${step.index}]`;
    case "Set":
      return `.values()[${step.index}]`;
  }
}
