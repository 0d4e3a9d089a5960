import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Outcome } from "../pool/pool.ts";
import type { RetryPolicy } from "../protocol/manifest.ts";
import { backoffMs, conflictWaitMs, decide, type Facts } from "./decide.ts";

const retry: RetryPolicy = { attempts: 5, backoff: "exponential", baseMs: 1000, factor: 2, maxMs: 3_600_000, jitter: "full" };
const error = { name: "Error", message: "boom", stack: null };
const threw = (more: object = {}): Outcome => ({ kind: "threw", error: { ...error, ...more }, ranMs: 1 });
const facts = (more: Partial<Facts> = {}): Facts => ({
  fn: { retry, onDead: "continue" },
  attempt: 0,
  nowMs: 10_000,
  random: 0.5,
  ...more,
});

describe("what becomes of a delivery", () => {
  it("D2: a return ends it well", () => {
    const outcome: Outcome = { kind: "returned", effects: { emits: [], kv: [] }, response: null, ranMs: 1 };
    expect(decide(outcome, facts())).toEqual({ kind: "settle", outcome: { kind: "done" } });
  });

  it("D3: a throw with attempts left goes back after its back-off", () => {
    expect(decide(threw(), facts())).toEqual({ kind: "settle", outcome: { kind: "retry", dueMs: 10_500, error } });
  });

  it("D3: the last attempt's throw is death", () => {
    expect(decide(threw(), facts({ attempt: 4 }))).toEqual({ kind: "settle", outcome: { kind: "dead", error, hold: false } });
  });

  it("D3: Fatal is death at once, RetryAfter names the wait", () => {
    expect(decide(threw({ fatal: true }), facts())).toMatchObject({ outcome: { kind: "dead" } });
    expect(decide(threw({ retryAfterMs: 30_000 }), facts())).toMatchObject({ outcome: { kind: "retry", dueMs: 40_000 } });
    expect(decide(threw({ retryAfterMs: 30_000 }), facts({ attempt: 4 }))).toMatchObject({ outcome: { kind: "dead" } });
  });

  it("D2: a time-out and a guilty crash count like a throw", () => {
    expect(decide({ kind: "timeout", error, ranMs: 1 }, facts())).toMatchObject({ outcome: { kind: "retry" } });
    expect(decide({ kind: "crashed", blame: "guilty", error, ranMs: 1 }, facts({ attempt: 4 }))).toMatchObject({
      outcome: { kind: "dead" },
    });
  });

  it("D20: a suspect runs again alone, a bystander beside others, neither loses an attempt", () => {
    expect(decide({ kind: "crashed", blame: "suspect", error, ranMs: 1 }, facts())).toEqual({ kind: "again", alone: true });
    expect(decide({ kind: "crashed", blame: "bystander", error, ranMs: 1 }, facts())).toEqual({ kind: "again", alone: false });
  });

  it("D21: what could not run at all pauses the function", () => {
    expect(decide({ kind: "not-run", reason: "load-failed", error }, facts())).toMatchObject({ kind: "pause", reason: "load-failed" });
    expect(decide({ kind: "not-run", reason: "overloaded", error }, facts())).toMatchObject({ kind: "pause", reason: "busy" });
  });

  it("D6: onDead hold keeps the key", () => {
    const held = facts({ fn: { retry, onDead: "hold" } });
    expect(decide(threw({ fatal: true }), held)).toMatchObject({ outcome: { kind: "dead", hold: true } });
  });
});

describe("back-off", () => {
  it("D4: doubles from base to max without jitter", () => {
    const plain = { ...retry, jitter: "none", maxMs: 5000 } as const;
    expect([1, 2, 3, 4, 5].map((n) => backoffMs(plain, n, 0.9))).toEqual([1000, 2000, 4000, 5000, 5000]);
  });

  it("D4: fixed stays at base", () => {
    const fixed = { ...retry, backoff: "fixed", jitter: "none" } as const;
    expect([1, 7].map((n) => backoffMs(fixed, n, 0))).toEqual([1000, 1000]);
  });

  it("D4: full jitter is never negative and never beyond the ceiling", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), fc.double({ min: 0, max: 0.999999, noNaN: true }), (attempts, random) => {
        const waitMs = backoffMs(retry, attempts, random);
        expect(waitMs).toBeGreaterThanOrEqual(0);
        expect(waitMs).toBeLessThanOrEqual(Math.min(retry.maxMs, retry.baseMs * 2 ** (attempts - 1)));
      }),
    );
  });

  it("D13: the wait after conflicts grows from 50–500 ms and ends at 30 s", () => {
    expect([conflictWaitMs(0, 0), conflictWaitMs(0, 0.999999)]).toEqual([50, 500]);
    expect(conflictWaitMs(50, 0.999999)).toBe(30_000);
  });
});
