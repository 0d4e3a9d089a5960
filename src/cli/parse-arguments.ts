import { parseArgs } from "node:util";
import { didYouMean } from "../core/near-miss.ts";
import { type Argument, type Command, type OptionSpec, type Options, UsageError } from "./command.ts";

/** Every command has these. */
export const COMMON_OPTIONS = {
  help: { type: "boolean", short: "h", summary: "Show this help" },
  debug: { type: "boolean", summary: "Show the stack of an error" },
} as const satisfies Options;

export interface ParsedArguments {
  readonly help: boolean;
  readonly args: readonly string[];
  readonly values: Readonly<Record<string, unknown>>;
}

/** Arguments and options of one command, checked; throws UsageError with what was meant. */
export function parseArguments(command: Command, argv: readonly string[]): ParsedArguments {
  const options: Options = { ...command.options, ...COMMON_OPTIONS };
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(Object.entries(options).map(([name, spec]) => [name, parserOption(spec)])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<string, string[]>();
  const args: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") args.push(token.value);
    else if (token.kind === "option") {
      const value = checkOption(command, options, token);
      given.set(token.name, [...(given.get(token.name) ?? []), value]);
    }
  }
  const help = given.has("help");
  // Whoever asks for help need not have said the rest.
  if (!help) checkArguments(command, args);
  const values = Object.fromEntries(Object.entries(options).map(([name, spec]) => [name, valueOf(command, name, spec, given.get(name))]));
  return { help, args, values };
}

function parserOption(spec: OptionSpec): { type: "string" | "boolean"; short?: string } {
  const type = spec.type === "boolean" ? "boolean" : "string";
  return spec.short === undefined ? { type } : { type, short: spec.short };
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function checkOption(command: Command, options: Options, { name, rawName, value, inlineValue }: OptionToken): string {
  const spec = Object.hasOwn(options, name) ? options[name] : undefined;
  if (spec === undefined) {
    const meant = didYouMean(name, Object.keys(options)).replace('"', '"--');
    throw new UsageError(`${command.name} has no option ${rawName}${meant}`, command.name);
  }
  if (spec.type === "boolean") {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value`, command.name);
    return "";
  }
  // "--key --json" forgot the key; whoever means it writes --key=--json.
  if (value === undefined || (inlineValue === false && value.startsWith("--"))) {
    throw new UsageError(`${rawName} needs a value: ${rawName} ${spec.value}`, command.name);
  }
  return value;
}

function checkArguments(command: Command, args: readonly string[]): void {
  const required = command.args.filter(({ kind }) => kind === "required");
  const missing = required[args.length];
  if (missing !== undefined) throw new UsageError(`${command.name} needs ${missing.name}: ${missing.summary}`, command.name);
  const takesAny = command.args.some(({ kind }) => kind === "any-number");
  const extra = args[command.args.length];
  if (!takesAny && extra !== undefined) throw new UsageError(`${command.name} does not know what to do with "${extra}"`, command.name);
}

function valueOf(command: Command, name: string, spec: OptionSpec, given: readonly string[] | undefined): unknown {
  if (spec.type === "strings") return given ?? [];
  if (given !== undefined && given.length > 1 && spec.type !== "boolean") throw new UsageError(`--${name} was given twice`, command.name);
  const value = given?.[0];
  switch (spec.type) {
    case "boolean":
      return value !== undefined;
    case "string":
      if (value !== undefined && spec.choices !== undefined && !spec.choices.includes(value)) {
        const meant = didYouMean(value, spec.choices);
        throw new UsageError(`--${name} is one of ${spec.choices.join(", ")}, not "${value}"${meant}`, command.name);
      }
      return value ?? spec.standard;
    case "integer":
      return value === undefined ? spec.standard : readInteger(command, name, spec, value);
    default:
      return spec satisfies never;
  }
}

function readInteger(command: Command, name: string, { min, max }: { min: number; max: number }, value: string): number {
  const number = /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new UsageError(`--${name} is a whole number from ${min} to ${max}, not "${value}"`, command.name);
}

/** `TYPE [DATA]`. */
export function showArguments(args: readonly Argument[]): string {
  const shapes = {
    required: (name: string) => name,
    optional: (name: string) => `[${name}]`,
    "any-number": (name: string) => `[${name}…]`,
  };
  return args.map(({ name, kind }) => shapes[kind](name)).join(" ");
}
