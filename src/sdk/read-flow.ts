import type { FlowManifest, FunctionManifest, KeyRule, Trigger } from "../protocol/manifest.ts";
import {
  DAY,
  type Exported,
  readConcurrency,
  readInstanceOptions,
  readKey,
  readName,
  readRetry,
  readTimeoutMs,
  RETRY_OPTIONS,
} from "./common-options.ts";
import type { FlowFacts } from "./definition.ts";
import { exportPlace, loadFault, type Place, show } from "./load-fault.ts";
import { isPlainObject, OptionReader } from "./option-reader.ts";
import { readCancelRules } from "./read-cancel-rules.ts";
import { readTriggers } from "./read-triggers.ts";

const OPTIONS = [
  "on",
  "id",
  "key",
  "concurrency",
  "retry",
  "timeout",
  "deadline",
  "cancelOn",
  "memory",
  "instances",
  "allow",
  "network",
] as const;

/** One exported flow as data, every default filled in. */
export function readFlow(facts: FlowFacts, where: Exported, line?: Place["line"]): FunctionManifest {
  const place = exportPlace(where.file, where.exportName, line);
  refuseOnDead(facts.options, place);
  const options = new OptionReader(facts.options, OPTIONS, place);
  if (typeof facts.handler !== "function") {
    throw loadFault(place, `the handler is ${show(facts.handler)}, not a function`, "Write flow({ on: … }, async (input, flow) => { … }).");
  }
  const name = readName(options, where.exportName, "flow", place);
  const triggers = options.has("on") ? readTriggers(options.get("on"), place) : [];
  refuseIdleKey(options, triggers, place);
  const retry = options.group("retry", [...RETRY_OPTIONS, "onExhausted"]);
  const runsPerKey = readRunsPerKey(options);
  return {
    name,
    ...where,
    triggers,
    key: readLane(options, runsPerKey),
    onDead: "continue",
    retry: readRetry(retry),
    timeoutMs: readTimeoutMs(options),
    concurrency: readConcurrency(options),
    ...readInstanceOptions(options),
    flow: {
      onExhausted: retry.choice("onExhausted", "throw", ["throw", "pause"]),
      deadlineMs: readDeadlineMs(options),
      cancelOn: readCancelRules(options, place),
      runsPerKey,
    },
  };
}

function refuseOnDead(options: unknown, place: Place): void {
  if (!isPlainObject(options) || options["onDead"] === undefined) return;
  throw loadFault(
    place,
    'option "onDead" has no effect on a flow: a run that fails is over, and those behind it go on',
    'Remove "onDead"; retry: { onExhausted: "pause" } keeps a run whose step has failed for a person.',
  );
}

/** A request has no key. */
function refuseIdleKey(options: OptionReader, triggers: readonly Trigger[], place: Place): void {
  if (triggers.length === 0 || triggers.some((trigger) => trigger.kind !== "http")) return;
  const idle = options.has("key") ? "key" : hasKeyLimit(options) ? "concurrency.key" : undefined;
  if (idle === undefined) return;
  throw loadFault(
    place,
    `option "${idle}" has no effect on a flow that only HTTP wakes`,
    `Remove "${idle}", or let an event wake the flow.`,
  );
}

/**
 * Runs take days where calls take moments, so they are put one behind the other only if that was asked for: by a key or by a limit for each.
 * That the event happens to have a partitionkey is no such wish.
 */
function readRunsPerKey(options: OptionReader): FlowManifest["runsPerKey"] {
  if (!hasKeyLimit(options)) return options.has("key") && options.get("key") !== null ? 1 : null;
  if (options.get("key") !== null) return readConcurrency(options).key;
  throw options.fault("concurrency.key", 'has no effect beside "key: null"', 'Remove one of them, or write a key such as "data.order".');
}

function hasKeyLimit(options: OptionReader): boolean {
  const concurrency = options.get("concurrency");
  return isPlainObject(concurrency) && concurrency["key"] !== undefined;
}

function readLane(options: OptionReader, runsPerKey: number | null): KeyRule {
  return runsPerKey === null ? { kind: "none" } : readKey(options);
}

function readDeadlineMs(options: OptionReader): number | null {
  if (!options.has("deadline")) return null;
  return options.durationMs("deadline", 0, { least: 1, most: 3650 * DAY, text: 'from "1ms" to "3650d"' });
}
