import type { Leaf } from "./pattern.ts";

export function isLeaf(value: unknown): value is Leaf {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" || value === null;
}
