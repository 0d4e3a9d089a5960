import { MillraceError } from "../core/errors.ts";
import { toValueText } from "./value-text.ts";

/** Of one kept value, in UTF-8. */
export const VALUE_LIMIT_BYTES = 1024 ** 2;

/** The text of a value that must be kept; `what` it is, for the error: `the result of step "pack"`. */
export function keptText(value: unknown, what: string): string {
  const written = toValueText(value);
  if (!written.ok) {
    const place = written.path === "" ? "" : `at ${written.path}: `;
    throw new MillraceError("bad_value", `${what} cannot be kept: ${place}${written.what}`, { details: { path: written.path } });
  }
  checkValueSize(written.text, what);
  return written.text;
}

export function checkValueSize(text: string, what: string): void {
  // A text with so few UTF-16 units cannot be longer in UTF-8.
  if (text.length <= VALUE_LIMIT_BYTES / 3) return;
  const bytes = Buffer.byteLength(text);
  if (bytes <= VALUE_LIMIT_BYTES) return;
  const sizes = `${bytes.toLocaleString("en")} bytes, where ${VALUE_LIMIT_BYTES.toLocaleString("en")} are the limit`;
  throw new MillraceError("value_too_large", `${what} is too large to be kept: ${sizes}`, { details: { bytes, limit: VALUE_LIMIT_BYTES } });
}
