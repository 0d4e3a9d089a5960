import { format } from "node:util";
import { toError } from "../core/errors.ts";
import type { FunctionError } from "../protocol/messages.ts";
import { isFatal, retryAfterMsOf } from "../sdk/outcome.ts";

const TEXT_LIMIT = 16 * 1024;
const CAUSES_MOST = 8;

/** A thrown value, made ready for the way to the node. Never throws, whatever was thrown. */
export function toFunctionError(thrown: unknown): FunctionError {
  try {
    const error = toError(thrown);
    const retryAfterMs = retryAfterMsOf(thrown);
    return {
      name: textOf(error.name),
      message: bounded(inTheSandboxsWords(textOf(error.message))),
      stack: bounded(inTheSandboxsWords(stackWithCauses(error))),
      ...(isFatal(thrown) ? { fatal: true } : {}),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
  } catch {
    return { name: "Error", message: "an error was thrown that cannot be read: its own properties throw", stack: null };
  }
}

/** Node advises a flag of its command line, which the author of a function has no hand in. */
function inTheSandboxsWords(text: string): string {
  return text.replaceAll(
    /(?:Access to this API has been restricted\. )?Use --allow-[\w-]+ to manage permissions\.?/g,
    "the sandbox denies this to functions; docs/functions.md says what can be granted",
  );
}

function stackWithCauses(error: Error): string {
  let text = stackOf(error);
  const shown = new Set<unknown>([error]);
  let next: unknown = error;
  for (let depth = 0; depth < CAUSES_MOST; depth++) {
    next = next instanceof Error ? next.cause : undefined;
    if (next === undefined || next === null || shown.has(next)) break;
    shown.add(next);
    text += `\nCaused by: ${stackOf(toError(next))}`;
  }
  if (error instanceof AggregateError) for (const each of error.errors.slice(0, CAUSES_MOST)) text += `\nOne of: ${stackOf(toError(each))}`;
  return text;
}

function stackOf(error: Error): string {
  return typeof error.stack === "string" ? error.stack : `${error.name}: ${error.message}`;
}

/** User code may have put anything there. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value : format(value);
}

function bounded(text: string): string {
  return text.length <= TEXT_LIMIT ? text : `${text.slice(0, TEXT_LIMIT)}… (${text.length - TEXT_LIMIT} more characters)`;
}
