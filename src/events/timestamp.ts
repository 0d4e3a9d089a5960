const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

const DASH = 45;
const COLON = 58;

/**
 * Whether `text` is an RFC 3339 date-time. Read by hand and not by `Date.parse`, which takes much that is
 * no RFC 3339 ("yesterday" it refuses, "2026", "1 Jan" and "2026-02-31T00:00:00Z" it does not).
 * A leap second (:60) stands where the standard has it: in the last minute of a day in UTC.
 */
export function isTimestamp(text: string): boolean {
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 2);
  const day = digits(text, 8, 2);
  const hour = digits(text, 11, 2);
  const minute = digits(text, 14, 2);
  const second = digits(text, 17, 2);
  if (year < 0 || month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return false;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return false;
  if (!is(text, 4, DASH) || !is(text, 7, DASH) || !is(text, 13, COLON) || !is(text, 16, COLON)) return false;
  if (text[10] !== "T" && text[10] !== "t") return false;
  const offsetMinutes = readOffsetMinutes(text, skipFraction(text, 19));
  if (offsetMinutes === undefined) return false;
  return second < 60 || (((hour * 60 + minute - offsetMinutes) % 1440) + 1440) % 1440 === 1439;
}

function daysOf(year: number, month: number): number {
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return (MONTH_DAYS[month - 1] ?? 0) + (leap ? 1 : 0);
}

/** Where the offset begins, or past the end of the text when a point has no digit behind it. */
function skipFraction(text: string, from: number): number {
  if (text[from] !== ".") return from;
  let at = from + 1;
  while (isDigit(text.charCodeAt(at))) at++;
  return at === from + 1 ? text.length : at;
}

function readOffsetMinutes(text: string, at: number): number | undefined {
  const sign = text[at];
  if (sign === "Z" || sign === "z") return text.length === at + 1 ? 0 : undefined;
  if ((sign !== "+" && sign !== "-") || text.length !== at + 6 || !is(text, at + 3, COLON)) return undefined;
  const hours = digits(text, at + 1, 2);
  const minutes = digits(text, at + 4, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return undefined;
  return sign === "+" ? hours * 60 + minutes : -(hours * 60 + minutes);
}

/** The number that `count` digits spell, or -1 when one of them is none. */
function digits(text: string, from: number, count: number): number {
  let value = 0;
  for (let i = from; i < from + count; i++) {
    const code = text.charCodeAt(i);
    if (!isDigit(code)) return -1;
    value = value * 10 + code - 48;
  }
  return value;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function is(text: string, at: number, code: number): boolean {
  return text.charCodeAt(at) === code;
}
