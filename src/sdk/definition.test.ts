import { describe, expect, it } from "vitest";
import { MillraceError } from "../core/index.ts";
import { factsOf } from "./definition.ts";
import { registeredEvents } from "./event-registry.ts";
import { event, Fatal, fn, http, RetryAfter, RunCancelled, StepError } from "./index.ts";
import { isFatal, isRunCancelled, retryAfterMsOf } from "./outcome.ts";
import type * as runCancelledFile from "./run-cancelled.ts";
import { formatIssue } from "./standard-schema.ts";
import type * as stepErrorFile from "./step-error.ts";

describe("definitions", () => {
  it("D6: are frozen and carry their facts under a registered symbol", () => {
    const options = { on: http.get("/") };
    const handler = () => "hello";
    const made = fn(options, handler);
    expect(Object.isFrozen(made)).toBe(true);
    expect(Reflect.get(made, Symbol.for("millrace.definition"))).toEqual({ kind: "fn", options, handler });
    expect(factsOf(event("order.placed"))).toMatchObject({ kind: "event", type: "order.placed" });
    expect([factsOf(null), factsOf("x"), factsOf({}), factsOf(() => {})]).toEqual([undefined, undefined, undefined, undefined]);
  });

  it("D7: events are registered by type", () => {
    const [one, other] = [event("registered.once"), event("registered.once")];
    expect(registeredEvents().get("registered.once")).toEqual([one, other]);
    expect(Reflect.get(globalThis, Symbol.for("millrace.events"))).toBe(registeredEvents());
  });
});

describe("D8: outcomes are known by brand", () => {
  it("Fatal", () => {
    const cause = new Error("why");
    const fatal = new Fatal("no such order", { cause });
    expect(fatal).toMatchObject({ name: "Fatal", message: "no such order", cause });
    expect([isFatal(fatal), isFatal(new Error("x")), isFatal(undefined), isFatal("Fatal")]).toEqual([true, false, false, false]);
    expect(isFatal(Object.assign(new Error("another copy"), { [Symbol.for("millrace.fatal")]: true }))).toBe(true);
  });

  it("RetryAfter", () => {
    expect(retryAfterMsOf(new RetryAfter("30s", "busy"))).toBe(30_000);
    expect(retryAfterMsOf(new RetryAfter(250))).toBe(250);
    expect(new RetryAfter("30s")).toMatchObject({ name: "RetryAfter", message: "to be tried again after 30s" });
    expect(retryAfterMsOf(new Error("x"))).toBeUndefined();
    expect(() => new RetryAfter("soon")).toThrow(MillraceError);
  });
});

describe("D24: what flows throw is known by brand, for instanceof too", () => {
  /** The class as another bundle has it. */
  async function anotherCopy<Module>(file: string): Promise<Module> {
    return (await import(/* @vite-ignore */ `${file}?another`)) as Module;
  }

  it("StepError", async () => {
    const cause = new TypeError("no truck");
    const error = new StepError({ step: "pack", attempts: 3, cause });
    expect(error).toMatchObject({ name: "StepError", step: "pack", attempts: 3, cause });
    expect(error.message).toBe('step "pack" failed in all of its 3 attempts: no truck');
    expect(new StepError({ step: "pack", attempts: 1, cause: "late" }).message).toBe('step "pack" failed in its only attempt: late');
    const { StepError: Another } = await anotherCopy<typeof stepErrorFile>("./step-error.ts");
    expect(Another).not.toBe(StepError);
    expect([error instanceof Another, error instanceof Error, cause instanceof StepError]).toEqual([true, true, false]);
    expect([null, "StepError", { name: "StepError" }].map((value: unknown) => value instanceof StepError)).toEqual([false, false, false]);
  });

  it("RunCancelled", async () => {
    const error = new RunCancelled("its deadline has passed");
    expect(error).toMatchObject({ name: "RunCancelled", reason: "its deadline has passed" });
    expect(error.message).toBe("the run was cancelled: its deadline has passed");
    const { RunCancelled: Another } = await anotherCopy<typeof runCancelledFile>("./run-cancelled.ts");
    expect([new Another("x") instanceof RunCancelled, error instanceof Another]).toEqual([true, true]);
    expect([isRunCancelled(error), isRunCancelled(new Another("x"))]).toEqual([true, true]);
    expect([isRunCancelled(new Error("x")), isRunCancelled(undefined), isRunCancelled("RunCancelled")]).toEqual([false, false, false]);
  });
});

describe("a schema's own words", () => {
  it("name the path", () => {
    expect(formatIssue({ message: "Required", path: ["lines", 0, { key: "qty" }] })).toBe("data.lines.0.qty: Required");
    expect(formatIssue({ message: "Expected object" })).toBe("data: Expected object");
  });
});
