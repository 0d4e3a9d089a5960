import { MillraceError } from "../core/errors.ts";
import { explain, type Pattern, PatternError } from "../events/patterns/index.ts";
import type { PatternTest, TestedEvent } from "./shapes.ts";

/** Tests an event against one pattern. What is no pattern is `bad_pattern`, with the path in it and the fault. */
export function testPattern(pattern: unknown, event: object, logged: TestedEvent | null): PatternTest {
  try {
    // What the type promises is checked when the pattern is compiled.
    return { kind: "pattern", event: logged, ...explain(pattern as Pattern | string, event) };
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    const { path, fault } = error;
    throw new MillraceError("bad_pattern", `the pattern is wrong: ${error.message}`, { cause: error, details: { path, fault } });
  }
}
