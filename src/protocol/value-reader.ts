import { MillraceError, toError } from "../core/errors.ts";
import { HttpAnswerValue } from "./http-answer-value.ts";
import { DEPTH_LIMIT } from "./plain-json.ts";
import { ERROR_PARTS, ERRORS, type ErrorName, ODD_NUMBERS, VIEWS } from "./value-kinds.ts";

/**
 * Reads the cells of a rich text (V4–V6), which may come from anybody: every cell is made empty first and filled then, in the order of
 * numbers, so that neither cycles nor depth need recursion, and nothing is called that could be of the text's choosing.
 */
export class ValueReader {
  private readonly cells: readonly unknown[];
  private readonly objects: readonly object[];
  /** 0: nothing has mentioned this cell yet. */
  private readonly depths: Uint16Array;

  constructor(cells: readonly unknown[]) {
    this.cells = cells.slice(1);
    this.depths = new Uint16Array(this.cells.length);
    this.objects = this.cells.map(emptyOf);
  }

  read(root: unknown): unknown {
    const value = this.slot(root, 0);
    this.cells.forEach((cell, number) => {
      const depth = this.depths[number];
      if (depth === undefined || depth === 0) throw broken(`nothing before it mentions cell ${number}`);
      this.fill(this.objects[number] as object, cell, depth);
    });
    return value;
  }

  private slot(slot: unknown, depth: number): unknown {
    if (slot === null || typeof slot === "string" || typeof slot === "number" || typeof slot === "boolean") return slot;
    if (!Array.isArray(slot) || slot.length !== 1) throw broken("a slot is no value and no reference");
    const [told] = slot as [unknown];
    return typeof told === "string" ? oddValue(told) : this.reference(told, depth);
  }

  private reference(number: unknown, depth: number): object {
    const object = typeof number === "number" ? this.objects[number] : undefined;
    if (typeof number !== "number" || object === undefined) throw broken("a reference leads nowhere");
    if (this.depths[number] === 0) {
      if (depth >= DEPTH_LIMIT) throw broken(`it is nested deeper than ${DEPTH_LIMIT} objects`);
      this.depths[number] = depth + 1;
    }
    return object;
  }

  private fill(object: object, cell: unknown, depth: number): void {
    if (!Array.isArray(cell)) return this.fillRecord(object, cell as object, depth);
    switch (cell[0] as string) {
      case "Array":
        for (let i = 1; i < cell.length; i++) (object as unknown[])[i - 1] = this.slot(cell[i], depth);
        return;
      case "Sparse":
        return this.fillArray(object as unknown[], recordOf(cell[2]), depth);
      case "Map":
        if (cell.length % 2 === 0) throw broken("a Map has a key without a value");
        for (let i = 1; i < cell.length; i += 2)
          (object as Map<unknown, unknown>).set(this.slot(cell[i], depth), this.slot(cell[i + 1], depth));
        return;
      case "Set":
        for (let i = 1; i < cell.length; i++) (object as Set<unknown>).add(this.slot(cell[i], depth));
        return;
      case "Error":
        return this.fillError(object, recordOf(cell[2]), depth);
    }
  }

  private fillRecord(object: object, slots: object, depth: number): void {
    for (const [name, slot] of Object.entries(slots)) {
      const value = this.slot(slot, depth);
      // A property like any other, which to assign would change what the object inherits.
      if (name === "__proto__") Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
      else (object as Record<string, unknown>)[name] = value;
    }
  }

  private fillArray(array: unknown[], slots: object, depth: number): void {
    const { length } = array;
    this.fillRecord(array, slots, depth);
    if (array.length !== length) throw broken("an array is longer than it says");
  }

  private fillError(error: object, slots: object, depth: number): void {
    for (const [name, slot] of Object.entries(slots)) {
      const enumerable = !ERROR_PARTS.some((part) => part === name);
      Object.defineProperty(error, name, { value: this.slot(slot, depth), enumerable, configurable: true, writable: true });
    }
    // Made here, and not where it was thrown: better none than this one.
    if (!Object.hasOwn(slots, "stack")) Object.defineProperty(error, "stack", { value: undefined, configurable: true, writable: true });
  }
}

export function broken(why: string, cause?: unknown): MillraceError {
  return new MillraceError("bad_value", `a kept value cannot be read: ${why}`, {
    cause,
    cure: "Something else than Millrace wrote or changed it; nothing was done with it.",
  });
}

