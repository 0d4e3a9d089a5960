import { MillraceError, toError } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import type { Observer } from "../core/observer.ts";
import type { EventCall, Outcome } from "../pool/pool.ts";
import type { FunctionManifest } from "../protocol/manifest.ts";
import { type FunctionError, isNothing } from "../protocol/messages.ts";
import type { Member, MemberResult, ReadyDelivery, RunChange, SettleOutcome } from "../store/store.ts";
import { deadLetterEvent } from "./dead-letter.ts";
import { afterFailure, conflictWaitMs, decide, type Facts } from "./decide.ts";
import { type EffectWrites, toWrites } from "./effects.ts";
import { errorText } from "./error-text.ts";
import { KvSession } from "./kv-session.ts";
import type { LiveRelease } from "./live-release.ts";
import { type Committed, type Deps, invocationOutcome, logFailure, MOST_INNOCENT_RERUNS, MOST_RERUNS } from "./run.ts";

/** How the run of one delivery ended, for its queue. */
export type RunEnd =
  | {
      readonly kind: "settled";
      readonly invocation: string;
      readonly outcome: SettleOutcome;
      readonly member: Member;
      readonly result: Committed;
    }
  /** A run parked, was put back, or ended. */
  | {
      readonly kind: "moved";
      readonly invocation: string;
      /** As the store had it before, and has it now. */
      readonly from: "ready" | "parked";
      readonly to: "ready" | "parked" | "done";
      /** When it goes on; null: nothing wakes it but what arrives. */
      readonly dueMs: number | null;
      readonly member: Member;
      readonly result: Committed;
    }
  /** Somebody else settled it: forget it (D17). */
  | { readonly kind: "fenced"; readonly invocation: string }
  /** Nothing was settled: it stays first in line until the queue's pause is over. */
  | { readonly kind: "held-back"; readonly reason: "load-failed" | "busy" | "store-failed"; readonly error: FunctionError };

export interface RunContext {
  readonly deps: Deps;
  readonly observer: Observer;
  readonly live: LiveRelease;
  readonly epoch: number;
  /** The call begins, and ends: while its commit is under way it takes no room in an instance. */
  readonly calling: () => void;
  readonly called: () => void;
  /** In place of `calling`, for what was made ready ahead: resolves when the call may begin, with false when there will be none. */
  readonly turn: () => Promise<boolean>;
  /** Rounds of conflicts that this delivery has had; kept by the queue's owner across waits. */
  readonly conflictRounds: number;
}

/** Runs one delivery until it is settled (D12, D13, D20); conflicts and innocent crashes go round again in here. */
export async function runDelivery(entry: ReadyDelivery, fn: FunctionManifest, context: RunContext): Promise<RunEnd> {
  const { deps, observer } = context;
  const id = newId(deps.clock.now());
  let alone = false;
  let conflicts = 0;
  let innocentCrashes = 0;
  for (;;) {
    const startedMs = deps.clock.now();
    const session = new KvSession(deps.store, deps.clock);
    context.calling();
    let outcome: Outcome;
    try {
      outcome = await deps.pool.call(callOf(entry, fn, { id, alone, session }, context));
    } finally {
      context.called();
    }
    observer.invoked(entry.fn, "event", invocationOutcome(outcome), outcome.kind === "not-run" ? 0 : outcome.ranMs);
    if (session.failure !== null) return { kind: "held-back", reason: "store-failed", error: flatten(session.failure) };
    const facts: Facts = { fn, attempt: entry.attempt, nowMs: deps.clock.now(), random: deps.random() };
    const decision = decide(outcome, facts);
    if (decision.kind === "pause") return { kind: "held-back", reason: decision.reason, error: decision.error };
    if (decision.kind === "again" && innocentCrashes < MOST_INNOCENT_RERUNS) {
      alone ||= decision.alone;
      innocentCrashes++;
      continue;
    }
    const wanted = decision.kind === "again" ? postponed(context, facts) : decision.outcome;
    const ended = { id, startedMs, outcome, wanted, session, facts };
    let member = compose(entry, ended, context);
    let result: MemberResult;
    try {
      result = await deps.store.commit(member.member);
    } catch (error) {
      // The store is not ill: it cannot take these effects. Run for ever it would not end otherwise.
      if (!refusesTheMember(error)) return { kind: "held-back", reason: "store-failed", error: flatten(error) };
      member = compose(entry, unkeepable(ended, flatten(error)), context);
      try {
        result = await deps.store.commit(member.member);
      } catch (second) {
        return { kind: "held-back", reason: "store-failed", error: flatten(second) };
      }
    }
    switch (result.kind) {
      case "committed":
        if (member.failure !== null) logFailure(deps, { id, fn: entry.fn }, member.failure);
        if (member.outcome.kind === "dead") observer.died(entry.fn);
        return { kind: "settled", invocation: id, outcome: member.outcome, member: member.member, result };
      case "conflict":
        observer.conflicted(entry.fn);
        if (++conflicts <= MOST_RERUNS) break;
        return postpone(entry, { id, startedMs, outcome: postponed(context, facts) }, context);
      case "fenced":
        return { kind: "fenced", invocation: id };
      case "clash":
      case "answered":
        throw new MillraceError("internal", `a delivery's commit ended as ${result.kind}`);
      default:
        return result satisfies never;
    }
  }
}

