import { isLeaf } from "./leaf.ts";
import { checkArrayLevels } from "./limits.ts";
import type { Leaf } from "./pattern.ts";

/** What stands at a path of an event: leaves, or else an object or an array. */
export interface Standing {
  readonly leaves: readonly Leaf[];
  readonly other: object | undefined;
}

export function standingAt(event: object, path: string): Standing {
  const leaves: Leaf[] = [];
  let other: object | undefined;
  visit(event, path.split("."), 0, START, (value) => {
    if (isLeaf(value)) leaves.push(value);
    else other ??= value;
  });
  return { leaves, other };
}

/** Where the first leaf stands that fits, its array elements named: `data.lines[1].qty`. */
export function placeOfFirst(event: object, path: string, fits: (leaf: Leaf) => boolean): string | undefined {
  let found: Place | undefined;
  visit(event, path.split("."), 0, START, (value, { place }) => {
    if (found === undefined && isLeaf(value) && fits(value)) found = place;
  });
  return found === undefined ? undefined : spell(found);
}

export function hasLeafOutsideArrays(event: object, path: string): boolean {
  let has = false;
  visit(event, path.split("."), 0, START, (value, { arrays }) => {
    if (arrays === 0 && isLeaf(value)) has = true;
  });
  return has;
}

/** The way to a value, spelled only when somebody asks: an event may have a great many values at one path. */
interface Place {
  readonly up: Place | undefined;
  readonly step: string | number;
}

interface Way {
  readonly place: Place | undefined;
  /** How many arrays it led through. */
  readonly arrays: number;
}

const START: Way = { place: undefined, arrays: 0 };

function visit(value: unknown, keys: readonly string[], from: number, way: Way, take: (value: Leaf | object, way: Way) => void): void {
  const isThere = from === keys.length;
  if (isLeaf(value)) {
    if (isThere) take(value, way);
    return;
  }
  if (typeof value !== "object" || value === null) return;
  if (isThere) take(value, way);
  if (Array.isArray(value)) {
    const arrays = way.arrays + 1;
    checkArrayLevels(arrays);
    for (const [i, element] of (value as readonly unknown[]).entries())
      visit(element, keys, from, { place: { up: way.place, step: i }, arrays }, take);
    return;
  }
  for (let to = from + 1; to <= keys.length; to++) {
    const key = keys.slice(from, to).join(".");
    if (!Object.hasOwn(value, key)) continue;
    visit((value as Readonly<Record<string, unknown>>)[key], keys, to, { place: { up: way.place, step: key }, arrays: way.arrays }, take);
  }
}

function spell(place: Place): string {
  let text = "";
  for (let at: Place | undefined = place; at !== undefined; at = at.up) {
    const step = typeof at.step === "number" ? `[${at.step}]` : at.up === undefined ? at.step : `.${at.step}`;
    text = step + text;
  }
  return text;
}
