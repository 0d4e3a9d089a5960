import type { Leaf } from "./patterns/index.ts";
import { isLeaf } from "./patterns/leaf.ts";

/** What an event always has (E1). */
const REQUIRED: ReadonlySet<string> = new Set(["specversion", "id", "source", "type"]);

/** Extensions whose own documents make them strings, and that the platform itself reads. */
export const STRING_EXTENSIONS: ReadonlySet<string> = new Set(["partitionkey", "traceparent", "tracestate"]);

const TEXTS: ReadonlySet<string> = new Set([...REQUIRED, ...STRING_EXTENSIONS, "subject", "time", "datacontenttype", "dataschema"]);

export function isRequiredAttribute(name: string): boolean {
  return REQUIRED.has(name);
}

/** Attributes that are strings wherever they are (E1, E4). Others may be whole numbers or booleans as well. */
export function isTextAttribute(name: string): boolean {
  return TEXTS.has(name);
}

export function isAttributeName(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (!((code >= 97 && code <= 122) || (code >= 48 && code <= 57))) return false;
  }
  return name.length > 0;
}

/** Reads an event's attributes. What is no leaf is none; so is what every object inherits, for those are functions. */
export function readerOf(event: object): (name: string) => Leaf | undefined {
  return (name) => {
    const value = (event as Readonly<Record<string, unknown>>)[name];
    return isLeaf(value) ? value : undefined;
  };
}
