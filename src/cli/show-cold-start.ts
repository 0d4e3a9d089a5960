import type { FunctionView } from "../control/client/index.ts";
import { formatDuration } from "../core/duration.ts";

/** `12 (2.1 ms)`: how many, and what the median of the last took from the wait to the first answer. */
export function showColdStarts({ count, phases }: FunctionView["coldStarts"]): string {
  if (phases === null) return String(count);
  const { waitMs, loadMs, firstCallMs } = phases;
  return `${count} (${(waitMs + loadMs + firstCallMs).toFixed(1)} ms)`;
}

/** Why nothing runs, and when it is tried again. */
export function showStartFailure(fn: string, failure: NonNullable<FunctionView["startFailure"]>, nowMs: number): string {
  const { name, message, failures, retryAtMs } = failure;
  const waitMs = retryAtMs - nowMs;
  const times = failures === 1 ? "once" : `${failures} times in a row`;
  const next = waitMs > 0 ? `in ${formatDuration(Math.max(1, Math.round(waitMs)))}` : "at the next call";
  return `${fn} did not start, ${times}; it is tried again ${next}: ${name}: ${message}`;
}
