import { readerOf } from "../attribute.ts";
import { compileNode } from "./evaluate.ts";
import type { Outcome } from "./failure.ts";
import { parse } from "./parser.ts";
import { SqlError } from "./sql-error.ts";

/** What a text would come to, were it the expression; undefined where it is none. */
export function tried(source: string, event: object): Outcome | undefined {
  try {
    return compileNode(parse(source))(readerOf(event));
  } catch (error) {
    if (error instanceof SqlError) return undefined;
    throw error;
  }
}
