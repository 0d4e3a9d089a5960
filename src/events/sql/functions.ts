import { quoted } from "../event-fault.ts";
import { cast, MAX_INTEGER, MIN_INTEGER, type Type, type Value, ZERO } from "./value.ts";
import { isWhiteSpace } from "./white-space.ts";

/** What a function gives; with a fault the value came with a FunctionEvaluationError, or with a MathError or CastError. */
export type Result = Value | { readonly value: Value; readonly kind: "math" | "cast" | "function_evaluation"; readonly fault: string };

/** One signature. Arguments are cast to their parameters' types before `apply` sees them; null takes every type as it comes. */
export interface SqlFunction {
  readonly name: string;
  readonly parameters: readonly (Type | null)[];
  /** The type of any number of further arguments. */
  readonly rest?: Type;
  readonly returns: Type;
  readonly apply: (args: readonly Value[]) => Result;
}

const FUNCTIONS: readonly SqlFunction[] = [
  casting("INT", "Integer"),
  casting("BOOL", "Boolean"),
  casting("STRING", "String"),
  { name: "LENGTH", parameters: ["String"], returns: "Integer", apply: ([x]) => charactersOf(text(x)).length },
  { name: "CONCAT", parameters: [], rest: "String", returns: "String", apply: (args) => args.join("") },
  {
    name: "CONCAT_WS",
    parameters: ["String"],
    rest: "String",
    returns: "String",
    apply: ([delimiter, ...parts]) => parts.join(text(delimiter)),
  },
  { name: "LOWER", parameters: ["String"], returns: "String", apply: ([x]) => text(x).toLowerCase() },
  { name: "UPPER", parameters: ["String"], returns: "String", apply: ([x]) => text(x).toUpperCase() },
  { name: "TRIM", parameters: ["String"], returns: "String", apply: ([x]) => trim(text(x)) },
  { name: "LEFT", parameters: ["String", "Integer"], returns: "String", apply: ([x, y]) => left(text(x), integer(y)) },
  { name: "RIGHT", parameters: ["String", "Integer"], returns: "String", apply: ([x, y]) => right(text(x), integer(y)) },
  {
    name: "SUBSTRING",
    parameters: ["String", "Integer"],
    returns: "String",
    apply: ([x, position]) => substring(text(x), integer(position), MAX_INTEGER),
  },
  {
    name: "SUBSTRING",
    parameters: ["String", "Integer", "Integer"],
    returns: "String",
    apply: ([x, position, length]) => substring(text(x), integer(position), integer(length)),
  },
  { name: "ABS", parameters: ["Integer"], returns: "Integer", apply: ([x]) => absolute(integer(x)) },
];

export const FUNCTION_NAMES: ReadonlySet<string> = new Set(FUNCTIONS.map(({ name }) => name));

export function findFunction(name: string, argumentCount: number): SqlFunction | undefined {
  return FUNCTIONS.find((fn) => fn.name === name && takes(fn, argumentCount));
}

/** How many arguments the functions of a name take, in words. */
export function arityOf(name: string): string {
  const counts = FUNCTIONS.filter((fn) => fn.name === name).map(
    ({ parameters, rest }) => `${parameters.length}${rest === undefined ? "" : " or more"}`,
  );
  return `${counts.join(" or ")} ${counts.join() === "1" ? "argument" : "arguments"}`;
}

function takes({ parameters, rest }: SqlFunction, count: number): boolean {
  return rest === undefined ? count === parameters.length : count >= parameters.length;
}

function casting(name: string, type: Type): SqlFunction {
  const apply = ([x = ""]: readonly Value[]): Result =>
    cast(x, type) ?? { value: ZERO[type], kind: "cast", fault: `${quoted(String(x))} is no ${type}` };
  return { name, parameters: [null], returns: type, apply };
}

/** Arguments have been cast: these two only tell the compiler. */
function text(value: Value | undefined): string {
  return String(value);
}

function integer(value: Value | undefined): number {
  return Number(value);
}

/** The characters of the language: code points, not the halves of which JavaScript makes some (S6). */
function charactersOf(x: string): readonly string[] {
  return Array.from(x);
}

function trim(x: string): string {
  let from = 0;
  let to = x.length;
  while (from < to && isWhiteSpace(x.charCodeAt(from))) from++;
  while (to > from && isWhiteSpace(x.charCodeAt(to - 1))) to--;
  return x.slice(from, to);
}

function left(x: string, count: number): Result {
  if (count < 0) return { value: x, kind: "function_evaluation", fault: `LEFT takes a length of 0 or more, not ${count}` };
  return charactersOf(x).slice(0, count).join("");
}

function right(x: string, count: number): Result {
  if (count < 0) return { value: x, kind: "function_evaluation", fault: `RIGHT takes a length of 0 or more, not ${count}` };
  const characters = charactersOf(x);
  return characters.slice(Math.max(0, characters.length - count)).join("");
}

function substring(x: string, position: number, length: number): Result {
  const characters = charactersOf(x);
  if (length < 0) return { value: "", kind: "function_evaluation", fault: `SUBSTRING takes a length of 0 or more, not ${length}` };
  if (Math.abs(position) > characters.length) {
    const fault = `SUBSTRING at ${position} is outside of a string of ${characters.length} characters`;
    return { value: "", kind: "function_evaluation", fault };
  }
  if (position === 0) return "";
  const from = position > 0 ? position - 1 : characters.length + position;
  return characters.slice(from, from + length).join("");
}

function absolute(x: number): Result {
  if (x === MIN_INTEGER) return { value: MAX_INTEGER, kind: "math", fault: `the absolute value of ${x} is beyond 32 bits` };
  return Math.abs(x);
}
