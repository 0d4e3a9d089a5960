import type { Io } from "./io.ts";

/** An option of a command, as data: what help prints and what the parser checks. */
export type OptionSpec =
  | { readonly type: "boolean"; readonly summary: string; readonly short?: string }
  | {
      readonly type: "string";
      readonly summary: string;
      /** What help shows for the value. */
      readonly value: string;
      readonly short?: string;
      readonly choices?: readonly string[];
      readonly standard?: string;
    }
  | { readonly type: "strings"; readonly summary: string; readonly value: string; readonly short?: string }
  | {
      readonly type: "integer";
      readonly summary: string;
      readonly value: string;
      readonly short?: string;
      readonly min: number;
      readonly max: number;
      readonly standard?: number;
    };

export type Options = Readonly<Record<string, OptionSpec>>;

type ValueOf<S extends OptionSpec> = S extends { readonly type: "boolean" }
  ? boolean
  : S extends { readonly type: "strings" }
    ? readonly string[]
    : S extends { readonly type: "string" }
      ? StringValue<S>
      : S extends { readonly standard: number }
        ? number
        : number | undefined;

type StringValue<S> =
  | (S extends { readonly choices: readonly (infer C)[] } ? C : string)
  | (S extends { readonly standard: string } ? never : undefined);

export type Values<O extends Options> = { readonly [K in keyof O]: ValueOf<O[K]> };

export interface Argument {
  readonly name: string;
  readonly summary: string;
  readonly kind: "required" | "optional" | "any-number";
}

export interface Example {
  readonly line: string;
  readonly says: string;
}

/** A command is data and a handler. */
export interface CommandSpec<O extends Options> {
  /** One word, or two for a command of a group: `dead list`. */
  readonly name: string;
  readonly summary: string;
  readonly details?: string;
  readonly args: readonly Argument[];
  readonly options: O;
  readonly examples: readonly Example[];
  /** The exit code of a failure, where 1 is an answer: 1 unless said. */
  readonly failureCode?: 2;
  /** Resolves to the exit code; nothing is 0. */
  readonly run: (input: { readonly args: readonly string[]; readonly options: Values<O>; readonly io: Io }) => Promise<number | void>;
}

export interface Command extends Omit<CommandSpec<Options>, "run"> {
  execute(args: readonly string[], values: Readonly<Record<string, unknown>>, io: Io): Promise<number>;
}

/** Forgets the types of the options, which the parser vouches for. */
export function defineCommand<const O extends Options>(spec: CommandSpec<O>): Command {
  const { run, ...data } = spec;
  return {
    ...data,
    execute: async (args, values, io) => (await run({ args, options: values as Values<O>, io })) ?? 0,
  };
}

/** The command line is wrong: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly command: string | undefined;

  constructor(message: string, command?: string) {
    super(message);
    this.command = command;
  }
}
