import { expect, it } from "vitest";
import { MillraceError } from "../core/index.ts";
import { checkValueSize, keptText, VALUE_LIMIT_BYTES } from "./kept-value.ts";

function faultOf(act: () => unknown): MillraceError {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof MillraceError) return thrown;
    throw thrown;
  }
  throw new Error("nothing was thrown");
}

it("V10: a value up to 1 MiB is kept, in UTF-8 and with its quotes", () => {
  expect(keptText("x".repeat(VALUE_LIMIT_BYTES - 2), "it")).toHaveLength(VALUE_LIMIT_BYTES);
  const fault = faultOf(() => keptText("x".repeat(VALUE_LIMIT_BYTES - 1), 'the result of step "pack"'));
  expect(fault.code).toBe("value_too_large");
  expect(fault.message).toMatch(/^the result of step "pack" is too large to be kept: 1,048,577 bytes, where 1,048,576 are the limit$/);
  expect(fault.cure).toMatch(/reference/);
  expect(faultOf(() => keptText("é".repeat(VALUE_LIMIT_BYTES / 2), "it")).code).toBe("value_too_large");
  expect(faultOf(() => checkValueSize("é".repeat(VALUE_LIMIT_BYTES / 2 + 1), "it")).code).toBe("value_too_large");
});

it("V7: what cannot be kept is an error that says what it was, and where in it", () => {
  const fault = faultOf(() => keptText({ items: [() => {}] }, 'the result of step "pack"'));
  expect(fault.code).toBe("bad_value");
  expect(fault.message).toBe('the result of step "pack" cannot be kept: at items[0]: a function cannot be kept');
  expect(faultOf(() => keptText(Promise.resolve(), "the input of the run")).message).toBe(
    "the input of the run cannot be kept: a Promise cannot be kept (is an `await` missing?)",
  );
});
