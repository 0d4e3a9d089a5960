import { createHash } from "node:crypto";
import type { LeaveSignal } from "../core/departure.ts";
import { MillraceError, toError } from "../core/errors.ts";
import type { ErrorCode } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import type { Observer } from "../core/observer.ts";
import { GONE, type HttpAnswer, type Outcome } from "../pool/pool.ts";
import type { FunctionManifest } from "../protocol/manifest.ts";
import { isNothing } from "../protocol/messages.ts";
import type { Member, NewAnswer } from "../store/store.ts";
import { decodeAnswer, encodeAnswer, MOST_ANSWER_BYTES } from "./answer-record.ts";
import type { HttpRequest, HttpResult } from "./delivery.ts";
import { flatten } from "./delivery-run.ts";
import { type EffectWrites, toWrites } from "./effects.ts";
import { KvSession } from "./kv-session.ts";
import type { LiveRelease } from "./live-release.ts";
import { type Committed, type Deps, invocationOutcome, logFailure } from "./run.ts";

/** With the waits between them at most half a second in all (D13). */
const MOST_HTTP_RERUNS = 7;
const FIRST_SPREAD_MS = 4;
const ANSWER_KEPT_MS = 24 * 3_600_000;
/** Methods whose repetition is harmless by their definition (RFC 9110, 9.2.2). */
const IDEMPOTENT_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]);

export interface HttpRunContext {
  readonly deps: Deps;
  readonly observer: Observer;
  readonly live: LiveRelease;
  /** Idempotency-Keys whose first request is still running. */
  readonly inProgress: Set<string>;
  /** After a commit: what it appended wants to be dispatched. */
  readonly committed: (result: Committed, member: Member) => void;
}

/** One HTTP call as one transaction (D14, D15, D16). */
export function runHttp(request: HttpRequest, fn: FunctionManifest, context: HttpRunContext): Promise<HttpResult> {
  if (request.idempotencyKey === null) return runUntilCommitted(request, fn, null, context);
  return runOnce(request, fn, `${fn.name}\n${request.idempotencyKey}`, context);
}

/** Under an Idempotency-Key: the first request runs, its repetitions get its answer. */
async function runOnce(request: HttpRequest, fn: FunctionManifest, key: string, context: HttpRunContext): Promise<HttpResult> {
  const invocation = newId(context.deps.clock.now());
  if (context.inProgress.has(key)) {
    return failed(invocation, "idempotency_in_progress", "the first request with this Idempotency-Key is still running", 1000);
  }
  context.inProgress.add(key);
  try {
    const fingerprint = fingerprintOf(request);
    const before = await context.deps.store.answer(key, context.deps.clock.now());
    if (before !== null) return replay(before, fingerprint, invocation);
    return await runUntilCommitted(request, fn, { key, fingerprint }, context);
  } catch (error) {
    return storeFailed(invocation, error);
  } finally {
    context.inProgress.delete(key);
  }
}

type Idempotency = Pick<NewAnswer, "key" | "fingerprint">;

async function runUntilCommitted(
  request: HttpRequest,
  fn: FunctionManifest,
  idempotency: Idempotency | null,
  context: HttpRunContext,
): Promise<HttpResult> {
  const { deps, observer } = context;
  const id = newId(deps.clock.now());
  const repeatable = request.body === null || request.body instanceof Uint8Array;
  let conflicts = 0;
  let crashes = 0;
  let alone = false;
  for (;;) {
    const session = new KvSession(deps.store, deps.clock);
    const outcome = await deps.pool.call({
      kind: "http",
      id,
      fn: fn.name,
      attempt: 1,
      timeoutMs: fn.timeoutMs,
      alone,
      kv: session,
      log: (level, text, atMs) => deps.log({ atMs, fn: fn.name, invocation: id, level, text }),
      head: request.head,
      body: request.body,
      signal: request.signal,
    });
    observer.invoked(fn.name, "http", invocationOutcome(outcome), outcome.kind === "not-run" ? 0 : outcome.ranMs);
    if (outcome.kind === "crashed" && crashes === 0 && repeatable && mayHaveBeenKilled(outcome) && mayRepeat(request)) {
      crashes++;
      // What may have ended its instance is tried where it can take nobody along.
      alone = outcome.blame !== "bystander";
      continue;
    }
    const ran = { id, fn, session, idempotency, signal: request.signal };
    const verdict = plainAnswer(outcome, ran) ?? (await settle(outcome, ran, context));
    if (verdict !== "conflict") return verdict;
    observer.conflicted(fn.name);
    if (!repeatable)
      return failed(
        id,
        "conflict",
        "data that the function read changed before it ended, and its streamed request body cannot be run again",
        1000,
      );
    if (++conflicts > MOST_HTTP_RERUNS)
      return failed(id, "conflict", `data that the function read changed ${conflicts} times before it ended`, 1000);
    await apart(conflicts, deps.random());
  }
}

