/** Header values of the CloudEvents HTTP binding, section 3.1.3.2: percent-encoded UTF-8, quoted strings understood when read. */

export type HeaderValue = { readonly ok: true; readonly value: string } | { readonly ok: false; readonly cause: string };

export function encodeHeaderValue(value: string): string {
  // All but U+0021–U+007E, and of these the quotation mark and the percent sign.
  return value.toWellFormed().replace(/[^!#$&-~]+/g, encodeURIComponent);
}

export function decodeHeaderValue(raw: string): HeaderValue {
  if (isPlain(raw)) return { ok: true, value: raw };
  // Node reads header bytes as Latin-1: UTF-8 that was not percent-encoded arrives garbled, and is better refused than stored.
  if (!/^[\t\x20-\x7e]*$/.test(raw)) return { ok: false, cause: "its header holds bytes beyond ASCII: percent-encode them as UTF-8" };
  const unquoted = unquote(raw);
  if (unquoted === undefined) return { ok: false, cause: "its header opens a quoted string that does not end" };
  try {
    return { ok: true, value: decodeURIComponent(unquoted) };
  } catch {
    return { ok: false, cause: "its header holds a percent sign that no UTF-8 character follows" };
  }
}

function isPlain(raw: string): boolean {
  for (let i = 0; i < raw.length; i++) {
    const code = raw.charCodeAt(i);
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x25) return false;
  }
  return true;
}

/** Takes the quotation marks off quoted strings and the backslashes off what they escape. */
function unquote(raw: string): string | undefined {
  if (!raw.includes('"')) return raw;
  let text = "";
  let inQuotes = false;
  for (let i = 0; i < raw.length; i++) {
    const character = raw.charAt(i);
    if (character === '"') inQuotes = !inQuotes;
    else if (character === "\\" && inQuotes) text += raw.charAt(++i);
    else text += character;
  }
  return inQuotes ? undefined : text;
}
