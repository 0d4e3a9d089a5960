import { MillraceError } from "../core/errors.ts";
import { toValueText } from "../protocol/value-text.ts";

/** JSON that came with a request, as the text that journals keep. */
export function valueTextOf(value: unknown, what: string): string {
  const written = toValueText(value);
  if (written.ok) return written.text;
  throw new MillraceError("bad_request", `${what}${written.path === "" ? "" : ` at ${written.path}`} cannot be kept: ${written.what}`);
}
