import { compilePattern, Matcher } from "../../src/events/patterns/index.ts";
import { median, print, round } from "../report.ts";
import { isSame, load } from "./answers.ts";
import { type BusEvent, makeMixedEvents, makeMixedRules, type MixedRule } from "./mixed-rules.ts";
import type { OfflinePlugin } from "./offline-plugin.ts";
import { inTurns, medianRate, type Rate, type Rates, ratesOf, ratios, type Rounds } from "./rounds.ts";

const SIZES = [10, 1000, 100_000];

/** Answers are compared for so long; whoever needs longer than SLOW_MS for one event is not asked again but judged by that. */
const CHECK_MS = 500;
const SLOW_MS = 500;

/** Says which rules an event matches, by their places in the list. */
interface Rival {
  readonly name: string;
  readonly match: (event: number) => readonly number[];
}

/**
 * The matcher beside what JavaScript users have without it, on the same parsed events: a loop over all rules, each well compiled, and
 * the matcher inside `serverless-offline-aws-eventbridge`, as it is used and at its best.
 */
export function comparison(plugin: OfflinePlugin | null, rounds: Rounds): void {
  for (const size of SIZES) {
    const rules = makeMixedRules(size);
    const events = makeMixedEvents(size);
    const others = plugin === null ? [] : pluginRivals(plugin, rules, events);
    compare(size, [ours(rules, events), oneAfterAnother(rules, events), ...others], events.length, rounds);
  }
}

function ours(rules: readonly MixedRule[], events: readonly BusEvent[]): Rival {
  const matcher = load(new Matcher<number>(), rules);
  return { name: "Matcher", match: (i) => matcher.match(events[i] ?? {}) };
}

function oneAfterAnother(rules: readonly MixedRule[], events: readonly BusEvent[]): Rival {
  const patterns = rules.map((rule) => compilePattern(rule));
  const match = (i: number): number[] => {
    const event = events[i] ?? {};
    const found: number[] = [];
    for (let rule = 0; rule < patterns.length; rule++) {
      if (patterns[rule]?.matches(event) === true) found.push(rule);
    }
    return found;
  };
  return { name: "a loop over compilePattern(rule).matches", match };
}

function pluginRivals(plugin: OfflinePlugin, rules: readonly MixedRule[], events: readonly BusEvent[]): Rival[] {
  const details = events.map(({ detail }) => JSON.stringify(detail));
  const flatRules = rules.map((rule) => plugin.flatten(rule["detail-type"], rule.detail));
  const idsOf = <R>(all: readonly R[], isMatch: (rule: R) => boolean): number[] => all.flatMap((rule, id) => (isMatch(rule) ? [id] : []));
  const eventAt = (i: number): BusEvent => {
    const event = events[i];
    if (event === undefined) throw new Error(`there is no event ${i}`);
    return event;
  };
  return [
    {
      name: "serverless-offline-aws-eventbridge, its comparison on parsed events",
      match: (i) => idsOf(flatRules, (rule) => plugin.matches(rule, eventAt(i))),
    },
    {
      name: "serverless-offline-aws-eventbridge, as it is used",
      match: (i) => idsOf(rules, (rule) => plugin.isSubscribed(rule, eventAt(i), details[i] ?? "")),
    },
  ];
}

interface Checked {
  readonly rival: Rival;
  readonly events: number;
  readonly differing: number;
  readonly matchesPerEvent: number;
  readonly rate: Rate;
  readonly isSlow: boolean;
}

function compare(rules: number, rivals: readonly Rival[], events: number, rounds: Rounds): void {
  const [first] = rivals;
  if (first === undefined) return;
  const checked = rivals.map((rival) => check(rival, first, events));
  const fast = checked.filter(({ isSlow }) => !isSlow);
  const rates = inTurns(
    fast.map(({ rival: { name, match } }) => ({ name, step: (i) => match(i).length })),
    events,
    rounds,
  );
  for (const one of checked) printRival(rules, one, first, rates);
}

/** Compares answers event by event with ours, which stand in the same order. */
function check(rival: Rival, ours: Rival, events: number): Checked {
  let done = 0;
  let differing = 0;
  let matches = 0;
  let tookMs = 0;
  let cpuUs = 0;
  while (done < events && tookMs < CHECK_MS) {
    const cpu = process.cpuUsage();
    const startMs = performance.now();
    const ids = rival.match(done);
    tookMs += performance.now() - startMs;
    const { user, system } = process.cpuUsage(cpu);
    cpuUs += user + system;
    if (!isSame(ids, ours.match(done))) differing++;
    matches += ids.length;
    done++;
  }
  const isSlow = tookMs / done > SLOW_MS;
  const rate = { perSecond: (done * 1000) / tookMs, perCpuSecond: (done * 1e6) / cpuUs };
  return { rival, events: done, differing, matchesPerEvent: matches / done, rate, isSlow };
}

function printRival(rules: number, one: Checked, first: Rival, rates: Rates): void {
  const ours = ratesOf(rates, first.name);
  const theirs = one.isSlow ? ours.map(() => one.rate) : ratesOf(rates, one.rival.name);
  const perSecond = medianRate(theirs);
  print({
    measure: "rules of type and one more condition, parsed events",
    rules,
    by: one.rival.name,
    eventsPerSecond: round(perSecond, perSecond < 100 ? 3 : 0),
    matcherAhead: round(median(ratios(ours, theirs))),
    matcherAheadByCpu: round(median(ratios(ours, theirs, "perCpuSecond"))),
    matchesPerEvent: round(one.matchesPerEvent),
    answersCompared: one.events,
    answersThatDiffer: one.differing,
    measuredOn: one.isSlow ? `${one.events} event(s), once` : `${theirs.length} rounds`,
  });
}