/** Callers that collided at once would do so again if all ran again at once: real time, a little more each round. */
function apart(conflicts: number, random: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, random * FIRST_SPREAD_MS * 2 ** (conflicts - 1));
  });
}

interface Ran {
  readonly id: string;
  readonly fn: FunctionManifest;
  readonly session: KvSession;
  readonly idempotency: Idempotency | null;
  readonly signal: LeaveSignal | null;
}

/** The answer of a call that read and wrote nothing: there is nothing to commit, and nothing to wait for. Null for all others. */
function plainAnswer(outcome: Outcome, { id, session, idempotency }: Ran): HttpResult | null {
  if (outcome.kind !== "returned" || outcome.response === null || idempotency !== null || !session.isUnused) return null;
  return isNothing(outcome.effects) ? answered(id, outcome.response, outcome.response.body) : null;
}

/** Commits what the call did and says what to answer; a throw discards its effects, but what it read must hold all the same. */
async function settle(outcome: Outcome, ran: Ran, context: HttpRunContext): Promise<HttpResult | "conflict"> {
  const { deps } = context;
  if (ran.session.failure !== null) {
    if (outcome.kind === "returned") outcome.response?.discard();
    return storeFailed(ran.id, ran.session.failure);
  }
  if (outcome.kind !== "returned") {
    if (outcome.kind === "threw" && (await readsAreStale(ran, context))) return "conflict";
    logFailure(deps, { id: ran.id, fn: ran.fn.name }, outcome.error);
    return failureOf(outcome, ran);
  }
  const answer = outcome.response;
  if (answer === null) return failed(ran.id, "internal", "the instance returned no answer");
  let kept: KeptAnswer | null;
  let writes: EffectWrites;
  try {
    kept = ran.idempotency === null ? null : await keepable(answer, ran.signal);
    const cause = { fn: ran.fn.name, invocation: ran.id, hops: -1, nowMs: deps.clock.now() };
    writes = toWrites(outcome.effects, cause, context.live, deps.hopLimit);
  } catch (thrown) {
    answer.discard();
    const error = flatten(thrown);
    logFailure(deps, { id: ran.id, fn: ran.fn.name }, error);
    return failureOf({ kind: "threw", error, ranMs: outcome.ranMs }, ran);
  }
  try {
    return await commit(writes, answer, kept, ran, context);
  } catch (error) {
    answer.discard();
    return storeFailed(ran.id, error);
  }
}

type KeptAnswer = Awaited<ReturnType<typeof encodeAnswer>>;

/** The whole answer, to be stored: nobody waits for it any more once the client has left. */
async function keepable(answer: HttpAnswer, signal: LeaveSignal | null): Promise<KeptAnswer> {
  const leave = (): void => answer.discard();
  signal?.addEventListener("abort", leave, { once: true });
  try {
    return await encodeAnswer(answer);
  } finally {
    signal?.removeEventListener("abort", leave);
  }
}

async function commit(
  writes: EffectWrites,
  answer: HttpAnswer,
  kept: KeptAnswer | null,
  ran: Ran,
  context: HttpRunContext,
): Promise<HttpResult | "conflict"> {
  const { deps } = context;
  const reads = ran.session.reads();
  const idle = writes.events.length + writes.timers.length + writes.kv.length === 0 && reads === undefined;
  if (idle && ran.idempotency === null) return answered(ran.id, answer, answer.body);
  const nowMs = deps.clock.now();
  const member: Member = {
    id: ran.id,
    nowMs,
    ...(reads === undefined ? {} : { reads }),
    ...(writes.events.length === 0 ? {} : { events: writes.events }),
    ...(writes.kv.length === 0 ? {} : { kv: writes.kv }),
    ...(writes.timers.length === 0 ? {} : { timers: writes.timers }),
    ...(ran.idempotency === null || kept === null
      ? {}
      : { answer: { ...ran.idempotency, bytes: kept.record, expiresMs: nowMs + ANSWER_KEPT_MS } }),
  };
  const result = await deps.store.commit(member);
  switch (result.kind) {
    case "committed":
      context.committed(result, member);
      return answered(ran.id, answer, kept === null ? answer.body : kept.body);
    case "conflict":
      answer.discard();
      return "conflict";
    case "answered":
      answer.discard();
      return replay(result.answer, ran.idempotency?.fingerprint ?? "", ran.id);
    case "fenced":
    case "clash":
      throw new MillraceError("internal", `an HTTP call's commit ended as ${result.kind}`);
    default:
      return result satisfies never;
  }
}

