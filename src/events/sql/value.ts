import type { Leaf } from "../patterns/index.ts";

export type Value = string | number | boolean;
export type Type = "String" | "Integer" | "Boolean";

export const MIN_INTEGER = -2147483648;
export const MAX_INTEGER = 2147483647;

/** What stands in for a value that there is not (S10). */
export const ZERO = { String: "", Integer: 0, Boolean: false } as const satisfies Record<Type, Value>;

export function typeOf(value: Value): Type {
  switch (typeof value) {
    case "string":
      return "String";
    case "number":
      return "Integer";
    case "boolean":
      return "Boolean";
    default:
      return value satisfies never;
  }
}

export function isInteger(value: number): boolean {
  return Number.isInteger(value) && value >= MIN_INTEGER && value <= MAX_INTEGER;
}

/** An attribute as the language sees it: what is none of its types is the text that it has in JSON (S5). */
export function valueOfLeaf(leaf: Leaf | undefined): Value | undefined {
  if (leaf === undefined || leaf === null) return undefined;
  return typeof leaf === "number" && !isInteger(leaf) ? String(leaf) : leaf;
}

/** The value as another type; undefined where there is no such cast (S12). */
export function cast(value: Value, type: Type): Value | undefined {
  switch (type) {
    case "String":
      return String(value);
    case "Integer":
      return typeof value === "string" ? parseInteger(value) : Number(value);
    case "Boolean":
      return typeof value === "string" ? parseBoolean(value) : Boolean(value);
    default:
      return type satisfies never;
  }
}

export function parseInteger(text: string): number | undefined {
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined;
  // `+ 0` makes the zero of "-0" the only zero there is.
  const value = Number(text) + 0;
  return isInteger(value) ? value : undefined;
}

function parseBoolean(text: string): boolean | undefined {
  // The length spares long texts the copy in lower case.
  if (text.length !== 4 && text.length !== 5) return undefined;
  const lower = text.toLowerCase();
  return lower === "true" ? true : lower === "false" ? false : undefined;
}
