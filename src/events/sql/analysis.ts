import type { Claim } from "../claims/index.ts";
import type { Guard } from "../patterns/index.ts";
import { matchClaim } from "./claims.ts";
import { compileNode, type Evaluate } from "./evaluate.ts";
import { attributesOf } from "./node.ts";
import { parse } from "./parser.ts";

/** Everything that there is to know of an expression before the first event. */
export interface Analysis extends Guard {
  readonly evaluate: Evaluate;
  /** The events that it matches, as far as patterns can say it. */
  readonly holds: Claim;
}

/** Throws SqlError. */
export function analyse(source: string): Analysis {
  const root = parse(source);
  const evaluate = compileNode(root);
  return { attributes: attributesOf(root), evaluate, test: (read) => evaluate(read) === true, holds: matchClaim(root) };
}
