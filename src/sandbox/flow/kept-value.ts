import { MillraceError, toError } from "../../core/errors.ts";
import { toValueText, VALUE_LIMIT_BYTES } from "../../protocol/value-text.ts";
import { toFunctionError } from "../function-error.ts";
import { Fatal } from "../../sdk/outcome.ts";

export type Kept = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly error: Error };

/** A value as the journal keeps it. What cannot be kept would not be any better the next time. */
export function keptValue(value: unknown, what: string): Kept {
  const made = toValueText(value);
  if (!made.ok) return { ok: false, error: new Unkept(`${what} cannot be kept: ${made.path}: ${made.what}`) };
  const { text } = made;
  // No text has more than three bytes a character.
  if (text.length * 3 > VALUE_LIMIT_BYTES && Buffer.byteLength(text) > VALUE_LIMIT_BYTES)
    return {
      ok: false,
      error: new Unkept(
        `${what} has ${Buffer.byteLength(text)} bytes; at most ${VALUE_LIMIT_BYTES} are kept. Store large data in pieces with tx.kv, or outside, and return what it can be found by.`,
      ),
    };
  return made;
}

/** The same value after its way through the journal. Throws what cannot be kept. */
export function keptText(value: unknown, what: string): string {
  const kept = keptValue(value, what);
  if (kept.ok) return kept.text;
  throw new MillraceError("bad_result", kept.error.message);
}

/** An error as the journal keeps it: whole where that can be, else what can be said of it. */
export function keptError(thrown: unknown): string {
  const error = toError(thrown);
  const whole = toValueText(error);
  if (whole.ok && whole.text.length < ERROR_LIMIT_CHARS) return whole.text;
  const { name, message, stack } = toFunctionError(error);
  const plain = new Error(message);
  plain.name = name;
  if (stack !== null) plain.stack = stack;
  const made = toValueText(plain);
  return made.ok ? made.text : "null";
}

const ERROR_LIMIT_CHARS = 64 * 1024;

class Unkept extends Fatal {
  override readonly name = "BadResult";
}
