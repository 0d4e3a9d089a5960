import { Matcher } from "../../src/events/patterns/index.ts";
import { median, print, round } from "../report.ts";
import { checkedCounts, load } from "./answers.ts";
import { ALL_LOTS } from "./deck.ts";
import { eventRulerMultiple } from "./event-ruler.ts";
import { type Events, meanBytes } from "./events.ts";
import type { RuleSet } from "./rule-sets.ts";
import { inTurns, medianRate, type Rate, type Rates, ratesOf, ratios, type Rounds, type Workload } from "./rounds.ts";

const UNIT = "JSON.parse";
const DECODED = "decode and JSON.parse";
const PARSED = "EXACT, parsed events";

/**
 * Each kind of rule, and all at once, on events as bytes, in turns with JSON.parse of the same events as decoded strings: the harder
 * unit, for a matcher that begins with bytes.
 */
export function kinds(ruleSets: readonly RuleSet[], events: Events, rounds: Rounds): void {
  print({ measure: "events", distinct: events.bytes.length, meanBytes: round(meanBytes(events), 1) });
  const all = { kind: "all", rules: ruleSets.flatMap(({ rules }) => rules), lots: ruleSets.flatMap(({ lots }) => lots) };
  const matchers = [...ruleSets, all].map((ruleSet) => ({ ruleSet, matcher: load(new Matcher<number>(), ruleSet.rules) }));
  for (const { ruleSet, matcher } of matchers) printSelectivity(ruleSet, checkedCounts(matcher, ruleSet.rules, events), events);

  const exact = matchers.find(({ ruleSet }) => ruleSet.kind === "EXACT");
  const rates = inTurns(
    [
      ...units(events),
      ...matchers.map(({ ruleSet, matcher }) => ({ name: ruleSet.kind, step: matchingBytes(matcher, events) })),
      ...(exact === undefined ? [] : [{ name: PARSED, step: matchingParsed(exact.matcher, events) }]),
    ],
    events.bytes.length,
    rounds,
  );
  for (const unit of [UNIT, DECODED]) printRate(`${unit}: events/s`, ratesOf(rates, unit));
  for (const { ruleSet } of matchers) printKind(ruleSet, rates);
  if (exact !== undefined) printRate(`${PARSED}: matches/s`, ratesOf(rates, PARSED), { wanted: 1_500_000 });
}

function units({ texts, bytes }: Events): Workload[] {
  return [
    { name: UNIT, step: (i) => sizeOf(JSON.parse(texts[i] ?? "")) },
    { name: DECODED, step: (i) => sizeOf(JSON.parse(bytes[i]?.toString() ?? "")) },
  ];
}

/** Looks at what was parsed, as a reader would; costs nothing beside the parsing. */
function sizeOf(event: unknown): number {
  return typeof event === "object" ? 1 : 0;
}

function matchingBytes(matcher: Matcher<number>, { bytes }: Events): (event: number) => number {
  return (i) => matcher.match(bytes[i] ?? "").length;
}

function matchingParsed(matcher: Matcher<number>, { parsed }: Events): (event: number) => number {
  return (i) => matcher.match(parsed[i] ?? "").length;
}

/** Real rates beside ours, in matches per million events, for nobody has to believe that the events do not dodge the rules. */
function printSelectivity({ kind, lots }: RuleSet, counts: readonly number[], { bytes }: Events): void {
  if (kind === "all") return;
  print({
    measure: "matches per million events, checked against one rule after another",
    kind,
    cityLots: lots.map((count) => Math.round((count / ALL_LOTS) * 1e6)),
    ours: counts.map((count) => Math.round((count / bytes.length) * 1e6)),
    matchesPerEventCityLots: round(sum(lots) / ALL_LOTS, 4),
    matchesPerEvent: round(sum(counts) / bytes.length, 4),
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function printRate(measure: string, rates: readonly Rate[], more: object = {}): void {
  print({ measure, perSecond: Math.round(medianRate(rates)), perCpuSecond: Math.round(medianRate(rates, "perCpuSecond")), ...more });
}

function printKind({ kind, rules }: RuleSet, rates: Rates): void {
  const multiples = ratios(ratesOf(rates, kind), ratesOf(rates, UNIT));
  const multiple = median(multiples);
  const theirs = eventRulerMultiple(kind);
  print({
    measure: "events/s from bytes, as a multiple of JSON.parse",
    kind,
    rules: rules.length,
    eventsPerSecond: Math.round(medianRate(ratesOf(rates, kind))),
    multiple: round(multiple),
    lowest: round(Math.min(...multiples)),
    highest: round(Math.max(...multiples)),
    multipleByCpu: round(median(ratios(ratesOf(rates, kind), ratesOf(rates, UNIT), "perCpuSecond"))),
    eventRuler: theirs,
    ahead: theirs === null ? null : round(multiple / theirs),
  });
}
