/**
 * The event matcher: each kind of rule of event-ruler's benchmark in units of JSON.parse, exact rules up to a million, already parsed
 * events, and what JavaScript users have today beside it. Everything runs in turns, and answers are checked before speed is measured.
 *
 *   npm run bench -- router [--seconds 0.3] [--runs 5]     for each workload in each round; rounds
 *
 * Not measured: event-ruler itself (Java; its multiples of JSON.parse are figures of an earlier measurement), the real city lots (these
 * events are made up to match as often; the line per kind tells how far that holds), events of other sizes and shapes, many ids with
 * several patterns, rules that come and go while events are matched, several threads, text of other than ASCII, and everything around
 * the matcher: HTTP, the store, functions. Rules of one benchmark share a process and its compiled code with those of the others,
 * but for the scales, which have a process each.
 */
import { type BenchOptions, print } from "./report.ts";
import { comparison } from "./router/comparison.ts";
import { dialects } from "./router/dialects.ts";
import { toEvents } from "./router/events.ts";
import { kinds } from "./router/kinds.ts";
import { makeLots } from "./router/lots.ts";
import { openOfflinePlugin } from "./router/offline-plugin.ts";
import { pluginLanguage } from "./router/plugin-language.ts";
import { readRuleSets } from "./router/rule-sets.ts";
import { scale } from "./router/scale.ts";

const EVENTS = 4096;
const SEED = 1;

export async function router(options: BenchOptions): Promise<void> {
  const rounds = { rounds: options.runs ?? 5, seconds: options.seconds ?? 0.3 };
  const events = toEvents(makeLots(EVENTS, SEED));
  const plugin = openOfflinePlugin();
  const ruleSets = readRuleSets();
  if (ruleSets === null) {
    print({ measure: "kinds", absent: "../shared/conformance/router/event-ruler-benchmark-rules.json: nothing is measured of them" });
  } else {
    kinds(ruleSets, events, rounds);
    if (plugin !== null) pluginLanguage(plugin, ruleSets, events);
  }
  dialects(events, rounds);
  comparison(plugin, rounds);
  await scale(rounds);
}
