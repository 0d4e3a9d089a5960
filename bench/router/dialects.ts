import { compilePattern, type Pattern } from "../../src/events/patterns/index.ts";
import { median, print, round } from "../report.ts";
import type { Events } from "./events.ts";
import { inTurns, medianRate, ratesOf, ratios, type Rounds } from "./rounds.ts";

/** Makes an expression of CloudEvents SQL ready, as `compilePattern` does a pattern. */
export type CompileSql = (expression: string) => { matches(event: object): boolean };

interface Rule {
  readonly name: string;
  readonly sql: string;
  readonly pattern: Pattern;
}

/** One question in both dialects. CloudEvents SQL sees attributes only, so that the questions are about these. */
const RULES: readonly Rule[] = [
  { name: "one value", sql: "type = 'lot.changed.3'", pattern: { type: ["lot.changed.3"] } },
  { name: "one of some", sql: "type IN ('lot.changed.1', 'lot.changed.2', 'lot.changed.3')", pattern: { type: some(3) } },
  { name: "prefix", sql: "subject LIKE '37%'", pattern: { subject: [{ prefix: "37" }] } },
  {
    name: "two attributes",
    sql: "type = 'lot.changed.3' AND source = '/lots/east'",
    pattern: { type: ["lot.changed.3"], source: ["/lots/east"] },
  },
  { name: "present", sql: "EXISTS partitionkey", pattern: { partitionkey: [{ exists: true }] } },
];

/** The same rules as patterns and as CloudEvents SQL, alone, on parsed CloudEvents. Without `compileSql` the patterns stand alone. */
export function dialects(compileSql: CompileSql | null, events: Events, rounds: Rounds): void {
  const cloudEvents = events.parsed.map(toCloudEvent);
  for (const { name, sql, pattern } of RULES) {
    const compiled = compilePattern(pattern);
    const matchers = [{ name: "pattern", matches: (event: object): boolean => compiled.matches(event) }];
    if (compileSql !== null) {
      const expression = compileSql(sql);
      for (const event of cloudEvents) {
        if (expression.matches(event) !== compiled.matches(event))
          throw new Error(`${sql} and its pattern differ on ${JSON.stringify(event)}`);
      }
      matchers.push({ name: "sql", matches: (event) => expression.matches(event) });
    }
    const rates = inTurns(
      matchers.map(({ name, matches }) => ({ name, step: (i) => (matches(cloudEvents[i] ?? {}) ? 1 : 0) })),
      cloudEvents.length,
      rounds,
    );
    const patternRates = ratesOf(rates, "pattern");
    const sqlRates = compileSql === null ? null : ratesOf(rates, "sql");
    print({
      measure: "one rule in two dialects, matches/s on parsed events",
      rule: name,
      matching: round(cloudEvents.filter((event) => compiled.matches(event)).length / cloudEvents.length, 3),
      pattern: Math.round(medianRate(patternRates)),
      sql: sqlRates === null ? null : Math.round(medianRate(sqlRates)),
      sqlToPattern: sqlRates === null ? null : round(median(ratios(sqlRates, patternRates))),
    });
  }
}

function some(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `lot.changed.${n + 1}`);
}

function toCloudEvent(data: object, i: number): object {
  return {
    specversion: "1.0",
    id: `e-${i}`,
    source: i % 3 === 0 ? "/lots/east" : "/lots/west",
    type: `lot.changed.${i % 10}`,
    subject: String(i),
    ...(i % 2 === 0 && { partitionkey: `lot-${i % 100}` }),
    data,
  };
}
