import { describe, expect, it } from "vitest";
import { MillraceError } from "../core/index.ts";
import { factsOf } from "./definition.ts";
import { registeredEvents } from "./event-registry.ts";
import { event, Fatal, fn, http, RetryAfter } from "./index.ts";
import { isFatal, retryAfterMsOf } from "./outcome.ts";
import { formatIssue } from "./standard-schema.ts";

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

describe("a schema's own words", () => {
  it("name the path", () => {
    expect(formatIssue({ message: "Required", path: ["lines", 0, { key: "qty" }] })).toBe("data.lines.0.qty: Required");
    expect(formatIssue({ message: "Expected object" })).toBe("data: Expected object");
  });
});
