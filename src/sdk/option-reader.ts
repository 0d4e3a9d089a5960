import { parseDurationMs, parseSizeBytes, toError } from "../core/index.ts";
import { loadFault, type Place, show, unknownOption } from "./load-fault.ts";

interface Range {
  readonly least: number;
  readonly most: number;
}

/** Reads one object of options: every name must be known, every value sound, and every fault names its place. */
export class OptionReader {
  private readonly values: Readonly<Record<string, unknown>>;
  private readonly place: Place;
  private readonly prefix: string;

  constructor(values: unknown, known: readonly string[], place: Place, prefix = "") {
    this.place = place;
    this.prefix = prefix;
    if (!isPlainObject(values)) {
      const subject = prefix === "" ? "the options are" : `option "${prefix.slice(0, -1)}" is`;
      throw loadFault(place, `${subject} ${show(values)}, not an object`, `Write an object with some of ${known.join(", ")}.`);
    }
    for (const name of Object.keys(values)) {
      if (!known.includes(name)) throw unknownOption(place, prefix, name, known);
    }
    this.values = values;
  }

  has(name: string): boolean {
    return this.values[name] !== undefined;
  }

  get(name: string): unknown {
    return this.values[name];
  }

  group(name: string, known: readonly string[]): OptionReader {
    return new OptionReader(this.values[name] ?? {}, known, this.place, `${this.prefix}${name}.`);
  }

  durationMs(name: string, usual: number, range: Range & { readonly text: string }): number {
    const value = this.values[name];
    if (value === undefined) return usual;
    const ms = this.parse(name, value, parseDurationMs, 'a duration such as "30s"');
    if (ms < range.least || ms > range.most) throw this.fault(name, `is ${show(value)}`, `Write a duration ${range.text}.`);
    return ms;
  }

  sizeBytes(name: string, usual: number, range: Range & { readonly text: string }): number {
    const value = this.values[name];
    if (value === undefined) return usual;
    const bytes = this.parse(name, value, parseSizeBytes, 'a size such as "128mb"');
    if (bytes < range.least || bytes > range.most) throw this.fault(name, `is ${show(value)}`, `Write a size ${range.text}.`);
    return bytes;
  }

  integer<Usual extends number | null>(name: string, usual: Usual, range: Range): number | Usual {
    const value = this.values[name];
    if (value === undefined) return usual;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= range.least && value <= range.most) return value;
    throw this.fault(name, `is ${show(value)}`, `Write a whole number from ${range.least} to ${range.most}.`);
  }

  number(name: string, usual: number, range: Range): number {
    const value = this.values[name];
    if (value === undefined) return usual;
    if (typeof value === "number" && value >= range.least && value <= range.most) return value;
    throw this.fault(name, `is ${show(value)}`, `Write a number from ${range.least} to ${range.most}.`);
  }

  choice<Choice extends string>(name: string, usual: Choice, choices: readonly Choice[]): Choice {
    const value = this.values[name];
    if (value === undefined) return usual;
    const chosen = choices.find((choice) => choice === value);
    if (chosen !== undefined) return chosen;
    throw this.fault(name, `is ${show(value)}`, `Write one of ${quoted(choices)}.`);
  }

  choices<Choice extends string>(name: string, choices: readonly Choice[]): Choice[] {
    const value = this.values[name];
    if (value === undefined) return [];
    if (!Array.isArray(value)) throw this.fault(name, `is ${show(value)}, not an array`, `Write an array of ${quoted(choices)}.`);
    const wrong = value.find((item: unknown) => !choices.some((choice) => choice === item)) as unknown;
    if (wrong !== undefined) throw this.fault(name, `holds ${show(wrong)}`, `Write an array of ${quoted(choices)}.`);
    return choices.filter((choice) => value.includes(choice));
  }

  boolean(name: string, usual: boolean): boolean {
    const value = this.values[name];
    if (value === undefined) return usual;
    if (typeof value === "boolean") return value;
    throw this.fault(name, `is ${show(value)}`, "Write true or false.");
  }

  fault(name: string, fault: string, cure: string): Error {
    return loadFault(this.place, `option "${this.prefix}${name}" ${fault}`, cure);
  }

  private parse(name: string, value: unknown, parse: (value: number | string) => number, wanted: string): number {
    if (typeof value !== "number" && typeof value !== "string") throw this.fault(name, `is ${show(value)}`, `Write ${wanted}.`);
    try {
      return parse(value);
    } catch (thrown) {
      throw this.fault(name, `is wrong: ${toError(thrown).message}`, `Write ${wanted}.`);
    }
  }
}

export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (value === null || typeof value !== "object") return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function quoted(words: readonly string[]): string {
  return words.map((word) => `"${word}"`).join(", ");
}
