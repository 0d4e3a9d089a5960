import { didYouMean, MillraceError } from "../core/index.ts";

/** Where in the app something stands: `functions/orders.ts:12: export "reserve"`. */
export interface Place {
  readonly file: string;
  /** Asked for only when something is wrong: to find it costs the reading of a source map. */
  readonly line?: () => number | undefined;
  readonly what: string;
}

export function exportPlace(file: string, exportName: string, line?: Place["line"]): Place {
  return { file, what: `export "${exportName}"`, ...(line === undefined ? {} : { line }) };
}

/** `functions/orders.ts:12`, or the file alone where no line is known. */
export function fileAndLine(file: string, line: number | undefined): string {
  return line === undefined ? file : `${file}:${line}`;
}

/** One grammar for everything that is wrong with an app: where, what, and (as the cure) what to do. */
export function loadFault(place: Place, fault: string, cure: string): MillraceError {
  return new MillraceError("bad_option", `${fileAndLine(place.file, place.line?.())}: ${place.what}: ${fault}`, {
    cure,
    details: { file: place.file },
  });
}

/** Names of DESIGN's contract that later versions bring: accepted and ignored they would be a trap. */
const LATER = new Set(["batch", "throttle", "rateLimit", "debounce", "priority", "singleton", "auth", "env", "secrets"]);

export function unknownOption(place: Place, prefix: string, name: string, known: readonly string[]): MillraceError {
  const option = `${prefix}${name}`;
  if (prefix === "" && LATER.has(name)) {
    return loadFault(place, `option "${option}" is not part of this version`, `Remove "${option}"; the options are ${known.join(", ")}.`);
  }
  return loadFault(
    place,
    `option "${option}" does not exist${didYouMean(name, known)}`,
    `Correct or remove it; the options here are ${known.join(", ")}.`,
  );
}

/** For people: what a wrong value is, in short. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return "an array";
  if (value === null || typeof value !== "object") return String(value);
  return "an object";
}
