import { nearMiss } from "../../core/index.ts";
import { isPlainObject } from "./alternative.ts";
import { isLeaf } from "./leaf.ts";
import { nameOf } from "./name-of.ts";
import { shown } from "./shown.ts";

/** So many names are compared, and so many are listed. */
const MOST_COMPARED = 200;
const MOST_LISTED = 8;

/** Why nothing can be matched at a path; `other` is the object or array that stands there. */
export function hintOfPath(path: string, other: object | undefined, event: object): string | undefined {
  if (other !== undefined) return hintOfOther(path, other);
  const keys = path.split(".");
  const end = endOf(keys, event);
  return end === undefined ? undefined : (sameInAnotherCase(end) ?? atAnotherLevel(keys, event) ?? insteadOfTheKey(end));
}

function hintOfOther(path: string, other: object): string {
  if (Array.isArray(other) && other.length === 0) return "the list there is empty: it has no values to match";
  const [name] = namesOf(objectsIn([other]));
  if (name === undefined) return `${nameOf(other)} without values stands there, and conditions look at values`;
  const what = Array.isArray(other) ? "a list of objects" : "an object";
  return `${what} stands there, and conditions look at values: ask for a field of it, such as ${path}.${name}`;
}

/** Where a path ends before its time: at `key`, which none of the values behind `before` has. */
interface End {
  readonly before: readonly string[];
  readonly key: string;
  readonly values: readonly unknown[];
  readonly names: readonly string[];
}

function endOf(keys: readonly string[], event: object): End | undefined {
  let values: readonly unknown[] = [event];
  for (const [depth, key] of keys.entries()) {
    const objects = objectsIn(values);
    const next = objects.flatMap((object) => (Object.hasOwn(object, key) ? [object[key]] : []));
    if (next.length === 0) return { before: keys.slice(0, depth), key, values, names: namesOf(objects) };
    values = next;
  }
  return undefined;
}

function sameInAnotherCase({ before, key, names }: End): string | undefined {
  const found = names.find((name) => name.toLowerCase() === key.toLowerCase());
  return found === undefined ? undefined : `the event has ${[...before, found].join(".")}: names are case-sensitive`;
}

/** Who writes patterns forgets `data`, or writes attributes into it. */
function atAnotherLevel(keys: readonly string[], event: object): string | undefined {
  const [first = "", ...rest] = keys;
  if (first === "data" && rest.length > 0 && has(event, rest)) return `the event has ${rest.join(".")}, beside data and not in it`;
  if (Object.hasOwn(event, first)) return undefined;
  const outer = Object.entries(event).find(([, value]) => has(value, keys));
  return outer === undefined ? undefined : `the event has ${[outer[0], ...keys].join(".")}`;
}

function has(value: unknown, keys: readonly string[]): boolean {
  let at = value;
  for (const key of keys) {
    if (!isPlainObject(at) || !Object.hasOwn(at, key)) return false;
    at = at[key];
  }
  return at !== undefined;
}

function insteadOfTheKey({ before, key, values, names }: End): string {
  const place = before.length === 0 ? "the event" : before.join(".");
  if (names.length === 0) return hintOfNothingBelow(place, values);
  const near = nearMiss(key, names, Math.floor(key.length / 3));
  if (near !== undefined) return `the event has ${[...before, near].join(".")}: was that meant?`;
  if (before.length === 0 && key === "data" && names.includes("data_base64"))
    return "the event carries bytes (data_base64), and patterns do not look into them";
  return `${place} has ${names.slice(0, MOST_LISTED).join(", ")}${names.length > MOST_LISTED ? ", …" : ""}`;
}

function hintOfNothingBelow(place: string, values: readonly unknown[]): string {
  const value = values.find((each) => each !== undefined);
  if (isPlainObject(value)) return `${place} is an object without fields`;
  if (Array.isArray(value)) return `${place} is a list without objects: there are no fields below it`;
  if (typeof value === "string" && holdsJson(value))
    return `${place} is a string that holds JSON, and patterns do not look into strings: send it as JSON`;
  return `${place} is ${isLeaf(value) && value !== null ? `${nameOf(value)}, ${shown(value)}` : nameOf(value)}: there is nothing below it`;
}

/** The objects among some values, those in arrays too. What stands deeper than patterns look is left out. */
function objectsIn(values: readonly unknown[], levels = 0): readonly Readonly<Record<string, unknown>>[] {
  return values.flatMap((value) => {
    if (Array.isArray(value)) return levels < MOST_ARRAYS ? objectsIn(value, levels + 1) : [];
    return isPlainObject(value) ? [value] : [];
  });
}

const MOST_ARRAYS = 256;

function namesOf(objects: readonly object[]): readonly string[] {
  const names = new Set<string>();
  for (const object of objects) {
    for (const name of Object.keys(object)) names.add(name);
    if (names.size > MOST_COMPARED) break;
  }
  return [...names].slice(0, MOST_COMPARED);
}

function holdsJson(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