/** The object of a cell, whole where it refers to nothing. A record is its own cell: its slots give way to what they refer to. */
function emptyOf(cell: unknown): object {
  if (!Array.isArray(cell)) return recordOf(cell);
  const [kind, ...parts] = cell as unknown[];
  try {
    return typeof kind === "string" ? made(kind, parts) : refuse(kind);
  } catch (thrown) {
    if (thrown instanceof MillraceError) throw thrown;
    throw broken(`a ${String(kind)} is none: ${toError(thrown).message}`, thrown);
  }
}

function made(kind: string, parts: readonly unknown[]): object {
  switch (kind) {
    case "Array":
      return [];
    case "Sparse":
      return emptyArray(parts[0]);
    case "Map":
      return new Map();
    case "Set":
      return new Set();
    case "Date":
      return new Date(parts[0] === null ? NaN : numberOf(parts[0]));
    case "RegExp":
      return new RegExp(textOf(parts[0]), textOf(parts[1]));
    case "Error":
      return emptyError(textOf(parts[0]), recordOf(parts[1]));
    case "Boxed":
      return boxed(parts[0]);
    case "ArrayBuffer":
      return bytesOf(parts[0]);
    case "HttpAnswer":
      return answerOf(parts);
    default:
      return viewOf(kind, parts[0]);
  }
}

function viewOf(kind: string, base64: unknown): ArrayBufferView {
  const View = Object.hasOwn(VIEWS, kind) ? VIEWS[kind] : undefined;
  return View === undefined ? refuse(kind) : new View(bytesOf(base64));
}

function refuse(kind: unknown): never {
  throw broken(`there is no kind of cell ${JSON.stringify(kind)}`);
}

/**
 * An array of this length that takes no room for it: what a few bytes of text ask for must not cost gigabytes. Longer than V8 keeps in one
 * piece it becomes a table of what there is, and stays one when it is shortened.
 */
function emptyArray(length: unknown): unknown[] {
  const array: unknown[] = [];
  array.length = 2 ** 32 - 1;
  array.length = numberOf(length);
  return array;
}

/** Some of a DOMException's is in no property of its own. */
function emptyError(name: string, slots: { readonly message?: unknown; readonly name?: unknown }): Error {
  if (!Object.hasOwn(ERRORS, name)) throw broken(`there is no class of error "${name}"`);
  if (name === "AggregateError") return new AggregateError([]);
  if (name === "DOMException") return new DOMException(stringOr(slots.message, ""), stringOr(slots.name, name));
  return new (ERRORS[name as ErrorName] as ErrorConstructor)();
}

function stringOr(value: unknown, other: string): string {
  return typeof value === "string" ? value : other;
}

function boxed(slot: unknown): object {
  const value = Array.isArray(slot) && slot.length === 1 && typeof slot[0] === "string" ? oddValue(slot[0]) : slot;
  if (value === null || typeof value === "object" || value === undefined) throw broken("a box holds no primitive value");
  return Object(value) as object;
}

function answerOf([status, statusText, headers, body]: readonly unknown[]): HttpAnswerValue {
  if (!Array.isArray(headers)) throw broken("the headers of an HTTP answer are no list");
  return new HttpAnswerValue({
    status: numberOf(status),
    statusText: textOf(statusText),
    headers: headers.map(textOf),
    body: new Uint8Array(bytesOf(body)),
  });
}

function oddValue(told: string): unknown {
  if (told === "undefined") return undefined;
  if (Object.hasOwn(ODD_NUMBERS, told)) return ODD_NUMBERS[told];
  if (/^-?\d+n$/.test(told)) return BigInt(told.slice(0, -1));
  throw broken(`there is no value ${JSON.stringify(told)}`);
}

function bytesOf(base64: unknown): ArrayBuffer {
  const bytes = Buffer.from(textOf(base64), "base64");
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}

function textOf(part: unknown): string {
  if (typeof part === "string") return part;
  throw broken("a part of a cell is no text");
}

function numberOf(part: unknown): number {
  if (typeof part === "number") return part;
  throw broken("a part of a cell is no number");
}

function recordOf(part: unknown): Readonly<Record<string, unknown>> {
  if (part !== null && typeof part === "object" && !Array.isArray(part)) return part as Readonly<Record<string, unknown>>;
  throw broken("a cell or a part of it is no object");
}
