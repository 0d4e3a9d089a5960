import { toError } from "../core/errors.ts";
import { DEPTH_LIMIT, isPlainJson, nestsTooDeep } from "./plain-json.ts";
import { broken, ValueReader } from "./value-reader.ts";
import { type ValueFault, ValueWriter } from "./value-writer.ts";

export { HttpAnswerValue } from "./http-answer-value.ts";

export type ValueText = { readonly ok: true; readonly text: string } | ({ readonly ok: false } & ValueFault);

/** No JSON text begins with it. */
const RICH = "~";
/** What most steps come to that come to nothing. */
const UNDEFINED = RICH;

/** A value as text that is kept in a journal: its JSON where that is exact, else a rich text (V1). Never throws. */
export function toValueText(value: unknown): ValueText {
  if (value === undefined) return { ok: true, text: UNDEFINED };
  try {
    if (isPlainJson(value)) return { ok: true, text: JSON.stringify(value) };
  } catch (thrown) {
    return { ok: false, path: "", what: `to read it throws: ${toError(thrown).message}` };
  }
  const written = new ValueWriter().write(value);
  return written.ok ? { ok: true, text: RICH + written.cells } : written;
}

/** The value again. Throws a MillraceError for text that is none; runs nothing, wherever the text is from. */
export function fromValueText(text: string): unknown {
  if (text === UNDEFINED) return undefined;
  if (!text.startsWith(RICH)) return parse(text);
  const cells = parse(text.slice(RICH.length));
  if (!Array.isArray(cells) || cells.length === 0) throw broken("it has no cells");
  return new ValueReader(cells).read(cells[0]);
}

function parse(json: string): unknown {
  if (nestsTooDeep(json)) throw broken(`it is nested deeper than ${DEPTH_LIMIT} objects`);
  try {
    return JSON.parse(json) as unknown;
  } catch (thrown) {
    throw broken(`it is no JSON: ${toError(thrown).message}`, thrown);
  }
}
