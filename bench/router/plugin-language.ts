import { compilePattern, type Pattern } from "../../src/events/patterns/index.ts";
import { print } from "../report.ts";
import type { Events } from "./events.ts";
import type { OfflinePlugin } from "./offline-plugin.ts";
import type { RuleSet } from "./rule-sets.ts";

const EVENTS = 100;

/**
 * Where the plugin's language and EventBridge's part, rule set by rule set: what it refuses, and what it answers otherwise. Operators
 * that it does not know inside `anything-but` it takes for literals, so that it is right by chance wherever the right answer is yes.
 */
export function pluginLanguage(plugin: OfflinePlugin, ruleSets: readonly RuleSet[], { parsed }: Events): void {
  for (const { kind, rules } of ruleSets) {
    const verdicts = rules.map((rule) => verdict(plugin, rule, parsed.slice(0, EVENTS)));
    print({
      measure: "serverless-offline-aws-eventbridge, answers to event-ruler's rules",
      kind,
      answers: rules.length * EVENTS,
      same: verdicts.reduce((sum, { same }) => sum + same, 0),
      differing: verdicts.reduce((sum, { differing }) => sum + differing, 0),
      errors: verdicts.reduce((sum, { errors }) => sum + errors, 0),
      firstError: verdicts.find(({ firstError }) => firstError !== null)?.firstError ?? null,
    });
  }
}

interface Verdict {
  same: number;
  differing: number;
  errors: number;
  firstError: string | null;
}

function verdict(plugin: OfflinePlugin, rule: Pattern, lots: readonly object[]): Verdict {
  const flat = plugin.flatten(null, rule);
  const pattern = compilePattern(rule);
  const verdict: Verdict = { same: 0, differing: 0, errors: 0, firstError: null };
  for (const detail of lots) {
    try {
      const isSame = plugin.matches(flat, { id: "", source: "", "detail-type": "", detail }) === pattern.matches(detail);
      if (isSame) verdict.same++;
      else verdict.differing++;
    } catch (error) {
      verdict.errors++;
      verdict.firstError ??= String(error);
    }
  }
  return verdict;
}
