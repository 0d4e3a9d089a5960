import { parseDurationMs } from "../../core/duration.ts";
import { MillraceError } from "../../core/errors.ts";
import { didYouMean } from "../../core/near-miss.ts";
import type { StepPolicy } from "../../protocol/messages.ts";
import type { StepOptions, StepRetry } from "../../sdk/flow.ts";

/** How one step is run: by its own options, else by the flow's. */
export interface StepPlan {
  readonly policy: StepPolicy;
  readonly timeoutMs: number;
}

const OPTIONS = ["retry", "timeout", "rollback"];
const RETRY = ["attempts", "backoff", "base", "factor", "max", "jitter", "onExhausted"];
const MOST_TIMEOUT_MS = 24 * 3_600_000;

/** Nearly every step has no options of its own. */
export function planOf(where: string, options: StepOptions | undefined, usual: StepPlan, also: readonly string[] = []): StepPlan {
  if (options === undefined) return usual;
  checkNames(where, options, [...OPTIONS, ...also]);
  const { retry, timeout, rollback } = options;
  if (rollback !== undefined && typeof rollback !== "function") throw wrong(`${where}: \`rollback\` must be a function`);
  return {
    policy: retry === undefined ? usual.policy : policyOf(where, retry, usual.policy),
    timeoutMs: timeout === undefined ? usual.timeoutMs : timeoutOf(where, timeout),
  };
}

function policyOf(where: string, retry: StepRetry, usual: StepPolicy): StepPolicy {
  checkNames(`${where}: retry`, retry, RETRY);
  const { attempts, backoff, base, factor, max, jitter, onExhausted } = retry;
  if (attempts !== undefined && !(Number.isInteger(attempts) && attempts >= 1 && attempts <= 1000))
    throw wrong(`${where}: \`retry.attempts\` must be a whole number from 1 to 1000`);
  if (factor !== undefined && !(typeof factor === "number" && factor >= 1 && factor <= 100))
    throw wrong(`${where}: \`retry.factor\` must be a number from 1 to 100`);
  return {
    attempts: attempts ?? usual.attempts,
    backoff: choiceOf(where, "retry.backoff", backoff, ["exponential", "fixed"]) ?? usual.backoff,
    baseMs: base === undefined ? usual.baseMs : durationOf(where, "retry.base", base),
    factor: factor ?? usual.factor,
    maxMs: max === undefined ? usual.maxMs : durationOf(where, "retry.max", max),
    jitter: choiceOf(where, "retry.jitter", jitter, ["full", "none"]) ?? usual.jitter,
    onExhausted: choiceOf(where, "retry.onExhausted", onExhausted, ["throw", "pause"]) ?? usual.onExhausted,
  };
}

function choiceOf<C extends string>(where: string, name: string, value: C | undefined, choices: readonly C[]): C | undefined {
  if (value === undefined || choices.includes(value)) return value;
  throw wrong(`${where}: \`${name}\` must be one of ${choices.map((choice) => `"${choice}"`).join(", ")}`);
}

function timeoutOf(where: string, timeout: string | number): number {
  const ms = durationOf(where, "timeout", timeout);
  if (ms < 1 || ms > MOST_TIMEOUT_MS) throw wrong(`${where}: \`timeout\` must be from "1ms" to "24h"`);
  return ms;
}

export function durationOf(where: string, name: string, value: unknown): number {
  if (typeof value !== "string" && typeof value !== "number") throw wrong(`${where}: \`${name}\` must be a duration, such as "10s"`);
  try {
    return parseDurationMs(value);
  } catch (error) {
    throw error instanceof MillraceError ? wrong(`${where}: \`${name}\`: ${error.message}`) : error;
  }
}

export function checkNames(where: string, options: unknown, known: readonly string[]): asserts options is object {
  if (typeof options !== "object" || options === null) throw wrong(`${where}: the options must be an object`);
  for (const name of Object.keys(options))
    if (!known.includes(name)) throw wrong(`${where}: there is no option "${name}"${didYouMean(name, known)}`);
}

export function wrong(message: string): MillraceError {
  return new MillraceError("bad_option", message);
}

/** How long to wait before the next attempt, at most: chance is the node's to take. */
export function backOffMs(policy: StepPolicy, failed: number): number {
  const growth = policy.backoff === "fixed" ? 1 : policy.factor ** (failed - 1);
  return Math.min(policy.maxMs, policy.baseMs * growth);
}
