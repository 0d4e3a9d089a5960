import { types } from "node:util";

/** What the cells of a rich text are called, and the classes of the language behind them (SPEC.md: V5). */

export const VIEWS: Readonly<Record<string, new (buffer: ArrayBuffer) => ArrayBufferView>> = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Float16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
};

/** Those that extend another stand before it. */
export const ERRORS = {
  AggregateError,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  DOMException,
  Error,
} as const;
export type ErrorName = keyof typeof ERRORS;

/** What the language itself gives an error, hidden from loops over its properties; in the order in which it is written. */
export const ERROR_PARTS = ["name", "message", "stack", "cause", "errors"] as const;

/** Values of a slot that no JSON text has. */
export const ODD_NUMBERS: Readonly<Record<string, number>> = { NaN, Infinity, "-Infinity": -Infinity, "-0": -0 };

/** Of another realm too. */
export function isError(object: object): object is Error {
  return object instanceof Error || types.isNativeError(object);
}

export function isBoxed(object: object): object is { valueOf(): number | string | boolean | bigint } {
  return types.isBoxedPrimitive(object) && !types.isSymbolObject(object);
}

/** No holes, and no properties but its elements. */
export function isDense(values: readonly unknown[]): boolean {
  const names = Object.keys(values);
  return names.length === values.length && (names.length === 0 || names.at(-1) === String(names.length - 1));
}