function callOf(
  entry: ReadyDelivery,
  fn: FunctionManifest,
  { id, alone, session }: { id: string; alone: boolean; session: KvSession },
  context: RunContext,
): EventCall {
  const { deps, live } = context;
  return {
    kind: "event",
    id,
    fn: entry.fn,
    attempt: entry.attempt + 1,
    timeoutMs: fn.timeoutMs,
    alone,
    kv: session,
    log: (level, text, atMs) => deps.log({ atMs, fn: entry.fn, invocation: id, level, text }),
    eventJson: entry.event.json,
    ...(entry.run === "fn" ? { wantsResult: true } : {}),
    checkSchema: entry.event.origin === "outside" && live.schemas.appliedByReceiver(entry.event.type),
  };
}

interface Ended {
  readonly id: string;
  readonly startedMs: number;
  readonly outcome: Outcome;
  readonly wanted: SettleOutcome;
  readonly session: KvSession;
  readonly facts: Facts;
}

interface Composed {
  readonly member: Member;
  readonly outcome: SettleOutcome;
  readonly failure: FunctionError | null;
}

/** The one transaction of this run: its settling with all that it did. Effects that may not be are a failure of the function. */
function compose(entry: ReadyDelivery, ended: Ended, context: RunContext): Composed {
  const { outcome, session, facts } = ended;
  let settled = ended.wanted;
  let failure = outcome.kind === "returned" ? null : outcome.error;
  let writes: EffectWrites | null = null;
  if (outcome.kind === "returned" && !isNothing(outcome.effects)) {
    try {
      const cause = { fn: entry.fn, invocation: ended.id, hops: entry.event.hops, nowMs: facts.nowMs };
      writes = toWrites(outcome.effects, cause, context.live, context.deps.hopLimit);
    } catch (error) {
      // Our own verdict: where in Millrace it was made tells the app nothing.
      failure = { ...flatten(error), stack: null, fatal: true };
      settled = afterFailure(failure, facts);
    }
  }
  const called = entry.run === "fn" ? calledEnd(entry, outcome, settled, context.epoch) : null;
  // Whoever called it is told how it ended, and that settles it.
  if (called !== null) settled = { kind: "done" };
  const reads = session.reads();
  const letter = settled.kind === "dead" ? lettered(entry, settled, ended, context) : null;
  const events = letter === null ? writes?.events : [letter];
  const member: Member = {
    id: ended.id,
    nowMs: facts.nowMs,
    settle: settleOf(entry, ended.id, ended.startedMs, settled, context.epoch),
    ...(reads === undefined ? {} : { reads }),
    ...(events === undefined || events.length === 0 ? {} : { events }),
    ...(writes === null || writes.kv.length === 0 ? {} : { kv: writes.kv }),
    ...(writes === null || writes.timers.length === 0 ? {} : { timers: writes.timers }),
    ...(called === null ? {} : { run: called }),
  };
  return { member, outcome: settled, failure };
}

/** The end of a function that a run called for its result; null while it is to be tried again. */
function calledEnd(entry: ReadyDelivery, outcome: Outcome, settled: SettleOutcome, epoch: number): RunChange | null {
  if (settled.kind !== "done" && settled.kind !== "dead") return null;
  const end =
    settled.kind === "done"
      ? ({ state: "done", value: outcome.kind === "returned" ? (outcome.value ?? null) : null } as const)
      : ({ state: "failed", value: errorText(settled.error) } as const);
  return { run: entry.seq, epoch, entries: [], move: { kind: "end", ...end } };
}

function lettered(entry: ReadyDelivery, settled: Extract<SettleOutcome, { kind: "dead" }>, ended: Ended, context: RunContext) {
  const death = { invocation: ended.id, error: settled.error, attempts: entry.attempt + 1, nowMs: ended.facts.nowMs };
  return deadLetterEvent(entry, death, context.live.router);
}

/** S6 of the store: a member that breaks the transaction by itself rejects alone, with `internal`. */
function refusesTheMember(error: unknown): boolean {
  return error instanceof MillraceError && error.code === "internal";
}

/** The same run as a failed attempt that did nothing. */
function unkeepable(ended: Ended, error: FunctionError): Ended {
  const ranMs = "ranMs" in ended.outcome ? ended.outcome.ranMs : 0;
  return { ...ended, outcome: { kind: "threw", error, ranMs }, wanted: afterFailure(error, ended.facts) };
}

/** Puts it back without an attempt: conflicts that did not end. */
async function postpone(
  entry: ReadyDelivery,
  run: { id: string; startedMs: number; outcome: SettleOutcome },
  context: RunContext,
): Promise<RunEnd> {
  try {
    const settle = settleOf(entry, run.id, run.startedMs, run.outcome, context.epoch);
    const member: Member = { id: `${run.id}/postpone`, nowMs: context.deps.clock.now(), settle };
    const result = await context.deps.store.commit(member);
    if (result.kind !== "committed") return { kind: "fenced", invocation: run.id };
    return { kind: "settled", invocation: run.id, outcome: run.outcome, member, result };
  } catch (error) {
    return { kind: "held-back", reason: "store-failed", error: flatten(error) };
  }
}

function postponed(context: RunContext, facts: Facts): SettleOutcome {
  return { kind: "postpone", dueMs: facts.nowMs + conflictWaitMs(context.conflictRounds, facts.random) };
}

function settleOf(entry: ReadyDelivery, invocation: string, startedMs: number, outcome: SettleOutcome, epoch: number) {
  return { delivery: entry.seq, attempt: entry.attempt, epoch, invocation, startedMs, outcome };
}

export function flatten(thrown: unknown): FunctionError {
  const error = toError(thrown);
  return { name: error.name, message: error.message, stack: error.stack ?? null };
}