async function readsAreStale(ran: Ran, context: HttpRunContext): Promise<boolean> {
  const reads = ran.session.reads();
  if (reads === undefined) return false;
  try {
    const result = await context.deps.store.commit({ id: `${ran.id}/reads`, nowMs: context.deps.clock.now(), reads });
    return result.kind === "conflict";
  } catch {
    // The store fails: the caller gets the function's own error, which is the more useful of the two.
    return false;
  }
}

/** A process that was gone without a word may have been killed from outside; one that said why it ended would do so again. */
function mayHaveBeenKilled({ blame, error }: Extract<Outcome, { kind: "crashed" }>): boolean {
  return blame !== "guilty" || error.name === GONE;
}

function mayRepeat(request: HttpRequest): boolean {
  return request.idempotencyKey !== null || IDEMPOTENT_METHODS.has(request.head.method);
}

function answered(invocation: string, answer: HttpAnswer, body: HttpAnswer["body"]): HttpResult {
  return { kind: "answered", invocation, head: answer.head, body, discard: answer.discard, replayed: false };
}

function replay(stored: { fingerprint: string; bytes: Uint8Array }, fingerprint: string, invocation: string): HttpResult {
  if (stored.fingerprint !== fingerprint) {
    return failed(
      invocation,
      "idempotency_reused",
      "this Idempotency-Key was used for another request (its method, address or body differs)",
    );
  }
  const answer = decodeAnswer(stored.bytes);
  if (answer === null) {
    const limit = `${MOST_ANSWER_BYTES / 1024 / 1024} MiB`;
    return failed(
      invocation,
      "idempotency_answer_lost",
      `the first request with this Idempotency-Key was done, but its answer was larger than ${limit} and was not kept`,
    );
  }
  return { kind: "answered", invocation, head: answer.head, body: answer.body, discard: () => {}, replayed: true };
}

/** Whether two requests with one Idempotency-Key are the same. A streamed body is not read twice: its address must do. */
function fingerprintOf(request: HttpRequest): string {
  const hash = createHash("sha256").update(`${request.head.method} ${request.head.url}\n`);
  if (request.body instanceof Uint8Array) hash.update(request.body);
  return hash.digest("base64url");
}

const CODE_OF_FAILURE = { threw: "function_failed", timeout: "function_timeout", crashed: "function_crashed" } as const;

function failureOf(outcome: Exclude<Outcome, { kind: "returned" }>, ran: Ran): HttpResult {
  const { error } = outcome;
  const name = `"${ran.fn.name}"`;
  if (outcome.kind === "not-run") {
    if (outcome.reason === "load-failed") {
      // The pool names function and file, where it knows them.
      const named = error.message.startsWith(`${ran.fn.name} (`);
      const message = named ? error.message : `${name} could not be loaded: ${error.message}`;
      return failed(ran.id, error.name === GONE ? "function_crashed" : "load_failed", message);
    }
    return failed(ran.id, outcome.reason === "stopping" ? "stopping" : "overloaded", error.message, 1000);
  }
  if (outcome.kind === "threw" && error.retryAfterMs !== undefined) return failed(ran.id, "overloaded", error.message, error.retryAfterMs);
  if (outcome.kind === "threw" && error.name === "BadResult") return failed(ran.id, "bad_result", `${name}: ${error.message}`);
  if (outcome.kind === "crashed" && error.name === "OutOfMemory")
    return failed(ran.id, "function_out_of_memory", `${name}: ${error.message}`);
  // What the function itself said may hold secrets: it goes to the log, not to the caller.
  return failed(
    ran.id,
    CODE_OF_FAILURE[outcome.kind],
    `${name} ${WORDS_OF_FAILURE[outcome.kind]}; its log has the reason under invocation ${ran.id}`,
  );
}

const WORDS_OF_FAILURE = { threw: "failed", timeout: "ran out of time", crashed: "ended with its instance" } as const;

function storeFailed(invocation: string, thrown: unknown): HttpResult {
  if (thrown instanceof MillraceError)
    return { kind: "failed", invocation, error: thrown, retryAfterMs: thrown.status === 503 ? 1000 : null };
  return failed(invocation, "internal", toError(thrown).message);
}

function failed(invocation: string, code: ErrorCode, message: string, retryAfterMs: number | null = null): HttpResult {
  return { kind: "failed", invocation, error: new MillraceError(code, message), retryAfterMs };
}
