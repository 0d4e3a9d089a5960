import { expect, it } from "vitest";
import { Fatal, RetryAfter } from "../sdk/outcome.ts";
import { toFunctionError } from "./function-error.ts";

it("B15: an error keeps name, message and stack", () => {
  expect(toFunctionError(new TypeError("wrong"))).toEqual({
    name: "TypeError",
    message: "wrong",
    stack: expect.stringMatching(/^TypeError: wrong\n {4}at /),
  });
});

it("B15: Fatal and RetryAfter keep what they say", () => {
  expect(toFunctionError(new Fatal("never"))).toMatchObject({ name: "Fatal", message: "never", fatal: true });
  expect(toFunctionError(new RetryAfter("30s", "later"))).toMatchObject({ name: "RetryAfter", message: "later", retryAfterMs: 30_000 });
});

it("B15: what the permission model denies is told without the flags of Node's command line", () => {
  const denied = new Error("Access to this API has been restricted. Use --allow-fs-read to manage permissions.");
  const { message, stack } = toFunctionError(denied);
  expect(message).toBe("the sandbox denies this to functions; docs/functions.md says what can be granted");
  expect(stack).toMatch(/^Error: the sandbox denies this/);
  expect(toFunctionError(new Error("fetch failed", { cause: denied })).stack).toContain("Caused by: Error: the sandbox denies this");
});

it("B15: causes are told, each once", () => {
  const root = new Error("root");
  const middle = new Error("middle", { cause: root });
  root.cause = middle;
  const { stack } = toFunctionError(new Error("top", { cause: middle }));
  expect(stack?.match(/^(?:Caused by: )?Error: \w+$/gm)).toEqual(["Error: top", "Caused by: Error: middle", "Caused by: Error: root"]);
});

it("B15: the errors of an AggregateError are told", () => {
  expect(toFunctionError(new AggregateError([new Error("one"), "two"], "both")).stack).toMatch(/One of: Error: one[^]*One of: Error: two/);
});

it.each([
  ["text", "text"],
  [{ code: 7 }, 'a value that is no Error was thrown: {"code":7}'],
  [undefined, "a value that is no Error was thrown: undefined"],
  [null, "a value that is no Error was thrown: null"],
])("B15: a thrown %j is told", (thrown, message) => {
  expect(toFunctionError(thrown)).toMatchObject({ name: "Error", message });
});

it("B15: nothing that was thrown can throw again", () => {
  const hostile = new Error("x");
  Object.defineProperty(hostile, "message", {
    get: () => {
      throw new Error("again");
    },
  });
  expect(toFunctionError(hostile).message).toContain("cannot be read");
});

it("B15: a long text is cut", () => {
  const { message, stack } = toFunctionError(new Error("x".repeat(100_000)));
  expect(message.length).toBeLessThan(17_000);
  expect(stack?.length).toBeLessThan(17_000);
});
