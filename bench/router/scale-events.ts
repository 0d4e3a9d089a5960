import { makeLots } from "./lots.ts";

/** Which share of the events matches a rule (each of them exactly one). A tenth stands for a router whose rules are about part of its traffic. */
export type Hits = "a tenth" | "all";

export interface ScaleEvent {
  readonly bytes: Buffer;
  /** The rule that matches it, or null. */
  readonly rule: number | null;
}

/** More than fit into a core's cache, hit rules spread over all of them: a table that is only fast while it is warm would show. */
const COUNT = 32_768;

/** Values beyond this are of no rule, whatever the size. */
const MOST_RULES = 1_000_000;
const ALL_VALUES = 10_000_000;

/** The value of the n-th of ten million, in no order: the factor shares no divisor with their number, so no two are the same. */
export function lotNumber(n: number): string {
  return String((n * 3_141_593) % ALL_VALUES).padStart(7, "0");
}

export function makeScaleEvents(rules: number, hits: Hits): ScaleEvent[] {
  return makeLots(COUNT, 2).map((text, i) => {
    const hit = hits === "all" || i % 10 === 0;
    // Spread evenly by another such factor.
    const n = hit ? (i * 611_953) % rules : MOST_RULES + ((i * 611_953) % (ALL_VALUES - MOST_RULES));
    return { bytes: Buffer.from(withLotNumber(text, lotNumber(n))), rule: hit ? n : null };
  });
}

function withLotNumber(text: string, number: string): string {
  return text.replace(/"MAPBLKLOT":"[^"]*"/, `"MAPBLKLOT":"${number}"`);
}
