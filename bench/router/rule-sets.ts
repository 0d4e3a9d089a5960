import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Pattern } from "../../src/events/patterns/index.ts";

/** event-ruler's benchmark of one kind of rule: five rules, and how many of all city lots each of them matches. */
export interface RuleSet {
  readonly kind: string;
  readonly rules: readonly Pattern[];
  readonly lots: readonly number[];
}

/** Beside the project, like all conformance data that is not ours. */
const FILE = join(import.meta.dirname, "../../../shared/conformance/router/event-ruler-benchmark-rules.json");

/** Null where the file is absent. */
export function readRuleSets(): RuleSet[] | null {
  if (!existsSync(FILE)) return null;
  const file = JSON.parse(readFileSync(FILE, "utf8")) as Record<string, { rules: Pattern[]; citylots2_matches: number[] }>;
  return Object.entries(file).map(([kind, { rules, citylots2_matches: lots }]) => ({ kind, rules, lots }));
}
