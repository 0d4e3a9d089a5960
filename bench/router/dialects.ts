import { compileFilters, type Filter } from "../../src/events/filters/index.ts";
import { compilePattern, Matcher, type Pattern, type Rule as AnyRule } from "../../src/events/patterns/index.ts";
import { compileSql } from "../../src/events/sql/index.ts";
import { median, print, round } from "../report.ts";
import type { Events } from "./events.ts";
import { inTurns, medianRate, ratesOf, ratios, type Rounds } from "./rounds.ts";

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

/** How many rules are in one matcher, each in one dialect. */
const MANY = 1000;

/** The same rules as patterns and as CloudEvents SQL: alone on parsed CloudEvents, and a thousand in one matcher, from bytes. */
export function dialects(events: Events, rounds: Rounds): void {
  const cloudEvents = events.parsed.map(toCloudEvent);
  for (const rule of RULES) alone(rule, cloudEvents, rounds);
  together(cloudEvents, rounds);
}

function alone({ name, sql, pattern }: Rule, cloudEvents: readonly object[], rounds: Rounds): void {
  const compiled = compilePattern(pattern);
  const expression = compileSql(sql);
  for (const event of cloudEvents) {
    if (expression.matches(event) !== compiled.matches(event)) throw new Error(`${sql} and its pattern differ on ${JSON.stringify(event)}`);
  }
  const rates = inTurns(
    [compiled, expression].map((matcher, i) => ({
      name: i === 0 ? "pattern" : "sql",
      step: (event: number) => (matcher.matches(cloudEvents[event] ?? {}) ? 1 : 0),
    })),
    cloudEvents.length,
    rounds,
  );
  print({
    measure: "one rule in two dialects, matches/s on parsed events",
    rule: name,
    matching: round(cloudEvents.filter((event) => compiled.matches(event)).length / cloudEvents.length, 3),
    pattern: Math.round(medianRate(ratesOf(rates, "pattern"))),
    sql: Math.round(medianRate(ratesOf(rates, "sql"))),
    sqlToPattern: round(median(ratios(ratesOf(rates, "sql"), ratesOf(rates, "pattern")))),
  });
}

function together(cloudEvents: readonly object[], rounds: Rounds): void {
  const bytes = cloudEvents.map((event) => Buffer.from(JSON.stringify(event)));
  const matchers = Object.entries(DIALECTS).map(([name, ruleOf]) => {
    const matcher = new Matcher<number>();
    for (let i = 0; i < MANY; i++) matcher.add(i, ruleOf(`lot.changed.${i % 10}`, String(i)));
    return { name, matcher };
  });
  const [first] = matchers;
  for (const event of bytes) {
    const expected = String(first?.matcher.match(event));
    for (const { name, matcher } of matchers) {
      if (String(matcher.match(event)) !== expected) throw new Error(`${name} answers otherwise on ${event.toString()}`);
    }
  }
  const rates = inTurns(
    matchers.map(({ name, matcher }) => ({ name, step: (i) => matcher.match(bytes[i] ?? "").length })),
    bytes.length,
    rounds,
  );
  for (const { name } of matchers) {
    print({
      measure: `${MANY} rules in one matcher, one dialect, events/s from bytes`,
      dialect: name,
      eventsPerSecond: Math.round(medianRate(ratesOf(rates, name))),
      toPattern: round(median(ratios(ratesOf(rates, name), ratesOf(rates, "pattern")))),
    });
  }
}

/** A type, and a prefix of the subject. The last one says it in a way that no pattern can: there a guard decides. */
const DIALECTS: Readonly<Record<string, (type: string, prefix: string) => Pattern | AnyRule>> = {
  pattern: (type, prefix) => ({ type: [type], subject: [{ prefix }] }),
  sql: (type, prefix) => compileSql(`type = '${type}' AND subject LIKE '${prefix}%'`).rule,
  filters: (type, prefix) => compileFilters([{ exact: { type } }, { prefix: { subject: prefix } }] satisfies Filter[]).rule,
  "sql with a guard": (type, prefix) => compileSql(`type = '${type}' AND LEFT(subject, ${prefix.length}) = '${prefix}'`).rule,
};

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
