/** Times for people. */

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
] as const;

/** `3m ago`, `in 2h`, `now`: one unit is what people take in. */
export function ago(atMs: number, nowMs: number): string {
  // What is to come is counted up, so that a wait of a second just begun does not read "now".
  const distanceMs = atMs <= nowMs ? nowMs - atMs : Math.ceil((atMs - nowMs) / 1000) * 1000;
  const found = UNITS.find(([, unitMs]) => distanceMs >= unitMs);
  if (found === undefined) return "now";
  const [unit, unitMs] = found;
  const amount = `${Math.floor(distanceMs / unitMs)}${unit}`;
  return atMs <= nowMs ? `${amount} ago` : `in ${amount}`;
}

/** `14:03:09.120`, by the clock of whoever reads. */
export function clockTime(atMs: number): string {
  const at = new Date(atMs);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

/** The moment itself, where an age alone would not do. */
export function moment(atMs: number, nowMs: number): string {
  return `${new Date(atMs).toISOString()} (${ago(atMs, nowMs)})`;
}
