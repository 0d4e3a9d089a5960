import { toError } from "../../core/errors.ts";
import { isFatal, retryAfterMsOf } from "../../sdk/outcome.ts";
import type { Command } from "./command.ts";
import { backOffMs, type StepPlan } from "./step-command.ts";
import { keptError, keptValue } from "./kept-value.ts";

/** One attempt's transaction, as whoever runs it makes it. */
export interface Attempt {
  /** Runs the step's function; everything asynchronous in it belongs to this attempt. */
  run(): unknown;
  /** JSON of what it did so far, or null. */
  readonly effectsJson: string | null;
  /** It has seen something that may have changed when it is committed. */
  readonly hasRead: boolean;
  abort(reason: Error): void;
  /** Nothing more is part of it. */
  close(): void;
}

export interface AttemptRoom {
  begin(command: Command, attempt: number, timeoutMs: number): Attempt;
  ended(command: Command, head: object, effects: string | null, body: string): void;
  /** It stands until the node says `again`. */
  waits(command: Command): void;
  /** It stands until a person decides. */
  exhausted(command: Command, attempts: number, error: unknown): void;
  changed(): void;
}

/** The attempts at one step or rollback: one at a time, each a transaction of its own. */
export class StepAttempts {
  readonly command: Command;
  readonly plan: StepPlan;
  /** All of them failed and a person is to decide. */
  paused = false;
  /** Its last attempt has. */
  hasRead = false;
  private readonly room: AttemptRoom;
  private failed: number;
  /** `failed` as it was before the last attempt. */
  private before = 0;
  private running: Attempt | null = null;
  private given: Error | null = null;

  constructor(command: Command, plan: StepPlan, failed: number, room: AttemptRoom) {
    this.command = command;
    this.plan = plan;
    this.failed = failed;
    this.room = room;
  }

  get active(): boolean {
    return this.running !== null;
  }

  /** `waits`: its last attempt failed, and the next is not due. */
  begin(last: { readonly dueMs: number | null; readonly error: unknown } | null, nowMs: number): void {
    if (last === null) this.attempt();
    else if (last.dueMs === null) this.exhaust(last.error);
    else if (last.dueMs > nowMs) this.room.waits(this.command);
    else this.attempt();
  }

  attempt(): void {
    if (this.running !== null) return;
    const { command, plan } = this;
    this.before = this.failed;
    const number = this.failed + 1;
    const attempt = this.room.begin(command, number, plan.timeoutMs);
    this.running = attempt;
    const startedMs = performance.now();
    const end = (settle: () => void): void => {
      if (this.running !== attempt) return;
      settle();
    };
    const done = (value: unknown): void => end(() => this.succeed(attempt, number, value, performance.now() - startedMs));
    const failed = (thrown: unknown): void => end(() => this.fail(attempt, number, thrown, performance.now() - startedMs));
    let result: unknown;
    try {
      result = attempt.run();
    } catch (thrown) {
      failed(thrown);
      return;
    }
    if (!isThenable(result)) {
      done(result);
      return;
    }
    const timer = setTimeout(() => {
      const reason = new DOMException(`${command.words} took longer than its timeout of ${plan.timeoutMs} ms`, "TimeoutError");
      attempt.abort(reason);
      failed(reason);
    }, plan.timeoutMs);
    void this.awaitEnd(result, timer, { done, failed });
  }

  private async awaitEnd(
    result: PromiseLike<unknown>,
    timer: NodeJS.Timeout,
    { done, failed }: { readonly done: (value: unknown) => void; readonly failed: (thrown: unknown) => void },
  ): Promise<void> {
    const outcome = await settled(result);
    clearTimeout(timer);
    if (outcome.ok) done(outcome.value);
    else failed(outcome.thrown);
  }

  /** The run is cancelled, or its handler has ended: nothing is tried again. */
  giveUp(reason: Error): void {
    this.given ??= reason;
    this.running?.abort(reason);
  }

  /** A rejection or exception of its function that nobody handled. */
  broke(attempt: Attempt, reason: unknown): void {
    if (this.running === attempt) this.fail(attempt, this.failed + 1, reason, 0);
  }

  private succeed(attempt: Attempt, number: number, value: unknown, ranMs: number): void {
    const kept = keptValue(value, `the result of ${this.command.words}`);
    if (!kept.ok) {
      this.fail(attempt, number, kept.error, ranMs);
      return;
    }
    this.leave(attempt, { phase: "done", attempt: number, ranMs }, attempt.effectsJson, kept.text);
  }

  private fail(attempt: Attempt, number: number, thrown: unknown, ranMs: number): void {
    if (this.given !== null) {
      // What it did is forgotten, and so is why it ended: it was told to.
      attempt.close();
      this.running = null;
      this.room.changed();
      return;
    }
    const { policy } = this.plan;
    const last = isFatal(thrown) || number >= policy.attempts;
    const stays = last && (this.command.verb === "rollback" || policy.onExhausted === "pause");
    const body = keptError(thrown);
    if (last && !stays) {
      this.leave(attempt, { phase: "failed", attempt: number, ranMs }, null, body);
      return;
    }
    this.failed = number;
    const wait = last ? null : (retryAfterMsOf(thrown) ?? backOffMs(policy, number));
    const jitter = !last && retryAfterMsOf(thrown) === undefined && policy.jitter === "full";
    this.leave(attempt, { phase: "attempt", attempt: number, ranMs, afterMs: wait, jitter }, null, body);
    if (last) this.exhaust(toError(thrown));
  }

  /** The node has it run again: its time has come, or its transaction met a conflict and its last attempt does not count. */
  again(conflict: boolean): void {
    if (conflict) {
      this.failed = this.before;
      this.paused = false;
    }
    if (this.given === null) this.attempt();
    else this.room.changed();
  }

  private exhaust(error: unknown): void {
    this.paused = true;
    this.room.exhausted(this.command, this.failed, error);
  }

  private leave(attempt: Attempt, head: object, effects: string | null, body: string): void {
    attempt.close();
    this.running = null;
    this.hasRead = attempt.hasRead;
    this.room.ended(this.command, head, effects, body);
  }
}

type Settled = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly thrown: unknown };

async function settled(result: PromiseLike<unknown>): Promise<Settled> {
  try {
    return { ok: true, value: await result };
  } catch (thrown) {
    return { ok: false, thrown };
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (value instanceof Promise) return true;
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
