import { MillraceError, toError } from "../../core/errors.ts";
import { keptText } from "../../protocol/kept-value.ts";
import { toValueText } from "../../protocol/value-text.ts";
import { toFunctionError } from "../function-error.ts";
import { Fatal } from "../../sdk/outcome.ts";

export type Kept = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly error: Error };

/** A value as the journal keeps it. What cannot be kept would not be any better the next time. */
export function keptValue(value: unknown, what: string): Kept {
  try {
    return { ok: true, text: keptText(value, what) };
  } catch (thrown) {
    const { message } = toError(thrown);
    return { ok: false, error: new Unkept(thrown instanceof MillraceError ? `${message}. ${thrown.cure}` : message) };
  }
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
